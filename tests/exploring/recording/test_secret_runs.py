from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.exploring.recording.secret_runs import hide_user_infos, hide_web_tokens

TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)*")
USER_INFO = re.compile(r"(:(?:\\*/){2})([^\s/?#\"'<>@:]*:[^\s\"'<>@]+(?:@[^\s/?#\"'<>@]+)*|[^\s/?#\"'<>@]+)@")


def hide(text: str) -> str:
    return "‹" + "x" * len(text) + "›"


@given(st.lists(st.sampled_from(["eyJ", "abcdefgh", ".", "ab", "-", " ", "abcd", "xeyJ"])).map("".join))
def test_web_tokens_are_found_as_a_pattern_finds_them_that_begins_everywhere(text: str) -> None:
    assert hide_web_tokens(text, hide) == TOKEN.sub(lambda found: hide(found[0]), text)


@given(st.lists(st.sampled_from(["://", ":\\/\\/", "a", ":", "@", "/", "?", " ", '"', "b:c", "h@", "#"])).map("".join))
def test_users_and_passwords_are_found_as_a_pattern_finds_them_that_begins_everywhere(text: str) -> None:
    def replace(found: re.Match[str]) -> str:
        return f"{found[1]}{':'.join(hide(part) if part else '' for part in found[2].split(':', maxsplit=1))}@"

    assert hide_user_infos(text, hide) == USER_INFO.sub(replace, text)


@pytest.mark.parametrize(
    ("written", "hidden"),
    [
        ("https://bob:s3cr3t@host/", "https://‹xxx›:‹xxxxxx›@host/"),
        ("https:\\/\\/bob:s3cr3t@host", "https:\\/\\/‹xxx›:‹xxxxxx›@host"),
        ("https://bob:a/b@c@host/x@y", "https://‹xxx›:‹xxxxx›@host/x@y"),
        ("https://token@host", "https://‹xxxxx›@host"),
        ("https://bob:@host", "https://‹xxx›:@host"),
        ("mail@host, https://host/@here", "mail@host, https://host/@here"),
    ],
)
def test_users_and_passwords_in_urls(written: str, hidden: str) -> None:
    assert hide_user_infos(written, hide) == hidden
