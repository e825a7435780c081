"""The third way to say who one is: a cookie, for the browser that has opened a page of ours.

A browser sends cookies along with whatever another page makes it ask, and 127.0.0.1 has the same ones on every port. So
the cookie is named after the port, and counts at a WebSocket only beside an `Origin` that is the very address which was
asked: that header no page can choose. Tokens and tickets are in `credentials`. Everything here happens on the protocol loop.
"""

from __future__ import annotations

import hashlib
import hmac

from mcp_workbench.events import Principal
from mcp_workbench.secret import Secret
from mcp_workbench.transports.gate import HandshakeRequest


class Cookies:
    """Random values given to browsers, each standing for the same principal until the server ends.

    Args:
        principal: Whose connections they open.
        path: Of the pages to which browsers send them.
        limit: Values that count at once; a further one takes the place of the oldest.
    """

    def __init__(self, principal: Principal, path: str, limit: int = 8) -> None:
        self._principal = principal
        self._path = path
        self._limit = limit
        self._digests: list[bytes] = []

    def __repr__(self) -> str:
        return f"<Cookies for {self._path}: {len(self._digests)}>"

    def set_cookie(self, request: HandshakeRequest) -> tuple[str, str]:
        """A `Set-Cookie` header with a new value, which the browser keeps until it ends."""
        value = Secret.random()
        self._digests = [*self._digests[1 - self._limit :], _digest(value.reveal().encode())]
        secure = "; Secure" if request.secure else ""
        return "Set-Cookie", f"{cookie_name(request)}={value.reveal()}; HttpOnly; SameSite=Strict; Path={self._path}{secure}"

    def check(self, presented: bytes) -> Principal | None:
        """Say whose value this is; takes the same time whichever value it is or resembles."""
        digest, found = _digest(presented), False
        for known in self._digests:
            found |= hmac.compare_digest(known, digest)
        return self._principal if found else None

    def knows(self, request: HandshakeRequest) -> bool:
        """Whether a request for a page carries one that counts."""
        presented = cookie_value(request)
        return presented is not None and self.check(presented) is not None


def cookie_name(request: HandshakeRequest) -> str:
    """What our cookie is called at the port that was asked."""
    return f"mcp_workbench_{request.port}"


def cookie_value(request: HandshakeRequest) -> bytes | None:
    """The value of our cookie; None when there is none, or several, of which another page may have set one."""
    pairs = [pair.strip(" \t").partition("=") for header in request.headers.get("cookie", ()) for pair in header.split(";")]
    values = [value for name, _, value in pairs if name == cookie_name(request)]
    return values[0].encode("latin-1", "replace") if len(values) == 1 else None


def cookie_of_own_page(request: HandshakeRequest) -> bytes | None:
    """The same where the request comes from a page of the very address it asks; None from anywhere else.

    The gate has looked at `Host` and `Origin` already, each by itself.
    """
    origins, hosts = request.headers.get("origin", ()), request.headers.get("host", ())
    own = {f"{scheme}://{host.lower()}" for scheme in ("http", "https") for host in hosts}
    return cookie_value(request) if len(origins) == 1 and origins[0].lower() in own else None


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()
