"""`df_describe`, `df_read`, `df_changes`: how an agent reads the published DataFrames and its own results.

They are on offer while something is published or kept. All read snapshots: a result names the version it read, and whoever
goes on reading names it too, so that what is put together is of one version; of a text that a call returned, slices are read.
Finding, selecting and describing are `live.dataframes`' business; here stand the words.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from mcp_workbench.errors import ToolError
from mcp_workbench.execution.context import Context
from mcp_workbench.live.dataframes.columns import NoColumn, find_columns
from mcp_workbench.live.dataframes.describing import Descriptions
from mcp_workbench.live.dataframes.lookup import Lookup
from mcp_workbench.live.dataframes.names import NotFound, Reference, is_result, parse_reference, parse_version
from mcp_workbench.live.dataframes.news import news_since
from mcp_workbench.live.dataframes.ordering import parse_order
from mcp_workbench.live.dataframes.selection import select
from mcp_workbench.live.dataframes.snapshots import Snapshot
from mcp_workbench.live.dataframes.where import find_column
from mcp_workbench.live.documents import Document
from mcp_workbench.primitives.tools import ToolDefinition, Waiting
from mcp_workbench.protocol.wire import Json
from mcp_workbench.serving.builtin import lenient
from mcp_workbench.serving.builtin.changes_report import ChangesReport
from mcp_workbench.serving.builtin.description_report import ColumnReport, DataFrameReport
from mcp_workbench.serving.builtin.fitting import Fitted, call_text, took
from mcp_workbench.serving.builtin.lenient import Name, Names, Seconds, Text, Version, Whole
from mcp_workbench.serving.builtin.own_tools import Group, define
from mcp_workbench.serving.builtin.rows_report import RowsReport
from mcp_workbench.serving.builtin.text_report import TextReport, described

NAMES = ("df_describe", "df_read", "df_changes")


def dataframe_tools(lookup: Lookup, descriptions: Descriptions) -> Group:
    """The three tools, offered while something is published or a result can be read."""

    def wanted() -> bool:
        return bool(lookup.dataframes.names() or len(lookup.results))

    return Group(NAMES, DataFrameTools(lookup, descriptions).tools, wanted)


class DataFrameTools:
    """The tools. Their functions run in tool threads; what a call waits for is asked on the protocol loop.

    Args:
        lookup: Finds what is named.
        descriptions: What stands in the columns.
        clock: Nanoseconds that only grow.
        now: Seconds since 1970.
    """

    def __init__(
        self,
        lookup: Lookup,
        descriptions: Descriptions,
        *,
        clock: Callable[[], int] = time.perf_counter_ns,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._lookup = lookup
        self._descriptions = descriptions
        self._clock = clock
        self._now = now

    def tools(self) -> list[ToolDefinition]:
        """Define them."""
        return [define(self.df_describe), define(self.df_read), define(self.df_changes, waits=self._until_newer)]

    def df_describe(self, ctx: Context, name: Name, column: Text = None, version: Version = None) -> Fitted:
        """What stands in a DataFrame: columns, types, missing and different values, ranges, a sample. With a column: its values.

        Args:
            name: As notebook_status lists it: "NAME", or a result: "_r7".
            column: One column: its different values, the most frequent first.
            version: Default: the latest.
        """
        began = self._clock()
        with _advice(name):
            if (document := self._document(name, ctx.principal.name)) is not None:
                return Fitted(lambda _room: described(document))
            snapshot = self._find(name, version, ctx.principal.name)
            if column is not None:
                only = ColumnReport.of(snapshot, find_column(snapshot, column), column)
                return Fitted(lambda room: only.write(room, self._took(began), self._newer(snapshot)))
        report = DataFrameReport(snapshot, self._descriptions.of(snapshot), self._description(snapshot))
        return Fitted(lambda room: report.write(room, self._took(began), self._newer(snapshot)))

    def df_read(
        self,
        ctx: Context,
        name: Name,
        columns: Names = None,
        where: Text = None,
        order: Names = None,
        offset: Whole = 0,
        limit: Whole = None,
        version: Version = None,
    ) -> Fitted:
        """Rows as CSV, or a result's text, as much as fits; ends with the call that reads on.

        Args:
            name: As notebook_status lists it: "NAME", or a result: "_r7".
            columns: Default: all.
            where: As in SQL: COLUMN > 60 AND "OTHER COLUMN" IN ('TEXT', 'TEXT'). Also OR, NOT, LIKE, BETWEEN, IS NULL, + - * /.
            order: ["COLUMN desc", "OTHER COLUMN"].
            offset: Rows to skip; of a text, characters.
            limit: Default: as many as fit.
            version: Default: the latest.
        """
        began = self._clock()
        with _advice(name):
            if (document := self._document(name, ctx.principal.name)) is not None:
                text = TextReport.of(document, offset or 0, limit, table_only={"columns": columns, "where": where, "order": order})
                return Fitted(lambda room: text.write(room, lambda: self._took(began)))
            snapshot = self._find(name, version, ctx.principal.name)
            chosen = find_columns(snapshot, columns) if columns else None
            selection = select(snapshot, where, parse_order(order or []), look=ctx.check_cancelled)
        report = RowsReport(selection, chosen, where, order or [], offset or 0, limit)
        return Fitted(lambda room: report.write(room, lambda: self._took(began), self._newer(snapshot)))

    def df_changes(self, ctx: Context, name: Name, since: Version, wait_s: Seconds = 0) -> Fitted:
        """What changed in a DataFrame since a version; can wait for the next change.

        Args:
            name: A published one: "NAME".
            since: The version you know: 17.
            wait_s: Seconds to wait for a change, at most 50.
        """
        began = self._clock()
        with _advice(name):
            if is_result(_reference(name, None).name):
                result = self._document(name, ctx.principal.name) or self._find(name, None, ctx.principal.name)
                return Fitted(lambda _room: f"{result.name} is a result of a call: it never changes. Read it with df_read.")
            snapshot = self._find(name, None, ctx.principal.name)
            known = snapshot.version if since is None else since
            news = news_since(self._lookup.dataframes.publication(snapshot.name), known)
        report = ChangesReport(news, self._now(), wait_s)
        return Fitted(lambda room: report.write(room, self._took(began)))

    # --- finding -----------------------------------------------------------------------------------------------

    def _find(self, name: str, version: int | None, principal: str) -> Snapshot:
        return self._lookup.find(_reference(name, version), principal)

    def _document(self, name: str, principal: str) -> Document | None:
        """The text or picture of that name; None when it is a DataFrame's, or nobody's."""
        results, wanted = self._lookup.results, _reference(name, None).name
        return results.document(wanted, principal) if wanted in results.document_names(principal) else None

    def _newer(self, snapshot: Snapshot) -> str:
        """`New: flights v18 (1,000 rows appended).`; empty when this is the latest."""
        if is_result(snapshot.name):
            return ""
        try:
            latest = self._lookup.dataframes.publication(snapshot.name).latest
        except NotFound:  # unpublished meanwhile
            return f"{snapshot.name} is published no longer."
        return f"New: {latest.label} ({latest.summary})." if latest.version > snapshot.version else ""

    def _description(self, snapshot: Snapshot) -> str | None:
        try:
            return None if is_result(snapshot.name) else self._lookup.dataframes.publication(snapshot.name).description
        except NotFound:  # unpublished meanwhile
            return None

    def _took(self, began: int) -> str:
        return took(self._clock() - began)

    # --- waiting -------------------------------------------------------------------------------------------------

    def _until_newer(self, arguments: Mapping[str, Json], principal: str) -> Waiting | None:
        wait_s = lenient.seconds(arguments.get("wait_s"))
        try:
            name = _reference(str(lenient.name(arguments.get("name"))), None).name
            since = lenient.version(arguments.get("since"))
        except (ValueError, ToolError):  # the call is told so when it runs
            return None
        publications = self._lookup.dataframes
        if not wait_s or not isinstance(since, int) or name not in publications.names():
            return None

        def newer() -> bool:
            try:
                publication = publications.publication(name)
            except NotFound:  # unpublished meanwhile
                return True
            return publication.latest.version != since or publication.lost is not None

        return Waiting(newer, wait_s)


def _reference(name: str, version: int | None) -> Reference:
    """What a name means; the version given beside it goes first.

    Raises:
        ToolError: It is a URI with options, which belong into arguments of their own.
    """
    reference = parse_reference(name)
    if others := [key for key, _ in reference.options if key != "version"]:
        raise ToolError(f"name takes a DataFrame: send {call_text('df_read', reference.name)}, with {others[0]} as an argument of its own.")
    if version is None:
        versions = [text for key, text in reference.options if key == "version"]
        version = parse_version(versions[-1]) if versions else None
    return Reference(reference.name, options=() if version is None else (("version", str(version)),))


@contextmanager
def _advice(name: str) -> Iterator[None]:
    """Errors end with the call that lists what there is."""
    try:
        yield
    except NoColumn as error:
        raise ToolError(f"{error} {call_text('df_describe', parse_reference(name).name)} lists the columns.") from None
    except NotFound as error:
        raise ToolError(f"{error} notebook_status() lists what there is.") from None
