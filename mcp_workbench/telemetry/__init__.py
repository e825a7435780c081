"""What happened: call records, histograms, session records. Pure, fed by events, never slows the path.

`Telemetry` is the way in; `records` says what is written down, `histogram` how durations are kept.
Clock readings come from the caller: the neighbours above (`sessions`, `serving`) own the clocks.
"""

from mcp_workbench.telemetry.aggregates import Phase, Row
from mcp_workbench.telemetry.histogram import Histogram
from mcp_workbench.telemetry.messages import Direction, Message, Messages
from mcp_workbench.telemetry.records import CallRecord, Outcome, SessionRecord, Side, freeze_exception
from mcp_workbench.telemetry.telemetry import Follower, Statistics, Telemetry

__all__ = [
    "CallRecord",
    "Direction",
    "Follower",
    "Histogram",
    "Message",
    "Messages",
    "Outcome",
    "Phase",
    "Row",
    "SessionRecord",
    "Side",
    "Statistics",
    "Telemetry",
    "freeze_exception",
]
