"""How much of a result a client is sent, by its name."""

from __future__ import annotations

import pytest

from mcp_workbench.limits import KIB
from mcp_workbench.protocol.wire import Implementation
from mcp_workbench.serving.budgets import BY_NAME, DEFAULT_CHARS, chars_for, content_bytes


@pytest.mark.parametrize(
    ("name", "chars"),
    [
        ("claude-code", 20_000),
        ("codex-mcp-client", 20_000),
        ("Cline", 7_500),
        ("qwen-code", 24_000),
        ("qwen-cli-mcp-client-notebook", 24_000),
        ("claude-ai", 8_000),
        ("mcp-workbench", 8_000),
        ("", 8_000),
    ],
)
def test_each_host_has_its_budget_and_every_other_the_default(name: str, chars: int) -> None:
    assert chars_for(Implementation(name=name, version="1")) == chars


def test_a_client_that_does_not_say_who_it_is_has_the_default() -> None:
    assert chars_for(None) == DEFAULT_CHARS


def test_the_beginnings_of_names_exclude_each_other_and_are_in_lower_case() -> None:
    beginnings = [beginning for beginning, _ in BY_NAME]
    assert beginnings == [beginning.lower() for beginning in beginnings]
    assert not any(one != other and one.startswith(other) for one in beginnings for other in beginnings)


@pytest.mark.parametrize(("message", "content"), [(768 * KIB, 760 * KIB), (10_000, 7_500), (4 * KIB, 3 * KIB)])
def test_content_leaves_room_for_what_stands_beside_it(message: int, content: int) -> None:
    assert content_bytes(message) == content
