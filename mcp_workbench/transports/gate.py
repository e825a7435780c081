"""The one gate: from a request's head to yes or no.

A pure decision without socket and without clock of its own, so that every combination can be tried in
a table. The server asks it once per connection and does what it says. Behind the gate are endpoints, which
become WebSockets, and pages, which are answered from memory and end the connection. The order of the questions
is the order of who may learn what: a web page under a foreign name is stopped at `Host` and `Origin`
before it can tell one path from another, and at an endpoint only who has shown a credential is told about methods,
versions and keys. Sentences never repeat what the caller sent.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from mcp_workbench.events import Principal
from mcp_workbench.transports.channel import Channel, Receiver
from mcp_workbench.transports.credentials import Tickets
from mcp_workbench.transports.cross_site import is_preflight, may_send, readable_by

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
TICKET_STEP = "/t/"
ANY_STEP = "/*"

_HOST = re.compile(r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::[0-9]{1,5})?")
_WILDCARD_ADDRESSES = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - recognised here, bound nowhere
_WEBSOCKET_ONLY = (
    "This is a WebSocket endpoint: open it with a WebSocket client (GET and upgrade). "
    "MCP over HTTP has a port of its own: wb.start(http=True).http_url."
)
_NO_CREDENTIAL = (
    "This server wants a credential: `Authorization: Bearer` with its token, or an unused ticket in the path. "
    "A token that was right before may be old: a restarted kernel has a new one."
)


class CredentialCheck(Protocol):
    """Who knows the tokens of an endpoint."""

    def check(self, presented: bytes) -> Principal | None:
        """Say whose token this is, None when nobody's; must not raise and must not leak by its timing."""


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

    @property
    def path(self) -> str:
        """The target without its query, untouched: no escape is resolved, no step folded."""
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Refuse:
    """No, as an HTTP response."""

    status: int
    sentence: str
    headers: tuple[tuple[str, str], ...] = field(default=())


def bearer_token(request: HandshakeRequest) -> bytes | None:
    """The token of the only `Authorization: Bearer` header; None when there is no such header, or several."""
    values = request.headers.get("authorization", ())
    if len(values) != 1:
        return None
    scheme, _, token = values[0].partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    # Bytes, because comparing text beyond ASCII in constant time raises; "?" stands in no token.
    return token.encode("latin-1", "replace")


def offered_subprotocols(request: HandshakeRequest) -> list[str]:
    """What the client offers, in its order."""
    return _words(request, "sec-websocket-protocol")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path of the server and what is behind it."""

    path: str
    """Compared exactly, for instance `/mcp`."""
    credential: CredentialCheck
    subprotocol: str | None
    """Selected when the client offers it; None selects none."""
    accept: Callable[[Channel, Principal], Receiver | None]
    """Takes what opens behind it, a WebSocket for instance; None means not now, and it is closed with 1013."""
    tickets: Tickets | None = None
    """With tickets, `<path>/t/<ticket>` opens this endpoint as well."""
    presented: Callable[[HandshakeRequest], bytes | None] = bearer_token
    """Where a request carries the credential; None: it carries none that counts."""
    unauthorized: Refuse = Refuse(401, _NO_CREDENTIAL, (("WWW-Authenticate", "Bearer"),))
    """What is told to who has no credential."""
    examine: Callable[[HandshakeRequest], Refuse | None] | None = None
    """What else a request must be once it has shown a credential; None: the handshake of a WebSocket."""
    cross_site: bool = False
    """Whether pages of the gate's `allowed_origins` may read what it answers, and ask with more than a form can (CORS)."""


@dataclass(frozen=True, slots=True)
class Serve:
    """Yes, as an HTTP response after which the connection is closed."""

    body: bytes = field(repr=False)
    status: int = 200
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Beside those that every response has; a value may be a secret of the one who asked."""


@dataclass(frozen=True, slots=True)
class Page:
    """One path of the server that is answered from memory."""

    path: str
    """Compared exactly; a last step `*` stands for any one step, for instance `/panel/open/*`."""
    answer: Callable[[HandshakeRequest], Serve | Refuse]
    """Asked on the protocol loop, for GET and for HEAD, of which the head alone is sent; must neither block nor raise."""


@dataclass(frozen=True, slots=True)
class Admit:
    """Yes: open this endpoint for this principal."""

    endpoint: Endpoint
    principal: Principal
    subprotocol: str | None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Of every answer to it."""


