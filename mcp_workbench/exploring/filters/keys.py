"""The keys: what each compares, of a call and of a message, and how what stands behind it is read.

The table here is the language's vocabulary; docs/traffic.md shows it, and a test compares the two. A key that a list knows
nothing of is refused there (`sources`), for a filter that quietly never fits would look like traffic that was not there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from typing import Any

from mcp_workbench.events import Era
from mcp_workbench.exploring.columns import ClientOf, prompt_of, tool_of, uri_of
from mcp_workbench.exploring.filters import values
from mcp_workbench.exploring.filters.errors import FilterError
from mcp_workbench.exploring.filters.members import MISSING, Member, parsed, scalar
from mcp_workbench.exploring.filters.moments import Moments
from mcp_workbench.exploring.filters.scanning import Words, Written
from mcp_workbench.exploring.filters.tree import Term
from mcp_workbench.exploring.filters.values import Value
from mcp_workbench.exploring.reading import WITH_ARGUMENTS, Kind
from mcp_workbench.primitives.wording import nearest, quote, shorten
from mcp_workbench.telemetry.messages import Direction
from mcp_workbench.telemetry.records import CallRecord, Outcome, Side


class Listing(StrEnum):
    """What is filtered."""

    CALLS = "calls"
    MESSAGES = "messages"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a key's fact stands."""

    columns: tuple[str, ...]
    """Of `columns.calls_columns` or `columns.messages_columns`."""
    combine: Callable[..., Any] | None = None
    """Makes one fact of what stands there; None: one column is the fact."""


@dataclass(frozen=True, slots=True)
class Key:
    """One word of the language."""

    reads: str
    """The rule of the grammar for what stands behind it."""
    says: str
    """What it compares, for people."""
    understand: Callable[[Written], Value] | None
    """Reads what stands behind it; None: `Surroundings` or `members` does."""
    calls: Source | None
    messages: Source | None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a filter needs to know beside its text."""

    clock: Callable[[], float]
    zone: tzinfo | None
    client_of: ClientOf | None


def _words(kinds: type[StrEnum], **further: frozenset[str]) -> dict[str, frozenset[str]]:
    return {kind.value: frozenset((kind.value,)) for kind in kinds} | further


def _failures() -> frozenset[str]:
    """The outcomes that count as failed."""
    call = CallRecord("", "", "", Era.LEGACY, "", "", 0, 0, 0.0, 0)
    failures = set()
    for call.outcome in Outcome:
        if call.failed:
            failures.add(call.outcome.value)
    return frozenset(failures)


def _request(*_: object) -> str:
    """What a call is as a message: its request."""
    return Kind.REQUEST.value


def _several(*texts: str | None) -> tuple[str | None, ...]:
    return texts


def _arguments(kind: str | None, method: str | None, text: str | None) -> object:
    """The arguments in a message's text."""
    params = parsed(text).get("params", MISSING) if kind in (Kind.REQUEST, Kind.NOTIFICATION) else MISSING
    if method not in WITH_ARGUMENTS:
        return params
    return params.get("arguments", MISSING) if isinstance(params, dict) else MISSING


def _result(kind: str | None, text: str | None) -> object:
    """The result in a message's text."""
    return parsed(text)["result"] if kind == Kind.RESPONSE else MISSING


def _both(*columns: str, combine: Callable[..., Any] | None = None) -> dict[str, Source]:
    source = Source(columns, combine)
    return {"calls": source, "messages": source}


def _calls(*columns: str) -> dict[str, Source | None]:
    return {"calls": Source(columns), "messages": None}


_ERROR = _failures()
_TEXTS = ("method", "target", "error", "notes", "request", "answer")

