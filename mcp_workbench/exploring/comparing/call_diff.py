"""Two calls side by side: what was asked, what was answered, and where they differ. What a comparison has for each request, too."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from mcp_workbench.exploring.call import Call, written_arguments
from mcp_workbench.exploring.comparing.answers import Volatile, answer_of, params_of
from mcp_workbench.exploring.comparing.differences import ABSENT, EITHER, Difference, Recorded, as_text, differences
from mcp_workbench.exploring.withholding import Withholding
from mcp_workbench.markup import ACCENT, BAD, FAINT, GOOD, LINE, MONO, and_more, box, faint, framed, name, span, text, title
from mcp_workbench.wording import counted, duration, outcome, shown, visible

SHOWN = 20
"""Differences that are shown; `differences` has all."""
_VALUE_CHARS = 160
WHAT_CHARS, ARGUMENTS_CHARS = 60, 80
"""Of method and target, and of arguments, in one line."""
_BEFORE = 40
"""Characters of a long text that are shown before the place where it begins to differ."""
_BLOCK_CHARS = 4000
_BLOCK = f"{MONO};white-space:pre-wrap;overflow-wrap:anywhere;max-height:14em;overflow:auto;border-left:2px solid {LINE};padding-left:8px"
LABELS = ("a", "b")


class CallDiff:
    """Two calls of which one may be missing.

    Args:
        a: One; None: nothing of its kind was asked there.
        b: The other.
        volatile: What is not compared.
        labels: What people call the two sides.
        same_request: They are known to ask for the same.
        timed: How long they took can be compared: neither waited for people.
        recorded: Which of them were recorded, so that secrets may have been withheld of them.
    """

    def __init__(
        self,
        a: Call | None,
        b: Call | None,
        volatile: Volatile | None = None,
        *,
        labels: tuple[str, str] = LABELS,
        same_request: bool = False,
        timed: bool = True,
        recorded: Recorded = EITHER,
    ) -> None:
        self.a, self.b, self.labels = a, b, labels
        self._volatile = Volatile() if volatile is None else volatile
        self._same_request, self.timed, self._recorded = same_request, timed, recorded

    @cached_property
    def arguments(self) -> tuple[Difference, ...]:
        """Where what was asked differs, from the top of the params: `$.arguments.n`."""
        if self._same_request or self.a is None or self.b is None:
            return ()
        named = differences(self.a.method, self.b.method, ("method",))
        asked = params_of(self.a, self._volatile), params_of(self.b, self._volatile)
        return (*named, *differences(*asked, recorded=self._recorded))

    @cached_property
    def result(self) -> tuple[Difference, ...]:
        """Where what was answered differs, from the top of the result: `$.structuredContent.rows[3]`; of an error, below `$.error`."""
        if self.a is None or self.b is None:
            return ()
        return tuple(differences(answer_of(self.a, self._volatile), answer_of(self.b, self._volatile), recorded=self._recorded))

    @property
    def ok(self) -> bool:
        """Whether both are there and were answered alike."""
        return self.a is not None and self.b is not None and not self.result

    @property
    def same(self) -> bool:
        """Whether, moreover, both asked for the same."""
        return self.ok and not self.arguments

    @property
    def either(self) -> Call:
        """One of the two."""
        found = self.a if self.a is not None else self.b
        if found is None:
            raise ValueError("a difference is one between two calls: got none")
        return found

    @property
    def what(self) -> str:
        """Method and target, as they may stand in an output."""
        return " ".join(Withholding(self.either.redactor()).named(self.either.method, self.either.target)).strip()

    # --- for people -----------------------------------------------------------------------------------------

    def summary(self) -> str:
        """One line: whether they differ, and where first."""
        if self.a is None or self.b is None:
            return f"only in {self.labels[0 if self.b is None else 1]}"
        found = (*self.arguments, *self.result)
        if not found:
            return "no difference"
        return f"{counted(len(found), 'difference')}: {shown(found[0].where, 80)}"

    def __repr__(self) -> str:
        fitted = Fitted(self)
        lines = [f"{fitted.in_words()}: {self.summary()}"]
        for label, found in (("arguments", self.arguments), ("result", self.result)):
            lines += [f"  {label} {in_a_line(each)}" for each in fitted.differences(found[:SHOWN])]
            if len(found) > SHOWN:
                lines.append(f"  and {len(found) - SHOWN:,} more in the {label}: .{label} has them all")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        fitted = Fitted(self)
        parts = [box("display:flex;flex-wrap:wrap;gap:0 10px", name(fitted.in_words()), faint(self.summary()))]
        parts.append(side_by_side((box(""), *map(_head, self.labels, (self.a, self.b)))))
        for label, found in (("arguments", self.arguments), ("result", self.result)):
            if found:
                parts += [title(label), differences_html(fitted.differences(found[:SHOWN])), and_more(len(found) - SHOWN, "difference")]
        parts += [self._whole("arguments", list(map(_asked, fitted.calls)))]
        parts += [self._whole("answer", list(map(_answered, fitted.calls)))]
        return framed(*parts)

    def _whole(self, label: str, values: list[Any]) -> str:
        return side_by_side((faint(label), *(box(_BLOCK, text(visible(_cut(value)))) for value in values)))


class Fitted:
    """Two calls as they may stand in an output: without secrets, and those of either call are known in what is told of both.

    Args:
        diff: The two.
        withholding: Of the output that they are a part of; None: they are all of it.
    """

    def __init__(self, diff: CallDiff, withholding: Withholding | None = None) -> None:
        self._withholding = Withholding(diff.either.redactor()) if withholding is None else withholding
        self.calls = [None if call is None else call.fit(self._withholding) for call in (diff.a, diff.b)]
        fit = next(call for call in self.calls if call is not None)
        self.what, asked = requested(fit)
        self.asked = "" if diff.arguments else asked
        """What both asked with, in short; nothing where that differs."""

    def in_words(self) -> str:
        """Which request: `tools/call sum(n=5)`."""
        return in_words(self.what, self.asked)

    def differences(self, found: Sequence[Difference]) -> list[Difference]:
        """The same without secrets."""
        return [_fit(each, self._withholding) for each in found]


def requested(fit: Call) -> tuple[str, str]:
    """Method and target of a call, and its arguments in short, as lists of calls show them."""
    return f"{fit.method} {fit.target}".strip(), written_arguments(fit.record)


def in_words(what: str, asked: str) -> str:
    """Both in one line."""
    return shown(what, WHAT_CHARS) + (f"({shown(asked, ARGUMENTS_CHARS)})" if asked else "")


def _fit(found: Difference, withholding: Withholding) -> Difference:
    called = next((step for step in reversed(found.path) if isinstance(step, str)), "")
    return Difference(found.path, *(side if side is ABSENT else withholding.member(called, side) for side in (found.a, found.b)))


def differences_html(found: Sequence[Difference]) -> str:
    """A line for each of the first: path, one side, the other."""
    cells: list[str] = []
    for each in found[:SHOWN]:
        one, other = _around(each.a, each.b)
        cells += [name(shown(each.where, 80)), _value(one, BAD, each.a), _value(other, GOOD, each.b)]
    grid = "display:grid;grid-template-columns:fit-content(36ch) minmax(0,1fr) minmax(0,1fr);gap:0 12px"
    return box(grid, *cells) + and_more(len(found) - SHOWN, "difference")


def side_by_side(cells: Sequence[str]) -> str:
    """A label and what stands on each side."""
    return box("display:grid;grid-template-columns:9ch minmax(0,1fr) minmax(0,1fr);gap:4px 12px;margin-top:4px", *cells)


def _value(words: str, colour: str, value: Any) -> str:
    style = FAINT if value is ABSENT else f"color:{colour};{MONO};overflow-wrap:anywhere"
    return span(style, text(words))


def in_a_line(found: Difference) -> str:
    """Where, one side, the other."""
    one, other = _around(found.a, found.b)
    return f"{shown(found.where, 100)}: {one} → {other}"


def _around(a: Any, b: Any) -> tuple[str, str]:
    """Both as texts, long ones from a little before where they begin to differ."""
    one, other = as_text(a), as_text(b)
    begin = 0
    if max(len(one), len(other)) > _VALUE_CHARS and isinstance(a, str) and isinstance(b, str):
        begin = max(0, next((at for at, (x, y) in enumerate(zip(one, other, strict=False)) if x != y), 0) - _BEFORE)
    before = "…" if begin else ""
    return before + shown(one[begin:], _VALUE_CHARS), before + shown(other[begin:], _VALUE_CHARS)


def _head(label: str, call: Call | None) -> str:
    if call is None:
        return box("", faint(f"{label}: not asked"))
    record = call.record
    ended = span(f"color:{BAD if call.failed else ACCENT}", text(f"{label}: {outcome(call.outcome)} in {duration(record.total_ns)}"))
    return box("", ended, faint(f" {shown(record.session_id, 20)}"))


def _asked(call: Call | None) -> Any:
    return None if call is None else call.params if call.arguments is None else call.arguments


def _answered(call: Call | None) -> Any:
    if call is None:
        return None
    result = call.result
    if isinstance(result, dict):
        return {name: value for name, value in result.items() if name not in ("_meta", "resultType")}
    return call.response if result is None else result


def _cut(value: Any) -> str:
    import json

    words = "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)
    return words if len(words) <= _BLOCK_CHARS else f"{words[:_BLOCK_CHARS]}\n… {len(words) - _BLOCK_CHARS:,} characters more"
