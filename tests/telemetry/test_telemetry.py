from __future__ import annotations

import threading

import pytest

from mcp_workbench.events import Era
from mcp_workbench.telemetry import CallRecord, Direction, Message, Messages, Outcome, Phase, SessionRecord, Telemetry
from mcp_workbench.telemetry.telemetry import ABANDONED_AFTER, BATCH, ENDED_SESSIONS


def _ended(target: str = "add", outcome: Outcome = Outcome.OK) -> CallRecord:
    call = CallRecord("c", "s", "default", Era.LEGACY, "tools/call", target, 1, 1_000, 1.7e9, 100)
    call.started_ns, call.returned_ns, call.sent_ns = 2_000, 3_000, 5_000
    call.bytes_out, call.outcome = 60, outcome
    return call


def test_what_was_recorded_can_be_read_at_once() -> None:
    telemetry = Telemetry()
    telemetry.record(_ended())
    telemetry.record(_ended(outcome=Outcome.TOOL_ERROR))
    (row,) = telemetry.by_tool()
    assert (row.name, row.n, row.errors, row.p50_ns) == ("add", 2, 1, 4_000)
    statistics = telemetry.statistics()
    assert (statistics.calls, statistics.errors, statistics.bytes_in, statistics.bytes_out) == (2, 1, 200, 120)
    assert (statistics.calls_kept, statistics.not_added_up, statistics.keys) == (2, 0, 1)


def test_calls_are_numbered_in_the_order_they_end_and_the_oldest_go_first() -> None:
    telemetry = Telemetry(records=3)
    for _ in range(5):
        telemetry.record(_ended())
    assert [call.seq for call in telemetry.calls()] == [3, 4, 5]
    assert [call.seq for call in telemetry.calls(limit=1)] == [5]
    assert telemetry.by_tool()[0].n == 5


def test_a_call_that_has_not_ended_is_refused() -> None:
    telemetry = Telemetry()
    with pytest.raises(ValueError, match="has not ended"):
        telemetry.record(_ended(outcome=Outcome.PENDING))
    assert telemetry.statistics().calls == 0


def test_what_waits_to_be_added_up_is_bounded_when_nobody_reads() -> None:
    telemetry = Telemetry()
    for _ in range(BATCH - 1):
        telemetry.record(_ended())
    assert len(telemetry._unfolded) == BATCH - 1
    telemetry.record(_ended())
    assert len(telemetry._unfolded) == 0


def test_while_another_thread_adds_up_a_reader_gets_the_sums_as_they_are() -> None:
    telemetry = Telemetry()
    telemetry.record(_ended())
    telemetry._claim[""] = object()
    assert telemetry.by_tool() == []
    assert telemetry.statistics().not_added_up == 1
    telemetry._claim.clear()
    assert telemetry.by_tool()[0].n == 1


def test_a_claim_left_behind_by_an_interrupted_reader_does_not_stop_the_sums() -> None:
    telemetry = Telemetry()
    telemetry._claim[""] = object()
    for _ in range(ABANDONED_AFTER):
        telemetry.record(_ended())
    assert telemetry.by_tool()[0].n == ABANDONED_AFTER
    assert telemetry._claim == {}


def test_an_interrupt_while_adding_up_gives_the_claim_back() -> None:
    class Interrupting(str):
        __slots__ = ()

        def __hash__(self) -> int:
            raise KeyboardInterrupt

    telemetry = Telemetry()
    telemetry.record(_ended(Interrupting("add")))
    telemetry.record(_ended())
    with pytest.raises(KeyboardInterrupt):
        telemetry.by_tool()
    assert telemetry.by_tool()[0].n == 1


