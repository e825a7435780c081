"""From the text an agent writes for a column to the column: by label, and what to say when there is none.

Every reader of columns asks here (`rows`, `where`, `ordering`, `describing`), so that one spelling works everywhere and a
misspelt one is answered the same way everywhere.
"""

from __future__ import annotations

from mcp_workbench.live.dataframes.cells import column_labels
from mcp_workbench.live.dataframes.names import said, shown_label
from mcp_workbench.live.dataframes.snapshots import Snapshot
from mcp_workbench.primitives.binding import ArgumentError
from mcp_workbench.primitives.wording import nearest

_NAMED = 8


class NoColumn(ArgumentError):
    """There is no column of that name; the sentence names the nearest."""


def find_columns(snapshot: Snapshot, wanted: list[str], *, joined: bool = True) -> tuple[int, ...]:
    """Find columns by the text of their labels; upper and lower case matter only where both are there.

    Args:
        snapshot: Where.
        wanted: Labels, or labels joined by commas; a whole text that is a label goes first. A label as sentences show it will do.
        joined: Whether a text that is no label may be several joined by commas.

    Returns:
        Positions, in the order wanted; a duplicate label gives all its columns.

    Raises:
        NoColumn: Names the nearest labels.
    """
    labels = column_labels(snapshot.df)
    positions: dict[str, list[int]] = {}
    for position, label in enumerate(labels):
        positions.setdefault(label, []).append(position)
    found: list[int] = []
    for text in wanted:
        for name in [text] if text in positions or not joined or text in map(shown_label, labels) else _parts(text):
            found.extend(positions[_label(snapshot, name, labels)])
    return tuple(dict.fromkeys(found))


def some_labels(snapshot: Snapshot) -> str:
    """Name the first few: `year, month, day and 16 more`."""
    labels = column_labels(snapshot.df)
    return ", ".join(map(shown_label, labels[:_NAMED])) + (f" and {len(labels) - _NAMED:,} more" if len(labels) > _NAMED else "")


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


def _label(snapshot: Snapshot, name: str, labels: list[str]) -> str:
    """The label that is meant."""
    if name in labels:
        return name
    alike = {label for label in labels if shown_label(label) == name} or {label for label in labels if label.casefold() == name.casefold()}
    if len(alike) != 1:
        raise NoColumn(_no_column(snapshot, name, labels))
    return alike.pop()


def _no_column(snapshot: Snapshot, name: str, labels: list[str]) -> str:
    near = nearest(name, labels, 2)
    hint = f"Nearest: {', '.join(map(shown_label, near))}." if near else f"Columns: {some_labels(snapshot)}."
    return f"No column {said(name)} in {snapshot.label}. {hint}"
