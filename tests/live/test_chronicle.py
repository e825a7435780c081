"""What happened lately: told once, to whom it concerns, and bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.live.chronicle import KEPT_OF_TOPIC, LONGEST, Chronicle


def texts(chronicle: Chronicle, cursor: str, principal: str = "alice") -> list[str]:
    return [line.text for line in chronicle.since(cursor, principal)]


def test_what_was_written_after_a_cursor_is_new_in_order() -> None:
    chronicle = Chronicle()
    chronicle.write("before")
    cursor = chronicle.cursor()
    assert texts(chronicle, cursor) == []
    chronicle.write("one")
    chronicle.write("two")
    assert texts(chronicle, f" {cursor} ") == ["one", "two"]
    assert texts(chronicle, chronicle.cursor()) == []


def test_a_line_of_one_principal_is_told_to_no_other() -> None:
    chronicle = Chronicle()
    cursor = chronicle.cursor()
    chronicle.write("job j1 done", principal="alice")
    chronicle.write("for all")
    assert texts(chronicle, cursor, "alice") == ["job j1 done", "for all"]
    assert texts(chronicle, cursor, "bob") == ["for all"]


def test_a_cursor_of_another_chronicle_or_from_too_long_ago_is_not_known() -> None:
    chronicle, other = Chronicle(kept=3), Chronicle()
    cursor = chronicle.cursor()
    for number in range(3):
        chronicle.write(str(number))
    assert chronicle.knows(cursor)
    chronicle.write("one too many")
    assert not chronicle.knows(cursor)
    for nonsense in (other.cursor().replace(other._name, "zz"), "", "17", f"{chronicle._name}-99", f"{chronicle._name}-x"):
        assert not chronicle.knows(nonsense)
        assert texts(chronicle, nonsense) == []


def test_what_changes_all_the_time_does_not_drive_out_the_rest() -> None:
    chronicle = Chronicle(kept=20)
    cursor = chronicle.cursor()
    chronicle.write("function top_routes added")
    for version in range(100):
        chronicle.write(f"ticks v{version}", topic="df://ticks")
    assert chronicle.knows(cursor)
    assert texts(chronicle, cursor) == ["function top_routes added", *(f"ticks v{version}" for version in range(92, 100))]
    assert KEPT_OF_TOPIC == 8


def test_lines_are_short_and_a_listener_that_raises_stops_nobody() -> None:
    chronicle, heard = Chronicle(), []

    def broken() -> None:
        raise RuntimeError("no luck")

    chronicle.on_line += [broken, lambda: heard.append(1)]
    chronicle.write("x" * 1_000)
    assert heard == [1]
    assert [len(line.text) for line in chronicle._lines] == [LONGEST]


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.booleans()), max_size=80), st.integers(1, 12))
def test_whoever_asks_again_and_again_hears_the_last_line_of_every_topic(writes: list[tuple[str | None, bool]], kept: int) -> None:
    chronicle = Chronicle(kept=kept)
    cursor, heard, written = chronicle.cursor(), [], []
    for number, (topic, asks) in enumerate(writes):
        chronicle.write(f"{topic} {number}", topic=topic)
        written.append(f"{topic} {number}")
        if asks or not chronicle.knows(cursor):
            heard += texts(chronicle, cursor)
            cursor = chronicle.cursor()
    heard += texts(chronicle, cursor)
    assert len(heard) == len(set(heard))
    assert heard == [text for text in written if text in heard]
    assert len(chronicle._lines) <= kept
