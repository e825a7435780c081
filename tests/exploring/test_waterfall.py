"""The waterfall in a notebook, in the colours of the panels' timeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcp_workbench.exploring.waterfall import Timeline
from mcp_workbench.markup import BAD, ODD, RUN, SEND, WAIT
from mcp_workbench.telemetry import Outcome
from tests.views.wire_log import WireLog

STYLE = Path(__file__).parent.parent.parent / "labextension/src/view/style.css"


def drawn(outcome: Outcome) -> str:
    """The lane alone: the legend has all colours."""
    html = Timeline([WireLog().call(outcome=outcome)])._repr_html_()
    return html.partition("■")[0]


def test_the_parts_of_a_call_have_the_colours_that_they_have_in_the_panels() -> None:
    style = STYLE.read_text()
    for name, colour in (("wait", WAIT), ("run", RUN), ("send", SEND)):
        assert f"--mcpw-{name}: {colour};" in style
        assert f"background:{colour}" in drawn(Outcome.OK)


@pytest.mark.parametrize(
    ("outcome", "colour"),
    [(Outcome.TOOL_ERROR, BAD), (Outcome.RPC_ERROR, BAD), (Outcome.TIMEOUT, BAD), (Outcome.CANCELLED, ODD), (Outcome.REJECTED, ODD)],
)
def test_what_did_not_end_well_has_one_colour(outcome: Outcome, colour: str) -> None:
    html = drawn(outcome)
    assert f"background:{colour}" in html
    assert f"background:{RUN}" not in html
    assert f"background:{WAIT}" not in html


def test_parts_are_as_wide_as_their_share_of_the_call() -> None:
    html = drawn(Outcome.OK)  # waited 1 µs, ran 2 µs, was sent in 1 µs
    assert f"left:0;top:0;bottom:0;width:25.0%;background:{WAIT}" in html
    assert f"right:0;top:0;bottom:0;width:25.0%;background:{SEND}" in html
