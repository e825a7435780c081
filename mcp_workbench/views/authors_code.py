"""A traceback as the author of a tool wants to read it: from the first line of their code on, not from the workbench's way there.

Formatting reads lines of source files, and the exception's text is other people's: never on the protocol loop.
"""

from __future__ import annotations

import copy
import os
import traceback
from pathlib import Path

from mcp_workbench.telemetry.records import CallRecord

_PACKAGE = str(Path(__file__).parent.parent) + os.sep


def is_ours(file: str) -> bool:
    """Whether a source file belongs to the workbench."""
    return file.startswith(_PACKAGE)


def author_traceback(call: CallRecord) -> str:
    """The traceback from the author's first line on; empty where none of their code was reached."""
    if call.exception is None:
        return ""
    frames = list(call.exception.stack)
    while frames and is_ours(frames[0].filename):
        del frames[0]
    if not frames:
        return ""
    theirs = copy.copy(call.exception)
    theirs.stack = traceback.StackSummary.from_list(frames)
    return "".join(theirs.format())
