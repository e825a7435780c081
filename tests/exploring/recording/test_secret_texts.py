from __future__ import annotations

import json

import pytest

from mcp_workbench.exploring.recording.redaction import Redactor
from tests.exploring.recording.test_redaction import JWT, MARK


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("curl -H 'Authorization: Bearer abc.def-123456'", "abc.def-123456"),
        ("Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        (f"it said {JWT} to us", JWT),
        ("id AKIAIOSFODNN7EXAMPLE here", "AKIAIOSFODNN7EXAMPLE"),
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "16C7e42F292c6912"),
        ("postgres://bob:s3cr3tpw@db.internal/x", "s3cr3tpw"),
        ("https://api.test/v1?api_key=Zm9vYmFy&x=1", "Zm9vYmFy"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----", "MIIEow"),
        ("-----BEGIN PRIVATE KEY-----\\nMIIEow cut off", "MIIEow"),
        ('File "a.py", line 3, in login\n  connect(user="bob", password="two words")', "two words"),
        ("password = b'by\\'tes'", "tes"),
        ('{"broken": 1, \\"password\\": \\"hunter2\\"', "hunter2"),
        ("TypeError: login(password=SecretStr('hunter2'))", "hunter2"),
        ("credentials={'user': 'ann', 'pw': 'hunter2'}", "hunter2"),
        ("Cookie: sid=abc123; theme=dark", "abc123"),
        ('password="""triple hunter2"""', "hunter2"),
        ('secret: "never closed hunter2 \\', "hunter2"),
        ("ws://127.0.0.1:1/mcp/t/0123456789012345678901234567890123456789012", "0123456789012345678901234567890123456789012"),
    ],
)
def test_secrets_are_found_in_texts(text: str, secret: str) -> None:
    cleaned = Redactor().text(text)
    assert secret not in cleaned
    assert MARK in cleaned
    assert json.loads(Redactor().message(json.dumps({"t": text, "d": {"u": json.dumps({"v": text})}}).encode()))
    assert secret not in Redactor().message(json.dumps({"d": {"u": json.dumps({"v": text})}}).encode()).decode()


def test_long_texts_of_nothing_but_beginnings_take_no_time_to_speak_of() -> None:
    for text in (
        "password" * 20_000,
        "a" * 300_000,
        "://" * 50_000,
        "-----BEGIN PRIVATE KEY" * 5_000,
        "token='" * 20_000,
        'x="\\' * 50_000,
    ):
        Redactor().text(text)


def test_marks_in_urls_are_left_as_they_are() -> None:
    redactor = Redactor()
    once = redactor.text("https://bobby:s3cr3tpw@host/ and password=s3cr3tpw")
    assert redactor.text(once) == once
    assert once.count(redactor.text("s3cr3tpw")) == 2


def test_pictures_are_not_searched_for_what_they_may_spell_by_chance() -> None:
    picture = "iVBORw0KGgo" + "AKIAIOSFODNN7EXAMPLEpwd" * 500
    assert Redactor().text(picture) == picture
    assert Redactor().text(picture[:230]) != picture[:230]


def test_letters_that_grow_in_lower_case_move_nothing() -> None:
    assert "hunter2" not in Redactor().text("İİİİ password=hunter2 İ")
    assert Redactor().text("İİİİ password=hunter2 İ").endswith("› İ")
