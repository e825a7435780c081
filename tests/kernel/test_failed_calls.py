"""`%mcp error`."""

from __future__ import annotations

import pytest

from tests.kernel.conftest import Shell

OPENING = """
import pandas as pd
flights = pd.DataFrame({"n": [1, 2]})
wb.publish(flights=flights)

@wb.tool
def top(flights: pd.DataFrame, n: int = 1, note: str = "") -> int:
    print("looking at", n)
    return look(flights, n)

def look(flights, n):
    raise KeyError("no\\nsuch\\x1b[31m row")

@wb.tool
def odd() -> object:
    return object()

@wb.resource("weather://{station}")
def weather(station: str) -> str:
    raise OSError("no station")

server = wb.start()
"""


@pytest.fixture
def serving(shell: Shell) -> Shell:
    shell.run(OPENING)
    return shell


def test_it_shows_who_called_with_what_where_it_broke_and_what_it_had_printed(serving: Shell) -> None:
    serving.run('%mcp_call top n=2 note="a\\x1b[1m"')
    out = serving.run("%mcp error")
    lines = out.splitlines()
    assert lines[0].startswith("c1  top v1, defined in cell [1] line 5: failed at ")
    assert ", called by %mcp_call 0.1.0 as notebook, after " in lines[0]
    assert lines[1:5] == ["Arguments:", "  n = 2", "  note = 'a\\x1b[1m'", "  read: flights v1"]
    assert lines[5] == "Traceback (most recent call last):"
    assert "in top" in lines[6]  # the author's first line, none of ours before it
    assert "return look(flights, n)" in out
    assert r"KeyError: 'no\nsuch\x1b[31m row'" in out
    assert "It had printed:\n  looking at 2\n" in out
    assert "%mcp debug c1 runs it again" in out
    assert "mcp_workbench" not in out
    assert "\x1b" not in out


def test_arguments_that_do_not_fit_are_shown_without_our_own_frames(serving: Shell) -> None:
    serving.run('%mcp_call top n="x"')
    out = serving.run("%mcp error c1")
    assert 'n: expected a valid integer, got text "x"' in out
    assert "Traceback" not in out
    assert "%mcp debug" not in out


def test_mistakes_of_callers_do_not_bury_what_the_author_can_mend(serving: Shell) -> None:
    serving.run("@wb.tool\ndef picky(n: int) -> None:\n    raise wb.ToolError('n is 1 to 3')\nimport asyncio")
    serving.run("%mcp_call picky n=9")
    said = serving.run("%mcp error")
    assert said == "No call has failed in your code. 1 mistake of a caller: %mcp error c1 shows it.\n"
    serving.run("%mcp_call top n=5")
    serving.run('%mcp_call df_describe name="flihgts"')
    serving.run(
        "from contextlib import suppress\nasync def guess():\n    async with wb.connect() as session:\n"
        "        with suppress(wb.PeerError):\n            await session.call_tool('topp')\n"
        "        await session.list_tools()\nasyncio.run(guess())"
    )
    out = serving.run("%mcp error")
    assert out.startswith("c2  top")
    assert "Failed too" not in out
    assert "Mistakes of callers: x1 topp " in out
    assert ", c3 df_describe " in out
    assert serving.run("%mcp error x1").startswith("x1  topp: failed at ")
    assert "there are c2, x1, c3, c1" in serving.refuses("%mcp error c99")
    status = serving.workbench.status()
    assert (status.failed, status.mistakes, status.last_mistake) == (1, 3, "x1")
    assert "3 mistakes of callers: %mcp error x1 shows the last one" in repr(status)
    assert "topp" not in {row.name for row in status.calls}


def test_a_result_that_cannot_be_sent_is_shown_by_its_sentence(serving: Shell) -> None:
    serving.run("%mcp_call odd")
    out = serving.run("%mcp error")
    assert "Arguments: none\n" in out
    assert "The result holds an object, which has no JSON form." in out
    assert "Traceback" not in out


def test_earlier_failures_are_named_and_can_be_shown(serving: Shell) -> None:
    for line in ("odd", "top n=5", "top n=6"):
        serving.run(f"%mcp_call {line}")
    out = serving.run("%mcp error")
    assert out.startswith("c3  top")
    assert "Failed too: c2 top " in out
    assert ", c1 odd " in out
    assert out.rstrip().endswith("(%mcp error c2)")
    assert serving.run("%mcp error c1").startswith("c1  odd v1")
    assert "no failed call 'c9' is remembered" in serving.refuses("%mcp error c9")
    assert "there are c3, c2, c1" in serving.refuses("%mcp error c9")


def test_resources_fail_too(serving: Shell) -> None:
    serving.run(
        "import asyncio\nfrom contextlib import suppress\nasync def read():\n"
        "    async with wb.connect() as session:\n        with suppress(wb.PeerError):\n            await session.read_resource('weather://x')\n"
        "asyncio.run(read())"
    )
    out = serving.run("%mcp error")
    assert out.startswith("c1  resources/read weather://x v1")
    assert "OSError: no station" in out
    assert "Arguments" not in out
    assert "%mcp debug c1" in out


def test_what_is_long_is_cut_in_the_middle_and_says_so(serving: Shell) -> None:
    serving.run("@wb.tool\ndef long(text: str) -> None:\n    print('p' * 9000)\n    raise ValueError('m' * 90_000)")
    serving.run("%mcp_call long text=" + repr("x" * 60_000))
    out = serving.run("%mcp error")
    assert "58,002 characters left out" in out
    assert out.count("characters left out") == 3
    assert len(out) < 30_000


def test_arguments_too_long_to_be_kept_are_said_to_be(serving: Shell) -> None:
    serving.run("@wb.tool\ndef long(text: str) -> None:\n    raise ValueError('m')")
    serving.run("%mcp_call long text=" + repr("x" * 70_000))
    out = serving.run("%mcp error")
    assert "Its arguments were not kept" in out
    assert "%mcp debug" not in out
    assert "were not kept (longer than 64 KiB)" in serving.refuses("%mcp debug")
