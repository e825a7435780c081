"""`wb.traffic`: what crossed the wire, to be looked at, added up, drawn, asked again, compared and written down.

One class over one source: the memory of a workbench, or a recording. Asking again goes through a client, as everything does.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcp_workbench.client.session import ClientSession
from mcp_workbench.errors import WorkbenchError
from mcp_workbench.exploring import asking_again
from mcp_workbench.exploring.annotations import Annotations
from mcp_workbench.exploring.call import Call, one_call
from mcp_workbench.exploring.call_list import CallList
from mcp_workbench.exploring.comparing.for_traffic import ComparingTraffic
from mcp_workbench.exploring.lent import Lent
from mcp_workbench.exploring.message_list import MessageList
from mcp_workbench.exploring.origin import Origin
from mcp_workbench.exploring.session_list import SessionList
from mcp_workbench.exploring.sources import Source
from mcp_workbench.exploring.statistics import Histograms, Stats
from mcp_workbench.exploring.waterfall import Timeline
from mcp_workbench.protocol import wire
from mcp_workbench.telemetry.records import Side
from mcp_workbench.version import __version__

if TYPE_CHECKING:
    from mcp_workbench.exploring.recorded import File


class Traffic(ComparingTraffic):
    """What `wb.traffic` is, and what a recording gives.

    Args:
        source: Where it comes from.
        annotations: Where notes beside calls stand.
        lent: What the Workbench lends it; a recording has none of it.
    """

    def __init__(self, source: Source, annotations: Annotations, lent: Lent | None = None) -> None:
        self._source = source
        self._annotations = annotations
        super().__init__(Lent() if lent is None else lent)
        self._origin = Origin(source.sessions, source.tools, source.calls, source.messages, self._lent.redactor, self._lent.server)
        self._again = itertools.count(1)

    # --- looking ------------------------------------------------------------------------------------------

    def calls(self, filter: str = "") -> CallList:  # noqa: A002  # the word people use, as pandas does
        """The calls that have ended, oldest first, as far as they are kept.

        Args:
            filter: Only those it matches: `tool:forecast dur:>50ms -outcome:ok`; docs/traffic.md has the grammar.

        Raises:
            FilterError: It cannot be read; says where, and what was expected.
        """
        calls = CallList(self._source.calls(), self._annotations, self._client_of(), self._origin)
        return calls if filter == "" else calls.where(filter)

    def messages(self, filter: str = "") -> MessageList:  # noqa: A002
        """The messages of both directions, oldest first, as far as they are kept; args and raises as `calls`."""
        messages = MessageList(self._source.messages(), self._client_of(), self._origin)
        return messages if filter == "" else messages.where(filter)

    @property
    def sessions(self) -> SessionList:
        """Who spoke, in the order in which they came; a list that shows itself."""
        return SessionList(self._source.sessions(), self._origin.redactor)

    def stats(self, filter: str = "", *, by: str = "target", phase: str = "total") -> Stats:  # noqa: A002
        """Of the calls that a filter matches: how many, how many failed, and how long; see `CallList.stats`."""
        return self.calls(filter).stats(by, phase=phase)

    def histogram(
        self,
        filter: str = "",  # noqa: A002
        *,
        by: str = "target",
        phase: str = "total",
        failed: bool = False,
    ) -> Histograms:
        """Of the calls that a filter matches: how their durations are spread; see `CallList.histogram`."""
        return self.calls(filter).histogram(by, phase=phase, failed=failed)

    def timeline(self, filter: str = "") -> Timeline:  # noqa: A002
        """Of the calls that a filter matches: a waterfall, a lane for each session."""
        return self.calls(filter).timeline()

    def plot(self, filter: str = "", *, by: str = "target", phase: str = "total", ax: Any = None) -> Any:  # noqa: A002
        """Of the calls that a filter matches: durations over time, with matplotlib; see `CallList.plot`."""
        return self.calls(filter).plot(by, phase=phase, ax=ax)

    # --- doing --------------------------------------------------------------------------------------------

    def annotate(self, call: Call, text: str | None) -> None:
        """Write something beside a call; it is shown wherever the call is, and stands in recordings.

        Args:
            call: Which.
            text: What; None takes its annotations away.

        Raises:
            ValueError: It is empty or too long.
            TypeError: It is no text, or beside something else than one call.
        """
        if text is None:
            self._annotations.clear(one_call(call).record)
        else:
            self._annotations.add(one_call(call).record, text)

    def as_cell(self, call: Call) -> str:
        """Python text that makes a call through `wb.connect`, for a cell.

        Raises:
            WorkbenchError: It cannot be made again; says why.
            TypeError: It is something else than one call.
        """
        return asking_again.as_cell(one_call(call))

    async def resend(self, call: Call, *, session: ClientSession | None = None, **changes: Any) -> Call:
        """Make a call again, through the wire: `await wb.traffic.resend(call, n=5)`.

        It is a call of its own, made by the principal `notebook` to this notebook's server. A tool that changes something
        changes it again.

        Args:
            call: Which; of one that went to another server, `session` is to say where.
            session: An open client session to make it in instead.
            changes: Arguments (of other requests: params) that are to be others.

        Returns:
            The new call, as written down by whoever heard it.

        Raises:
            WorkbenchError: It cannot be made again, or there is nowhere to; says why.
            TypeError: It is something else than one call.
        """
        method, params = asking_again.again(one_call(call), changes)
        if session is not None:
            return await self._ask_in(session, method, params)
        connect = self._lent.connect
        if connect is None or call.record.side is not Side.SERVER:
            raise WorkbenchError("this call went to another server: resend(call, session=…) takes an open wb.connect() session with it")
        who = wire.Implementation(name=f"resend {next(self._again)}", version=__version__)
        async with connect(client_info=who) as opened:
            await _ask(opened, method, params)
        self._source.catch_up()
        made = [record.session_id for record in self.sessions if record.client_name == who.name]
        return self._latest(lambda each: each.session in made and each.method == method)

    async def _ask_in(self, session: ClientSession, method: str, params: dict[str, Any]) -> Call:
        before = {id(record) for record in self._source.calls()}
        await _ask(session, method, params)
        self._source.catch_up()
        return self._latest(lambda each: id(each.record) not in before and each.method == method)

    def _latest(self, is_it: Callable[[Call], bool]) -> Call:
        found = next((call for call in reversed(self.calls()) if is_it(call)), None)
        if found is None:
            raise WorkbenchError("the call was made, and nothing of it is remembered: its session is not one that this workbench hears")
        return found

    # --- writing, reading, publishing -----------------------------------------------------------------------

    @staticmethod
    def load(file: File) -> Traffic:
        """A recording, to be looked at like what crossed here: `wb.traffic.load("monday.mcptraffic.jsonl").calls("outcome:error")`.

        Args:
            file: A recording, or where it is; with its older files (`x.1`, `x.2` …).

        Returns:
            Its traffic: the latest 50,000 calls and 100,000 messages, read when they are first asked for.

        Raises:
            FileNotFoundError: There is none.
            RecordingError: It is no recording; while it is read: a line is damaged.
        """
        from mcp_workbench.exploring.recorded import Recorded, recording_of

        annotations = Annotations()
        source = Recorded(recording_of(file), annotations)
        return Traffic(source, annotations, Lent(server=lambda: source.recording.header.server))

    def to_test(self, path: str | os.PathLike[str], filter: str = "", **options: Any) -> Path:  # noqa: A002
        """Of the calls that a filter matches: a pytest file that fails when a tool changes; see `CallList.to_test`."""
        return self.calls(filter).to_test(path, **options)

    def to_notebook(self, path: str | os.PathLike[str], filter: str = "", *, overwrite: bool = False) -> Path:  # noqa: A002
        """Of the calls that a filter matches: a notebook that makes them again at a replay; see `CallList.to_notebook`."""
        return self.calls(filter).to_notebook(path, overwrite=overwrite)

    def publish(self, *, texts: bool = False) -> None:
        """Let agents read what crosses, as the resource `workbench://traffic{?filter,limit}`, until `unpublish()`; never by default.

        It is told who called what, when, how it ended and how long it took: JSON with `columns` and `data`, the latest 200 calls
        unless `limit` says more. It reaches back 10,000 calls. Every principal that may connect sees the calls of all; secrets are
        withheld as in recordings.

        Args:
            texts: Arguments, results and errors of the latest 1,000 calls too.

        Raises:
            WorkbenchError: This is a recording: it has no server.
        """
        from mcp_workbench.exploring import publishing

        if self._lent.publish is None:
            raise WorkbenchError(
                "a recording has no server that could show it: wb.replay(file) serves one, wb.traffic.publish() what crosses here"
            )
        offer = self._lent.publish(publishing.URI, name=publishing.NAME, description=publishing.DESCRIPTION, mime_type="application/json")
        offer(publishing.reader(self.calls, self._lent.redactor, texts=texts))

    def unpublish(self) -> None:
        """Show it no longer.

        Raises:
            WorkbenchError: It is not published.
        """
        from mcp_workbench.exploring import publishing

        if self._lent.unpublish is None:
            raise WorkbenchError("a recording is not published")
        self._lent.unpublish(publishing.NAME)

    # --- for people -----------------------------------------------------------------------------------------

    def _client_of(self) -> Callable[[str], str | None]:
        names = {session.session_id: session.client_name for session in self._source.sessions()}
        return names.get

    def __repr__(self) -> str:
        return f"<Traffic: {self.calls().summary()}; .calls(filter), .messages(filter), .stats(), .histogram(), .timeline()>"

    def _repr_html_(self) -> str:
        return self.calls()._repr_html_()


async def _ask(session: ClientSession, method: str, params: dict[str, Any]) -> None:
    """Make a request; how it ends stands in its record."""
    from mcp_workbench.errors import PeerError

    try:
        if method == "tools/call":
            await session.call_tool(params.get("name", ""), params.get("arguments"))  # by the session, which answers what is asked of it
        else:
            await session.request(method, params or None)
    except PeerError:
        return  # an error is an answer, too
