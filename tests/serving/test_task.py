"""Tasks in any order of questions, answers, ends, looks and time: what is seen of one is always true, and nobody else sees it."""

from __future__ import annotations

from typing import Any, cast

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from mcp_workbench.errors import NotAnswered
from mcp_workbench.execution.calls import Call, Progress
from mcp_workbench.execution.questions import Question, ask_person, ask_roots
from mcp_workbench.limits import KIB, Limits
from mcp_workbench.primitives.tools import ToolDefinition, define_tool
from mcp_workbench.protocol import wire
from mcp_workbench.serving.failures import UNWRITABLE
from mcp_workbench.serving.job import KEPT_FETCHED_S, KEPT_S, Job, JobState
from mcp_workbench.serving.jobs import Jobs
from mcp_workbench.serving.task import MAX_MISFITS, Task
from mcp_workbench.serving.task_memory import TaskMemory
from tests.support import task_schema

ROOM = 64 * KIB
ROOTS: dict[str, Any] = {"roots": []}


def slow() -> None: ...


SLOW: ToolDefinition = define_tool(slow)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class House:
    """Jobs and their tasks, and what was told of them."""

    def __init__(self, **limits: int) -> None:
        self.clock = Clock()
        self.jobs = Jobs(Limits(**limits), clock=self.clock)
        self.memory = TaskMemory(self.jobs)
        self.told: list[wire.TaskStatus] = []
        self.memory.on_change.append(lambda task: self.told.append(task.status))

    def job(self, principal: str = "ada") -> Job:
        call = Call("c1", "slow", "thread")
        call.started_ns = 1
        job = self.jobs.begin(SLOW, principal, b"", call, lambda reason: None, waited_s=45)
        assert job is not None
        return job

    def task(self, principal: str = "ada", **brought: Any) -> Task:
        return self.memory.begin(self.job(principal), brought)

    def end(self, task: Task, state: JobState = JobState.DONE, text: str = "done", error: wire.RpcError | None = None) -> None:
        result = wire.CallToolResult(content=[wire.TextContent(text=text)], is_error=state is not JobState.DONE)
        self.jobs.end(task.job, state, result, error)


def roots(key: str | None = None) -> Question:
    return ask_roots(key=key, timeout_s=None)


def seen(task: Task, max_bytes: int = ROOM) -> dict[str, Any]:
    """As a client reads it, and as the extension has it."""
    text = msgspec.json.encode(task.shown(max_bytes))
    assert len(text) <= max_bytes
    shown: dict[str, Any] = msgspec.json.decode(text)
    task_schema.check_result("tasks/get", shown | {"resultType": "complete", "_meta": shown.get("_meta", {}) | SERVER})
    return shown


SERVER = {wire.META_SERVER_INFO: {"name": "mcp-workbench"}}


# --- what is seen of it ---------------------------------------------------------------------------------------


def test_a_handle_says_where_to_find_it_and_nothing_of_its_outcome() -> None:
    here = House()
    task = here.task()
    handle = msgspec.json.decode(msgspec.json.encode(task.handle()))
    task_schema.check_result("tools/call", {"resultType": "task", "_meta": SERVER} | handle)
    assert (handle["taskId"], handle["status"], handle["ttlMs"], handle["pollIntervalMs"]) == (task.id, "working", None, 2250)


def test_how_a_running_one_stands_is_said_in_words() -> None:
    here = House()
    task = here.task()
    cast(Any, task.job)._call.progress = Progress(62, 100, "reading")
    here.clock.now += 51
    assert seen(task)["statusMessage"] == "j1 (slow): running, 62 %, 96 s. It said last: reading"
    task.ask(roots())
    assert seen(task)["statusMessage"] == "j1 (slow): running, 62 %, 96 s. It asks the client for its roots. It said last: reading"


@pytest.mark.parametrize(("ran_s", "advised"), [(0, 2250), (3.1, 2405), (1e6, 5000)])
def test_the_longer_it_runs_the_rarer_it_is_to_be_looked_at(ran_s: float, advised: int) -> None:
    here = House()
    task = here.task()
    here.clock.now += ran_s
    assert seen(task)["pollIntervalMs"] == advised


@pytest.mark.parametrize("state", [JobState.DONE, JobState.FAILED, JobState.TIMED_OUT])
def test_a_tool_that_failed_has_completed_with_a_result_that_says_so(state: JobState) -> None:
    here = House()
    task = here.task()
    here.end(task, state, "what came of it")
    shown = seen(task)
    assert (shown["status"], shown["result"]["content"][0]["text"]) == ("completed", "what came of it")
    assert shown["result"].get("isError", False) is (state is not JobState.DONE)


