"""The one gate: from a handshake request to yes or no.

A pure decision without socket and without clock of its own, so that every combination can be tried in
a table. The server asks it once per connection and does what it says. The order of the questions is
the order of who may learn what: a web page under a foreign name is stopped at `Host` and `Origin`
before it can tell one path from another, and only who has shown a credential is told about methods,
versions and keys. Sentences never repeat what the caller sent.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mcp_workbench.events import Principal
from mcp_workbench.transports.channel import Channel, Receiver
from mcp_workbench.transports.credentials import Tickets

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
TICKET_STEP = "/t/"

_HOST = re.compile(r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::[0-9]{1,5})?")
_WILDCARD_ADDRESSES = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - recognised here, bound nowhere
_NO_CREDENTIAL = (
    "This server wants a credential: `Authorization: Bearer` with its token, or an unused ticket in the path. "
    "A token that was right before may be old: a restarted kernel has a new one."
)


class CredentialCheck(Protocol):
    """Who knows the tokens of an endpoint."""

    def check(self, presented: bytes) -> Principal | None:
        """Say whose token this is, None when nobody's; must not raise and must not leak by its timing."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path of the server and what is behind it."""

    path: str
    """Compared exactly, for instance `/mcp`."""
    credential: CredentialCheck
    subprotocol: str | None
    """Selected when the client offers it; None selects none."""
    accept: Callable[[Channel, Principal], Receiver | None]
    """Takes the connection once it is a WebSocket; None means not now, and it is closed with 1013."""
    tickets: Tickets | None = None
    """With tickets, `<path>/t/<ticket>` opens this endpoint as well."""


@dataclass(frozen=True, slots=True)
class HandshakeRequest:
    """What the client asked, as text."""

    method: str
    target: str
    """Second word of the request line, untouched."""
    headers: Mapping[str, Sequence[str]]
    """Lower-case name -> every value sent under it, in order; bytes beyond ASCII as ISO-8859-1."""
    port: int
    """The port of ours that the request arrived at."""
    secure: bool = False
    """Whether it arrived over TLS."""


@dataclass(frozen=True, slots=True)
class Admit:
    """Yes: open this endpoint for this principal."""

    endpoint: Endpoint
    principal: Principal
    subprotocol: str | None


@dataclass(frozen=True, slots=True)
class Refuse:
    """No, as an HTTP response."""

    status: int
    sentence: str
    headers: tuple[tuple[str, str], ...] = field(default=())


class Gate:
    """Decides on handshake requests by a table of endpoints.

    Args:
        endpoints: What there is to reach; paths must differ.
        allowed_hosts: Names beside the loopback ones under which clients may address this server; no scheme, port or wildcard.
        allowed_origins: Web origins beside the server's own, for instance `https://lab.example`.
        bound_host: The address the server listens at; allowed as a name unless it is a wildcard.
    """

    def __init__(
        self,
        endpoints: Iterable[Endpoint],
        *,
        allowed_hosts: Iterable[str] = (),
        allowed_origins: Iterable[str] = (),
        bound_host: str = "127.0.0.1",
    ) -> None:
        self._endpoints: dict[str, Endpoint] = {}
        for endpoint in endpoints:
            if endpoint.path in self._endpoints:
                raise ValueError(f"two endpoints want the path {endpoint.path}")
            self._endpoints[endpoint.path] = endpoint
        bound = {bound_host.lower()} - _WILDCARD_ADDRESSES
        self._hosts = frozenset(LOOPBACK_NAMES) | {_host_name(name) for name in allowed_hosts} | bound
        self._origins = frozenset(_origin(text) for text in allowed_origins)

    def decide(self, request: HandshakeRequest) -> Admit | Refuse:
        """Admit or refuse; a ticket is used up only when everything else has passed.

        Args:
            request: The parsed request head.

        Returns:
            `Admit` with the endpoint, or `Refuse` with status, sentence and extra headers.
        """
        refusal = self._check_host(request) or self._check_origin(request)
        if refusal is not None:
            return refusal
        endpoint, ticket = self._find(request.target.partition("?")[0])
        if endpoint is None:
            return Refuse(404, "There is nothing at this path.")
        principal = _by_token(endpoint, request) if ticket is None else _by_ticket(endpoint, ticket)
        if principal is None:
            return _unauthorized()
        if (refusal := _check_upgrade(request)) is not None:
            return refusal
        if ticket is not None and (endpoint.tickets is None or endpoint.tickets.redeem(ticket) is None):
            return _unauthorized()
        offered = _words(request, "sec-websocket-protocol")
        return Admit(endpoint, principal, endpoint.subprotocol if endpoint.subprotocol in offered else None)

    def _check_host(self, request: HandshakeRequest) -> Refuse | None:
        hosts = request.headers.get("host", ())
        if len(hosts) != 1:
            return Refuse(400, "A request must carry exactly one Host header.")
        match = _HOST.fullmatch(hosts[0].lower())
        # The name alone decides, so that port forwarding works: a rebinding page cannot choose the name.
        if match is None or (match["six"] or match["name"]) not in self._hosts:
            return Refuse(403, "This Host name is not allowed here: use 127.0.0.1 or localhost, or start the server with allowed_hosts.")
        return None

    def _check_origin(self, request: HandshakeRequest) -> Refuse | None:
        origins = request.headers.get("origin", ())
        if not origins:
            return None
        if len(origins) == 1:
            origin = origins[0].lower()
            if origin in self._origins or origin in _own_origins(request):
                return None
        return Refuse(403, "Web pages of this Origin are not allowed here: start the server with allowed_origins to let them in.")

    def _find(self, path: str) -> tuple[Endpoint | None, str | None]:
        if (endpoint := self._endpoints.get(path)) is not None:
            return endpoint, None
        base, step, ticket = path.rpartition(TICKET_STEP)
        endpoint = self._endpoints.get(base) if step and ticket else None
        return (endpoint, ticket) if endpoint is not None and endpoint.tickets is not None else (None, None)


