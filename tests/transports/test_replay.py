from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.transports.replay import MAX_EVENTS, Replay


@given(st.lists(st.tuples(st.integers(0, 3), st.binary(min_size=1, max_size=30))), st.data())
def test_what_comes_behind_an_event_is_what_was_said_behind_it_on_its_stream(said: list[tuple[int, bytes]], data: st.DataObject) -> None:
    replay = Replay(10_000_000)
    ids = [replay.add(stream, text) for stream, text in said]
    assert len(set(ids)) == len(ids)
    if not ids:
        return
    index = data.draw(st.integers(0, len(ids) - 1))
    stream = said[index][0]
    assert replay.find(ids[index]) == stream
    behind = [(ids[n], text) for n, (of, text) in enumerate(said) if n > index and of == stream]
    assert replay.after(ids[index]) == behind


@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1))
def test_no_more_is_kept_than_may_be(said: list[bytes]) -> None:
    replay = Replay(500)
    ids = [replay.add(1, text) for text in said]
    kept = replay.after(ids[0])
    assert replay.bytes <= max(500, len(said[-1]))
    assert [text for _, text in kept] == said[len(said) - len(kept) :]


def test_events_without_number_are_bounded_too() -> None:
    replay = Replay(10_000_000)
    first = replay.add(1, b"x")
    for _ in range(MAX_EVENTS + 5):
        replay.add(1, b"x")
    assert len(replay.after(first)) == MAX_EVENTS


def test_an_id_of_another_session_names_nothing() -> None:
    one, other = Replay(1000), Replay(1000)
    event_id = one.add(1, b"secret")
    other.add(1, b"x")
    assert other.find(event_id) is None


def test_what_was_never_said_is_not_found() -> None:
    replay = Replay(1000)
    event_id = replay.add(1, b"")
    tag = event_id.partition("-")[0]
    assert replay.find(event_id) == 1
    for forged in (
        f"{tag}-1-2",
        f"{tag}-1-0",
        f"{tag}-2-1",
        f"{tag}-1",
        "",
        "1-1",
        f"{tag}-1-1 ",
        f"{tag}--1-1",
        f"{tag}-" + "9" * 20 + "-1",
    ):
        assert replay.find(forged) is None


def test_a_forgotten_stream_is_not_found_and_holds_nothing() -> None:
    replay = Replay(1000)
    event_id = replay.add(1, b"text")
    kept = replay.add(2, b"other")
    replay.forget(1)
    assert replay.find(event_id) is None
    assert replay.find(kept) == 2
    assert replay.bytes == len(b"other")
