from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.events import Principal
from mcp_workbench.transports.channel import Channel, Receiver
from mcp_workbench.transports.credentials import Credentials, Tickets
from mcp_workbench.transports.gate import Admit, Endpoint, Gate, HandshakeRequest, Page, Refuse, Serve

PORT = 8801
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def accept(channel: Channel, principal: Principal) -> Receiver | None:
    raise AssertionError("the gate decides and opens nothing")


class Desk:
    """A gate with two endpoints and two pages, and requests that differ from a good one in what a test names."""

    def __init__(
        self, *, allowed_hosts: tuple[str, ...] = (), allowed_origins: tuple[str, ...] = (), bound_host: str = "127.0.0.1"
    ) -> None:
        self.credentials = Credentials()
        self.viewers = Credentials(tickets=Tickets())
        self.mcp = Endpoint("/mcp", self.credentials, "mcp", accept, self.credentials.tickets)
        self.view = Endpoint("/view", self.viewers, None, accept)
        self.asked: list[str] = []
        pages = [Page("/page/", self.answer), Page("/page/open/*", self.answer)]
        self.gate = Gate([self.mcp, self.view, *pages], allowed_hosts=allowed_hosts, allowed_origins=allowed_origins, bound_host=bound_host)

    def answer(self, request: HandshakeRequest) -> Serve | Refuse:
        self.asked.append(request.path)
        return Serve(b"hello")

    def ask(
        self, *, target: str = "/mcp", method: str = "GET", port: int = PORT, secure: bool = False, **headers: object
    ) -> Admit | Serve | Refuse:
        sent: dict[str, object] = {
            "host": f"127.0.0.1:{PORT}",
            "upgrade": "websocket",
            "connection": "Upgrade",
            "sec_websocket_version": "13",
            "sec_websocket_key": KEY,
            "authorization": f"Bearer {self.credentials.token()}",
        } | headers
        lists = {name.replace("_", "-"): values(value) for name, value in sent.items() if value is not None}
        return self.gate.decide(HandshakeRequest(method, target, lists, port, secure))

    def status(self, **wishes: object) -> int:
        decision = self.ask(**wishes)  # type: ignore[arg-type]  # the tests name them right
        return 101 if isinstance(decision, Admit) else decision.status


def values(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def test_a_good_request_is_admitted_to_its_endpoint() -> None:
    desk = Desk()
    assert desk.ask(sec_websocket_protocol="mcp") == Admit(desk.mcp, Principal("default"), "mcp")


@pytest.mark.parametrize(
    "host",
    [f"127.0.0.1:{PORT}", "127.0.0.1", "localhost", f"LocalHost:{PORT}", "[::1]", f"[::1]:{PORT}", "127.0.0.1:1"],
)
def test_loopback_names_are_allowed_with_any_port(host: str) -> None:
    assert Desk().status(host=host) == 101


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "localhost.evil.com", "127.0.0.1.evil.example", "evil.example#localhost", "localhost.", "127.0.0.1.",
        "localhost:", "localhost:x", "localhost:123456", "user@localhost", "localhost@evil.example", "127.1", "0x7f.0.0.1",
        "2130706433", "0.0.0.0", "::1", "[::1", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "lоcalhost", "localhost\t",
        "localhost,evil.example", "127.0.0.2", "", "[localhost]", "http://localhost",
    ],
)  # fmt: skip
def test_every_other_host_is_refused(host: str) -> None:
    assert Desk().status(host=host) == 403


@pytest.mark.parametrize("hosts", [None, [], ["localhost", "localhost"], ["localhost", "evil.example"]])
def test_there_must_be_exactly_one_host(hosts: object) -> None:
    assert Desk().status(host=hosts) == 400


def test_allowed_hosts_add_names() -> None:
    desk = Desk(allowed_hosts=("Lab.example", "[fe80::1]"))
    assert desk.status(host="lab.example:9") == 101
    assert desk.status(host="[fe80::1]:9") == 101
    assert desk.status(host="x.lab.example") == 403


def test_the_bound_address_is_a_name_unless_it_is_a_wildcard() -> None:
    assert Desk(bound_host="192.0.2.7").status(host="192.0.2.7:1") == 101
    assert Desk(bound_host="0.0.0.0").status(host="0.0.0.0:1") == 403
    assert Desk(bound_host="::").status(host="[::]:1") == 403


@pytest.mark.parametrize("name", ["*", "*.example", "http://lab.example", "lab.example:80", "lab.example/x", ""])
def test_allowed_hosts_take_only_names(name: str) -> None:
    with pytest.raises(ValueError, match="allowed_hosts takes names"):
        Desk(allowed_hosts=(name,))


