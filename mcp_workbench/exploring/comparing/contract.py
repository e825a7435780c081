"""What tools promise, then and now: which are gone, which are new, whose schemas have changed.

Compared are the schemas, and what a tool says of its effects (annotations); descriptions and titles, which models read and no
program depends on, where that is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from mcp_workbench.exploring.comparing.call_diff import differences_html, in_a_line
from mcp_workbench.exploring.comparing.differences import FIRST, Difference, differences, value_at
from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.exploring.withholding import Withholding
from mcp_workbench.markup import BAD, box, faint, framed, name, span, text
from mcp_workbench.protocol import wire
from mcp_workbench.wording import counted, shown

SHOWN = 20
_PROMISED = ("inputSchema", "outputSchema", "annotations")
_FOR_PEOPLE = ("title", "description")
_VALUES = frozenset(("default", "const", "enum", "examples"))
"""Below these stand values of the author's, in which a member may be called anything."""
Listed = Mapping[str, Any]
"""A tool as `tools/list` shows it."""


class Contract:
    """What has changed between two lists of tools.

    Args:
        before: Name -> the tool then.
        now: Name -> the tool now.
        descriptions: Whether titles and descriptions count too.
        called: Tools whose going counts; None: all.
    """

    def __init__(
        self, before: Mapping[str, Listed], now: Mapping[str, Listed], *, descriptions: bool = False, called: Iterable[str] | None = None
    ) -> None:
        counted_ones = frozenset(before if called is None else called)
        self.gone = tuple(tool for tool in before if tool not in now and tool in counted_ones)
        """Tools that are offered no longer."""
        self.new = tuple(tool for tool in now if tool not in before)
        """Tools that were not offered then; that is no breach."""

        both = {tool: (listed, now[tool]) for tool, listed in before.items() if tool in now}
        self._promised = {tool: [promise_of(each, descriptions=descriptions) for each in sides] for tool, sides in both.items()}
        changed = {tool: tuple(differences(then, since, recorded=FIRST)) for tool, (then, since) in self._promised.items()}
        self.changed: dict[str, tuple[Difference, ...]] = {tool: found for tool, found in changed.items() if found}
        """Tool -> where what it promises differs: `$.inputSchema.properties.n.type`."""
        self.known = len(before)
        """Tools of which it is known what they promised."""

    @property
    def ok(self) -> bool:
        """Whether every tool is still there and promises the same."""
        return not self.gone and not self.changed

    def summary(self) -> str:
        """One line."""
        if not self.known:
            return "contract: what was offered then is not known"
        parts = [f"{label} {', '.join(shown(tool, 40) for tool in tools[:SHOWN])}" for label, tools in self._named() if tools]
        parts += [f"and {counted(len(tools) - SHOWN, 'tool')} more {label}" for label, tools in self._named() if len(tools) > SHOWN]
        return f"contract of {counted(self.known, 'tool')}: {'; '.join(parts) or 'unchanged'}"

    def _named(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        return (("gone", self.gone), ("changed", tuple(self.changed)), ("new", self.new))

    def __repr__(self) -> str:
        return self.words()

    def words(self, withholding: Withholding | None = None) -> str:
        """As it is printed.

        Args:
            withholding: Of the output that it is a part of; None: it is all of it.
        """
        lines = [self.summary()]
        for tool, found in self._fit(withholding):
            lines += [f"  {shown(tool, 60)} {in_a_line(each)}" for each in found[:SHOWN]]
            lines += [f"  {shown(tool, 60)} and {len(found) - SHOWN} more: .changed has them all"] if len(found) > SHOWN else []
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return framed(self.html())

    def html(self, withholding: Withholding | None = None) -> str:
        """Without the frame, to stand in another display; args as `words`."""
        head = box("", faint(self.summary()) if self.ok else span(f"color:{BAD};font-weight:600", text(self.summary())))
        tools = [part for tool, found in self._fit(withholding) for part in (name(shown(tool, 60)), differences_html(found))]
        return head + "".join(tools)

    def _fit(self, withholding: Withholding | None) -> Iterator[tuple[str, list[Difference]]]:
        """The first tools that have changed, and where, as it may stand in an output: a default may be a secret."""
        withholding = Withholding(Redactor()) if withholding is None else withholding
        for tool, found in list(self.changed.items())[:SHOWN]:
            then, since = (withholding.member("", side) for side in self._promised[tool])
            yield tool, [Difference(each.path, value_at(then, each.path), value_at(since, each.path)) for each in found]


def tools_of(listed: Iterable[Any]) -> dict[str, Listed]:
    """Tools as they were listed -> name and tool; what is no tool of MCP's is left out."""
    found: dict[str, Listed] = {}
    for each in listed:
        try:
            tool = each if isinstance(each, wire.Tool) else msgspec.convert(each, wire.Tool)
        except msgspec.ValidationError:
            continue
        found[tool.name] = msgspec.to_builtins(tool)
    return found


def promise_of(tool: Listed, *, descriptions: bool = False) -> dict[str, Any]:
    """What is compared of a tool: its schemas and annotations; titles and descriptions where that is asked for."""
    names = (*_PROMISED, *_FOR_PEOPLE) if descriptions else _PROMISED
    kept = {name: tool[name] for name in names if tool.get(name) is not None}
    return kept if descriptions else {name: _without_words(value) for name, value in kept.items()}


def _without_words(value: Any) -> Any:
    """A schema without the texts that stand in it for people."""
    if isinstance(value, list):
        return [_without_words(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: member if name in _VALUES else _without_words(member)
        for name, member in value.items()
        if not (name in _FOR_PEOPLE and isinstance(member, str))
    }
