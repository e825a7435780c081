"""What crossed: explored, written into files, told to collectors, and answered from files."""

from __future__ import annotations

import atexit
import functools
import logging
from typing import TYPE_CHECKING

from mcp_workbench.errors import WorkbenchError, in_one_line
from mcp_workbench.exploring.filters import parse
from mcp_workbench.secret import Secret, hidden, hidden_values
from mcp_workbench.telemetry.records import Side

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from mcp_workbench.exploring.exports.otlp_export import OtelExport
    from mcp_workbench.exploring.recording.reader import Recording
    from mcp_workbench.exploring.recording.recorder import Recorder
    from mcp_workbench.exploring.recording.redaction import Redactor
    from mcp_workbench.exploring.replaying.replay import Replay
    from mcp_workbench.exploring.traffic import Traffic
    from mcp_workbench.telemetry.messages import Message
    from mcp_workbench.telemetry.records import CallRecord, SessionRecord

from mcp_workbench.workbench.conversing import Conversing
from mcp_workbench.workbench.offering import Offering

logger = logging.getLogger("mcp_workbench")


class Remembering(Offering, Conversing):
    """Exploring, recording, exporting, replaying."""

    @staticmethod
    def replay(
        file: str | os.PathLike[str] | Recording,
        *,
        volatile: Sequence[str] = (),
        repeat: bool | None = None,
        speed: float | None = None,
        port: int = 0,
    ) -> Replay:
        """A server made of a recording: `with wb.replay("session.mcptraffic.jsonl") as replay:`.

        A request is answered as an equal one was when it was recorded; equal ones in their order. What was never asked is an error
        that names what comes nearest, never a success. Clients of both eras may ask, whichever was recorded; no network is needed.

        Args:
            file: A recording, or where it is.
            volatile: Paths in params that are not compared, for instance `arguments.now` or `$.arguments.rows[*].id`.
            repeat: Whether the last of equal requests is answered once more when it is asked more often; None: all but calls of tools.
            speed: 1: each answer takes as long as it took; 10: a tenth of that; None: none.
            port: Of 127.0.0.1; 0: any free one.

        Returns:
            The running server: `.url`, `.token`, `.connect()`, `.unanswered`, `.unused()`, `.close()`.

        Raises:
            RecordingError: The file is no recording, or damaged; says where.
            ValueError: A path or the speed makes no sense.
            OSError: The file cannot be read, or the port is taken.
        """
        from mcp_workbench.exploring.replaying.replay import replay

        return replay(file, volatile=volatile, repeat=repeat, speed=speed, port=port)

    @property
    def traffic(self) -> Traffic:
        """What crossed the wire: `.calls("tool:forecast dur:>50ms")`, `.messages()`, `.stats()`, `.histogram()`, `.timeline()`.

        Everything that agents said to this Workbench, this notebook to other servers through `connect`, and others through `tap`.
        """
        if self._traffic is None:
            from mcp_workbench.exploring.lent import Lent
            from mcp_workbench.exploring.sources import Memory
            from mcp_workbench.exploring.traffic import Traffic
            from mcp_workbench.trial import serving_alone

            offer = self._offer
            memory = Memory(
                lambda: offer.telemetry, offer.overhearing, lambda: [session.record for session in self.sessions], offer.catalog.list
            )
            serve = functools.partial(serving_alone, offer)
            lent = Lent(self.connect, serve, self._redactor, self.resource, self.unpublish, lambda: self._name)
            self._traffic = Traffic(memory, offer.annotations, lent)
        return self._traffic

    def record(
        self,
        path: str | os.PathLike[str],
        *,
        sessions: Iterable[str] | None = None,
        filter: str | Callable[[Message], bool] | None = None,  # noqa: A002  # the word of the whole traffic API
        redact: bool | Iterable[str] = True,
        max_bytes: int | None = None,
        keep: int = 5,
        overwrite: bool = False,
    ) -> Recorder:
        """Write what crosses from now on into a file, beside the path: `with wb.record("monday"):`, or `.stop()`.

        Args:
            path: The file; without an ending it is given `.mcptraffic.jsonl`. Only its owner may read it.
            sessions: Only these, by their ids (`s1`, `out1`, `tap1`); None: all, also what this notebook says as a client.
            filter: Only messages that it matches, with their calls: `tool:forecast` (docs/traffic.md has the grammar), and then also
                the answers and the progress of requests that it matches; or a function of a message, called on the recorder's thread.
            redact: Secrets are withheld: values under names like `password` or `apiKey`, what looks like a token or a key, this
                workbench's own tokens, what a tool's `redact=` names, and each of them wherever it appears again. Further names of
                members, for instance `["ssn"]`, are withheld too. False: everything stands in the file as it crossed.
            max_bytes: Size at which the file is moved to `path.1`, and so on, and a new one begins; None: never.
            keep: Older files that are kept then.
            overwrite: Replace a recording that is there; anything else never.

        Returns:
            The recorder: `.stop()`, `.flush()`, `.annotate(text)`, `.path`, `.status`. It outlives `stop()` of the server.

        Raises:
            FilterError: The filter cannot be read, or asks for what only a whole call knows, for instance `dur`; says where.
            TypeError: `filter` or `redact` is neither of what it may be, or `max_bytes` or `keep` is no whole number.
            ValueError: `max_bytes` or `keep` is none that can be.
            FileExistsError: Something is there; a link is never followed or replaced.
            OSError: The file cannot be made.
        """
        from mcp_workbench.exploring.recording.exchanges import Exchanges  # most notebooks record nothing
        from mcp_workbench.exploring.recording.recorder import Recorder, Sources, recording_path

        offer, file = self._offer, recording_path(path)
        self._recorders = [recorder for recorder in self._recorders if recorder.recording]
        self._check_nobody_writes(file)
        if isinstance(filter, str):
            filter = Exchanges(parse(filter, client_of=self._client_of))  # noqa: A001  # the same, read
        if filter is not None and not callable(filter):
            raise TypeError(f"filter is a text, or a function that is given a message, got {type(filter).__name__}")
        redactor = None if redact is False else self._redactor(() if redact is True else redact)
        sources = Sources(
            telemetry=lambda: offer.telemetry,
            settle=offer.overhearing.settle,
            session=self._session_record,
            tools=offer.catalog.list,
            tell=self._tell_author,
            server=self._name,
            gather=offer.overhearing.gather,
            on_waiting=offer.overhearing.on_waiting,
        )
        with in_one_line(FileExistsError):
            recorder = Recorder(
                file, sources, redactor, sessions=sessions, wanted=filter, max_bytes=max_bytes, keep=keep, overwrite=overwrite
            )
        self._recorders.append(recorder)
        if self._annotate_recordings not in offer.annotations.on_add:
            offer.annotations.on_add.append(self._annotate_recordings)
        if self._running is not None:  # at exit what was registered last comes first: the recording is to hear the server end
            atexit.unregister(self._stop_at_exit)
            atexit.register(self._stop_at_exit)
        return recorder

    @in_one_line(FileExistsError)
    def _check_nobody_writes(self, file: Path) -> None:
        if any(recorder.path == file for recorder in self._recorders):
            raise FileExistsError(f"{file} is being written by another recording of this Workbench: stop that one, or choose another name")

    def _annotate_recordings(self, call: CallRecord, text: str) -> None:
        for recorder in self._recorders:
            if recorder.recording:
                recorder.annotate(text, call)

    def export_otel(
        self,
        endpoint: str | Secret | None = None,
        *,
        headers: Mapping[str, str | Secret] | None = None,
        every_s: float = 5.0,
        timeout_s: float = 10.0,
        payloads: bool = False,
        redact: Iterable[str] = (),
        taps: bool = False,
        allow_remote: bool = False,
    ) -> OtelExport:
        """Tell an OpenTelemetry collector of the calls that end from now on, beside the path: `with wb.export_otel():`, or `.stop()`.

        Each call is a span, a child of the one that its request names in `_meta.traceparent`, and counts in the histogram
        `mcp.server.operation.duration` (what this notebook asks as a client: `mcp.client.operation.duration`), by OpenTelemetry's
        conventions for MCP. Needs `pip install ".[otel]"` in the clone of mcp_workbench.

        Args:
            endpoint: Where the collector takes OTLP over HTTP; None: as `OTEL_EXPORTER_OTLP_ENDPOINT` says, with the headers of the
                environment, else `http://localhost:4318`.
            headers: Sent along, for instance a key.
            every_s: Seconds that a call waits at most to be told of.
            timeout_s: Longest wait for the collector.
            payloads: Tell arguments and results of tools and the messages of errors too, without their secrets, as `record` has them.
            redact: Further names of members that are secrets.
            taps: Tell of what passes through taps too.
            allow_remote: Send headers over plain `http://` to other machines.

        Returns:
            The export: `.stop()`, `.flush()`, `.status`. It outlives `stop()` of the server, and ends with the process.

        Raises:
            ValueError: The endpoint cannot be read, or a time is not above 0.
            WorkbenchError: OpenTelemetry's packages are not installed.
        """
        where, headers = hidden(endpoint), hidden_values(headers)
        if not (every_s > 0 and timeout_s > 0):
            raise ValueError(f"every_s and timeout_s are seconds above 0, got {every_s!r} and {timeout_s!r}")
        try:
            from mcp_workbench.exploring.exports.otlp_export import SIDES, OtelExport, Sources  # most notebooks export nothing
            from mcp_workbench.exploring.exports.otlp_sending import Sending, target_of
        except ModuleNotFoundError as error:
            raise WorkbenchError(
                f'{error.name} is not installed, which exporting needs: pip install ".[otel]" in the clone of mcp_workbench'
            ) from error
        offer = self._offer
        traces, metrics = (target_of(signal, where, headers, allow_remote=allow_remote) for signal in ("traces", "metrics"))
        sources = Sources(lambda: offer.telemetry, offer.overhearing.settle, self._session_record, self._tell_author)
        sides = SIDES | {Side.TAP} if taps else SIDES
        sending, redactor = Sending(traces, metrics, timeout_s), self._redactor(redact)
        return OtelExport(sources, sending, service=self._name, redactor=redactor, payloads=payloads, every_s=every_s, sides=sides)

    def _redactor(self, names: str | Iterable[str] = ()) -> Redactor:
        """Withholds secrets: those of these names, of tools' `redact=`, this workbench's own, and what looks like one."""
        from mcp_workbench.exploring.recording.redaction import Redactor

        return Redactor(names, tools=self._withheld_of_tools, credentials=self._offer.credentials, own=self._own_secrets)

    def _withheld_of_tools(self) -> dict[str, tuple[str, ...]]:
        return {tool.name: tool.redact for tool in self._offer.tools if tool.redact}

    def _own_secrets(self) -> tuple[Secret, ...]:
        view = () if self._running is None else (self._view_door.secret,)
        return *view, *self._offer.given.all()

    def _session_record(self, session_id: str) -> SessionRecord | None:
        """Of a session that lasts or has ended; from any thread."""
        running, offer = self._running, self._offer
        live = None if running is None else running.sessions.find(session_id)
        if live is not None:
            return live.record
        known = (*offer.overhearing.sessions(), *reversed(offer.telemetry.sessions(None)))
        return next((record for record in known if record.session_id == session_id), None)

    def _client_of(self, session_id: str) -> str | None:
        session = self._session_record(session_id)
        return None if session is None else session.client_name

    def _tell_author(self, sentence: str) -> None:
        """From any thread."""
        running = self._running
        if running is None:
            logger.warning("%s", sentence)
        else:
            running.note_once(sentence)
