from __future__ import annotations

import pytest

from mcp_workbench.events import Era
from mcp_workbench.telemetry import CallRecord, Outcome, Telemetry
from mcp_workbench.telemetry.failures import KEPT, Failures
from mcp_workbench.telemetry.telemetry import JOB


def _call(number: int = 1, outcome: Outcome = Outcome.TOOL_ERROR, method: str = "tools/call") -> CallRecord:
    call = CallRecord(f"c{number}", "s1", "default", Era.MODERN, method, "add", number, 1_000, 1.7e9, 100)
    call.outcome, call.arguments = outcome, b'{"a": 1}'
    return call


def test_the_newest_failure_comes_first() -> None:
    failures = Failures()
    for number in (1, 2, 3):
        failures.add(_call(number))
    assert [call.call_id for call in failures.latest()] == ["c3", "c2", "c1"]
    assert failures.total == 3


def test_what_newer_failures_push_out_loses_its_arguments() -> None:
    failures = Failures()
    calls = [_call(number) for number in range(KEPT + 2)]
    for call in calls:
        failures.add(call)
    assert [call.arguments is None for call in calls] == [True, True] + [False] * KEPT
    assert len(failures.latest()) == KEPT
    assert failures.total == KEPT + 2


@pytest.mark.parametrize(
    ("outcome", "method"),
    [(Outcome.CANCELLED, "tools/call"), (Outcome.DROPPED, "tools/call"), (Outcome.OK, "tools/call"), (Outcome.RPC_ERROR, "tools/lisst")],
)
def test_what_the_author_cannot_mend_is_no_failure_and_keeps_no_arguments(outcome: Outcome, method: str) -> None:
    failures = Failures()
    failures.add(call := _call(outcome=outcome, method=method))
    assert (failures.latest(), failures.total, call.arguments) == ([], 0, None)


def test_telemetry_remembers_the_failures_among_the_calls() -> None:
    telemetry = Telemetry()
    for number, outcome in enumerate((Outcome.OK, Outcome.TOOL_ERROR, Outcome.OK, Outcome.TIMEOUT, Outcome.CANCELLED)):
        telemetry.record(_call(number, outcome))
    assert telemetry.failed == 2
    assert [call.call_id for call in telemetry.failures()] == ["c3", "c1"]
    assert telemetry.statistics().errors == 3


def test_a_call_that_had_become_a_job_fails_as_that_job() -> None:
    failures = Failures()
    failures.add(_call(method=JOB))
    assert failures.total == 1
