"""A lent `write` asks first, whatever is set on the stream while it is lent, and leaves the stream as it was."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mcp_workbench.execution.lent_writes import is_lent, lend_write
from mcp_workbench.patches import Patches


class Stream(io.TextIOBase):
    """As a kernel's: written in Python."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)


class Asked:
    """Who writes goes elsewhere while it is said so."""

    def __init__(self) -> None:
        self.elsewhere: list[str] | None = None

    def __call__(self) -> Callable[[str], Any] | None:
        return None if self.elsewhere is None else self.elsewhere.append

    @contextmanager
    def diverted(self) -> Iterator[list[str]]:
        self.elsewhere = []
        yield self.elsewhere
        self.elsewhere = None


@contextmanager
def teed(stream: Any) -> Iterator[list[str]]:
    """What IPython does for the length of a cell."""
    heard: list[str] = []
    before = stream.write

    def write(text: str) -> Any:
        heard.append(text)
        return before(text)

    stream.write = write
    yield heard
    stream.write = before


@pytest.mark.parametrize("kind", [Stream, io.StringIO])
def test_who_writes_is_asked_each_time_and_the_stream_is_as_before_in_the_end(kind: Callable[[], Any]) -> None:
    stream, asked, patches = kind(), Asked(), Patches()
    before, own = stream.write, dict(vars(stream))
    lend_write(patches, stream, asked)
    lend_write(patches, stream, asked)
    assert is_lent(stream)
    kept = stream.write
    with asked.diverted() as taken:
        print("one", file=stream, end="")
        kept("two")
        stream.writelines(["three"])
    print("four", file=stream, end="")
    patches.restore()
    assert [text for text in taken if text] == ["one", "two", "three"]
    assert not is_lent(stream)
    assert vars(stream) | {"text": ""} == own | {"text": ""}
    assert stream.write == before
    assert (stream.text if kind is Stream else stream.getvalue()) == "four"


@pytest.mark.parametrize("lent_within", [False, True])
def test_what_a_cell_sets_for_its_length_neither_hears_what_goes_elsewhere_nor_ends_the_lending(lent_within: bool) -> None:
    stream, asked, patches = Stream(), Asked(), Patches()
    if not lent_within:
        assert lend_write(patches, stream, asked) is True
    for _ in range(3):
        with teed(stream) as heard:
            assert lend_write(patches, stream, asked) is True
            with asked.diverted() as taken:
                stream.write("the call's")
            stream.write("c")
        assert (taken, heard) == (["the call's"], ["c"])
    with asked.diverted() as taken:
        stream.write("between")
    assert taken == ["between"]
    assert stream.text == "ccc"
    patches.restore()
    assert not is_lent(stream)
    stream.write("!")
    assert stream.text == "ccc!"


def test_what_a_cell_set_goes_on_when_the_lending_ends_within_it() -> None:
    stream, asked, patches = Stream(), Asked(), Patches()
    lend_write(patches, stream, asked)
    with teed(stream) as heard:
        patches.restore()
        stream.write("a")
    stream.write("b")
    assert (heard, stream.text) == (["a"], "ab")
    lend_write(patches, stream, asked)  # what the cell put back is not wrapped a second time
    write: Any = stream.write
    assert write.beneath.__func__ is Stream.write
    patches.restore()


def test_of_a_class_only_the_streams_that_are_lent_ask() -> None:
    first, second, other = Stream(), Stream(), Stream()
    asked, one, two = Asked(), Patches(), Patches()
    lend_write(one, first, asked)
    lend_write(two, second, asked)
    with asked.diverted() as taken:
        for stream in (first, second, other):
            stream.write("x")
    assert (taken, first.text, second.text, other.text) == (["x", "x"], "", "", "x")
    other.write = first.write  # type: ignore[method-assign]  # the case
    del other.write
    with pytest.raises(AttributeError):
        del other.write
    one.restore()
    assert not is_lent(first)
    assert is_lent(second)
    two.restore()
    assert type(vars(Stream)["write"]) is type(teed)


def test_a_class_that_inherits_write_inherits_it_again() -> None:
    class Kind(Stream):
        pass

    patches, stream = Patches(), Kind()
    assert lend_write(patches, stream, Asked()) is True
    assert Kind.write is Stream.write
    patches.restore()
    assert "write" not in vars(Kind)


def test_a_stream_written_in_c_has_to_be_lent_again_after_somebody_set_another_write() -> None:
    stream, asked, patches = io.StringIO(), Asked(), Patches()
    assert lend_write(patches, stream, asked) is False
    with teed(stream):
        assert not is_lent(stream)
        lend_write(patches, stream, asked)
        assert is_lent(stream)
    assert is_lent(stream)
    patches.restore()
    assert vars(stream) == {}


@pytest.mark.parametrize("stream", [object(), io.BytesIO.__new__], ids=["no write", "a function"])
def test_what_cannot_be_lent_is_refused(stream: object) -> None:
    with pytest.raises((AttributeError, TypeError)):
        lend_write(Patches(), stream, Asked())
