"""Calls -> a notebook that makes them again, at a replay of exactly these calls: no network, no server, runnable by nbmake.

Whatever clients or servers have said stands in code cells as literals, and in no text of the notebook.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from mcp_workbench.errors import WorkbenchError
from mcp_workbench.exploring.asking_again import again, cell_in
from mcp_workbench.exploring.call import Call
from mcp_workbench.exploring.comparing.answers import asks_server
from mcp_workbench.telemetry.records import Outcome
from mcp_workbench.version import __version__
from mcp_workbench.wording import counted

MOST = 300
"""Calls of one notebook."""

_HEAD = """# {calls}, made again

Written by mcp-workbench {version}. The calls are answered by a replay of the recording beside this notebook, as they were
answered when it was recorded: no network and no server is needed. Change `replay.connect()` to `wb.connect(…)` to ask a live
server.
{left}"""
_OVERVIEW = "import mcp_workbench as wb\n\ncalls = wb.traffic.load({file}).calls()\ncalls"
_REPLAY = "replay = wb.replay({file}, repeat=True)"
_EACH = "## The calls"
_END = "replay.close()"


def notebook_file(calls: Sequence[Call], file: str) -> str:
    """The text of the notebook.

    Args:
        calls: As they stand in the recording, what is secret withheld.
        file: The recording, as it is reached from the notebook's folder.

    Raises:
        ValueError: None of them can be made again, or there are too many.
    """
    cells = [cell for call in calls if (cell := _cell(call)) is not None]
    if not 0 < len(cells) <= MOST:
        raise ValueError(f"a notebook makes 1 to {MOST:,} calls; {len(cells):,} of these can be made: narrow them with .where(filter)")
    left = len(calls) - len(cells)
    only = f"\nIn the recording only: {counted(left, 'call')} of those that belong to their conversation or were not answered.\n"
    remark = only if left else ""
    head = _HEAD.format(calls=counted(len(cells), "call"), version=__version__, left=remark)
    written = [
        _markdown(head),
        _code(_OVERVIEW.format(file=repr(file))),
        _markdown(_EACH),
        _code(_REPLAY.format(file=repr(file))),
        *map(_code, cells),
        _markdown("The replay serves until it is closed."),
        _code(_END),
    ]
    metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}}
    return json.dumps({"cells": written, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, indent=1, ensure_ascii=False) + "\n"


def _cell(call: Call) -> str | None:
    """Its code; None: a replay does not answer it."""
    if not asks_server(call.record) or call.response is None or call.outcome == Outcome.INPUT_REQUIRED:
        return None
    try:
        method, params = again(call, {})
        return cell_in("replay.connect()", method, params, refused=call.outcome == Outcome.RPC_ERROR)
    except WorkbenchError:
        return None


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": _id(), "metadata": {}, "source": text}


def _code(text: str) -> dict[str, Any]:
    return {"cell_type": "code", "execution_count": None, "id": _id(), "metadata": {}, "outputs": [], "source": text}


def _id() -> str:
    return uuid4().hex[:8]