@given(st.text(max_size=40), st.sampled_from(["", "127.0.0.1", "localhost", "[::1]"]), st.text(max_size=10))
def test_no_text_around_a_loopback_name_gets_in(before: str, name: str, after: str) -> None:
    host = before + name + after
    allowed = host.lower() in ("127.0.0.1", "localhost", "[::1]") or (
        host.lower().startswith(("127.0.0.1:", "localhost:", "[::1]:"))
        and host.rpartition(":")[2].isascii()
        and host.rpartition(":")[2].isdigit()
    )
    status = Desk().status(host=host)
    assert status in (101, 403)
    assert status == 403 or allowed


@pytest.mark.parametrize(
    "origin", [None, f"http://127.0.0.1:{PORT}", f"http://localhost:{PORT}", f"http://[::1]:{PORT}", f"HTTP://LOCALHOST:{PORT}"]
)
def test_no_origin_and_the_servers_own_are_allowed(origin: str | None) -> None:
    assert Desk().status(origin=origin) == 101


@pytest.mark.parametrize(
    "origin",
    [
        "null", "file://", "", "http://localhost", "http://localhost:1", f"https://localhost:{PORT}",
        f"http://localhost.evil.com:{PORT}", f"http://127.0.0.1.evil:{PORT}", f"http://localhost:{PORT}.evil.example",
        f"http://localhost:{PORT}/", f"http://localhost.:{PORT}", f"http://x@localhost:{PORT}", "http://evil.example",
        f"http://evil.example#http://localhost:{PORT}", f"localhost:{PORT}", f"ws://localhost:{PORT}", f"http://localhost:0{PORT}",
        f" http://localhost:{PORT}", "vscode-webview://abc", "chrome-extension://abc",
    ],
)  # fmt: skip
def test_every_other_origin_is_refused(origin: str) -> None:
    assert Desk().status(origin=origin) == 403


def test_two_origins_are_refused_even_when_each_would_be_allowed() -> None:
    own = f"http://localhost:{PORT}"
    assert Desk().status(origin=[own, own]) == 403
    assert Desk().status(origin=[own, "http://evil.example"]) == 403


def test_allowed_origins_add_exact_ones() -> None:
    desk = Desk(allowed_origins=("https://Lab.example/",))
    assert desk.status(origin="https://lab.example") == 101
    assert desk.status(origin="http://lab.example") == 403
    assert desk.status(origin="https://lab.example:8443") == 403


@pytest.mark.parametrize("origin", ["*", "lab.example", "https://lab.example/path", "https://*.example", ""])
def test_allowed_origins_take_only_origins(origin: str) -> None:
    with pytest.raises(ValueError, match="allowed_origins takes scheme and host"):
        Desk(allowed_origins=(origin,))


def test_own_origins_follow_scheme_and_usual_port() -> None:
    assert Desk().status(origin=f"https://localhost:{PORT}", secure=True) == 101
    assert Desk().status(origin=f"http://localhost:{PORT}", secure=True) == 403
    assert Desk().status(origin="http://localhost", port=80) == 101
    assert Desk().status(origin="https://localhost", port=443, secure=True) == 101


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_text_around_an_own_origin_gets_in(before: str, after: str) -> None:
    own = f"http://127.0.0.1:{PORT}"
    assert Desk().status(origin=before + own + after) == (101 if before + after == "" else 403)


@pytest.mark.parametrize(
    "target",
    [
        "/", "", "*", "/mcp/", "//mcp", "/MCP", "/mcp%00x", "/mcp%2f", "/%6dcp", "/../mcp", "/./mcp", "/mcp/..",
        "http://127.0.0.1/mcp", "http://evil.example/mcp", "/mcp;x", "/mcp#x", "/mcp/t", "/mcp/t/", "/t/x", "/view/t/x", "/other",
    ],
)  # fmt: skip
def test_only_exact_paths_lead_somewhere(target: str) -> None:
    assert Desk().status(target=target) == 404


def test_a_query_is_ignored_and_opens_nothing() -> None:
    desk = Desk()
    assert desk.status(target="/mcp?x=1") == 101
    token = desk.credentials.token()
    assert desk.status(target=f"/mcp?token={token}&access_token={token}", authorization=None) == 401


@pytest.mark.parametrize(
    "value",
    [
        None, "", "Bearer", "Bearer ", "Bearer nope", "{token}", "Basic {token}", "BearerX {token}", "Bearer  {token}",
        "Bearer {token} ", "Bearer {token},", "Bearer {token}%00", "Bearer \xe9\xff{token}", "Bearer ключ", "Token {token}",
        "Bearer\t{token}",
    ],
)  # fmt: skip
def test_only_the_exact_bearer_token_counts(value: str | None) -> None:
    desk = Desk()
    decision = desk.ask(authorization=None if value is None else value.format(token=desk.credentials.token()))
    assert isinstance(decision, Refuse)
    assert decision.status == 401
    assert ("WWW-Authenticate", "Bearer") in decision.headers


