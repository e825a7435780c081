"""DataFrame arguments: an agent sends a name, the tool receives a frozen snapshot.

A parameter annotated `pd.DataFrame` (or `pd.Series`, or either `| None`) takes `flights`, `df://flights`,
`df://flights?version=3`, `flights v3` or a result `_r7`. Left out, it is the DataFrame published under the
parameter's own name, else the function's default. What the tool writes into it is seen by nobody else.
So does a parameter annotated with another library's table (`pl.DataFrame`, `pa.Table` …), which receives that kind.
"""

from __future__ import annotations

import types
import typing

import pandas as pd

from mcp_workbench.live.dataframes.conversions import as_kind
from mcp_workbench.live.dataframes.foreign import TableKind, UnservableTable, kind_of_type
from mcp_workbench.live.dataframes.lookup import Lookup, only_known
from mcp_workbench.live.dataframes.names import NotFound, parse_reference
from mcp_workbench.live.dataframes.publications import DataFrames
from mcp_workbench.live.dataframes.snapshots import Snapshot
from mcp_workbench.live.results import Results
from mcp_workbench.primitives.binding import ArgumentError, Bound
from mcp_workbench.primitives.signature import MISSING
from mcp_workbench.primitives.wording import describe_value
from mcp_workbench.protocol.wire import Json

_LISTED = 8


class DataFrameBinder:
    """Binds parameters annotated as a DataFrame; any thread, microseconds.

    Args:
        dataframes: What is published.
        results: What calls returned.
    """

    kind: type[pd.DataFrame] | type[pd.Series] = pd.DataFrame
    """The annotation claimed, subclasses excluded: they could not be made from a snapshot."""
    wanted = "a DataFrame"

    def __init__(self, dataframes: DataFrames, results: Results) -> None:
        self._lookup = Lookup(dataframes, results)

    def claims(self, annotation: object) -> bool:
        """Tell whether a parameter is annotated so, `Annotated[…]` and `| None` included."""
        if typing.get_origin(annotation) is typing.Annotated:
            return self.claims(typing.get_args(annotation)[0])
        if typing.get_origin(annotation) in (typing.Union, types.UnionType):
            members = [member for member in typing.get_args(annotation) if member is not types.NoneType]
            return len(members) == 1 and self.claims(members[0])
        return self._claims_type(annotation)

    def _claims_type(self, annotation: object) -> bool:
        return annotation is self.kind

    def json_schema(self, parameter: str, annotation: object, description: str | None) -> dict[str, Json]:
        """Describe what a client may send: text. It never depends on what is published just now.

        Args:
            parameter: The parameter's name.
            annotation: Its annotation.
            description: The author's words.

        Returns:
            The JSON Schema of the parameter, which is never required.
        """
        means = f'Name of {self.wanted}: published ("{parameter}") or a result ("_r7"). Default: "{parameter}", if published.'
        text = f"{description.rstrip()} {means}" if description else means
        return {"type": "string", "description": text}

    def bind(self, parameter: str, value: Json, default: object, principal: str | None = None) -> Bound:
        """Find the snapshot for one argument.

        Args:
            parameter: The parameter's name.
            value: What the client sent; MISSING when it sent nothing.
            default: The function's; MISSING when it has none.
            principal: Whose results may be named; None: the notebook's author, who sees all.

        Returns:
            The data (or the default), and which version it is: `flights v17`.

        Raises:
            ArgumentError: Nothing fits; the sentence names what would.
        """
        if value is None and default is None:
            return Bound(None)
        if value is MISSING and not self._lookup.exists(parameter, principal):
            if default is MISSING:
                raise ArgumentError(f"{parameter} is missing and no DataFrame {parameter} is published. {self._choices(principal)}")
            return Bound(default)
        text = parameter if value is MISSING else value
        if not isinstance(text, str):
            raise ArgumentError(
                f"{parameter} takes the name of {self.wanted}, not {describe_value(value)}: data is passed by name, never by value. "
                f"{self._choices(principal)}"
            )
        snapshot = self._find(parameter, text, principal)
        return Bound(self._value(parameter, snapshot), snapshot.label)

    def _find(self, parameter: str, text: str, principal: str | None) -> Snapshot:
        reference = parse_reference(text)
        if reference.parts:
            raise ArgumentError(
                f"{parameter} takes {self.wanted} as a whole: send {reference.name!r}, and say which rows in other arguments."
            )
        only_known(reference, ("version",))
        try:
            return self._lookup.find(reference, principal)
        except NotFound as error:
            raise ArgumentError(f"{parameter}: {error}") from None

    def _value(self, parameter: str, snapshot: Snapshot) -> object:
        return snapshot.copy()

    def _choices(self, principal: str | None) -> str:
        published, results = self._lookup.dataframes.names(), self._lookup.results.names(principal)
        parts = []
        if published:
            more = f" and {len(published) - _LISTED} more" if len(published) > _LISTED else ""
            parts.append(f"Published: {', '.join(published[:_LISTED])}{more}.")
        if results:
            parts.append(f"Results: {', '.join(results[-_LISTED:])}.")
        return " ".join(parts) or "Nothing is published yet."


class SeriesBinder(DataFrameBinder):
    """The same for `pd.Series`: what has one column is one."""

    kind = pd.Series
    wanted = "a DataFrame with one column"

    def _value(self, parameter: str, snapshot: Snapshot) -> object:
        columns = snapshot.df.shape[1]
        if columns != 1:
            raise ArgumentError(f"{parameter} takes a single column; {snapshot.label} has {columns:,}.")
        return snapshot.copy().iloc[:, 0]


class TableBinder(DataFrameBinder):
    """The same for one kind of table of another library, whatever kind was published.

    Args:
        asked: The kind.
        dataframes: What is published.
        results: What calls returned.
    """

    def __init__(self, asked: TableKind, dataframes: DataFrames, results: Results) -> None:
        super().__init__(dataframes, results)
        self._asked = asked

    def _claims_type(self, annotation: object) -> bool:
        return kind_of_type(annotation) is self._asked

    def _value(self, parameter: str, snapshot: Snapshot) -> object:
        try:
            return as_kind(snapshot, self._asked)
        except UnservableTable as error:
            raise ArgumentError(f"{parameter}: {error}") from error


def binders_of(dataframes: DataFrames, results: Results) -> tuple[DataFrameBinder, ...]:
    """One binder for every kind of table a parameter may be annotated with."""
    of_tables = (TableBinder(kind, dataframes, results) for kind in TableKind)
    return (DataFrameBinder(dataframes, results), SeriesBinder(dataframes, results), *of_tables)
