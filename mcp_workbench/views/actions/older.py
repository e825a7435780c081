"""`GetOlder` and `GetOlderMessages`: what came before that which a view has been told.

With a filter all that is kept is looked through, until enough fit: in a thread, for it reads what was said.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from mcp_workbench.exploring.filters import FilterError
from mcp_workbench.views.asks import Ask
from mcp_workbench.views.call_rows import CallRows
from mcp_workbench.views.filtering import read_filter
from mcp_workbench.views.message_rows import MessageRows
from mcp_workbench.views.messages import GetOlder, GetOlderMessages, Message, OlderCalls, OlderMessages

MOST = 500
STRETCH = 4_000
BEFORE = 500
"""Records before a stretch among which requests are looked for that are answered in it."""


class Numbered(Protocol):
    """A call or a message."""

    seq: int


T = TypeVar("T", bound=Numbered)


def get_older(ask: Ask[GetOlder]) -> None:
    """Answer with the calls right before one, ascending, as far as they are kept."""
    request, telemetry, rows = ask.request, ask.sources.offer.telemetry, CallRows(ask.sources)

    def answer(calls: Sequence[Any], reached: int = 0) -> Message:
        return OlderCalls(re=request.id, rows=tuple(map(rows.row, calls)), oldest=telemetry.oldest, reached=reached)

    if request.filter:
        _search(ask, lambda: read_filter(request.filter, ask.sources).for_calls(), lambda: telemetry.calls(None), answer)
    else:
        after, until = _between(request, telemetry.recorded)
        ask.answer(answer(telemetry.calls_between(after, until)))


def get_older_messages(ask: Ask[GetOlderMessages]) -> None:
    """Answer with the messages right before one, ascending, as far as they are kept."""
    request, messages, rows = ask.request, ask.sources.offer.telemetry.messages, MessageRows(ask.sources)

    def answer(found: Sequence[Any], reached: int = 0) -> Message:
        return OlderMessages(re=request.id, rows=tuple(map(rows.row, found)), oldest=messages.oldest, reached=reached)

    if request.filter:
        _search(ask, lambda: read_filter(request.filter, ask.sources).for_messages(), messages.latest, answer)
        return
    after, until = _between(request, messages.total)
    found = messages.between(after, until)
    ask.work_out(lambda: answer(found))


def _between(request: GetOlder | GetOlderMessages, total: int) -> tuple[int, int]:
    until = min(request.before - 1, total)
    return max(until - min(max(request.limit, 0), MOST), 0), until


def _search(
    ask: Ask[Any],
    matcher: Callable[[], Callable[[T], bool]],
    kept: Callable[[], list[T]],
    answer: Callable[[Sequence[T], int], Message],
) -> None:
    request = ask.request
    try:
        matcher()
    except FilterError as error:
        ask.refuse(str(error))
        return
    limit = min(max(request.limit, 1), MOST)
    ask.work_out(lambda: answer(*_latest(kept(), request.before, limit, matcher)))


def _latest(kept: list[T], before: int, limit: int, matcher: Callable[[], Callable[[T], bool]]) -> tuple[list[T], int]:
    """The latest that fit, ascending, and the number down to which it was looked.

    They are looked through a stretch at a time, the latest first, each in its order: an answer is known by the request before it.
    """
    until = bisect_left(kept, before, key=lambda one: one.seq)
    found: list[T] = []
    while until and len(found) < limit:
        begin = max(until - STRETCH, 0)
        matches = matcher()
        for one in kept[max(begin - BEFORE, 0) : begin]:
            matches(one)
        found = [*filter(matches, kept[begin:until]), *found]
        until = begin
    if len(found) >= limit:
        return found[-limit:], found[-limit].seq
    return found, kept[0].seq if kept and kept[0].seq < before else before
