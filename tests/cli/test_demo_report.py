"""The demo's document and tables."""

from __future__ import annotations

import io

from rich.console import Console

from mcp_workbench import discovery
from mcp_workbench.cli.demo_agents import DemoAgent, View
from mcp_workbench.cli.demo_report import CallLine, RequestLine, change_line, make_report, print_change, print_report
from mcp_workbench.cli.demo_steps import Steps
from mcp_workbench.secret import Secret

HEADER = ["carrier", "delay"]


def shown() -> Console:
    return Console(file=io.StringIO(), width=100)


def text_of(console: Console) -> str:
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_changed_values_are_told_from_rows_that_stayed() -> None:
    before = View(1, 9, HEADER, [["UA", "1"], ["AA", "2"]])
    now = View(2, 9, HEADER, [["UA", "1"], ["AA", "62"]])
    change = change_line(before, now, now, "column delay changed", {"legacy": 0.0204})
    assert (change.version, change.rows_total, change.before, change.rows) == (2, 9, [["AA", "2"]], [["AA", "62"]])
    assert change.told_after_ms == {"legacy": 20.4}
    console = shown()
    print_change(console, change)
    assert "2 -> 62" in text_of(console)
    assert "UA" not in text_of(console)


def test_new_rows_are_those_behind_the_last_one_there_was() -> None:
    before = View(1, 2, HEADER, [["UA", "1"], ["AA", "2"]])
    head = View(2, 3, HEADER, [["UA", "1"], ["AA", "2"]])
    change = change_line(before, head, View(2, 3, HEADER, [["WN", "7"]]), "1 row appended", {})
    assert (change.before, change.rows) == ([], [["WN", "7"]])
    console = shown()
    print_change(console, change)
    assert "WN" in text_of(console)
    assert "->" not in text_of(console)


def test_the_same_rows_again_are_no_change() -> None:
    view = View(1, 2, HEADER, [["UA", "1"]])
    assert change_line(view, view, view, "", {}).rows == []


def agent(era: str, **requests: list[float]) -> DemoAgent:
    entry = discovery.describe_this_process(kernel_id="k", name="n", url="ws://127.0.0.1:1/mcp", token=Secret("a-secret"))
    return DemoAgent("legacy" if era == "legacy" else "modern", entry, requests)


def test_latencies_are_counted_in_milliseconds_for_each_agent() -> None:
    taken = Steps(shown())
    with taken.step("One"):
        pass
    agents = [agent("legacy", call=[0.001, 0.002, 0.009]), agent("modern", call=[0.004], read=[0.005])]
    server = [CallLine(name="top_routes", n=4, errors=1, p50_ms=0.5, p99_ms=None)]
    report = make_report(taken, agents, [], server)
    assert report.ok
    assert [step.step for step in report.steps] == ["One"]
    assert report.agents == [
        RequestLine(era="legacy", request="call", n=3, p50_ms=2.0, max_ms=9.0),
        RequestLine(era="modern", request="call", n=1, p50_ms=4.0, max_ms=4.0),
        RequestLine(era="modern", request="read", n=1, p50_ms=5.0, max_ms=5.0),
    ]
    console = shown()
    print_report(console, report)
    rows = [[cell.strip() for cell in line[1:-1].split("│")] for line in text_of(console).splitlines() if line.startswith("│")]
    assert rows == [
        ["call", "3", "2.0", "9.0", "1", "4.0", "4.0"],
        ["read", "", "", "", "1", "5.0", "5.0"],
        ["top_routes", "4", "1", "0.5", ""],
    ]
    assert "a-secret" not in text_of(console)