KEYS: Mapping[str, Key] = {
    "method": Key("names", "JSON-RPC method, as in `tools/call`", values.name, **_both("method")),
    "tool": Key("names", "the tool that is called", values.name, **_both("method", "target", combine=tool_of)),
    "prompt": Key("names", "the prompt that is asked for", values.name, **_both("method", "target", combine=prompt_of)),
    "uri": Key(
        "names",
        "the resource that is read, subscribed to or told to have changed",
        values.name,
        **_both("method", "target", combine=uri_of),
    ),
    "target": Key("names", "tool, prompt, resource or task, whichever is named", values.name, **_both("target")),
    "session": Key("names", "id of the session, as in `s3`, `out1`, `tap1`", values.name, **_both("session")),
    "client": Key("names", "what the session's client calls itself", values.name, **_both("client")),
    "principal": Key("names", "whose credential opened the session", values.name, **_calls("principal")),
    "side": Key("choice", "where it was heard: `server`, `client`, `tap`", values.choice(_words(Side)), **_calls("side")),
    "era": Key("choice", "`legacy` (up to 2025-11-25) or `modern`", values.choice(_words(Era)), **_calls("era")),
    "dir": Key(
        "choice", "`in` or `out`: of the message; of a call, of its request", values.choice(_words(Direction)), **_both("direction")
    ),
    "kind": Key(
        "choice",
        "`request`, `response`, `error`, `notification`, `batch` or `malformed`; a call is a `request`",
        values.choice(_words(Kind)),
        calls=Source((), _request),
        messages=Source(("kind",)),
    ),
    "outcome": Key(
        "choice",
        "how it ended: `pending`, `ok`, `tool_error`, `rpc_error`, `timeout`, `cancelled`, `rejected`, `input_required`, `dropped`; "
        "`error`, also written `failed`, is every one that failed; of a message, what an answer says of that",
        values.choice(_words(Outcome, error=_ERROR, failed=_ERROR)),
        **_both("outcome"),
    ),
    "code": Key("number", "JSON-RPC error code", values.count, **_both("code")),
    "error": Key("words", "occurs in the error's sentence", values.occurs, **_both("error")),
    "dur": Key("duration", "from the request's arrival until its answer was sent", values.duration, **_calls("total_ms")),
    "wait": Key("duration", "until the author's code was entered", values.duration, **_calls("wait_ms")),
    "run": Key("duration", "inside the author's code", values.duration, **_calls("run_ms")),
    "send": Key("duration", "from then until the answer was sent", values.duration, **_calls("send_ms")),
    "size": Key("bytes", "bytes of the text; of a call, of request and answer", values.size, **_both("size")),
    "tokens": Key("number", "a fourth of that", values.count, **_both("tokens")),
    "seq": Key("number", "number of the record", values.count, **_both("seq")),
    "at": Key("time", "when it crossed; of a call, when its request came", None, **_both("at")),
    "id": Key("names", 'the request\'s id; 7 is also `"7"`', values.name, **_both("id")),
    "call": Key("names", "id of the run of code, as in `c7`", values.name, **_calls("call")),
    "job": Key("names", "the job that the call went on as, as in `j3`", values.name, **_calls("job")),
    "version": Key("names", "which definition ran: `v2` or `v2@1f3a9c0e`", values.version, **_calls("version")),
    "note": Key("words", "occurs in what the call read or made, or in a note of yours", values.occurs, **_calls("notes")),
    "text": Key(
        "words",
        "occurs in the text as it crossed; of a call, in request, answer, method, target, error or notes. A value without a key means this",
        values.occurs,
        calls=Source(_TEXTS, _several),
        messages=Source(("text",)),
    ),
    "args": Key(
        "member",
        "`args.<path>`: a value in the arguments; of methods that call no tool or prompt, in the params",
        None,
        calls=Source(("arguments",), parsed),
        messages=Source(("kind", "method", "text"), _arguments),
    ),
    "result": Key(
        "member",
        "`result.<path>`: a value in the result",
        None,
        calls=Source(("result",), parsed),
        messages=Source(("kind", "text"), _result),
    ),
}

