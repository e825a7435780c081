from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.secret import Secret
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
        ("export DB_PASS=hunter2 OPENAI_KEY=x", "hunter2"),
        ("export OPENAI_KEY=hunter2", "hunter2"),
        ("password         =         hunter2", "hunter2"),
        ("password: Tr0ub&hunter2,x", "hunter2"),
        ("password=ab(hunter2", "hunter2"),
        ("Server=x;User Id=bob;Pwd=hunter2;", "hunter2"),
        ("psk=hunter2", "hunter2"),
        ("password -> hunter2", "hunter2"),
        ("login%3Fpassword%3Dhunter2", "hunter2"),
        ("login%3Fpw%3Dhunter2", "hunter2"),
        ("Pass Word: hunter2", "hunter2"),
        ("password: !!str hunter2", "hunter2"),
        ("password: &pw hunter2", "hunter2"),
        ("password: !!str &pw 'hunter2'", "hunter2"),
        ("password: |\n  one\n  hunter2\n", "hunter2"),
        ("pypi-AgEIcHlwaS5vcmcabcdefabcdef", "AgEIcHlwaS5vcmc"),
        ("ya29.a0AfH6SMBabcdefabcdef", "a0AfH6SMB"),
        ("SG.abcdefabcdefabcdef.abcdefabcdefabcdefabcdef", "abcdefabcdef"),
        ("https://x.blob.core.windows.net/c?sv=1&sig=abcdefabcdefabcdef%3D", "abcdefabcdef"),
        ("https://hooks.slack.com/services/T000/B000/abcdefabcdefabcdef", "abcdefabcdef"),
        ("Mcp-Session-Id: abcdef0123", "abcdef0123"),
        ("ws://127.0.0.1:1/mcp/t/0123456789012345678901234567890123456789012", "0123456789012345678901234567890123456789012"),
    ],
)
def test_secrets_are_found_in_texts(text: str, secret: str) -> None:
    cleaned = Redactor().text(text)
    assert secret not in cleaned
    assert MARK in cleaned
    assert json.loads(Redactor().message(json.dumps({"t": text, "d": {"u": json.dumps({"v": text})}}).encode()))
    assert secret not in Redactor().message(json.dumps({"d": {"u": json.dumps({"v": text})}}).encode()).decode()


PIECES = (
    *("password", "=", "'hunter2'", ": ", "token", '"', "\\n", "Bearer ", "abcdefgh1", " ", "AKIA", "IOSFODNN7EXAMPLE", "x", "İ", "eyJ"),
    *("https://u:p@h", "user,pw\nbob,abc\n", "identified by ", "--api-key ", "?sig=", "0123456789abcdefgh", "cookie: "),
)

HOSTILE: list[Callable[[int], str]] = [
    *(
        lambda n, piece=piece: piece * n
        for piece in (
            *(
                "eyJ",
                "://a:b",
                "://a:b@c",
                "://a",
                ":\\/",
                "a:",
                "x@",
                "bearer ",
                "bearer" + " " * 50,
                "authorization",
                "cookie: ",
                "cookie ",
            ),
            *(
                "-----BEGIN",
                "-----BEGIN PRIVATE KEY",
                "-----BEGIN PRIVATE KEY-----END",
                "/t/",
                "AKIA",
                "SG.",
                "sk-",
                "sig=",
                "ya29.",
                "pypi-",
            ),
            *("password", "password=", "token", "token='", 'token="', "token=[", "token" + "\\" * 40, 'x="\\', "api", "key", "secret "),
            *(
                "--token ",
                "--",
                "-u ",
                "-u a",
                "-u a:",
                "<token>",
                "<",
                "<a ",
                "('token',",
                "('a',",
                "('",
                "password: |\n ",
                "passphrase: ",
            ),
            *(
                "password%3D",
                "password -> ",
                "identified by '",
                "identified by ",
                "identified ",
                "password,",
                "a,b\n",
                "|password|\n",
                "\n",
                "| ",
            ),
            *("password for ", "password: !!str ", "password: &", "<th>password</th>", "<td>", "<th>password</th><td>a</td>"),
            *("Name: password, dtype: \n", "password  a\n", "password\n", "password \n", "- -\n", "password  a  ", "a  b\n", "pass "),
            *("password,a\n", '"password","', "password;", "hooks.slack.com/services/", "DB_KEY", "pass ", "session", '"', "İpassword "),
        )
    ),
    lambda n: "://a:b" * n + " @",
    lambda n: "://" + "a:" * n + " @",
    lambda n: "://a:" + "x@" * n + " ",
    lambda n: "bearer" + " " * n,
    lambda n: "authorization" + " " * n,
    lambda n: "authorization:" + "\n" * n,
    lambda n: "token=" + "\\" * n,
    lambda n: "token=" + "\\" * n + "'" + "\\" * n,
    lambda n: "token='" + "\\'" * n,
    lambda n: "token:" + ")" * n,
    lambda n: ":" + "\\" * n + "@",
    lambda n: "password" + " " * n + "=",
    lambda n: "password,a\n" + '"' * n,
    lambda n: "password,a\n" + "b,c\n" * n,
    lambda n: "A" * 5000 + "\n" * n + "!",
    lambda n: "-----BEGIN PRIVATE KEY" + "-----END " * n,
]


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: repr(hostile(2))[:40])
def test_a_text_eight_times_as_long_takes_about_eight_times_the_work(hostile: Callable[[int], str]) -> None:
    def work(size: int) -> int:
        text = hostile(size)
        least = 2**62
        for _ in range(3):
            redactor = Redactor()
            begun = time.thread_time_ns()  # of the processor, for this thread: others cannot lengthen it
            redactor.text(text)
            least = min(least, time.thread_time_ns() - begun)
        return least

    many = work(8_000)
    if many > 5_000_000:  # less says nothing
        assert many < 24 * work(1_000)


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


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.integers(1, 9))
def test_stretch_by_stretch_the_same_is_found_as_at_one_go(text: str, stretch: int) -> None:
    def hidden() -> str:
        redactor = Redactor()
        redactor.mark_with(Secret("x"))
        return redactor.text(text)

    at_one_go = hidden()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mcp_workbench.exploring.recording.secret_texts.STRETCH", stretch)
        patch.setattr("mcp_workbench.exploring.recording.secret_runs.STRETCH", stretch)
        assert hidden() == at_one_go


def test_a_quote_that_is_never_closed_hides_no_more_than_any_secret_is_long() -> None:
    done = Redactor().text("token='" + "ab " * 100_000)
    assert done.startswith("token='‹redacted:")
    assert len(done) == 300_007 - 65_536 + len("‹redacted:0123456789ab›")
