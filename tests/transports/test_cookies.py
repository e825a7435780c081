"""Cookies: which count, which do not, and how they leave."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.events import Principal
from mcp_workbench.transports.cookies import Cookies, cookie_name, cookie_of_own_page, cookie_value
from mcp_workbench.transports.gate import HandshakeRequest

PORT = 8801
NAME = f"mcp_workbench_{PORT}"


def ask(*, secure: bool = False, **headers: object) -> HandshakeRequest:
    sent: dict[str, object] = {"host": f"127.0.0.1:{PORT}"} | headers
    lists = {name: list(value) if isinstance(value, list) else [str(value)] for name, value in sent.items() if value is not None}
    return HandshakeRequest("GET", "/panel/", lists, PORT, secure)


def given_by(cookies: Cookies) -> str:
    """The value that a browser would send back."""
    _, text = cookies.set_cookie(ask())
    return text.partition("=")[2].partition(";")[0]


def test_a_cookie_is_for_this_server_alone_and_out_of_reach_of_scripts() -> None:
    name, text = Cookies(Principal("view"), "/panel").set_cookie(ask())
    assert name == "Set-Cookie"
    assert re.fullmatch(rf"{NAME}=[A-Za-z0-9_-]{{43}}; HttpOnly; SameSite=Strict; Path=/panel", text)
    assert Cookies(Principal("view"), "/panel").set_cookie(ask(secure=True))[1].endswith("; Secure")


def test_what_was_given_counts_and_nothing_else() -> None:
    cookies = Cookies(Principal("view"), "/panel")
    value = given_by(cookies)
    assert cookies.check(value.encode()) == Principal("view")
    assert cookies.knows(ask(cookie=f"a=b; {NAME}={value}; c=d"))
    for wrong in ("", value[:-1], value + "x", value.swapcase()):
        assert cookies.check(wrong.encode()) is None
        assert not cookies.knows(ask(cookie=f"{NAME}={wrong}"))
    assert not Cookies(Principal("view"), "/panel").knows(ask(cookie=f"{NAME}={value}"))


def test_windows_share_a_cookie_and_the_ninth_browser_puts_the_first_out() -> None:
    cookies = Cookies(Principal("view"), "/panel")
    values = [given_by(cookies) for _ in range(9)]
    assert [cookies.check(value.encode()) is not None for value in values] == [False] + [True] * 8
    assert cookies.check(values[8].encode()) == Principal("view")


def test_no_repr_shows_a_value() -> None:
    cookies = Cookies(Principal("view"), "/panel")
    value = given_by(cookies)
    assert value not in repr(cookies)


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
    cookie_of_own_page(ask(cookie=text, origin=text, host=text))


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
    request = ask(origin=origin, host=host, cookie=f"{NAME}=abc")
    assert cookie_of_own_page(request) == (b"abc" if counts else None)


def test_the_name_tells_the_port() -> None:
    assert cookie_name(ask()) == NAME
