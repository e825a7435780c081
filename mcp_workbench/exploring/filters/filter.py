"""A filter, ready to be asked of records, messages and DataFrames."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, TypeVar

from mcp_workbench.exploring.answering import InOrder
from mcp_workbench.exploring.columns import ClientOf, Column, calls_columns, messages_columns
from mcp_workbench.exploring.filters import tree
from mcp_workbench.exploring.filters.errors import FilterError
from mcp_workbench.exploring.filters.keys import Listing, Surroundings, source, understand
from mcp_workbench.exploring.filters.parsing import parse_tree
from mcp_workbench.exploring.reading import Reading, read
from mcp_workbench.primitives.wording import a_type
from mcp_workbench.telemetry.messages import Message
from mcp_workbench.telemetry.records import CallRecord

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")

_OF_REQUESTS = {"method", "target"}
"""Columns that an answer has of its request."""


class Filter:
    """What `parse` makes of a text. Never changes; equal to a filter that is written the same.

    Args:
        node: The tree.
        surroundings: What it was read with.
    """

    def __init__(self, node: tree.Node, surroundings: Surroundings) -> None:
        self._node, self._surroundings = node, surroundings
        self._call: Callable[[CallRecord], bool] | None = None
        self._reading: Callable[[Reading], bool] | None = None

    def __str__(self) -> str:
        return str(self._node)

    def __repr__(self) -> str:
        return f"parse({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Filter) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def for_calls(self) -> Callable[[CallRecord], bool]:
        """The predicate itself, for many calls.

        Raises:
            FilterError: A key is not known of calls.
        """
        if self._call is None:
            self._call = _compiled(self._node, Listing.CALLS, calls_columns(self._surroundings.client_of))
        return self._call

    def for_messages(self) -> Callable[[Message], bool]:
        """A predicate to be asked of many messages, oldest first: an answer is then known by the method and target of its request.

        Raises:
            FilterError: A key is not known of messages, for instance `dur`.
        """
        matches = self.for_readings()
        reads = InOrder().read if _columns_of(self._node) & _OF_REQUESTS else read
        return lambda message: matches(reads(message))

    def for_readings(self) -> Callable[[Reading], bool]:
        """The predicate for who has read the messages, and may know more of an answer than its text says; raises as `for_messages`."""
        if self._reading is None:
            self._reading = _compiled(self._node, Listing.MESSAGES, messages_columns(self._surroundings.client_of))
        return self._reading

    def matches_call(self, call: CallRecord) -> bool:
        """Whether a call fits.

        Raises:
            FilterError: A key is not known of calls.
        """
        return self.for_calls()(call)

    def matches_message(self, message: Message) -> bool:
        """Whether a message fits, by its own text alone. A batch is one message, of which only size, times and text are known.

        Raises:
            FilterError: A key is not known of messages, for instance `dur`.
        """
        return self.for_readings()(read(message))

    def mask(self, frame: pd.DataFrame) -> pd.Series[bool]:
        """Which rows fit: the same as `matches_call` says of their records, or `for_messages` of all of them in order.

        Args:
            frame: Of `calls_frame` or `messages_frame`, or rows of it; columns may be added.

        Returns:
            Of dtype bool, with the DataFrame's index.

        Raises:
            FilterError: A key is not known of these rows, or a column that is needed is not there.
        """
        from mcp_workbench.exploring.filters.masking import mask

        return mask(self._node, frame)


def parse(text: str, *, clock: Callable[[], float] = time.time, zone: tzinfo | None = None, client_of: ClientOf | None = None) -> Filter:
    """Read a filter, as `tool:sum dur:>5ms -outcome:ok`; an empty one lets everything through.

    Args:
        text: By the grammar in docs/traffic.md; at most 8,000 characters.
        clock: Seconds since 1970, now: for `at:-5m..`.
        zone: Whose clock times `at:10:05` means; None: this machine's.
        client_of: Session id -> what its client calls itself: for `client:`, which is refused without.

    Raises:
        FilterError: The text is no filter: says where, what was expected, and what is near.
    """
    if not isinstance(text, str):
        raise FilterError(f"expected a filter as text, as tool:sum, got {a_type(type(text))}")
    surroundings = Surroundings(clock, zone, client_of)
    return Filter(parse_tree(text, lambda words: understand(words, surroundings)), surroundings)


def _columns_of(node: tree.Node) -> set[str]:
    """The columns of messages that a filter compares."""
    if isinstance(node, tree.Term):
        return set(source(node, Listing.MESSAGES).columns)
    parts = (node.part,) if isinstance(node, tree.Not) else node.parts
    return {name for part in parts for name in _columns_of(part)}


def _compiled(node: tree.Node, listing: Listing, columns: Mapping[str, Column[T]]) -> Callable[[T], bool]:
    if isinstance(node, tree.Term):
        return _compiled_term(node, listing, columns)
    if isinstance(node, tree.Not):
        part = _compiled(node.part, listing, columns)
        return lambda record: not part(record)
    return _joined([_compiled(part, listing, columns) for part in node.parts], stops_at=isinstance(node, tree.AnyOf))


def _joined(parts: list[Callable[[T], bool]], *, stops_at: bool) -> Callable[[T], bool]:
    """The parts are asked in turn until one says `stops_at`; a loop, for a generator would cost more than most parts."""

    def matches(record: T) -> bool:
        for part in parts:
            if part(record) is stops_at:
                return stops_at
        return not stops_at

    return matches


def _compiled_term(term: tree.Term, listing: Listing, columns: Mapping[str, Column[T]]) -> Callable[[T], bool]:
    where, matches = source(term, listing), term.value.matches
    reads = [columns[name].read for name in where.columns]
    combine: Callable[..., Any] | None = where.combine
    if combine is None:
        [read_one] = reads
        return lambda record: matches(read_one(record))
    if len(reads) == 2:  # as a tool is known
        first, second = reads
        return lambda record: matches(combine(first(record), second(record)))
    return lambda record: matches(combine(*[read_column(record) for read_column in reads]))
