"""What a filter is once it is read: terms, and what joins them. `str` of a tree is a filter text that means the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from mcp_workbench.exploring.filters.scanning import Words
from mcp_workbench.exploring.filters.values import Value


@dataclass(frozen=True, slots=True)
class Term:
    """`key:value`."""

    key: str
    words: Words
    """As it was written."""
    value: Value

    def __str__(self) -> str:
        return str(self.words)


@dataclass(frozen=True, slots=True)
class Not:
    """`-part`."""

    part: Node

    def __str__(self) -> str:
        return f"-{self.part}" if isinstance(self.part, Term) else f"-({self.part})"


@dataclass(frozen=True, slots=True)
class AllOf:
    """`a b`: every part fits; with no part, everything does."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " ".join(_grouped(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """`a | b`: one of the parts fits."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " | ".join(str(part) for part in self.parts)


Node: TypeAlias = Term | Not | AllOf | AnyOf


def terms(node: Node) -> Iterator[Term]:
    """Every term, in the order they were written."""
    if isinstance(node, Term):
        yield node
    elif isinstance(node, Not):
        yield from terms(node.part)
    else:
        for part in node.parts:
            yield from terms(part)


def _grouped(node: Node) -> str:
    return str(node) if isinstance(node, Term | Not) else f"({node})"
