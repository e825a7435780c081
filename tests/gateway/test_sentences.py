"""docs/gateway.md says what the gateway says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mcp_workbench.gateway import sentences
from mcp_workbench.gateway.configuration import McpWorkbenchGateway
from mcp_workbench.limits import MIB

PAGE = (Path(__file__).parents[2] / "docs" / "gateway.md").read_text(encoding="utf-8")
SAID_BEFORE = [value for name, value in vars(sentences).items() if name.isupper() and name not in ("ELSEWHERE", "GONE")]


@pytest.mark.parametrize("sentence", [*SAID_BEFORE, sentences.full(64), sentences.too_large(4 * MIB), sentences.GONE])
def test_the_page_quotes_each_sentence(sentence: str) -> None:
    assert sentence in PAGE


def test_the_page_names_every_setting_and_no_other() -> None:
    named = set(re.findall(r"^\| `c\.McpWorkbenchGateway\.(\w+)` \|", PAGE, re.MULTILINE))
    assert named == set(McpWorkbenchGateway.class_own_traits(config=True))
