"""How numbers, moments and other people's texts are put in a view."""

from __future__ import annotations

from mcp_workbench.serving.job import elapsed as elapsed
from mcp_workbench.wording import counted as counted
from mcp_workbench.wording import date as date
from mcp_workbench.wording import duration as duration
from mcp_workbench.wording import moment as moment
from mcp_workbench.wording import outcome as outcome
from mcp_workbench.wording import shown as shown

PANELS = ("all", "connect", "sessions", "calls", "messages", "timeline", "latency", "dataframes", "kernel")
"""What `wb.show(panel)` takes."""
LEFT_OUT = "names of clients and texts are left out of the saved notebook: wb.show(keep_data=True) keeps them"
