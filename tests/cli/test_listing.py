"""`mcp-workbench list`: what runs, and never a token."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from mcp_workbench import discovery
from mcp_workbench.cli.listing import print_servers
from mcp_workbench.secret import Secret

TOKEN = "a-token-that-nobody-may-see"


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def serve(kernel_id: str, name: str, started: float) -> discovery.Entry:
    entry = discovery.describe_this_process(
        kernel_id=kernel_id, name=name, url=f"ws://127.0.0.1:4000/{kernel_id}", token=Secret(TOKEN), notebook=f"/home/ann/{kernel_id}.ipynb"
    )
    entry = dataclasses.replace(entry, started=started)
    discovery.write(entry)
    return entry


def test_nothing_that_runs_is_said_with_what_to_do(runtime: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_servers(as_json=False)
    assert capsys.readouterr().out == "No kernel serves. In a notebook: import mcp_workbench as wb; wb.start()\n"
    print_servers(as_json=True)
    assert json.loads(capsys.readouterr().out) == {"servers": [], "ignored": []}


def test_people_see_what_runs_latest_first_without_tokens(runtime: Path, capsys: pytest.CaptureFixture[str]) -> None:
    serve("one", "flights", 1_000_000.0)
    serve("two", "weather", 2_000_000.0)
    print_servers(as_json=False)
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    assert [line.split()[0] for line in lines] == ["name", "weather", "flights"]
    assert "ws://127.0.0.1:4000/two" in lines[1]
    assert "/home/ann/two.ipynb" in lines[1]
    assert TOKEN not in shown


def test_paths_and_addresses_stay_whole_however_narrow_it_is(
    runtime: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    serve("one", "flights", 1_000_000.0)
    serve("a-longer-one", "天気", 2_000_000.0)
    print_servers(as_json=False)
    title, weather, flights = capsys.readouterr().out.splitlines()
    assert weather.endswith("  /home/ann/a-longer-one.ipynb")
    assert "ws://127.0.0.1:4000/a-longer-one  " in weather
    assert flights.index("ws://") == title.index("address") == weather.index("ws://") + 2  # two letters of two columns each


def test_programs_get_every_field_but_the_token(runtime: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry = serve("one", "flights", 1_000_000.0)
    print_servers(as_json=True)
    text = capsys.readouterr().out
    [server] = json.loads(text)["servers"]
    assert server == {
        "name": "flights",
        "url": "ws://127.0.0.1:4000/one",
        "kernel_id": "one",
        "pid": entry.pid,
        "started": 1_000_000.0,
        "notebook": "/home/ann/one.ipynb",
        "cwd": entry.cwd,
        "executable": entry.executable,
    }
    assert TOKEN not in text


def test_names_cannot_paint_on_the_terminal(runtime: Path, capsys: pytest.CaptureFixture[str]) -> None:
    serve("one", "\x1b[31mred[/red]\nnext", 1_000_000.0)
    print_servers(as_json=False)
    shown = capsys.readouterr().out
    assert r"\x1b[31mred[/red]\nnext" in shown
    assert "\x1b" not in shown


def test_files_that_were_ignored_are_named_with_the_reason(runtime: Path, capsys: pytest.CaptureFixture[str]) -> None:
    serve("one", "flights", 1_000_000.0)
    broken = runtime / "mcp-workbench" / "kernel-broken.json"
    broken.write_text("{")
    broken.chmod(0o600)
    print_servers(as_json=False)
    assert f"Ignored: {broken} is not JSON" in capsys.readouterr().out
    print_servers(as_json=True)
    assert json.loads(capsys.readouterr().out)["ignored"] == [{"path": str(broken), "reason": "is not JSON"}]
