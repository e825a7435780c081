"""The third way to say who one is: a cookie and its key, for the browser that has opened a page of ours.

A browser sends cookies along with whatever another page makes it ask, and 127.0.0.1 has the same ones on every port. So
the cookie is named after the port, and counts at a WebSocket only beside an `Origin` that is the very address which was
asked: that header no page can choose. A server on another port can: it is sent the cookie too, and writes what headers it likes.
So the cookie alone is worth the bare page, and a WebSocket wants its key as well, which browsers give to pages of one port only.

A page can set one header of its WebSocket, the list of subprotocols, and the key stands there: so it is looked at before there is
a WebSocket at all, by the same comparison as any credential. A first message would need a connection that waits, and a bound for it.
Tokens and tickets are in `credentials`. Everything here happens on the protocol loop.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from mcp_workbench.events import Principal
from mcp_workbench.secret import Secret
from mcp_workbench.transports.gate import HandshakeRequest, offered_subprotocols

KEY_STEP = "key."
"""Before the key, in the list of subprotocols; the server never selects that one."""
_BETWEEN = b" "
"""Between cookie and key where both are shown; it can stand in neither."""


class Cookies:
    """Random values given to browsers, each with a key of its own and standing for the same principal until the server ends.

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
        self._keys = Secret.random()

    def __repr__(self) -> str:
        return f"<Cookies for {self._path}: {len(self._digests)}>"

    def let_in(self, request: HandshakeRequest) -> tuple[tuple[tuple[str, str], ...], Secret]:
        """Give a browser what opens the WebSocket.

        A browser whose cookie counts keeps it, so that its other windows stay in.

        Returns:
            The header that sets the cookie, if it needs one, until the browser ends; and the key that goes with it.
        """
        if (known := cookie_value(request)) is not None and self._counts(known):
            return (), self._key(known)
        value = Secret.random()
        self._digests = [*self._digests[1 - self._limit :], _digest(value.reveal().encode())]
        secure = "; Secure" if request.secure else ""
        text = f"{cookie_name(request)}={value.reveal()}; HttpOnly; SameSite=Strict; Path={self._path}{secure}"
        return (("Set-Cookie", text),), self._key(value.reveal().encode())

    def check(self, presented: bytes) -> Principal | None:
        """Say whose cookie and key these are; takes the same time whatever they are or resemble."""
        value, _, key = presented.partition(_BETWEEN)
        right = hmac.compare_digest(self._key(value).reveal().encode(), key)
        return self._principal if self._counts(value) & right else None

    def knows(self, request: HandshakeRequest) -> bool:
        """Whether a request for a page carries a cookie that counts."""
        presented = cookie_value(request)
        return presented is not None and self._counts(presented)

    def _counts(self, value: bytes) -> bool:
        digest, found = _digest(value), False
        for known in self._digests:
            found |= hmac.compare_digest(known, digest)
        return found

    def _key(self, value: bytes) -> Secret:
        """Made of the cookie and of what this server alone knows: nothing has to be kept, and no key fits another cookie."""
        made = hmac.digest(self._keys.reveal().encode(), value, "sha256")
        return Secret(base64.urlsafe_b64encode(made).rstrip(b"=").decode())


def cookie_name(request: HandshakeRequest) -> str:
    """What our cookie is called at the port that was asked."""
    return f"mcp_workbench_{request.port}"


def cookie_value(request: HandshakeRequest) -> bytes | None:
    """The value of our cookie; None when there is none, or several, of which another page may have set one."""
    pairs = [pair.strip(" \t").partition("=") for header in request.headers.get("cookie", ()) for pair in header.split(";")]
    values = [value for name, _, value in pairs if name == cookie_name(request)]
    return values[0].encode("latin-1", "replace") if len(values) == 1 else None


def shown_by_own_page(request: HandshakeRequest) -> bytes | None:
    """Cookie and key, for `Cookies.check`, where the request comes from a page of the very address it asks; None from anywhere else.

    The gate has looked at `Host` and `Origin` already, each by itself.
    """
    value, keys = cookie_value(request), [word for word in offered_subprotocols(request) if word.startswith(KEY_STEP)]
    if value is None or len(keys) != 1 or not _is_of_own_page(request):
        return None
    return value + _BETWEEN + keys[0].removeprefix(KEY_STEP).encode("latin-1", "replace")


def _is_of_own_page(request: HandshakeRequest) -> bool:
    origins, hosts = request.headers.get("origin", ()), request.headers.get("host", ())
    own = {f"{scheme}://{host.lower()}" for scheme in ("http", "https") for host in hosts}
    return len(origins) == 1 and origins[0].lower() in own


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()