def test_the_scheme_may_be_written_in_any_case() -> None:
    desk = Desk()
    assert desk.status(authorization=f"bearer {desk.credentials.token()}") == 101


def test_two_authorization_headers_are_refused_even_when_both_are_right() -> None:
    desk = Desk()
    right = f"Bearer {desk.credentials.token()}"
    assert desk.status(authorization=[right, right]) == 401


def test_cookies_open_nothing() -> None:
    desk = Desk()
    assert desk.status(authorization=None, cookie=f"token={desk.credentials.token()}") == 401


def test_each_endpoint_has_its_own_credentials() -> None:
    desk = Desk()
    assert desk.status(target="/view") == 401
    assert desk.ask(target="/view", authorization=f"Bearer {desk.viewers.token()}", sec_websocket_protocol="mcp") == Admit(
        desk.view, Principal("default"), None
    )


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"method": "POST"}, 405),
        ({"method": "HEAD"}, 405),
        ({"upgrade": None}, 426),
        ({"upgrade": "h2c"}, 426),
        ({"upgrade": "websocket, h2c"}, 426),
        ({"connection": None}, 426),
        ({"connection": "keep-alive"}, 426),
        ({"sec_websocket_version": None}, 426),
        ({"sec_websocket_version": "8"}, 426),
        ({"sec_websocket_version": ["13", "13"]}, 426),
        ({"sec_websocket_key": None}, 400),
        ({"sec_websocket_key": "short"}, 400),
        ({"sec_websocket_key": "ключ"}, 400),
        ({"sec_websocket_key": "!" * 24}, 400),
        ({"sec_websocket_key": [KEY, KEY]}, 400),
    ],
)
def test_what_is_no_websocket_handshake_is_told_so(wish: dict[str, object], status: int) -> None:
    assert Desk().status(**wish) == status


def test_what_a_handshake_may_look_like() -> None:
    assert Desk().status(upgrade="WebSocket", connection="keep-alive, Upgrade") == 101
    assert Desk().status(connection=["keep-alive", "upgrade"]) == 101


def test_an_upgrade_refusal_says_what_would_do() -> None:
    decision = Desk().ask(sec_websocket_version="8")
    assert isinstance(decision, Refuse)
    assert set(decision.headers) == {("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")}
    decision = Desk().ask(method="POST")
    assert isinstance(decision, Refuse)
    assert decision.headers == (("Allow", "GET"),)


@pytest.mark.parametrize("wish", [{"method": "POST"}, {"upgrade": None}])
def test_who_speaks_http_here_is_told_of_the_other_port(wish: dict[str, object]) -> None:
    decision = Desk().ask(**wish)  # type: ignore[arg-type]  # the tests name them right
    assert isinstance(decision, Refuse)
    assert "wb.start(http=True).http_url" in decision.sentence


@pytest.mark.parametrize(
    ("offered", "selected"),
    [
        (None, None),
        ("mcp", "mcp"),
        ("graphql-ws", None),
        ("mcpx", None),
        ("MCP", None),
        ("x, mcp", "mcp"),
        (["x", "mcp"], "mcp"),
        (",,", None),
        ("\xff", None),
    ],
)
def test_a_subprotocol_is_selected_only_when_offered(offered: object, selected: str | None) -> None:
    decision = Desk().ask(sec_websocket_protocol=offered)
    assert isinstance(decision, Admit)
    assert decision.subprotocol == selected


def test_a_ticket_opens_its_endpoint_once() -> None:
    desk = Desk()
    alice = Principal("alice")
    target = f"/mcp/t/{desk.credentials.tickets.mint(alice)}"
    assert desk.ask(target=target, authorization=None) == Admit(desk.mcp, alice, None)
    assert desk.status(target=target, authorization=None) == 401


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"host": "evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"method": "POST"}, 405),
        ({"upgrade": None}, 426),
        ({"sec_websocket_key": "short"}, 400),
    ],
)
def test_a_ticket_survives_a_request_that_fails_otherwise(wish: dict[str, object], status: int) -> None:
    desk = Desk()
    target = f"/mcp/t/{desk.credentials.tickets.mint(Principal('alice'))}"
    assert desk.status(target=target, authorization=None, **wish) == status
    assert desk.status(target=target, authorization=None) == 101


def test_a_token_does_not_replace_a_wrong_ticket() -> None:
    assert Desk().status(target="/mcp/t/nope") == 401


def test_a_foreign_page_cannot_tell_one_path_from_another() -> None:
    for wish in ({"host": "evil.example"}, {"origin": "http://evil.example"}):
        assert {Desk().status(target=target, authorization=None, **wish) for target in ("/mcp", "/view", "/other", "/mcp/t/x")} == {403}


