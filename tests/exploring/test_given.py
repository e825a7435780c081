from __future__ import annotations

import os
from typing import Any

import pytest

from mcp_workbench.exploring.given import MAX_GIVEN, GivenSecrets
from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.secret import Secret, hidden_values
from mcp_workbench.workbench.workbench import Workbench


def given(where: Any = None, **facts: Any) -> list[str]:
    secrets = GivenSecrets()
    secrets.note(
        where,
        token=facts.get("token"),
        headers=hidden_values(facts.get("headers")),
        env=hidden_values(facts.get("env")),
    )
    return sorted(secret.reveal() for secret in secrets.all())


def test_what_names_or_looks_say_is_a_secret_is_kept_and_nothing_else() -> None:
    assert given(token=Secret("hunter-two\n")) == ["hunter-two"]
    assert given(headers={"Authorization": "Bearer abcdef123456", "Accept": "application/json", "X-Api-Key": "only-letters"}) == [
        "Bearer abcdef123456",
        "abcdef123456",
        "only-letters",
    ]
    assert given(headers={"Cookie": "sid=abcdef123456; theme=dark"}) == ["abcdef123456", "sid=abcdef123456; theme=dark"]
    assert given(
        env={"LANG": "en_US.UTF-8 x", "HOME": "/home/bob1234", "DB_PASSWORD": "letters", "THING": "ENVVALUE0011", "MODE": "production"}
    ) == [
        "ENVVALUE0011",
        "letters",
    ]
    assert given(["npx", "server", "--token", "only-letters", "--api-key=letters", "--port", "123456789"]) == ["letters", "only-letters"]
    assert given(Secret("https://bob:pass%20word@host/t/" + "x" * 43 + "?api_key=letters&page=2")) == ["letters", "pass word", "x" * 43]


def test_what_this_process_has_itself_is_no_secret_but_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THING", "ENVVALUE0011")
    monkeypatch.setenv("THING_TOKEN", "ENVVALUE0022")
    assert "ENVVALUE0011" not in given(env=os.environ)
    assert "ENVVALUE0022" in given(env=os.environ)


def test_what_is_no_text_is_left_to_who_sends_it() -> None:
    assert given(Secret(5), token=Secret(None), headers={"Authorization": Secret(b"x")}) == []


def test_the_latest_are_kept() -> None:
    secrets = GivenSecrets()
    for number in range(MAX_GIVEN + 10):
        secrets.note(token=Secret(f"token number {number}"))
    assert len(secrets.all()) == MAX_GIVEN
    assert secrets.all()[-1] == Secret(f"token number {MAX_GIVEN + 9}")


def test_a_workbench_withholds_what_it_was_given_for_others_however_they_write_it() -> None:
    workbench = Workbench("x")
    redactor = workbench._redactor()
    connecting = workbench.connect("http://127.0.0.1:9/mcp", token='letters"only/here', headers={"X-Thing": "HEADER0011"})
    assert connecting is not None
    with workbench.tap(["true"], env={"THING": "ENVVALUE0011"}):
        check(redactor)


def check(redactor: Redactor) -> None:
    redactor.begin()
    for raw in (
        b'{"t":"you sent letters\\"only/here"}',
        b'{"t":"letters%22only%2Fhere"}',
        b'{"t":"HEADER0011"}',
        b'{"t":"a ENVVALUE0011"}',
    ):
        assert redactor.clean([raw]) == [False]
        assert "‹redacted:" in redactor.message(raw).decode()
        assert not any(secret in redactor.message(raw) for secret in (b"only", b"0011"))
