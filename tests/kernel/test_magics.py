"""`%mcp`, in a shell of the test's own process."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mcp_workbench.kernel import magics
from mcp_workbench.pasting import CLIENTS
from tests.kernel.conftest import Shell

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def test_alone_it_says_what_there_is(shell: Shell) -> None:
    out = shell.run("%mcp")
    assert out.startswith("There are: %mcp start, %mcp stop, ")
    assert "%mcp config <client>, %mcp error [id], %mcp debug [id]" in out


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("statsu", "%mcp has no 'statsu', nearest is %mcp status. There are: %mcp start, "),
        ("qqqqqq", "%mcp has no 'qqqqqq'. There are: %mcp start, "),
        ("<b>\x1b[31m", r"%mcp has no '<b>\x1b[31m'"),
        ("status now", "it is written %mcp status alone, got 'status now'"),
        ("start 8801", "for instance wb.start(port=8801)"),
        ("config", "it is written %mcp config <client>, got 'config'; clients are claude-code, "),
        ("config cursr", "no client 'cursr', nearest is cursor"),
        ("error c1 c2", "it is written %mcp error [id], got 'error c1 c2'"),
        ("error c9", "no call has failed"),
        ("debug c9", "no call has failed"),
    ],
)
def test_what_it_does_not_know_is_answered_with_what_it_does(shell: Shell, line: str, sentence: str) -> None:
    said = shell.refuses(f"get_ipython().run_line_magic('mcp', {line!r})")
    assert sentence in said
    assert "\x1b" not in said


def test_config_prints_what_wb_config_gives_line_by_line_and_never_a_token(shell: Shell) -> None:
    token = shell.workbench.start().token
    for client in CLIENTS:
        out = shell.run(f"%mcp config {client}")
        assert out == repr(shell.workbench.config(client)) + "\n"
        assert token not in out


def test_every_client_is_named_where_one_is_asked_for() -> None:
    assert ", ".join(CLIENTS) == magics._CLIENTS


def test_before_anything_failed_error_and_debug_say_so(shell: Shell) -> None:
    assert shell.run("%mcp error") == "No call has failed.\n"
    assert shell.run("%mcp debug") == "No call has failed.\n"


def test_the_page_names_every_magic_and_no_other() -> None:
    section = PAGE[PAGE.index("## Magics") : PAGE.index("## Command line")]
    assert set(re.findall(r"%mcp ([a-z]+)", section)) == set(magics._COMMANDS)
    assert "`%mcp_call " in section
    assert "`%%mcp_tool " in section