def _by_token(endpoint: Endpoint, request: HandshakeRequest) -> Principal | None:
    values = request.headers.get("authorization", ())
    if len(values) != 1:
        return None
    scheme, _, token = values[0].partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    # Bytes, because comparing text beyond ASCII in constant time raises; "?" stands in no token.
    return endpoint.credential.check(token.encode("latin-1", "replace"))


def _by_ticket(endpoint: Endpoint, ticket: str) -> Principal | None:
    return None if endpoint.tickets is None else endpoint.tickets.peek(ticket)


def _unauthorized() -> Refuse:
    return Refuse(401, _NO_CREDENTIAL, (("WWW-Authenticate", "Bearer"),))


def _check_upgrade(request: HandshakeRequest) -> Refuse | None:
    """RFC 6455 section 4.2.1, from the method to the key."""
    if request.method != "GET":
        return Refuse(405, "This is a WebSocket endpoint: open it with a WebSocket client (GET and upgrade).", (("Allow", "GET"),))
    upgrade = [word.lower() for word in _words(request, "upgrade")]
    connection = [word.lower() for word in _words(request, "connection")]
    if upgrade != ["websocket"] or "upgrade" not in connection:
        return Refuse(426, "This is a WebSocket endpoint: open it with a WebSocket client.", (("Upgrade", "websocket"),))
    if list(request.headers.get("sec-websocket-version", ())) != ["13"]:
        return Refuse(426, "This server speaks WebSocket version 13.", (("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")))
    keys = request.headers.get("sec-websocket-key", ())
    if len(keys) != 1 or not _is_key(keys[0]):
        return Refuse(400, "A WebSocket handshake carries one Sec-WebSocket-Key: 16 random bytes in base64.")
    return None


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text.encode("latin-1", "replace"), validate=True)) == 16
    except binascii.Error:
        return False


def _words(request: HandshakeRequest, header: str) -> list[str]:
    return [word.strip(" \t") for value in request.headers.get(header, ()) for word in value.split(",") if word.strip(" \t")]


def _own_origins(request: HandshakeRequest) -> set[str]:
    scheme, usual_port = ("https", 443) if request.secure else ("http", 80)
    hosts = ("127.0.0.1", "localhost", "[::1]")
    own = {f"{scheme}://{host}:{request.port}" for host in hosts}
    # A browser leaves the scheme's usual port out.
    return own | {f"{scheme}://{host}" for host in hosts} if request.port == usual_port else own


def _host_name(text: str) -> str:
    name = text.lower().removeprefix("[").removesuffix("]")
    if _HOST.fullmatch(f"[{name}]" if ":" in name else name) is None:
        raise ValueError(f"allowed_hosts takes names without scheme, port or wildcard, for instance lab.example; got {text[:80]!r}")
    return name


def _origin(text: str) -> str:
    origin = text.lower().rstrip("/")
    if re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/*\s]+", origin) is None:
        raise ValueError(f"allowed_origins takes scheme and host without path, for instance https://lab.example; got {text[:80]!r}")
    return origin
