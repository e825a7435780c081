"""Cookies: which count, which do not, and how they leave."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.events import Principal
from mcp_workbench.transports.cookies import Cookies, cookie_name, cookie_value, shown_by_own_page
from mcp_workbench.transports.gate import HandshakeRequest

PORT = 8801
NAME = f"mcp_workbench_{PORT}"


def ask(*, secure: bool = False, offered: object = None, **headers: object) -> HandshakeRequest:
    sent: dict[str, object] = {"host": f"127.0.0.1:{PORT}", "sec-websocket-protocol": offered} | headers
    lists = {name: list(value) if isinstance(value, list) else [str(value)] for name, value in sent.items() if value is not None}
    return HandshakeRequest("GET", "/panel/", lists, PORT, secure)


def let_in(cookies: Cookies) -> tuple[str, str]:
    """What a browser without a cookie would send back, and its key."""
    [(_, text)], key = cookies.let_in(ask())
    return text.partition("=")[2].partition(";")[0], key.reveal()


def shown(value: str, key: str) -> bytes:
    return f"{value} {key}".encode()


def test_a_cookie_is_for_this_server_alone_and_out_of_reach_of_scripts() -> None:
    [(name, text)], key = Cookies(Principal("view"), "/panel").let_in(ask())
    assert name == "Set-Cookie"
    assert re.fullmatch(rf"{NAME}=[A-Za-z0-9_-]{{43}}; HttpOnly; SameSite=Strict; Path=/panel", text)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", key.reveal())
    [(_, text)], _ = Cookies(Principal("view"), "/panel").let_in(ask(secure=True))
    assert text.endswith("; Secure")


def test_what_was_given_counts_and_nothing_else() -> None:
    cookies = Cookies(Principal("view"), "/panel")
    value, key = let_in(cookies)
    assert cookies.check(shown(value, key)) == Principal("view")
    assert cookies.knows(ask(cookie=f"a=b; {NAME}={value}; c=d"))
    for wrong in ("", value[:-1], value + "x", value.swapcase()):
        assert cookies.check(shown(wrong, key)) is None
        assert not cookies.knows(ask(cookie=f"{NAME}={wrong}"))
    assert not Cookies(Principal("view"), "/panel").knows(ask(cookie=f"{NAME}={value}"))


def test_a_cookie_counts_beside_its_own_key_alone() -> None:
    cookies, others = Cookies(Principal("view"), "/panel"), Cookies(Principal("view"), "/panel")
    (value, key), (_, another), (_, elsewhere) = let_in(cookies), let_in(cookies), let_in(others)
    assert len({key, another, elsewhere, value}) == 4
    for wrong in ("", another, elsewhere, value, key[:-1], key + "x", key.swapcase(), f"{key} ", "é"):
        assert cookies.check(shown(value, wrong)) is None
    for nothing in (b"", b" ", value.encode(), key.encode(), shown("", key), shown(key, value)):
        assert cookies.check(nothing) is None


def test_a_browser_that_opens_another_link_keeps_its_cookie_and_key() -> None:
    cookies = Cookies(Principal("view"), "/panel")
    value, key = let_in(cookies)
    headers, again = cookies.let_in(ask(cookie=f"{NAME}={value}"))
    assert (headers, again.reveal()) == ((), key)
    [(_, text)], another = cookies.let_in(ask(cookie=f"{NAME}={value}x"))  # of a server that has ended, or of nobody
    assert value not in text
    assert another.reveal() != key


def test_the_ninth_browser_puts_the_first_out() -> None:
    cookies = Cookies(Principal("view"), "/panel")
    browsers = [let_in(cookies) for _ in range(9)]
    assert [cookies.check(shown(*browser)) is not None for browser in browsers] == [False] + [True] * 8


def test_no_repr_shows_a_value() -> None:
    cookies = Cookies(Principal("view"), "/panel")
    value, key = let_in(cookies)
    told = repr(cookies) + repr(vars(cookies)) + repr(cookies.let_in(ask(cookie=f"{NAME}={value}")))
    assert value not in told
    assert key not in told


@pytest.mark.parametrize(
    ("cookie", "value"),
    [
        (None, None),
        ("", None),
        (f"{NAME}=abc", b"abc"),
        (f" {NAME}=abc ;x", b"abc"),
        (f"x={NAME}=abc", None),
        (f"x{NAME}=abc", None),
        (f"mcp_workbench_{PORT + 1}=abc", None),
        (f"{NAME}=", b""),
        (f"{NAME}=a=b", b"a=b"),
        (f"{NAME}=abc; {NAME}=abc", None),
        ([f"{NAME}=abc", f"{NAME}=abc"], None),
        (["x=1", f"{NAME}=abc"], b"abc"),
        (f'{NAME}="abc"', b'"abc"'),
    ],
)
def test_the_value_is_found_by_its_exact_name_and_only_once(cookie: object, value: bytes | None) -> None:
    assert cookie_value(ask(cookie=cookie)) == value


@given(st.text(max_size=200))
def test_no_header_makes_it_raise(text: str) -> None:
    cookie_value(ask(cookie=text))
    shown_by_own_page(ask(cookie=text, origin=text, host=text))
    shown = shown_by_own_page(ask(cookie=f"{NAME}=abc", origin=f"http://127.0.0.1:{PORT}", offered=f"key.{text}"))
    assert shown is None or Cookies(Principal("view"), "/panel").check(shown) is None


@pytest.mark.parametrize(
    ("offered", "shown"),
    [
        ("mcp-workbench-view, key.k1", b"abc k1"),
        (["key.k1", "mcp-workbench-view"], b"abc k1"),
        ("key.", b"abc "),
        ("mcp-workbench-view", None),
        ("key.k1, key.k1", None),
        (["key.k1", "key.k2"], None),
        ("Key.k1", None),
        ("", None),
        (None, None),
    ],
)
def test_the_key_stands_among_the_subprotocols_and_only_once(offered: object, shown: bytes | None) -> None:
    request = ask(origin=f"http://127.0.0.1:{PORT}", cookie=f"{NAME}=abc", offered=offered)
    assert shown_by_own_page(request) == shown


@pytest.mark.parametrize(
    ("origin", "host", "counts"),
    [
        (f"http://127.0.0.1:{PORT}", f"127.0.0.1:{PORT}", True),
        (f"http://localhost:{PORT}", f"LocalHost:{PORT}", True),
        ("https://lab.example", "lab.example", True),  # behind a proxy, where the gate allows both
        (None, f"127.0.0.1:{PORT}", False),
        (f"http://localhost:{PORT}", f"127.0.0.1:{PORT}", False),
        ("http://127.0.0.1:9", f"127.0.0.1:{PORT}", False),
        ("http://127.0.0.1", f"127.0.0.1:{PORT}", False),
        ("null", f"127.0.0.1:{PORT}", False),
        ("null", "", False),
        ([f"http://127.0.0.1:{PORT}"] * 2, f"127.0.0.1:{PORT}", False),
    ],
)
def test_beside_another_origin_than_the_address_that_was_asked_no_cookie_counts(origin: object, host: str, counts: bool) -> None:
    request = ask(origin=origin, host=host, cookie=f"{NAME}=abc", offered="key.k")
    assert shown_by_own_page(request) == (b"abc k" if counts else None)


def test_the_name_tells_the_port() -> None:
    assert cookie_name(ask()) == NAME
