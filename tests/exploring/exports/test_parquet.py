from __future__ import annotations

import builtins
import stat
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mcp_workbench.errors import WorkbenchError
from mcp_workbench.exploring.exports import parquet
from mcp_workbench.exploring.frames import calls_frame, messages_frame
from mcp_workbench.exploring.recording import read
from tests.exploring.recording.rig import Stage, recorded


def test_calls_and_messages_become_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROWS", 7)
    stage, file = Stage(), tmp_path / "x.jsonl"
    with recorded(stage, file):
        for number in range(20):
            stage.call(number, code=None if number else -32602)
    calls_file, messages_file = read(file).to_parquet(tmp_path / "tables")
    calls, messages = pd.read_parquet(calls_file), pd.read_parquet(messages_file)
    assert (len(calls), len(messages)) == (20, 40)
    assert list(calls.columns) == list(calls_frame([]).columns)
    assert list(messages.columns) == list(messages_frame([]).columns)
    assert list(calls["seq"]) == list(range(1, 21))
    assert set(messages["kind"]) == {"request", "response"}
    assert list(calls["id"]) == [str(number) for number in range(20)]
    assert calls["run_ms"].iloc[0] == 0.001
    assert (calls["code"].iloc[0], calls["code"].isna().sum()) == (-32602, 19)
    assert messages["at"].iloc[0] == pd.Timestamp("1970-01-01T00:00:02Z")
    assert messages["text"].iloc[0].startswith('{"jsonrpc"')
    assert stat.S_IMODE(calls_file.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError, match="choose another folder"):
        read(file).to_parquet(tmp_path / "tables")


def test_without_pyarrow_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, file = Stage(), tmp_path / "x.jsonl"
    with recorded(stage, file):
        stage.call(1)
    importing = builtins.__import__

    def without(name: str, *more: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return importing(name, *more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(WorkbenchError, match="pip install pyarrow"):
        read(file).to_parquet(tmp_path)