def test_an_error_of_the_protocol_has_failed_and_brings_the_error() -> None:
    here = House()
    task = here.task()
    here.end(task, JobState.FAILED, "words", wire.RpcError(code=-32021, message="no roots", data={"requiredCapabilities": {}}))
    shown = seen(task)
    assert (shown["status"], shown["statusMessage"]) == ("failed", "no roots")
    assert shown["error"] == {"code": -32021, "message": "no roots", "data": {"requiredCapabilities": {}}}


def test_a_cancelled_one_says_by_whom() -> None:
    here = House()
    task = here.task()
    here.end(task, JobState.CANCELLED, "Job j1 (slow) was cancelled: the notebook's author stopped it.")
    shown = seen(task)
    assert (shown["status"], "result" in shown) == ("cancelled", False)
    assert shown["statusMessage"] == "Job j1 (slow) was cancelled: the notebook's author stopped it."


def test_a_result_too_long_for_a_message_is_handed_on_in_slices() -> None:
    here = House()
    task = here.task()
    here.end(task, text="x" * 100_000)
    shown = seen(task, 16 * KIB)
    assert 'job_wait("j1", offset=' in shown["result"]["content"][-1]["text"]


def test_a_result_that_no_json_carries_is_told_to_be_one() -> None:
    here = House()
    task = here.task()
    here.end(task, text="\ud800")
    assert seen(task)["result"] == {"content": [{"type": "text", "text": UNWRITABLE}], "isError": True}


def test_it_is_kept_a_day_and_an_hour_once_it_was_fetched() -> None:
    here = House()
    task = here.task()
    here.clock.now += 10
    here.end(task)
    assert seen(task)["ttlMs"] == (10 + KEPT_S) * 1000
    here.clock.now += 5
    task.job.note_fetched()
    assert seen(task)["ttlMs"] == (15 + KEPT_FETCHED_S) * 1000
    here.clock.now += KEPT_FETCHED_S - 1
    assert here.memory.find("ada", task.id) is task
    here.clock.now += 1
    assert here.memory.find("ada", task.id) is None


# --- what it asks -----------------------------------------------------------------------------------------------


def test_some_answers_are_enough_and_the_rest_is_asked_still() -> None:
    here = House()
    task = here.task()
    questions = [roots(), roots("mine"), roots()]
    for question in questions:
        task.ask(question)
    assert [*seen(task)["inputRequests"]] == ["q1", "mine", "q3"]
    task.update({"mine": ROOTS, "nothing": ROOTS, "q3": ROOTS})
    assert [question.future.done() for question in questions] == [False, True, True]
    assert (seen(task)["status"], [*seen(task)["inputRequests"]]) == ("input_required", ["q1"])
    task.update({"q1": ROOTS})
    assert seen(task)["status"] == "working"


def test_what_was_answered_once_is_answered_no_more() -> None:
    here = House()
    task = here.task()
    first, second = roots("mine"), roots("mine")
    task.ask(first)
    task.update({"mine": ROOTS})
    task.ask(second)
    assert [*seen(task)["inputRequests"]] == ["mine-2"]
    task.update({"mine": ROOTS})
    assert not second.future.done()


def test_an_answer_that_does_not_fit_is_asked_for_again_under_another_key() -> None:
    here = House()
    task = here.task()
    question = ask_person("How many?", {"n": int}, url=None, key=None, timeout_s=None)
    task.ask(question)
    task.update({"q1": {"action": "accept", "content": {"n": "seven"}}})
    assert [*seen(task)["inputRequests"]] == ["q2"]
    task.update({"q1": {"action": "accept", "content": {"n": 7}}})
    assert not question.future.done(), "a client answers a key once"
    task.update({"q2": {"action": "accept", "content": {"n": 7}}})
    assert question.value(question.future.result()).data == {"n": 7}


def test_answers_that_never_fit_end_the_question() -> None:
    here = House()
    task = here.task()
    question = roots()
    task.ask(question)
    for _ in range(MAX_MISFITS):
        assert not question.future.done()
        task.update(dict.fromkeys(seen(task)["inputRequests"], "no object"))
    with pytest.raises(NotAnswered, match="10 answers that do not fit"):
        question.future.result()
    assert seen(task)["status"] == "working"


def test_an_answer_that_came_with_the_call_is_taken_once() -> None:
    here = House()
    task = here.task(mine=ROOTS)
    first, second = roots("mine"), roots("mine")
    task.ask(first)
    assert (first.future.done(), seen(task)["status"]) == (True, "working")
    task.ask(second)
    assert [*seen(task)["inputRequests"]] == ["mine"]


def test_what_no_message_holds_is_not_asked() -> None:
    here = House(max_result_bytes=16 * KIB)
    task = here.task()
    questions = [ask_person("x" * 3000, None, url=None, key=None, timeout_s=None) for _ in range(3)]
    for question in questions:
        task.ask(question)
    assert [question.future.done() for question in questions] == [False, False, True]
    with pytest.raises(NotAnswered, match="must fit into 8,192 bytes"):
        questions[2].future.result()
    seen(task, 16 * KIB)


