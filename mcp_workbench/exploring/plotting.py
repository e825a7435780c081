"""Calls against time and duration, with matplotlib, which is imported here and nowhere else of traffic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from mcp_workbench.errors import WorkbenchError
from mcp_workbench.exploring.statistics import TOOK, key_of, phase_of
from mcp_workbench.telemetry.records import CallRecord
from mcp_workbench.wording import shown

COLOURS = 10
"""Things with a colour of their own; the rest shares grey."""


def plot_calls(calls: Sequence[CallRecord], by: str, phase: str, ax: Any) -> Any:
    """Draw a dot for each call; args as `CallList.plot`.

    Raises:
        WorkbenchError: matplotlib is not installed.
        ValueError: There is no such key or phase.
    """
    key, took = key_of(by), TOOK[phase_of(phase)]
    try:
        from matplotlib import pyplot
    except ModuleNotFoundError:
        raise WorkbenchError("plot() draws with matplotlib: pip install matplotlib; histogram() and timeline() do without") from None
    axes = ax if ax is not None else pyplot.subplots(figsize=(9, 4))[1]
    dots: dict[tuple[str, bool], list[tuple[datetime, float]]] = {}
    for call in calls:
        ns = took(call)
        if ns is not None:
            dots.setdefault((key(call) or "–", call.failed), []).append((datetime.fromtimestamp(call.received_at).astimezone(), ns / 1e6))
    names = list(dict.fromkeys(found for found, _ in dots))
    colours = {found: f"C{number}" if number < COLOURS else "0.6" for number, found in enumerate(names)}
    for (found, failed), places in sorted(dots.items()):
        label = shown(found, 40) + (" (failed)" if failed else "")
        moments, ms = zip(*places, strict=True)
        axes.scatter(moments, ms, s=24 if failed else 10, marker="x" if failed else "o", color=colours[found], label=label)
    axes.set(ylabel=f"{phase}, ms", yscale="log")
    if dots:
        axes.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    return axes
