from __future__ import annotations

from matplotlib import pyplot

from mcp_workbench.events import Era
from mcp_workbench.exploring.annotations import Annotations
from mcp_workbench.exploring.call_list import CallList
from mcp_workbench.telemetry import CallRecord, Outcome


def test_a_plot_has_colours_for_many_things_and_plain_numbers() -> None:
    secret = "sk-0123456789abcdef0123456789abcdef"
    records = []
    for number in range(21):
        call = CallRecord("", "s1", "p", Era.MODERN, "tools/call", secret if number == 0 else f"t{number:02}", 1, 0, 1.0, 1)
        call.sent_ns, call.outcome = 300_000_000 + 15_000_000 * number, Outcome.OK
        records.append(call)
    axes = CallList(records, Annotations()).plot("tool")
    axes.figure.canvas.draw()
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert len(labels) == 19
    assert labels[-1] == "3 others"
    assert not [label for label in labels if secret in label]
    colours = {tuple(dots.get_facecolor()[0]) for dots in axes.collections}
    assert len(colours) == 19
    ticks = [label.get_text() for label in (*axes.get_yticklabels(), *axes.get_yticklabels(minor=True))]
    assert {"400", "500"} <= set(ticks)
    pyplot.close(axes.figure)
