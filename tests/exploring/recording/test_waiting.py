from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.events import Era
from mcp_workbench.exploring.recording.waiting import ITEM, Gap, Waiting
from mcp_workbench.telemetry import CallRecord, Direction, Message


@given(st.lists(st.sampled_from(["message", "large", "call", "take"]), max_size=60))
def test_everything_that_was_offered_is_taken_in_order_or_stands_in_a_gap(steps: list[str]) -> None:
    waiting = Waiting(max_bytes=2_000)
    offered = taken = missed = 0
    seen: list[int] = []

    def take() -> None:
        nonlocal taken, missed
        while waiting.items:
            item = waiting.items.popleft()
            if isinstance(item, Gap):
                assert item
                missed += item.messages + item.calls
            elif isinstance(item, tuple):
                taken += 1
                seen.append(item[0].seq)
                assert len(item[1]) == item[0].size
                waiting.taken(ITEM + len(item[1]))
            else:
                taken += 1
                waiting.taken(ITEM)

    for step in steps:
        if step == "take":
            take()
            assert waiting.bytes == 0
            continue
        offered += 1
        if step == "call":
            waiting.call_ended(CallRecord("c", "s1", "default", Era.LEGACY, "ping", "", 1, 1, 1.0, 1))
        else:
            text = b"x" * (1_500 if step == "large" else 5)
            waiting.message_crossed(Message("s1", Direction.IN, 1, 1.0, len(text), text, offered))
        assert waiting.bytes <= 2_000 + ITEM + 1_500
    waiting.close_gap()
    take()
    assert offered == taken + missed
    assert missed == waiting.missed
    assert seen == sorted(seen)
    assert waiting.wake.is_set() == bool(offered)
