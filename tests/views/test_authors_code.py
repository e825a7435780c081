"""The author's part of a traceback begins with their first line, whatever of ours stood above it."""

from __future__ import annotations

import pytest

from mcp_workbench import settings
from mcp_workbench.assembly import RunningServer
from mcp_workbench.events import Era
from mcp_workbench.principals import Tokens
from mcp_workbench.telemetry.records import CallRecord, freeze_exception
from mcp_workbench.views.authors_code import author_traceback, is_ours
from mcp_workbench.workbench import Workbench


def record_of(error: BaseException | None) -> CallRecord:
    call = CallRecord("c1", "s1", "default", Era.MODERN, "tools/call", "fail", 1, 0, 0.0, 2)
    call.exception = None if error is None else freeze_exception(error)
    return call


def theirs() -> RunningServer | None:
    raise KeyError("theirs")


def raised_through_ours() -> BaseException:
    with pytest.raises(KeyError) as raised:
        Tokens(Workbench()._offer, theirs).revoke("bob")
    first = raised.value.__traceback__
    return raised.value.with_traceback(first and first.tb_next)  # as the workbench catches it: without its caller


def test_frames_of_ours_above_the_authors_code_are_left_out() -> None:
    call = record_of(raised_through_ours())
    assert "principals.py" in (call.traceback_text or "")
    text = author_traceback(call)
    assert "principals.py" not in text
    assert text.startswith("Traceback (most recent call last):\n")
    assert text.endswith("KeyError: 'theirs'\n")


def test_where_none_of_the_authors_code_was_reached_there_is_none() -> None:
    assert author_traceback(record_of(None)) == ""
    assert author_traceback(record_of(ValueError("never raised"))) == ""


def test_files_of_the_package_are_ours_and_no_others() -> None:
    assert is_ours(settings.__file__)
    assert not is_ours(__file__)
    assert not is_ours("<ipython-input-3>")
