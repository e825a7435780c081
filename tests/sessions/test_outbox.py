from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mcp_workbench.sessions.outbox import Outbox
from mcp_workbench.telemetry import Direction, Message, Messages
from tests.sessions.rig import FakeChannel


def boxed(max_bytes: int = 100, room: float = 0) -> tuple[Outbox, FakeChannel]:
    channel = FakeChannel()
    channel.room = room
    return Outbox(channel, max_bytes, Messages()), channel


def said(text: bytes) -> Message:
    return Message("s1", Direction.OUT, 0, 0.0, len(text), text)


def test_while_the_channel_takes_texts_nothing_waits() -> None:
    outbox, channel = boxed(room=float("inf"))
    outbox.send(said(b"a"))
    outbox.notify(said(b"b"))
    outbox.notify(said(b"c"), key="key")
    assert channel.texts == [b"a", b"b", b"c"]
    assert (len(outbox), outbox.queued_bytes, outbox.full) == (0, 0, False)


def test_what_waits_goes_first_even_when_the_channel_is_writable_again() -> None:
    outbox, channel = boxed()
    outbox.send(said(b"a"))
    channel.room = 10
    outbox.send(said(b"b"))
    outbox.notify(said(b"c"))
    outbox.notify(said(b"d"), key="key")
    assert channel.texts == []
    outbox.flush()
    assert channel.texts == [b"a", b"b", b"c", b"d"]


def test_the_latest_notification_of_a_key_takes_the_place_of_the_one_that_waits() -> None:
    outbox, channel = boxed()
    outbox.notify(said(b"first of k"), key="k")
    outbox.send(said(b"answer"))
    outbox.notify(said(b"of another"), key="l")
    outbox.notify(said(b"latest of k"), key="k")
    assert outbox.queued_bytes == len(b"latest of kanswerof another")
    channel.room = 10
    outbox.flush()
    assert channel.texts == [b"latest of k", b"answer", b"of another"]


def test_a_key_that_was_sent_is_free_again() -> None:
    outbox, channel = boxed(room=1)
    outbox.notify(said(b"1"), key="k")
    outbox.notify(said(b"2"), key="k")
    channel.room = 1
    outbox.flush()
    outbox.notify(said(b"3"), key="k")
    assert (channel.texts, len(outbox)) == ([b"1", b"2"], 1)


def test_flushing_stops_where_the_channel_does() -> None:
    outbox, channel = boxed()
    for text in (b"a", b"b", b"c"):
        outbox.send(said(text))
    channel.room = 2
    outbox.flush()
    assert (channel.texts, outbox.queued_bytes) == ([b"a", b"b"], 1)


def test_past_the_bound_answers_are_kept_and_notifications_without_a_key_are_dropped_and_counted() -> None:
    outbox, channel = boxed(max_bytes=10)
    outbox.send(said(b"0123456789"))
    assert not outbox.full
    outbox.notify(said(b"room for one"))
    assert outbox.full
    outbox.notify(said(b"lost"))
    outbox.notify(said(b"lost too"))
    outbox.send(said(b"answer"))
    outbox.notify(said(b"level"), key="k")
    assert outbox.dropped == 2
    channel.room = 10
    outbox.flush()
    assert channel.texts == [b"0123456789", b"room for one", b"answer", b"level"]


def test_one_text_of_any_size_is_admitted_when_nothing_waits() -> None:
    outbox, _ = boxed(max_bytes=10)
    outbox.notify(said(b"x" * 1000))
    assert (len(outbox), outbox.full, outbox.dropped) == (1, True, 0)


def test_at_the_end_everything_is_handed_over_or_forgotten() -> None:
    outbox, channel = boxed()
    outbox.send(said(b"a"))
    outbox.notify(said(b"b"), key="k")
    outbox.flush_all()
    assert channel.texts == [b"a", b"b"]
    outbox.send(said(b"c"))
    outbox.clear()
    assert (len(outbox), outbox.queued_bytes) == (0, 0)


class OutboxMachine(RuleBasedStateMachine):
    """Against a list that is searched and rewritten."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox, self.channel = boxed(max_bytes=40, room=3)
        self.waiting: list[tuple[object, bytes]] = []
        self.sent: list[bytes] = []
        self.dropped = self.count = 0

    def text(self, size: int) -> bytes:
        self.count += 1
        return b"%d" % self.count + b"." * size

    def passes(self) -> bool:
        return not self.waiting and self.channel.room > 0

    @rule(size=st.integers(0, 60))
    def send(self, size: int) -> None:
        text = self.text(size)
        self.sent += [text] if self.passes() else []
        self.waiting += [] if self.passes() else [(object(), text)]
        self.outbox.send(said(text))

    @rule(size=st.integers(0, 60), key=st.sampled_from(["a", "b", ("answer", 1), None]))
    def notify(self, size: int, key: object) -> None:
        text, full = self.text(size), sum(len(text) for _, text in self.waiting) > 40
        if key is None and full:
            self.dropped += 1
        elif self.passes():
            self.sent.append(text)
        elif key in [waiting for waiting, _ in self.waiting]:
            self.waiting = [(waiting, text if waiting == key else old) for waiting, old in self.waiting]
        else:
            self.waiting.append((object() if key is None else key, text))
        self.outbox.notify(said(text), key=key)

    @rule(room=st.integers(0, 4))
    def drain(self, room: int) -> None:
        self.channel.room = room
        self.outbox.flush()
        self.sent += [text for _, text in self.waiting[:room]]
        del self.waiting[:room]

    @invariant()
    def same(self) -> None:
        assert self.channel.texts == self.sent
        assert self.outbox.queued_bytes == sum(len(text) for _, text in self.waiting)
        assert len(self.outbox) == len(self.waiting)
        assert self.outbox.full == (self.outbox.queued_bytes > 40)
        assert self.outbox.dropped == self.dropped


TestOutbox = OutboxMachine.TestCase
TestOutbox.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_what_waits_for_a_cancelled_request_never_leaves() -> None:
    outbox, channel = boxed()
    outbox.send(said(b"answer"))
    outbox.notify(said(b"progress of 7"), owner=7, key="progress")
    outbox.notify(said(b"log of 7"), owner=7)
    outbox.notify(said(b"log of '7'"), owner="7")
    outbox.notify(said(b"of nobody"), key="list")
    outbox.forget(7)
    assert outbox.queued_bytes == len(b"answer") + len(b"log of '7'") + len(b"of nobody")
    channel.room = 1000
    outbox.flush()
    assert channel.texts == [b"answer", b"log of '7'", b"of nobody"]