def test_readers_on_other_threads_lose_and_double_no_call() -> None:
    telemetry = Telemetry(records=100)
    done = threading.Event()
    failures: list[BaseException] = []

    def read() -> None:
        try:
            while not done.is_set():
                telemetry.by_tool()
                telemetry.histogram("tool 3", Phase.RUN)
                telemetry.calls(limit=None)
        except Exception as error:
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(20_000):
        telemetry.record(_ended(f"tool {number % 10}"))
    done.set()
    for reader in readers:
        reader.join(5)
    assert failures == []
    assert [row.n for row in telemetry.by_tool()] == [2_000] * 10
    assert telemetry.histogram("tool 3", Phase.WAIT).count == 2_000


def test_other_methods_have_histograms_and_rows_too() -> None:
    telemetry = Telemetry()
    call = CallRecord("c", "s", "default", Era.LEGACY, "ping", "", 1, 1_000, 1.7e9, 40)
    call.sent_ns, call.outcome = 1_800, Outcome.OK
    telemetry.record(call)
    assert telemetry.histogram("", method="ping").max_ns == 800
    assert [row.name for row in telemetry.by_method()] == ["ping"]
    assert telemetry.by_tool() == []


def test_ended_sessions_are_kept_up_to_their_bound() -> None:
    telemetry = Telemetry()
    for number in range(ENDED_SESSIONS + 2):
        telemetry.record_session(SessionRecord(f"s{number}", "websocket", "127.0.0.1:1", "default", 1.7e9))
    kept = telemetry.sessions(limit=None)
    assert (len(kept), kept[0].session_id) == (ENDED_SESSIONS, "s2")
    assert telemetry.statistics().sessions_ended == ENDED_SESSIONS + 2


def test_a_stretch_of_calls_is_found_by_where_they_ended() -> None:
    telemetry = Telemetry(records=3)
    assert (telemetry.recorded, telemetry.oldest, telemetry.calls_between(0, 9)) == (0, 0, [])
    for _ in range(5):
        telemetry.record(CallRecord("", "s1", "default", Era.LEGACY, "ping", "", 1, 0, 0.0, 1, outcome=Outcome.OK))
    assert (telemetry.recorded, telemetry.oldest) == (5, 3)
    assert [call.seq for call in telemetry.calls_between(0, 4)] == [3, 4]
    assert [call.seq for call in telemetry.calls_between(4, 5)] == [5]


class Following:
    """Reads and hears everything, and keeps what it was told of it."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        self.read = 0
        self.memory = Messages()

    def memory_begins(self, messages: Messages) -> None:
        self.memory = messages

    def memory_ends(self) -> None:
        self.heard.append("ends")

    def message_leaves(self, message: Message) -> None:
        self.heard.append((message.seq, message.raw))

    def wake_up(self) -> None:
        self.heard.append("woken")

    def call_ended(self, call: CallRecord) -> None:
        self.heard.append(call.seq)

    def session_ended(self, session: SessionRecord) -> None:
        self.heard.append(session.session_id)


def test_who_follows_hears_everything_in_order_and_of_what_leaves_unread_also_from_the_memory_that_takes_its_place() -> None:
    following, before = Following(), Telemetry(messages=Messages(10, 0))
    before.follow(following)
    after = Telemetry(messages=Messages(10, 3))
    after.inherit(before)
    assert following.memory is after.messages
    after.messages.sleepers[following] = None
    for _ in range(3):
        after.messages.add(Message("s1", Direction.IN, 1, 1.0, 2, b"{}"))
    assert following.heard == ["woken", (1, b"{}"), (2, b"{}")]
    following.read = 4
    after.messages.add(Message("s1", Direction.IN, 1, 1.0, 2, b"{}"))
    after.record(_ended())
    after.record_session(SessionRecord("s1", "memory", "", "default", 1.0))
    assert following.heard[3:] == [1, "s1"], "what was read may go"
    assert [message.seq for message in after.messages.after(2, 10)] == [3, 4]
    assert after.messages.bytes_crossed == 8
    after.unfollow(following)
    after.unfollow(following)
    following.read = 0
    after.messages.add(Message("s1", Direction.IN, 1, 1.0, 2, b"{}"))
    assert following.heard[5:] == ["ends"]
