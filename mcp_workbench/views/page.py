"""The page of its own: the view in any browser, served by the kernel itself, so it lives while a cell is busy.

Who gets in: `link` makes an address that is good once and for a minute; whoever opens it has from then on a cookie, and with that
the page and its files. The WebSocket behind it wants the cookie's key as well, for a cookie is shown to every port of a machine. The link
leads to the page with the key after a `#`, which is sent to no server; the page takes it from there into its window's `sessionStorage`,
which belongs to this port alone. Programs of the same user ask for such an address with the secret of the views
(`/panel/link`). Agents' tokens open nothing here. The page itself is a bare document: what is to be seen comes over
the WebSocket, to a receiver that whoever builds this provides, and is drawn by the bundle in `static/`.

Everything is asked on the protocol loop, but for `link`, which any thread may call.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from importlib.resources.abc import Traversable

from mcp_workbench.errors import WorkbenchError
from mcp_workbench.events import Principal
from mcp_workbench.transports.channel import Channel, Receiver
from mcp_workbench.transports.cookies import Cookies, shown_by_own_page
from mcp_workbench.transports.credentials import Tickets
from mcp_workbench.transports.gate import CredentialCheck, Endpoint, HandshakeRequest, Page, Refuse, Serve, bearer_token

VIEW_SUBPROTOCOL = "mcp-workbench-view"
LINK_S = 60.0
"""How long a link is good."""
VIEWER = Principal("view")

HTML = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>mcp-workbench</title>
<link rel="icon" href="favicon.svg">
<link rel="stylesheet" href="page.css">
<script type="module" src="page.js"></script>
</head>
<body><noscript>This page is drawn by JavaScript, which this browser does not run.</noscript></body>
</html>
"""
ONCE_MORE = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url=?again">
<title>mcp-workbench</title>
<link rel="icon" href="/panel/favicon.svg">
</head>
<body><a href="?again">Go on</a></body>
</html>
"""
FAVICON = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="none" stroke="#e46e2e" stroke-width="2" \
stroke-linecap="round" d="M2 12V6m4 6V3m4 9V8m4 4V5"/></svg>
"""

USED_LINK = (
    "This link is not good any more, for it works once and for 60 seconds: run wb.show(browser=True) again, "
    "or mcp-workbench panel in a terminal, for a new one."
)
NO_COOKIE = (
    "This browser has not opened a link to this page, or the server was started anew: run wb.show(browser=True), "
    "or mcp-workbench panel in a terminal, for a link."
)
FETCHED_AHEAD = "This link works once: open it, do not fetch it ahead."
NO_SECRET = "A link is given to programs that send `Authorization: Bearer` with the secret of the views; agents' tokens do not count."  # noqa: S105  # a sentence
NOT_BUILT = (
    "The page's program is not in this installation: it is built from the sources by `jlpm install` and `jlpm build:view` "
    "in the folder labextension, and then this page is there at once."
)
NOT_THE_PAGE = "This WebSocket is for the page beside it: it wants that page's cookie, its key and its Origin."

_KINDS = {"page.js": "text/javascript; charset=utf-8", "page.css": "text/css; charset=utf-8"}


