"""Small facts that several rooms speak of: who a client is, where a thing was defined, what changed.

Values only; everyone may import this module.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Era(StrEnum):
    """The two kinds of MCP conversation; a connection keeps the one of its first request."""

    LEGACY = "legacy"
    """Revisions up to 2025-11-25: `initialize`, subscriptions of the connection, requests in both directions."""
    MODERN = "modern"
    """From 2026-07-28: every request carries its own version, capabilities and client facts."""


NOTEBOOK = "notebook"
"""The principal of the notebook's author: what their own code calls over the wire. They may use everybody's results."""

STDIO = "stdio"
"""The principal of the host that started a script, and speaks with it on stdin and stdout."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Whose credential was presented; results, jobs and approvals belong to it. `clientInfo` is only a label."""

    name: str
    """`default` for the first token, `notebook` for code of this very process, else the name given to `wb.tokens.add`."""
    own: bool = field(default=False, compare=False)
    """Whether the session was opened by code of this process's main thread, which may be waiting for its calls."""


@dataclass(frozen=True, slots=True)
class DefinedAt:
    """Where the notebook's author wrote a thing."""

    file: str
    """File name, or `<cell>` for code typed in a notebook."""
    line: int
    """First line, counted from 1."""
    cell: str | None = None
    """The cell's label, for instance `[12]`; None outside notebooks."""

    def __str__(self) -> str:
        return f"cell {self.cell} line {self.line}" if self.cell else f"{self.file}:{self.line}"


class ChangeKind(StrEnum):
    """What happened to a published DataFrame between two versions."""

    PUBLISHED = "published"
    SCHEMA = "schema"
    """Columns or dtypes differ."""
    APPEND = "append"
    """The rows before are unchanged; new ones follow."""
    COLUMNS = "columns"
    """Same shape and schema; values in the named columns differ."""
    REPLACE = "replace"
    """Anything else: rows removed, reordered, or another DataFrame altogether."""
    TOUCHED = "touched"
    """`touch()` says so; nothing visible from outside."""
    LOST = "lost"
    """Its variable no longer holds a DataFrame: the version stays what it was, and no new one will come."""
    UNPUBLISHED = "unpublished"


@dataclass(frozen=True, slots=True)
class Change:
    """One new version of one published thing, or the end of its versions."""

    name: str
    """Published name, for instance `flights`."""
    version: int
    """The version that now is, or was, the latest, counted from 1."""
    kind: ChangeKind
    summary: str
    """One phrase for people and agents, for instance `1,000 rows appended`."""
    columns: tuple[str, ...] = field(default=())
    """Columns concerned, as text; empty when all or none."""