class Gate:
    """Decides on requests by a table of endpoints and pages.

    Args:
        doors: What there is to reach; paths must differ.
        allowed_hosts: Names beside the loopback ones under which clients may address this server; no scheme, port or wildcard.
        allowed_origins: Web origins beside the server's own, for instance `https://lab.example`.
        bound_host: The address the server listens at; allowed as a name unless it is a wildcard.
    """

    def __init__(
        self,
        doors: Iterable[Endpoint | Page],
        *,
        allowed_hosts: Iterable[str] = (),
        allowed_origins: Iterable[str] = (),
        bound_host: str = "127.0.0.1",
    ) -> None:
        self._doors: dict[str, Endpoint | Page] = {}
        for door in doors:
            if door.path in self._doors:
                raise ValueError(f"two endpoints or pages want the path {door.path}")
            self._doors[door.path] = door
        bound = {bound_host.lower()} - _WILDCARD_ADDRESSES
        self._hosts = frozenset(LOOPBACK_NAMES) | {_host_name(name) for name in allowed_hosts} | bound
        self._origins = frozenset(_origin(text) for text in allowed_origins)

    def decide(self, request: HandshakeRequest) -> Admit | Serve | Refuse:
        """Admit, serve or refuse; a ticket is used up only when everything else has passed.

        Args:
            request: The parsed request head.

        Returns:
            `Admit` with the endpoint, what a page answers, or `Refuse` with status, sentence and extra headers.
        """
        refusal = self._check_host(request) or self._check_origin(request)
        if refusal is not None:
            return refusal
        door, ticket = self._find(request.path)
        if door is None:
            return Refuse(404, "There is nothing at this path.")
        if isinstance(door, Page):
            return _ask(door, request)
        shared = self._shared(door, request)
        if shared and is_preflight(request.method, request.headers):
            return Serve(b"", headers=(*shared, *may_send(request.headers)))
        decision = _admit(door, ticket, request)
        return replace(decision, headers=(*decision.headers, *shared)) if shared else decision

    def _shared(self, endpoint: Endpoint, request: HandshakeRequest) -> tuple[tuple[str, str], ...]:
        """The headers that let the page which asks read the answer, if it is one that may; its origin has been checked."""
        origins = request.headers.get("origin", ())
        if not (endpoint.cross_site and origins and origins[0].lower() in self._origins):
            return ()
        return readable_by(origins[0])

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

    def _find(self, path: str) -> tuple[Endpoint | Page | None, str | None]:
        """What is at a path, and the ticket in it."""
        if (door := self._doors.get(path)) is not None:
            return door, None
        base, _, step = path.rpartition("/")
        if step and (door := self._doors.get(base + ANY_STEP)) is not None:
            return door, None
        base, step, ticket = path.rpartition(TICKET_STEP)
        door = self._doors.get(base) if step and ticket else None
        return (door, ticket) if isinstance(door, Endpoint) and door.tickets is not None else (None, None)


def _ask(page: Page, request: HandshakeRequest) -> Serve | Refuse:
    if request.method not in ("GET", "HEAD"):
        return Refuse(405, "This is a page: it can be read (GET, HEAD), nothing else.", (("Allow", "GET, HEAD"),))
    if "transfer-encoding" in request.headers or list(request.headers.get("content-length", ["0"])) != ["0"]:
        return Refuse(400, "This is a page: a request for it has no body.")
    return page.answer(request)


def _admit(endpoint: Endpoint, ticket: str | None, request: HandshakeRequest) -> Admit | Refuse:
    principal = _by_credential(endpoint, request) if ticket is None else _by_ticket(endpoint, ticket)
    if principal is None:
        return endpoint.unauthorized
    if (refusal := (endpoint.examine or _check_upgrade)(request)) is not None:
        return refusal
    if ticket is not None and (endpoint.tickets is None or endpoint.tickets.redeem(ticket) is None):
        return endpoint.unauthorized
    return Admit(endpoint, principal, endpoint.subprotocol if endpoint.subprotocol in offered_subprotocols(request) else None)


def _by_credential(endpoint: Endpoint, request: HandshakeRequest) -> Principal | None:
    presented = endpoint.presented(request)
    return None if presented is None else endpoint.credential.check(presented)


def _by_ticket(endpoint: Endpoint, ticket: str) -> Principal | None:
    return None if endpoint.tickets is None else endpoint.tickets.peek(ticket)


def _check_upgrade(request: HandshakeRequest) -> Refuse | None:
    """RFC 6455 section 4.2.1, from the method to the key."""
    if request.method != "GET":
        return Refuse(405, _WEBSOCKET_ONLY, (("Allow", "GET"),))
    upgrade = [word.lower() for word in _words(request, "upgrade")]
    connection = [word.lower() for word in _words(request, "connection")]
    if upgrade != ["websocket"] or "upgrade" not in connection:
        return Refuse(426, _WEBSOCKET_ONLY, (("Upgrade", "websocket"),))
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