class OwnPage:
    """The pages and the WebSocket of one run of the server; what it let in ends with it.

    Args:
        accept: Takes the WebSocket of a page, as `Endpoint.accept`.
        authority: Knows the secret of the views, for which programs get a link.
        static: Where the bundle lies; None: in the package.
        tickets: Of the links that were not opened yet; None makes its own.
    """

    def __init__(
        self,
        accept: Callable[[Channel, Principal], Receiver | None],
        authority: CredentialCheck,
        *,
        static: Traversable | None = None,
        tickets: Tickets | None = None,
    ) -> None:
        self._accept = accept
        self._authority = authority
        self._static = files("mcp_workbench") / "static" if static is None else static
        self._tickets = Tickets() if tickets is None else tickets
        self._cookies = Cookies(VIEWER, "/panel")
        self._read: dict[str, bytes] = {}

    def __repr__(self) -> str:
        return f"<OwnPage: {len(self._tickets)} links not opened yet>"

    def doors(self) -> tuple[Endpoint | Page, ...]:
        """What the gate is given."""
        view = Endpoint(
            "/panel/view",
            self._cookies,
            VIEW_SUBPROTOCOL,
            self._accept,
            presented=shown_by_own_page,
            unauthorized=Refuse(403, NOT_THE_PAGE),
        )
        return (
            view,
            Page("/panel/", self._document),
            Page("/panel/open/*", self._open),
            Page("/panel/link", self._link),
            Page("/panel/page.js", self._file),
            Page("/panel/page.css", self._file),
            Page("/panel/favicon.svg", _favicon),
        )

    def link(self, address: str) -> str:
        """An address that opens the page once, within 60 s; from any thread.

        Args:
            address: Of the server, for instance `http://127.0.0.1:8801`.

        Raises:
            WorkbenchError: Too many links wait to be opened.
        """
        return f"{address}/panel/open/{self._tickets.mint(VIEWER, ttl_s=LINK_S)}"

    def _open(self, request: HandshakeRequest) -> Serve | Refuse:
        if _is_fetched_ahead(request):
            return Refuse(503, FETCHED_AHEAD, _headers(request))
        if not self._cookies.knows(request) and _asks_once_more(request):
            return _once_more(request)
        # Who previews a link, asks for its head: that opens nothing and uses nothing up.
        look = self._tickets.redeem if request.method == "GET" else self._tickets.peek
        if look(request.path.rpartition("/")[2]) is None:
            return Refuse(403, USED_LINK, _headers(request))
        if request.method == "HEAD":
            return Serve(b"", 303, (*_headers(request), ("Location", "/panel/")))
        cookie, key = self._cookies.let_in(request)
        return Serve(b"", 303, (*_headers(request), ("Location", f"/panel/#{key.reveal()}"), *cookie))

    def _document(self, request: HandshakeRequest) -> Serve | Refuse:
        if not self._cookies.knows(request):
            return _once_more(request) if _asks_once_more(request) else Refuse(403, NO_COOKIE, _headers(request))
        if self._content("page.js") is None:
            return Refuse(503, NOT_BUILT, _headers(request))
        return Serve(HTML, 200, (*_headers(request), ("Content-Type", "text/html; charset=utf-8")))

    def _file(self, request: HandshakeRequest) -> Serve | Refuse:
        if not self._cookies.knows(request):
            return Refuse(403, NO_COOKIE, _headers(request))
        name = request.path.rpartition("/")[2]
        content = self._content(name)
        if content is None:
            return Refuse(404, NOT_BUILT, _headers(request))
        return Serve(content, 200, (*_headers(request), ("Content-Type", _KINDS[name])))

    def _content(self, name: str) -> bytes | None:
        """A file of the bundle, read when first asked for; the name is one of ours."""
        if name not in self._read:
            try:
                self._read[name] = (self._static / name).read_bytes()
            except OSError:  # not built: it may be, the next time
                return None
        return self._read[name]

    def _link(self, request: HandshakeRequest) -> Serve | Refuse:
        presented = bearer_token(request)
        if presented is None or self._authority.check(presented) is None:
            return Refuse(401, NO_SECRET, (*_headers(request), ("WWW-Authenticate", "Bearer")))
        headers = (*_headers(request), ("Content-Type", "application/json"))
        if request.method == "HEAD":
            return Serve(b"", 200, headers)
        # The gate has let this name through, and it is the one that leads here from where the program runs.
        address = f"{'https' if request.secure else 'http'}://{request.headers['host'][0]}"
        try:
            return Serve(json.dumps({"url": self.link(address)}).encode(), 200, headers)
        except WorkbenchError as error:
            return Refuse(503, f"{str(error)[:1].upper()}{str(error)[1:]}.", _headers(request))


def link_line(link: str) -> str:
    """What is printed of a link."""
    return f"{link} (good once, for {LINK_S:.0f} s)"


def _favicon(request: HandshakeRequest) -> Serve:
    return Serve(FAVICON, 200, (*_headers(request), ("Content-Type", "image/svg+xml")))


def _is_fetched_ahead(request: HandshakeRequest) -> bool:
    """Whether a browser asks on a guess, before anybody has clicked: the last two are what older ones say."""
    names = ("sec-purpose", "purpose", "x-purpose", "x-moz")
    said = " ".join(value.lower() for name in names for value in request.headers.get(name, ()))
    return any(word in said for word in ("prefetch", "prerender", "preview"))


def _asks_once_more(request: HandshakeRequest) -> bool:
    """Whether a link was clicked in another site's page, for instance a notebook's output, and has not been asked for again.

    The browser sends a Strict cookie along only when a page of ours asks, and not while it follows that click, nor what that leads
    to. So a page of ours asks, once: then a browser that was let in before is known, and the key is not lost on the way.
    """
    site, kind = (list(request.headers.get(f"sec-fetch-{fact}", ())) for fact in ("site", "dest"))
    return site in (["cross-site"], ["same-site"]) and kind == ["document"] and not request.target.endswith("?again")


def _once_more(request: HandshakeRequest) -> Serve:
    return Serve(ONCE_MORE, 200, (*_headers(request), ("Content-Type", "text/html; charset=utf-8")))


def _headers(request: HandshakeRequest) -> tuple[tuple[str, str], ...]:
    """What a browser is told with every answer: nothing of another origin, no frame around it, nothing kept."""
    scheme = "wss" if request.secure else "ws"
    own = " ".join(f"{scheme}://{name}:{request.port}" for name in ("127.0.0.1", "localhost"))
    policy = (
        f"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' {own}; img-src 'self' data:; "
        "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return (
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    )
