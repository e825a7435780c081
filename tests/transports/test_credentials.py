from __future__ import annotations

import hashlib

import pytest

from mcp_workbench.errors import WorkbenchError
from mcp_workbench.events import Principal
from mcp_workbench.secret import Secret
from mcp_workbench.transports.credentials import Credentials, OneSecret, Tickets

ALICE = Principal("alice")


def test_code_of_this_process_is_a_principal_of_its_own_whose_tokens_tell_the_main_thread_apart() -> None:
    credentials = Credentials()
    tokens = [credentials.own_token(on_main=on_main).reveal() for on_main in (True, False)]
    known = [credentials.check(token.encode()) for token in tokens]
    assert known == [Principal("notebook"), Principal("notebook")]
    assert [each is not None and each.own for each in known] == [True, False]
    other = credentials.check(credentials.token().encode())
    assert other is not None
    assert not other.own
    assert len({*tokens, credentials.token()}) == 3
    assert not any(token in repr(credentials) for token in tokens)
    assert Credentials().own_token(on_main=True).reveal() not in tokens


def test_the_principal_of_this_process_is_nobodys_to_take_or_revoke() -> None:
    credentials = Credentials()
    assert credentials.names() == ("default",)
    with pytest.raises(ValueError, match="'notebook' is the principal of this notebook's own code; choose another name"):
        credentials.add("notebook")
    with pytest.raises(ValueError, match="'stdio' is the principal of the host that started a script; choose another name"):
        credentials.add("stdio")
    with pytest.raises(ValueError, match="no token named 'notebook'"):
        credentials.revoke("notebook")
    credentials.revoke("default")
    assert credentials.check(credentials.own_token(on_main=False).reveal().encode()) == Principal("notebook")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_first_token_is_the_default_one() -> None:
    credentials = Credentials()
    assert credentials.names() == ("default",)
    assert credentials.check(credentials.token().encode()) == Principal("default")


def test_every_token_names_its_principal() -> None:
    credentials = Credentials()
    token = credentials.add("alice")
    assert token == credentials.token("alice") != credentials.token()
    assert credentials.check(token.encode()) == ALICE


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t + "x", str.swapcase, lambda t: t + t, lambda t: "", lambda t: t + "\0"])
def test_a_token_that_is_not_exactly_right_is_nobodys(change: object) -> None:
    credentials = Credentials()
    assert callable(change)
    assert credentials.check(change(credentials.token()).encode()) is None


def test_bytes_beyond_ascii_are_nobodys() -> None:
    assert Credentials().check(b"\xe9\xff\x80") is None


def test_the_stored_digest_is_no_token() -> None:
    credentials = Credentials()
    assert credentials.check(hashlib.sha256(credentials.token().encode()).digest()) is None


def test_a_taken_name_is_refused() -> None:
    credentials = Credentials()
    with pytest.raises(ValueError, match="a token named 'default' exists: revoke it first"):
        credentials.add("default")


@pytest.mark.parametrize("name", ["", "7up", "two words", "a" * 65, "new\nline", "../x"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a token's name is a letter"):
        Credentials().add(name)


def test_a_revoked_token_and_its_tickets_are_worthless() -> None:
    credentials = Credentials()
    token = credentials.add("alice")
    ticket, other = credentials.tickets.mint(ALICE), credentials.tickets.mint(Principal("default"))
    credentials.revoke("alice")
    assert credentials.check(token.encode()) is None
    assert credentials.tickets.redeem(ticket) is None
    assert credentials.tickets.redeem(other) == Principal("default")
    credentials.add("alice")
    assert credentials.check(token.encode()) is None, "the same name again is another token"


@pytest.mark.parametrize("ask", [Credentials.revoke, Credentials.token])
def test_an_unknown_name_is_told_which_there_are(ask: object) -> None:
    assert callable(ask)
    with pytest.raises(ValueError, match="no token named 'bob'; there are: default"):
        ask(Credentials(), "bob")


def test_reprs_show_no_secret() -> None:
    credentials = Credentials()
    ticket = credentials.tickets.mint(ALICE)
    shown = repr(credentials) + repr(credentials.tickets)
    assert shown == "<Credentials: default><Tickets: 1 waiting>"
    assert credentials.token() not in shown
    assert ticket not in shown


def test_a_ticket_works_once() -> None:
    tickets = Tickets()
    ticket = tickets.mint(ALICE)
    assert tickets.peek(ticket) == ALICE
    assert tickets.peek(ticket) == ALICE, "looking does not use it up"
    assert tickets.redeem(ticket) == ALICE
    assert tickets.redeem(ticket) is None
    assert tickets.peek(ticket) is None


def test_a_ticket_expires() -> None:
    clock = Clock()
    tickets = Tickets(clock=clock)
    early, late = tickets.mint(ALICE, ttl_s=10), tickets.mint(ALICE, ttl_s=10)
    clock.now += 9.999
    assert tickets.redeem(early) == ALICE
    clock.now += 0.001
    assert tickets.peek(late) is None
    assert tickets.redeem(late) is None


@pytest.mark.parametrize("ttl_s", [0, -1, 3601, float("nan"), float("inf")])
def test_a_lifetime_out_of_range_is_refused(ttl_s: float) -> None:
    with pytest.raises(ValueError, match="ttl_s must be more than 0 and at most 3600 seconds"):
        Tickets().mint(ALICE, ttl_s=ttl_s)


def test_waiting_tickets_are_bounded_and_expired_ones_make_room() -> None:
    clock = Clock()
    tickets = Tickets(clock=clock, limit=3)
    for _ in range(3):
        tickets.mint(ALICE, ttl_s=10)
    with pytest.raises(WorkbenchError, match="3 tickets are waiting to be used"):
        tickets.mint(ALICE)
    clock.now += 10
    tickets.mint(ALICE)
    assert len(tickets) == 1


def test_one_secret_stands_for_one_principal_and_is_never_shown() -> None:
    secret = Secret.random()
    check = OneSecret(secret, "view")
    text = secret.reveal()
    assert check.check(text.encode()) == Principal("view")
    for wrong in (b"", text[:-1].encode(), (text + "x").encode(), text.upper().encode(), "é".encode("latin-1")):
        assert check.check(wrong) is None
    assert text not in repr(check) + repr(vars(check))