_MEANT = {
    "arguments": "args", "bytes": "size", "direction": "dir", "duration": "dur", "latency": "dur", "name": "tool", "notes": "note",
    "resource": "uri", "status": "outcome", "time": "at", "user": "principal",
}  # fmt: skip
"""Words for which nothing looks alike, or the wrong thing."""
_WITH_PATH = ("args", "result")
_COMPARED = re.compile(r"([^\s:<>=!]*)[<>=!]+", re.ASCII)
"""How other languages compare: `dur>5ms`, `tool=sum`, or a sign alone. Two runs of characters that overlap would take quadratic time."""
_LETTERS = re.compile(r"[a-z]*", re.ASCII)


def understand(words: Words, surroundings: Surroundings) -> Term:
    """The term that these words are.

    Raises:
        FilterError: There is no such key, or what stands behind it cannot be.
    """
    if not words.key:
        _check_not_a_path(words)
        _check_not_a_comparison(words)
    name = words.key or "text"
    key = KEYS.get(name)
    if key is None:
        raise _unknown(words)
    if name == "client" and surroundings.client_of is None:
        raise FilterError("client: is not known here: filter by session: instead", words.position)
    if name in _WITH_PATH:
        if not words.path:
            raise FilterError(f"expected what is meant of the {name}, as in {name}.region:EMEA; text: searches everywhere", words.position)
        return Term(name, words, Member(words.path, tuple(map(scalar, words.values))))
    if words.path:
        raise FilterError(f"expected {name}: without a path: only args and result have members, as in args.region:EMEA", words.position)
    read = key.understand or Moments(surroundings.clock, surroundings.zone).understand
    alternatives = tuple(values.Known() if _is_any(written) else read(written) for written in words.values)
    return Term(name, words, alternatives[0] if len(alternatives) == 1 else values.Either(alternatives))


def source(term: Term, listing: Listing) -> Source:
    """Where the fact of a term stands in this list.

    Raises:
        FilterError: The list does not know it.
    """
    key = KEYS[term.key]
    found = key.calls if listing is Listing.CALLS else key.messages
    if found is None:
        known = ", ".join(name for name, key in KEYS.items() if key.messages is not None)
        raise FilterError(
            f"{term.key}: is known of calls, not of single messages: filter calls by it; of messages are known {known}", term.words.position
        )
    return found


def _unknown(words: Words) -> FilterError:
    close = [_MEANT[words.key]] if words.key in _MEANT else nearest(words.key, KEYS, 1)
    hint = f", nearest is {close[0]}" if close else ""
    sentence = f"no key {quote(words.key)}{hint}; there are {', '.join(KEYS)}. What is searched for with a : in it stands in quotes"
    return FilterError(sentence, words.position, nearest=close[0] if close else None)


def _check_not_a_comparison(words: Words) -> None:
    """Raises FilterError: what would be searched for was meant to be compared."""
    text = words.values[0].text
    found = None if words.values[0].quoted else _COMPARED.match(text.lower())
    if found is None or not (_leading_letters(found[1]) in KEYS or (not found[1] and not text[found.end() :][:1].isalpha())):
        return
    example = f"{found[1]}:{text[found.end(1) :].lstrip('=!')}" if found[1] else "dur:>5ms"
    sentence = f"expected a key, a : and what it must be, as in {example}, got {shorten(text)}; what is searched for stands in quotes"
    raise FilterError(sentence, words.position)


def _check_not_a_path(words: Words) -> None:
    """Raises FilterError: what would be searched for is a path with a step that is missing, as in `args.:5` and `args..n:5`."""
    written = words.values[0]
    path, colon, rest = written.text.partition(":")
    key = path.partition(".")[0].lower()
    if written.quoted or not colon or rest.startswith("//") or key not in _WITH_PATH or "." not in path:
        return
    sentence = f"expected a name or a position at each step, as in {key}.region:EMEA, got {shorten(path)}:"
    raise FilterError(f"{sentence}; what is searched for stands in quotes", words.position)


def _leading_letters(text: str) -> str:
    found = _LETTERS.match(text)
    return "" if found is None else found[0]


def _is_any(written: Written) -> bool:
    return written.text == values.ANY and not written.quoted
