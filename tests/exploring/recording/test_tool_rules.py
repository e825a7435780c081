from __future__ import annotations

import json
from typing import Any

import pytest

from mcp_workbench.exploring.recording import tool_rules
from mcp_workbench.exploring.recording.redaction import Redactor
from tests.exploring.recording.test_redaction import call, redacted, result


@pytest.fixture
def redactor() -> Redactor:
    return Redactor(tools=lambda: {"pay": ("account", "rows[*].mail"), "buy": ("card",)})


def answer(**structured: Any) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": json.dumps(structured)}], "structuredContent": structured}


def test_a_call_that_goes_on_as_a_task_is_withheld_wherever_it_is_told_how_it_ended(redactor: Redactor) -> None:
    redacted(call("pay", {"account": "in-12345"}), redactor)
    redacted({"id": 1, "result": {"resultType": "task", "taskId": "t1", "status": "working"}}, redactor)
    told = redacted({"method": "notifications/tasks", "params": {"taskId": "t1", "result": answer(account="out-12345", n=1)}}, redactor)
    redacted({"id": 2, "method": "tasks/get", "params": {"taskId": "t1"}}, redactor)
    got = redacted(
        {"id": 2, "result": {"taskId": "t1", "status": "completed", "result": answer(account="new-99", card="4", n=1)}}, redactor
    )
    redacted({"id": 3, "method": "tasks/result", "params": {"taskId": "t1"}}, redactor)
    legacy = redacted({"id": 3, "result": answer(account="old-99")}, redactor)
    written = json.dumps([told, got, legacy])
    assert not any(secret in written for secret in ("out-12345", "new-99", "old-99"))
    assert got["result"]["result"]["structuredContent"]["n"] == 1
    assert got["result"]["result"]["structuredContent"]["card"] == "4", "that is another tool's"


def test_of_a_task_that_began_before_the_recording_what_any_tool_withholds_is_withheld(redactor: Redactor) -> None:
    redacted({"id": 2, "method": "tasks/get", "params": {"taskId": "t0"}}, redactor)
    got = redacted({"id": 2, "result": {"taskId": "t0", "result": answer(account="a", rows=[{"mail": "m"}], card="4", n=1)}}, redactor)
    structured = got["result"]["result"]["structuredContent"]
    assert [name for name, value in structured.items() if "‹redacted" in json.dumps(value, ensure_ascii=False)] == [
        "account",
        "rows",
        "card",
    ]


@pytest.mark.parametrize(
    "waited",
    [
        {"name": "job_wait", "arguments": {"job": "j7"}},
        {"name": "notebook_call", "arguments": {"function": "job_wait", "arguments": {"job": 7}}},
    ],
)
def test_a_call_that_goes_on_as_a_job_is_withheld_where_its_result_is_waited_for(redactor: Redactor, waited: dict[str, Any]) -> None:
    redacted(call("pay", {"account": "in-12345"}), redactor)
    redacted(result("Running as job j7: call job_wait."), redactor)
    request = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": waited}
    redactor.begin()
    assert redactor.clean([json.dumps(request).encode()]) == [False]
    redacted(request, redactor)
    assert redactor.clean([json.dumps({"id": 2, "result": {}}).encode()]) == [False]
    got = redacted({"id": 2, "result": answer(account="new-99", card="4")}, redactor)["result"]
    assert "new-99" not in json.dumps(got)
    assert got["structuredContent"]["card"] == "4"


def test_a_piece_from_the_middle_of_a_jobs_result_is_withheld_as_a_whole(redactor: Redactor) -> None:
    redacted(call("job_wait", {"job": "j7", "offset": 100}), redactor)
    got = redacted(result('w-99","n":1}'), redactor)["result"]["content"]
    assert got[0]["text"].startswith("‹redacted:")
    redacted(call("job_wait", {"job": "j7"}), redactor)
    assert redacted(result("j7: still running"), redactor)["result"]["content"][0]["text"] == "j7: still running"


def test_however_many_calls_are_open_none_is_forgotten_but_past_the_bound_and_then_all_answers_are_withheld_from(
    redactor: Redactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1000):
        redacted(call("pay", {"account": "in-12345"}, number), redactor)
    for number in range(1000):
        assert "new-99" not in json.dumps(redacted({"id": number, "result": answer(account="new-99")}, redactor))
    monkeypatch.setattr(tool_rules, "MAX_OPEN", 2)
    for number in range(3):
        redacted(call("pay", {"account": "in-12345"}, number), redactor)
    assert redactor.clean([b'{"id":0,"result":{}}']) == [False]
    assert "new-98" not in json.dumps(redacted({"id": 0, "result": answer(account="new-98")}, redactor))


def test_what_is_told_while_it_runs_is_withheld_too_and_a_session_that_ended_leaves_nothing_open(redactor: Redactor) -> None:
    redacted(call("pay", {"account": "in-12345"}), redactor)
    log = {"method": "notifications/message", "params": {"level": "info", "data": {"account": "log-77"}}}
    assert "log-77" not in json.dumps(redacted(log, redactor))
    assert redactor.clean([b"{}"]) == [False]
    redactor.forget("")
    assert redactor.clean([b"{}"]) == [True]
