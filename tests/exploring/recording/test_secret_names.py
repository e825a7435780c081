from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.exploring.recording.secret_names import SHORT_HINTS, SecretNames, words_of
from tests.exploring.recording.test_redaction import redacted


def test_names_that_only_sound_like_it_are_left_and_so_is_what_counts_tokens() -> None:
    harmless = {
        "author": "Ann",
        "monkey": "x",
        "keyboard": "y",
        "progressToken": "p-1",
        "max_tokens": 100,
        "key": "region",
        "tokens": 7,
        "pinned": 1,
        "passed": 3,
        "PRIMARY_KEY": "id",
        "shipping": "x",
        "spin": 2,
        "session": "s1",
    }
    assert redacted({"params": harmless}) == {"params": harmless}


@pytest.mark.parametrize("name", ["apiKey", "API_KEY", "api-key", "Api.Key", "api key"])
def test_a_name_is_its_words_however_it_is_written(name: str) -> None:
    assert words_of(name) == ("api", "key")
    assert SecretNames().is_secret(name)


@given(
    st.text(max_size=30)
    | st.lists(
        st.sampled_from(["Api", "key", "pass", "Word", "token", "_", "-", "x", "secret", "pin", "session", "id", "Id", "pw", "KEY", "A"])
    ).map("".join)
)
def test_every_secret_name_has_one_of_the_hints_in_it(name: str) -> None:
    names = SecretNames(["home_address", "ß"])
    lower = name.encode().lower().decode() + '"'  # as texts are searched: letters of ASCII alone
    assert not names.is_secret(name) or any(hint in lower for hint in (*names.hints, *SHORT_HINTS))


@pytest.mark.parametrize(
    "name",
    [
        "pass",
        "DB_PASS",
        "pw",
        "PIN",
        "card_pin",
        "psk",
        "passcode",
        "Pass Word",
        "pass-phrase",
        "OPENAI_KEY",
        "consumer_key",
        "Ocp-Apim-Subscription-Key",
        "sessionid",
        "Mcp-Session-Id",
        "PHPSESSID",
        "mnemonic",
    ],
)
def test_what_people_call_secrets(name: str) -> None:
    assert SecretNames().is_secret(name)
