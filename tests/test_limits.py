from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from mcp_workbench.limits import Limits


@pytest.mark.parametrize("name", [each.name for each in fields(Limits)])
@pytest.mark.parametrize("value", [-1, "5", None, True, float("nan"), float("inf")])
def test_a_bound_nothing_could_work_within_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"Limits\({name}=…\) takes .*; got"):
        Limits(**{name: value})


@pytest.mark.parametrize("name", ["running_calls", "tool_threads", "async_calls", "records", "handshake_timeout_s", "ping_after_s"])
def test_none_at_all_is_refused_where_nothing_would_ever_run(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Limits(**{name: 0})


def test_some_bounds_may_be_zero() -> None:
    limits = Limits(backlog_messages=0, thread_queue=0, results=0, stop_grace_s=0)
    assert (limits.backlog_messages, limits.stop_grace_s) == (0, 0)


def test_an_answer_too_small_for_any_error_is_refused() -> None:
    with pytest.raises(ValueError, match="max_result_bytes"):
        Limits(max_result_bytes=10)
