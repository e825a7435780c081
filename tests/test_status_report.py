"""`wb.status()` reads like the display."""

from __future__ import annotations

from mcp_workbench.status_report import Status
from mcp_workbench.telemetry.aggregates import Row


def test_one_is_one_and_times_have_the_unit_that_suits_them() -> None:
    rows = (Row("add", 1, 1, 870_000, 900_000, 6_030_750_000), Row("never", 2, 0, None, None, None))
    text = repr(
        Status(
            "trips", "ws://127.0.0.1:1/mcp", calls=rows, running=("running now: j3  fit_model  runs, 62 %",), mistakes=1, last_mistake="x1"
        )
    )
    assert text.split("\n")[2:] == [
        "  running now: j3  fit_model  runs, 62 %",
        "  add: 1 call, 1 error, p50 870 µs, p99 6.0 s",
        "  never: 2 calls, 0 errors, p50 –, p99 –",
        "  1 mistake of a caller: %mcp error x1 shows it",
    ]


def test_recordings_that_go_on_are_named() -> None:
    assert "  recording x.jsonl: recording, 1 message" in repr(Status("trips", None, recordings=("x.jsonl: recording, 1 message",))).split(
        "\n"
    )
