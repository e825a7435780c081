from __future__ import annotations

import pytest

from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.exploring.recording.secret_sentences import SENTENCE, STARTS, hide_said


def hidden(text: str) -> str:
    return SENTENCE.sub(lambda found: hide_said(found, lambda secret: f"<{len(secret)}>") or found[0], text)


@pytest.mark.parametrize(
    ("said", "done"),
    [
        ("my password is hunter2.", "my password is <7>."),
        ("The password for the guest network is: Tr0ub4dor&3!", "The password for the guest network is: <11>!"),
        ("Your PIN is 4711, keep it", "Your PIN is <4>, keep it"),
        ("the pin code is 4711", "the pin code is <4>"),
        ("its passphrase was changed to 'correct horse'", "its passphrase was changed to '<13>'"),
        ('the API key is now "k3y-abcdef"', 'the API key is now "<10>"'),
        ("log in as bob with password hunter2 please", "log in as bob with password <7> please"),
        ("db_password is\n  s3cr3t", "db_password is\n  <6>"),
        ("the token is abc123def (do not share)", "the token is <9> (do not share)"),
        ("password is password hunter2", "password is password hunter2"),  # two sentences: `secret_texts` looks at each place
    ],
)
def test_what_is_said_to_be_a_secret_and_looks_chosen_is_one(said: str, done: str) -> None:
    assert hidden(said) == done
    assert any(start in said.lower() for start in STARTS)


@pytest.mark.parametrize(
    "said",
    [
        "The password is required.",
        "password is incorrect; the password was changed",
        "a password is at least 12 characters long",
        "the password is 4096 bits long",
        "A token is 4 characters on average; the token was rejected by the server.",
        "the next token is 'the'",
        "The secret is out. The secret of his success is work",
        "passwords are hashed, the password is SHA256-hashed and base64 encoded, the token is OAuth2",
        "the password is *required*, the password is _not_ shown",
        "the opinion is 1234, spin is 5678, the key is x1y2z3",
        "the password is https://example.com/reset1",
        "password reset, password field, password policy",
        "the token count is 12345",
    ],
)
def test_sentences_about_secrets_are_none(said: str) -> None:
    assert hidden(said) == said
    assert Redactor().text(said) == said


def test_what_was_said_is_withheld_wherever_it_appears_again() -> None:
    redactor = Redactor()
    assert "hunter2" not in redactor.text("my password is password hunter2")
    assert "hunter2" not in redactor.text("login(bob, hunter2) failed")
