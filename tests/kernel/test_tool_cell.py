"""`%%mcp_tool`."""

from __future__ import annotations

import pytest

from tests.kernel.conftest import Shell


def tools(shell: Shell) -> list[str]:
    return [tool.name for tool in shell.workbench.tools]


def test_the_function_of_the_cell_is_a_tool_with_the_options_of_its_first_line(shell: Shell) -> None:
    shell.run(
        '%%mcp_tool --name add --title "Add numbers" --description Adds. --tag a --tag b --read-only --timeout-s 5 --run-on inline '
        "--max-chars 50 --version 3 --redact a --redact b\n"
        "def _twice(a): return 2 * a\ndef plus(a: int, b: int = 2) -> int:\n    return _twice(a) + b\n"
    )
    [tool] = shell.workbench.tools
    assert (tool.name, tool.run_on, tool.timeout_s, tool.max_chars, tool.version, tool.redact) == ("add", "inline", 5.0, 50, 3, ("a", "b"))
    assert (tool.listed.title, tool.listed.description, tool.tags) == ("Add numbers", "Adds.", frozenset("ab"))
    assert "read_only_hint=True" in str(tool.listed.annotations)
    assert tool.function is shell.ip.user_ns["plus"]
    assert str(tool.defined_at) == "cell [1] line 3"
    assert shell.run("print(plus(1))") == "4\n"


def test_it_is_called_like_any_other(shell: Shell) -> None:
    shell.run("wb.start()")
    shell.run("%%mcp_tool\nasync def later(n: int) -> int:\n    return n + 1\n")
    shell.run("%%mcp_tool --destructive\ndef gone(n: int) -> int:\n    return n / 0\n")
    assert shell.run("%mcp_call later n=41").startswith("42\n")
    shell.run("%mcp_call gone n=1")
    assert "line 3, in gone\n    return n / 0\n" in shell.run("%mcp error")  # as the cell shows its lines


def test_the_cell_owns_its_tool(shell: Shell) -> None:
    shell.run("wb.start()")
    shell.run("%%mcp_tool\ndef one() -> int:\n    return 1\n", cell_id="A")
    assert "withdrawn: tool one" in shell.run("%%mcp_tool\ndef two() -> int:\n    return 2\n", cell_id="A")
    assert tools(shell) == ["two"]
    shell.run("%%mcp_tool\ndef two() -> int:\n    return 3\n", cell_id="A")
    assert tools(shell) == ["two"]
    assert "withdrawn: tool two" in shell.run("x = 1", cell_id="A")


def test_code_that_fails_fails_the_cell_and_leaves_its_tool_as_it_was(shell: Shell) -> None:
    shell.run("%%mcp_tool\ndef one() -> int:\n    return 1\n", cell_id="A")
    before = shell.workbench.tools
    assert isinstance(shell.fails("%%mcp_tool\ndef one() -> int:\n    return 2\n1 / 0\n", cell_id="A"), ZeroDivisionError)
    assert isinstance(shell.fails("%%mcp_tool\ndef one() -> int\n", cell_id="A"), SyntaxError)
    assert shell.workbench.tools == before


def test_the_value_of_the_last_line_is_the_cells(shell: Shell) -> None:
    shell.run("%%mcp_tool\ndef one() -> int:\n    return 1\none() + 1\n")
    assert shell.ip.user_ns["_"] == 2


def test_magics_work_in_the_cell(shell: Shell) -> None:
    shell.run("%%mcp_tool\n%time x = 1\ndef one() -> int:\n    return 1\n")
    assert tools(shell) == ["one"]


@pytest.mark.parametrize(
    ("line", "body", "sentence"),
    [
        ("", "x = 1", "this cell defines none"),
        ("", "def _one(): ...", "this cell defines none; _one begins with _ and counts as private"),
        ("", "def one(): ...\ndef two(): ...", "this cell defines one, two: let the others' names begin with _"),
        ("--reed-only", "def one(): ...", "no option '--reed-only', nearest is --read-only. There are --name, "),
        ("add", "def one(): ...", "no option 'add'. There are --name, "),
        ("--timeout-s soon", "def one(): ...", "argument --timeout-s: invalid float value: 'soon'"),
        ("--name", "def one(): ...", "argument --name: expected one argument"),
        ('--title "a b', "def one(): ...", "No closing quotation; a text with spaces stands in quotes"),
        ("--name 'a b'", "def one(): ...", 'A tool cannot be named "a b"'),
        ("--timeout-s -1", "def one(): ...", "timeout_s is a number of seconds above 0"),
        ("", "def one(x, /): ...", "one"),
    ],
)
def test_what_it_cannot_offer_is_said_in_one_sentence(shell: Shell, line: str, body: str, sentence: str) -> None:
    assert sentence in shell.refuses(f"%%mcp_tool {line}\n{body}\n")
    assert tools(shell) == []


def test_where_it_is_not_clear_what_is_meant_nothing_is_run(shell: Shell) -> None:
    shell.refuses("%%mcp_tool\nran = True\ndef one(): ...\ndef two(): ...\n")
    shell.refuses("%%mcp_tool --nmae x\nran = True\ndef one(): ...\n")
    assert "ran" not in shell.ip.user_ns


def test_help_is_help_and_runs_nothing(shell: Shell) -> None:
    out = shell.run("%%mcp_tool --help\nran = 1\ndef one() -> int:\n    return 1\n")
    assert out.startswith("%%mcp_tool runs its cell and offers")
    assert "\n  --run-on RUN_ON\n" in out
    assert "\n  --read-only\n" in out
    assert tools(shell) == []
    assert "ran" not in shell.ip.user_ns