def test_without_a_credential_nothing_is_told_about_handshakes() -> None:
    for wish in ({"method": "POST"}, {"upgrade": None}, {"sec_websocket_version": "8"}, {"sec_websocket_key": None}):
        assert Desk().status(authorization=None, **wish) == 401


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_no_request_raises_or_is_repeated_to_its_sender(target: str, host: str, authorization: str) -> None:
    marked = f"ZQX{target}"
    decision = Desk().ask(target=marked, host=f"ZQX{host}", authorization=f"ZQX{authorization}", origin="ZQX")
    assert isinstance(decision, Refuse)
    assert "ZQX" not in decision.sentence + str(decision.headers)


def test_two_endpoints_cannot_share_a_path() -> None:
    endpoint = Desk().mcp
    with pytest.raises(ValueError, match="two endpoints or pages want the path /mcp"):
        Gate([endpoint, endpoint])


def test_no_repr_shows_a_token() -> None:
    desk = Desk()
    decision = desk.ask()
    assert isinstance(decision, Admit)
    assert desk.credentials.token() not in repr(decision)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_page_answers_whoever_passes_host_and_origin(method: str) -> None:
    desk = Desk()
    assert desk.ask(target="/page/?x=1", method=method, authorization=None) == Serve(b"hello")
    assert desk.asked == ["/page/"]


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"host": "evil.example"}, 403),
        ({"host": None}, 400),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"method": "POST"}, 405),
        ({"method": "PUT"}, 405),
        ({"method": "DELETE"}, 405),
        ({"method": "OPTIONS"}, 405),
        ({"method": "TRACE"}, 405),
        ({"content_length": "1"}, 400),
        ({"content_length": ["0", "1"]}, 400),
        ({"content_length": "00"}, 400),
        ({"transfer_encoding": "chunked"}, 400),
    ],
)
def test_a_page_is_not_asked_by_what_may_not_read_it(wish: dict[str, object], status: int) -> None:
    desk = Desk()
    assert desk.status(target="/page/", **wish) == status
    assert desk.asked == []


def test_a_page_says_how_it_can_be_read() -> None:
    decision = Desk().ask(target="/page/", method="POST")
    assert isinstance(decision, Refuse)
    assert decision.headers == (("Allow", "GET, HEAD"),)


def test_a_request_that_says_it_has_no_body_is_a_request_for_a_page() -> None:
    assert Desk().status(target="/page/", content_length="0") == 200


@pytest.mark.parametrize(
    ("target", "asked"),
    [
        ("/page/open/abc", "/page/open/abc"),
        ("/page/open/..", "/page/open/.."),
        ("/page/open/%2e%2e%2f", "/page/open/%2e%2e%2f"),
        ("/page/open/*", "/page/open/*"),
        ("/page/open/a?b", "/page/open/a"),
    ],
)
def test_a_page_with_an_open_step_gets_it_as_it_was_sent(target: str, asked: str) -> None:
    desk = Desk()
    assert desk.status(target=target) == 200
    assert desk.asked == [asked]


@pytest.mark.parametrize(
    "target",
    [
        "/page", "/page//", "/PAGE/", "/page/.", "/page/../page/", "/x/../page/", "/page/%2e%2e/", "/%70age/", "/page%2f", "/page/;",
        "/page/open", "/page/open/", "/page/open/a/b", "/page/open/../", "/page/t/x", "/page/x", "//page/", "page/", "/*",
    ],
)  # fmt: skip
def test_only_a_pages_exact_path_leads_to_it(target: str) -> None:
    desk = Desk()
    assert desk.status(target=target) == 404
    assert desk.asked == []


def test_a_page_and_an_endpoint_cannot_share_a_path() -> None:
    with pytest.raises(ValueError, match="two endpoints or pages want the path /mcp"):
        Gate([Desk().mcp, Page("/mcp", lambda request: Serve(b""))])


def test_an_endpoint_says_where_its_credential_is_and_what_is_missing() -> None:
    desk = Desk()
    told = Refuse(403, "Say please.")
    door = Endpoint("/polite", desk.credentials, None, accept, presented=lambda request: request.target[-43:].encode(), unauthorized=told)
    gate = Gate([door])
    token = desk.credentials.token()
    base = {"host": ["localhost"], "upgrade": ["websocket"], "connection": ["upgrade"], "sec-websocket-version": ["13"]}
    headers = base | {"sec-websocket-key": [KEY]}
    assert gate.decide(HandshakeRequest("GET", f"/polite?{token}", headers, PORT)) == Admit(door, Principal("default"), None)
    bearer = headers | {"authorization": [f"Bearer {token}"]}
    assert gate.decide(HandshakeRequest("GET", "/polite", bearer, PORT)) == told


def test_what_a_page_serves_is_in_no_repr() -> None:
    assert "secret" not in repr(Serve(b"secret", 303, (("Set-Cookie", "secret"),)))
