"""Two calls compared, as a view asks for it: by the rules of `wb.traffic.diff`."""

from __future__ import annotations

import json
import threading
from typing import Any

from mcp_workbench import Workbench
from mcp_workbench.exploring.annotations import Annotations
from mcp_workbench.exploring.call import Call
from mcp_workbench.exploring.comparing.call_diff import CallDiff
from mcp_workbench.telemetry.messages import Direction
from mcp_workbench.views.actions.compare import compare
from mcp_workbench.views.actions.detail import MAX_TEXT
from mcp_workbench.views.messages import Compare, Compared, Done
from tests.support.stage import running, talking, within
from tests.views.rig import answer_of, no_server
from tests.views.visitor import visiting
from tests.views.wire_log import WireLog


def result_of(log: WireLog, request_id: int, **result: Any) -> Any:
    """The answer's text as a call has it."""
    return log.said(Direction.OUT, id=request_id, result=result)


def compared(log: WireLog) -> Compared:
    answer = answer_of(compare, Compare(id=1, seq=1, other=2), no_server(log.telemetry))
    assert isinstance(answer, Compared), answer
    return answer


def test_equal_calls_are_the_same_whatever_is_counted_or_belongs_to_their_conversation() -> None:
    log = WireLog()
    one, other = log.call("add", 1, a=1), log.call("add", 2, a=1)
    one.answer = result_of(log, 1, content=[{"type": "text", "text": "kept as _r7"}])
    meta = {"io.modelcontextprotocol/serverInfo": {"name": "x"}}
    other.answer = result_of(log, 2, content=[{"type": "text", "text": "kept as _r238"}], resultType="complete", _meta=meta)
    told = compared(log)
    assert (told.arguments.differences, told.result.differences) == (0, 0)
    assert json.loads(told.arguments.left) == {"name": "add", "arguments": {"a": 1}}
    assert told.result.left == told.result.right


def test_what_differs_is_what_differs_in_python() -> None:
    log = WireLog()
    calls = [log.call("add", 1, a=1), log.call("add", 2, a=2, b=3)]
    calls[1].answer = result_of(log, 2, content=[{"type": "text", "text": "<b>other</b>"}])
    told = compared(log)
    one, other = (Call(call, Annotations()) for call in calls)
    diff = CallDiff(one, other)
    assert (told.arguments.differences, told.result.differences) == (len(diff.arguments), len(diff.result)) == (2, 1)
    assert "<b>other</b>" in told.result.right


def test_what_is_kept_no_longer_or_too_long_is_not_sent() -> None:
    log = WireLog()
    one, other = log.call("add", 1), log.call("add", 2)
    one.request = None
    other.answer = result_of(log, 2, content=[{"type": "text", "text": "x" * MAX_TEXT}])
    told = compared(log)
    assert (told.arguments.left, told.arguments.right != "", told.arguments.differences > 0) == ("", True, True)
    assert (told.result.left != "", told.result.right, told.result.differences > 0) == (True, "", True)
    for seq, other_seq in ((0, 1), (1, 99), (-1, 1)):
        refused = answer_of(compare, Compare(id=1, seq=seq, other=other_seq), no_server(log.telemetry))
        assert isinstance(refused, Done)
        assert (refused.ok, "is kept" in refused.sentence) == (False, True)


def test_over_a_socket_two_ends_of_jobs_are_compared_by_what_they_came_to() -> None:
    workbench = Workbench("compare jobs")
    answered = threading.Semaphore(0)

    @workbench.tool(background_after_s=0.01)
    def fit(epochs: int) -> str:
        answered.acquire(timeout=20)
        return f"fitted {epochs}"

    async def main() -> None:
        async with visiting(workbench) as visitor, talking(workbench) as talk:
            for epochs in (1, 2):
                await talk.called("fit", epochs=epochs)
                answered.release()
                await talk.called("job_wait", job=f"j{epochs}")
            ends = [call.seq for call in workbench.telemetry.calls(None) if call.method == "job"]
            told = await visitor.ask(Compare(id=1, seq=ends[0], other=ends[1]))
            assert "fitted 1" in told["result"]["left"]
            assert "fitted 2" in told["result"]["right"]

    with running(workbench):
        within(main)
