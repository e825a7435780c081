from __future__ import annotations

import pytest

from mcp_workbench.events import Era
from mcp_workbench.telemetry import CallRecord, Outcome, Telemetry
from mcp_workbench.telemetry.failures import KEPT, Failures, Latest
from mcp_workbench.telemetry.telemetry import JOB


def _call(number: int = 1, outcome: Outcome = Outcome.TOOL_ERROR, method: str = "tools/call") -> CallRecord:
    call = CallRecord(f"c{number}", "s1", "default", Era.MODERN, method, "add", number, 1_000, 1.7e9, 100)
    call.outcome, call.arguments, call.is_authors = outcome, b'{"a": 1}', True
    return call


def test_the_newest_failure_comes_first() -> None:
    failures = Latest()
    for number in (1, 2, 3):
        failures.add(_call(number))
    assert [call.call_id for call in failures.calls()] == ["c3", "c2", "c1"]
    assert failures.total == 3


def test_what_newer_failures_push_out_loses_its_arguments() -> None:
    failures = Latest()
    calls = [_call(number) for number in range(KEPT + 2)]
    for call in calls:
        failures.add(call)
    assert [call.arguments is None for call in calls] == [True, True] + [False] * KEPT
    assert len(failures.calls()) == KEPT
    assert failures.total == KEPT + 2


@pytest.mark.parametrize(
    ("outcome", "method"),
    [(Outcome.CANCELLED, "tools/call"), (Outcome.DROPPED, "tools/call"), (Outcome.OK, "tools/call"), (Outcome.RPC_ERROR, "tools/lisst")],
)
def test_what_the_author_cannot_mend_is_no_failure_and_keeps_no_arguments(outcome: Outcome, method: str) -> None:
    failures = Failures()
    failures.add(call := _call(outcome=outcome, method=method))
    assert (failures.of_author.total, failures.of_callers.total, call.arguments) == (0, 0, None)


def test_telemetry_remembers_the_failures_among_the_calls() -> None:
    telemetry = Telemetry()
    for number, outcome in enumerate((Outcome.OK, Outcome.TOOL_ERROR, Outcome.OK, Outcome.TIMEOUT, Outcome.CANCELLED)):
        telemetry.record(_call(number, outcome))
    assert telemetry.failed == 2
    assert [call.call_id for call in telemetry.failures()] == ["c3", "c1"]
    assert telemetry.statistics().errors == 2  # a call that was cancelled is none


def test_a_call_that_had_become_a_job_fails_as_that_job() -> None:
    failures = Failures()
    failures.add(_call(method=JOB))
    assert failures.of_author.total == 1


def test_mistakes_of_callers_push_out_no_failure_of_the_author() -> None:
    telemetry = Telemetry()
    telemetry.record(bug := _call(0))
    for number in range(1, KEPT + 3):
        mistake = _call(number)
        mistake.is_authors = False
        telemetry.record(mistake)
    assert (telemetry.failures(), telemetry.failed) == ([bug], 1)
    assert (telemetry.mistakes()[0].call_id, telemetry.mistaken) == (f"c{KEPT + 2}", KEPT + 2)


def test_a_failed_call_that_ran_nothing_gets_an_id_by_which_it_can_be_found() -> None:
    telemetry = Telemetry()
    for _ in range(2):
        call = _call(outcome=Outcome.RPC_ERROR)
        call.call_id, call.is_authors = "", False
        telemetry.record(call)
    assert [call.call_id for call in telemetry.mistakes()] == ["x2", "x1"]
