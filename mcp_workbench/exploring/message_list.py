"""Messages as people hold them: a list that shows what each is and carries; the texts themselves are `[i].raw`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, overload

from mcp_workbench.errors import in_one_line
from mcp_workbench.exploring.carrying import carried
from mcp_workbench.exploring.columns import ClientOf
from mcp_workbench.exploring.filters import Filter, parse
from mcp_workbench.exploring.frames import messages_frame
from mcp_workbench.exploring.origin import Origin
from mcp_workbench.exploring.reading import read
from mcp_workbench.exploring.withholding import Withholding
from mcp_workbench.markup import ACCENT, FAINT, MONO, ONE_LINE, box, faint, framed, span, text
from mcp_workbench.telemetry.messages import Direction, Message
from mcp_workbench.wording import counted, moment, shown, visible

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")

SHOWN = 30
_CARRIED = 400
_ARROWS = {Direction.IN: "→", Direction.OUT: "←"}


class MessageList(Sequence[Message]):
    """Messages, oldest first.

    Args:
        messages: What crossed.
        client_of: Session id -> what its client calls itself.
        origin: Where they come from, for what is written of them.
    """

    def __init__(self, messages: Sequence[Message], client_of: ClientOf | None = None, origin: Origin | None = None) -> None:
        self._messages = messages
        self._client_of = client_of
        self._origin = Origin() if origin is None else origin

    def __len__(self) -> int:
        return len(self._messages)

    @overload
    def __getitem__(self, at: int) -> Message: ...

    @overload
    def __getitem__(self, at: slice) -> MessageList: ...

    def __getitem__(self, at: int | slice) -> Message | MessageList:
        """One message, or a part of the list.

        Raises:
            IndexError: There is none at that place.
        """
        if isinstance(at, slice):
            return MessageList(self._messages[at], self._client_of, self._origin)
        return item_at(self._messages, at, "message")

    def __iter__(self) -> Iterator[Message]:
        return iter(self._messages)

    def where(self, filter: str | Filter) -> MessageList:  # noqa: A002  # the word people use, as pandas does
        """Those that a filter matches.

        Raises:
            FilterError: It cannot be read; says where, and what was expected.
        """
        matches = (filter if isinstance(filter, Filter) else parse(filter, client_of=self._client_of)).for_messages()
        return MessageList([message for message in self._messages if matches(message)], self._client_of, self._origin)

    def df(self) -> pd.DataFrame:
        """A DataFrame, one row each; docs/traffic.md has the columns."""
        return messages_frame(self._messages, client_of=self._client_of)

    @in_one_line(FileExistsError)
    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write a recording of these messages; args, returns and raises as `CallList.save`, which knows more of their calls."""
        from mcp_workbench.exploring.writing.recordings import save

        return save(path, (), self._messages, self._origin, overwrite=overwrite)

    def _fit(self) -> list[Message]:
        """The latest as they may stand in an output."""
        return list(map(Withholding(self._origin.redactor()).message, self._messages[-SHOWN:]))

    def __repr__(self) -> str:
        first = len(self) - SHOWN
        lines = [counted(len(self), "message"), *([f"… {first:,} before"] if first > 0 else [])]
        lines += [f"{moment(each.at)} {each.session_id:>6} {_ARROWS[each.direction]} {shown(_said(each), 160)}" for each in self._fit()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        grid = "display:grid;grid-template-columns:auto auto auto auto minmax(0,1fr);gap:0 8px"
        first = max(0, len(self) - SHOWN)
        cells = [cell for message in self._fit() for cell in _row(message)]
        before = [faint(f"… {first:,} before: [i], .where(filter), .df()")] if first else []
        return framed(box("", faint(counted(len(self), "message"))), *before, box(grid, *cells))


@in_one_line(IndexError)
def item_at(items: Sequence[T], at: int, noun: str) -> T:
    """One of a list.

    Raises:
        IndexError: There is none at that place; says how many there are.
    """
    try:
        return items[at]
    except IndexError:
        there = f"there are {len(items):,}" if items else "there is none yet, or none that the filter matches"
        raise IndexError(f"expected a {noun} at [{at}]: {there}") from None


def _row(message: Message) -> list[str]:
    said = _said(message)
    return [
        faint(moment(message.at)),
        faint(message.session_id),
        span(f"color:{ACCENT}" if message.direction is Direction.IN else FAINT, _ARROWS[message.direction]),
        span(f"{FAINT};text-align:right", text(f"{message.size:,} B")),
        span(f"{MONO};{ONE_LINE}", text(shown(said, 400)), title=visible(message.raw[:2000].decode("utf-8", "replace"))),
    ]


def _said(message: Message) -> str:
    """What it is, names and carries, in a line."""
    if not message.kept:
        return f"({message.size:,} bytes, kept no longer)"
    said = read(message)
    named = (said.kind or "", "" if said.id is None else str(said.id), said.method, said.target, carried(said, _CARRIED))
    return " ".join(filter(None, named))
