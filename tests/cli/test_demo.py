"""The demo from beginning to end: with a real kernel, over real sockets, seen from outside."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mcp_workbench.cli import demo
from mcp_workbench.cli.demo import run_demo

OFFER = """
import pandas as pd
import mcp_workbench as wb

flights = pd.DataFrame({
    "year": 2013, "carrier": ["UA", "AA", "B6"], "flight": [1, 2, 3], "origin": "JFK", "dest": ["LAX", "LAX", "BOS"],
    "dep_delay": [2.0, 4.0, 2.0], "arr_delay": [1.0, 1.0, 1.0],
})

@wb.tool
def top_routes(flights: pd.DataFrame, n: int = 5) -> pd.DataFrame:
    return flights.groupby(["origin", "dest"]).size().nlargest(n).reset_index(name="flights")

@wb.tool
def mean_delay(carrier: str) -> float:
    return float(len(carrier))

wb.publish(flights=flights)
"""
START = "wb.start()"
CHANGE = "flights.loc[0, 'dep_delay'] = 60.0"


def story(path: Path, *kernel: str, change: str = CHANGE) -> Path:
    """A small notebook in the place of the quickstart."""
    tagged = [(source, ["kernel"]) for source in kernel] + [(change, ["kernel", "change"])]
    cells = [{"cell_type": "code", "source": source, "metadata": {"tags": tags}} for source, tags in tagged]
    path.write_text(json.dumps({"cells": cells}))
    return path


def failed(capsys: pytest.CaptureFixture[str], notebook: Path) -> dict[str, Any]:
    """The step that did not happen, and nothing after it."""
    assert run_demo(as_json=True, notebook=notebook) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False
    assert [step["ok"] for step in report["steps"]] == [True] * (len(report["steps"]) - 1) + [False]
    last: dict[str, Any] = report["steps"][-1]
    return last


@pytest.mark.slow
@pytest.mark.kernel
def test_every_step_happens_and_the_document_tells_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mcp_workbench", "demo", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["ok"] is True
    assert all(step["ok"] for step in report["steps"])
    assert done.stderr.count("✓") == len(report["steps"])
    said = {step["step"]: step["said"] for step in report["steps"]}
    assert {"mean_delay", "top_routes", "notebook_status", "df_read"} <= set(said["List tools"].split(", "))
    assert said["Call top_routes"] == "JFK-LAX 11,262, LGA-ATL 10,263, LGA-ORD 8,857"
    assert said["Read df://flights"].startswith("336,776 rows x 19 columns · v1")
    corrected, appended = report["changes"]
    assert corrected["summary"] == "columns dep_delay, arr_delay changed"
    delay = corrected["header"].index("dep_delay")
    assert [row[delay] for row in corrected["before"]] == ["2.0", "4.0", "2.0"]
    assert [row[delay] for row in corrected["rows"]] == ["62.0", "64.0", "62.0"]
    assert (appended["rows_total"], appended["summary"]) == (336_778, "2 rows appended")
    assert [row[0] for row in appended["rows"]] == ["2014", "2014"]
    assert all(set(change["told_after_ms"]) == {"legacy", "modern"} for change in report["changes"])
    counted = {(line["era"], line["request"]): line["n"] for line in report["agents"]}
    assert counted["legacy", "call mean_delay"] == counted["modern", "call mean_delay"] == 16
    assert {line["name"]: line["n"] for line in report["server"]}["tools/call"] == 38
    assert sum(line["errors"] for line in report["server"]) == 0


@pytest.mark.kernel
def test_people_see_a_line_for_every_step_the_change_and_both_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_demo(notebook=story(tmp_path / "story.ipynb", OFFER, START)) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "✗" not in shown.out
    assert CHANGE in shown.out
    assert "2.0 -> 60.0" in shown.out
    assert "As the agents saw it" in shown.out
    assert "As the server saw it" in shown.out
    assert "steps happened" in shown.out.splitlines()[-2]


@pytest.mark.kernel
def test_a_step_that_breaks_ends_the_demo_with_1_and_says_which_and_why(tmp_path: Path) -> None:
    notebook = story(tmp_path / "story.ipynb", OFFER, START, change="flights.loc[0, 'dep_delay'] = undefined")
    command = [sys.executable, "-m", "mcp_workbench", "demo", "--json", "--notebook", str(notebook)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["ok"] is False
    assert report["steps"][-1]["step"] == "Cell: story"
    assert report["steps"][-1]["said"] == "the cell failed with NameError: name 'undefined' is not defined"
    assert "✗" in done.stderr
    assert "nothing after it was tried" in done.stderr


@pytest.mark.kernel
def test_a_change_that_nobody_is_told_of_is_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "TOLD_TIMEOUT_S", 0.5)
    step = failed(capsys, story(tmp_path / "story.ipynb", OFFER, START, change="unrelated = 1"))
    assert (step["step"], step["said"]) == ("Both are told", "it did not happen in time")


@pytest.mark.kernel
def test_a_notification_without_a_change_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    step = failed(capsys, story(tmp_path / "story.ipynb", OFFER, START, change="_ = wb.touch('flights')"))
    assert step["step"] == "Both read what has changed"
    assert "read what was there before" in step["said"]


@pytest.mark.kernel
def test_a_kernel_that_serves_nothing_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    step = failed(capsys, story(tmp_path / "story.ipynb", OFFER))
    assert step["step"] == "Find it by its discovery file"
    assert "does a cell call wb.start()?" in step["said"]


@pytest.mark.kernel
def test_a_tool_that_answers_with_an_error_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = OFFER.replace("return flights.groupby", "raise wb.ToolError('closed today')\n    return flights.groupby")
    step = failed(capsys, story(tmp_path / "story.ipynb", broken, START))
    assert step["step"] == "Call top_routes"
    assert "closed today" in step["said"]


def test_missing_flights_are_said_with_the_line_that_brings_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert run_demo() == 1
    assert 'pip install ".[tutorials]"' in capsys.readouterr().out


def test_what_is_no_notebook_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "story.ipynb"
    path.write_text("{}")
    assert "is no Jupyter notebook" in failed(capsys, path)["said"]
