"""Words -> a tree. Recursive descent; parentheses and terms are bounded, so neither the stack nor a predicate grows without end.

filter = [ any ]     any = all { "|" all }     all = part { part }     part = [ "-" ] ( "(" any ")" | words )
"""

from __future__ import annotations

from collections.abc import Callable

from mcp_workbench.exploring.filters.errors import FilterError
from mcp_workbench.exploring.filters.scanning import Sign, Words, scan
from mcp_workbench.exploring.filters.tree import AllOf, AnyOf, Node, Not

MAX_DEPTH = 40
"""Parentheses within each other."""
MAX_TERMS = 500
"""Values in one filter, alternatives counted."""


def parse_tree(text: str, understand: Callable[[Words], Node]) -> Node:
    """The tree of a filter.

    Args:
        text: What somebody wrote.
        understand: Makes terms of words.

    Raises:
        FilterError: It is no filter, or `understand` says so.
    """
    return _Parser(text, understand).whole()


class _Parser:
    def __init__(self, text: str, understand: Callable[[Words], Node]) -> None:
        self._words, self._understand = scan(text), understand
        self._end = len(text.rstrip())
        self._depth = self._terms = 0
        self._step()

    def _step(self) -> None:
        self._next: Sign | Words | None
        self._next, self._position = next(self._words, (None, self._end))

    def whole(self) -> Node:
        if self._next is None:
            return AllOf(())
        node = self._any()
        if self._next is Sign.CLOSE:
            raise FilterError("expected a ( before this )", self._position)
        return node

    def _any(self) -> Node:
        parts = [self._all()]
        while self._next is Sign.OR:
            self._step()
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _all(self) -> Node:
        if self._next in (None, Sign.OR, Sign.CLOSE):
            raise FilterError(f"expected a term, as in tool:sum, got {self._next or 'the end'}", self._position)
        parts = []
        while self._next not in (None, Sign.OR, Sign.CLOSE):
            parts.append(self._part())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _part(self) -> Node:
        if self._next is Sign.NOT:
            self._step()  # what follows is no minus: the scanner has seen to that
            return Not(self._part())
        if self._next is Sign.OPEN:
            return self._group()
        words = self._next
        assert isinstance(words, Words)  # noqa: S101 - all signs are dealt with: for the type checker
        self._terms += len(words.values)
        if self._terms > MAX_TERMS:
            raise FilterError(f"expected at most {MAX_TERMS} terms in one filter", self._position)
        self._step()
        return self._understand(words)

    def _group(self) -> Node:
        opened = self._position
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FilterError(f"expected at most {MAX_DEPTH} parentheses within each other", opened)
        self._step()
        node = self._any()
        if self._next is not Sign.CLOSE:
            raise FilterError("expected a ) for this (", opened)
        self._depth -= 1
        self._step()
        return node
