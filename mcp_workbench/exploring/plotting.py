"""Calls against time and duration, with matplotlib, which is imported here and nowhere else of traffic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from mcp_workbench.errors import WorkbenchError
from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.exploring.statistics import TOOK, key_of, phase_of
from mcp_workbench.exploring.withholding import Withholding
from mcp_workbench.telemetry.records import CallRecord
from mcp_workbench.wording import shown

COLOURS = 18
"""Things with a colour of their own: those of matplotlib's `tab20` without its greys. The rest shares a grey."""
REST = "0.6"


def plot_calls(calls: Sequence[CallRecord], by: str, phase: str, ax: Any, redactor: Callable[[], Redactor] = Redactor) -> Any:
    """Draw a dot for each call; args as `CallList.plot`, and what makes what withholds secrets from pictures.

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
    looks = _looks(list(dict.fromkeys(found for found, _ in dots)), Withholding(redactor()))
    for (found, failed), places in sorted(dots.items(), key=lambda item: (looks[item[0][0]][0] == REST, item[0])):
        moments, ms = zip(*places, strict=True)
        colour, label = looks[found]
        label += " (failed)" if failed else ""
        named = label in axes.get_legend_handles_labels()[1]  # those that share a colour share a line of the legend
        size, marker = (24, "x") if failed else (10, "o")
        axes.scatter(moments, ms, s=size, marker=marker, color=colour, label=None if named else label)
    axes.set(ylabel=f"{phase}, ms", yscale="log")
    _number_plainly(axes.yaxis)
    if dots:
        axes.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    return axes


def _looks(names: Sequence[str], withholding: Withholding) -> dict[str, tuple[Any, str]]:
    """Colour and label of each thing."""
    from matplotlib import colormaps

    palette = [colour for number, colour in enumerate(colormaps["tab20"].colors) if number not in (14, 15)]  # type: ignore[attr-defined]
    strong_first = palette[::2] + palette[1::2]
    looks = {found: (colour, shown(withholding.text(found), 40)) for found, colour in zip(names, strong_first, strict=False)}
    rest = f"{len(names) - COLOURS} others"
    return looks | dict.fromkeys(names[COLOURS:], (REST, rest))


def _number_plainly(axis: Any) -> None:
    """`400` rather than a power of ten, at the ticks that matplotlib would number."""
    from matplotlib.ticker import LogFormatter

    class Plain(LogFormatter):
        def __call__(self, x: float, pos: int | None = None) -> str:
            return f"{x:,g}" if super().__call__(x, pos) else ""

    axis.set_major_formatter(Plain())
    axis.set_minor_formatter(Plain(minor_thresholds=(1.5, 0.5)))