# --- any order ----------------------------------------------------------------------------------------------------


class Tasks(RuleBasedStateMachine):
    tasks = Bundle("tasks")

    def __init__(self) -> None:
        super().__init__()
        self.here = House(jobs=3, running_jobs=5)
        self.open: dict[Task, dict[str, Question]] = {}
        """What each asks, by the keys a client was shown."""
        self.keys: dict[Task, set[str]] = {}
        self.last: dict[Task, dict[str, Any]] = {}
        self.over: dict[Task, wire.TaskStatus] = {}

    @rule(target=tasks, principal=st.sampled_from(["ada", "bob"]))
    def begin(self, principal: str) -> Any:
        if self.here.jobs._running_of(principal) >= 5:
            return multiple()
        task = self.here.task(principal)
        self.open[task], self.keys[task] = {}, set()
        return task

    @rule(task=tasks, key=st.sampled_from([None, "a", "q2", "a-2"]))
    def ask(self, task: Task, key: str | None) -> None:
        if task in self.over:
            return
        question, before = roots(key), set(task.shown(ROOM).input_requests or ())
        task.ask(question)
        [new] = set(task.shown(ROOM).input_requests or ()) - before
        self._issued(task, new, question)

    def _issued(self, task: Task, key: str, question: Question) -> None:
        assert key not in self.keys[task], "a key is used once in the life of a task"
        self.keys[task].add(key)
        self.open[task][key] = question

    @rule(task=tasks, data=st.data())
    def answer(self, task: Task, data: st.DataObject) -> None:
        keys = st.sampled_from(sorted(self.keys[task] | {"unheard"}))
        responses = data.draw(st.dictionaries(keys, st.sampled_from([ROOTS, {"roots": 7}, None]), max_size=3))
        before = dict(self.open[task])
        task.update(responses)
        misfits: list[Question] = []
        for key, result in responses.items():
            question = before.get(key)
            if question is None:
                continue
            del self.open[task][key]
            if result == ROOTS:
                assert question.future.result() == ROOTS
            elif not question.future.done():
                misfits.append(question)
        shown = task.shown(ROOM).input_requests or {}
        for key, question in zip(sorted(shown.keys() - self.open[task].keys(), key=list(shown).index), misfits, strict=True):
            self._issued(task, key, question)

    @rule(task=tasks)
    def give_up_a_question(self, task: Task) -> None:
        for key, question in list(self.open[task].items())[:1]:
            question.fail(NotAnswered("nobody answered"))
            del self.open[task][key]

    @rule(task=tasks, end=st.sampled_from(["completed", "failed", "cancelled"]))
    def end(self, task: Task, end: wire.TaskStatus) -> None:
        if task in self.over:
            return
        for question in list(self.open[task].values()):
            question.fail(NotAnswered("the call has ended"))
        self.open[task].clear()
        state = {"completed": JobState.DONE, "failed": JobState.FAILED, "cancelled": JobState.CANCELLED}[end]
        self.here.told.clear()
        self.here.end(task, state, error=wire.RpcError(code=-32603, message="broken") if end == "failed" else None)
        self.over[task] = end
        assert self.here.told == [end], "whoever follows it is told of its end"

    @rule(task=tasks)
    def fetch(self, task: Task) -> None:
        if task in self.over:
            task.job.note_fetched()

    @rule(seconds=st.sampled_from([1.0, KEPT_FETCHED_S / 2, KEPT_S / 2]))
    def pass_time(self, seconds: float) -> None:
        self.here.clock.now += seconds

    @invariant()
    def what_is_seen_is_what_is(self) -> None:
        for task, asked in self.open.items():
            expected = self.over.get(task, "input_required" if asked else "working")
            shown = seen(task)
            assert (shown["status"], set(shown.get("inputRequests", ()))) == (expected, set(asked))

    @invariant()
    def whose_it_is_finds_it_as_long_as_it_is_kept_and_nobody_else(self) -> None:
        for task in self.open:
            owner, other = ("ada", "bob") if task.job.principal == "ada" else ("bob", "ada")
            kept = self.here.jobs.find(None, task.job.number) is task.job
            assert (self.here.memory.find(owner, task.id) is task, self.here.memory.find(other, task.id)) == (kept, None)
            assert kept or task in self.over, "what runs is never given up"

    @invariant()
    def no_more_is_kept_than_may_be(self) -> None:
        assert len(self.here.memory) <= len(self.open)
        kept = [task for task in self.open if self.here.memory.find(task.job.principal, task.id)]
        assert len(kept) <= 3 + 2 * 5


TestTasks = Tasks.TestCase
TestTasks.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
