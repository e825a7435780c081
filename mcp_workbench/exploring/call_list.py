"""Calls as people hold them: a list that shows itself, and everything that can be made of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from mcp_workbench.errors import in_one_line
from mcp_workbench.exploring.annotations import Annotations
from mcp_workbench.exploring.call import Call, described, written_arguments
from mcp_workbench.exploring.columns import ClientOf
from mcp_workbench.exploring.filters import Filter, parse
from mcp_workbench.exploring.frames import calls_frame
from mcp_workbench.exploring.message_list import MessageList, item_at
from mcp_workbench.exploring.origin import Origin
from mcp_workbench.exploring.reading import WITH_ARGUMENTS
from mcp_workbench.exploring.statistics import Histograms, Stats
from mcp_workbench.exploring.waterfall import Timeline
from mcp_workbench.exploring.withholding import Withholding
from mcp_workbench.markup import BAD, FAINT, MONO, ONE_LINE, box, faint, framed, name, span, text
from mcp_workbench.telemetry.records import CallRecord
from mcp_workbench.wording import counted, duration, moment, outcome, shown

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 20


class CallList(Sequence[Call]):
    """Calls that have ended, oldest first.

    Args:
        records: What was written down.
        annotations: Where notes beside them stand.
        client_of: Session id -> what its client calls itself.
        origin: Where they come from, for what is written of them.
    """

    def __init__(
        self,
        records: Sequence[CallRecord],
        annotations: Annotations,
        client_of: ClientOf | None = None,
        origin: Origin | None = None,
    ) -> None:
        self.records = records
        self.origin = Origin() if origin is None else origin
        self._annotations = annotations
        self.client_of = client_of

    def __len__(self) -> int:
        return len(self.records)

    @overload
    def __getitem__(self, at: int) -> Call: ...

    @overload
    def __getitem__(self, at: slice) -> CallList: ...

    def __getitem__(self, at: int | slice) -> Call | CallList:
        """One call, or a part of the list.

        Raises:
            IndexError: There is none at that place.
        """
        return self._list(self.records[at]) if isinstance(at, slice) else self._call(item_at(self.records, at, "call"))

    def __iter__(self) -> Iterator[Call]:
        return map(self._call, self.records)

    def where(self, filter: str | Filter) -> CallList:  # noqa: A002  # the word people use, as pandas does
        """Those that a filter matches.

        Args:
            filter: As `tool:sum dur:>5ms -outcome:ok`; docs/traffic.md has the grammar.

        Raises:
            FilterError: It cannot be read; says where, and what was expected.
        """
        matches = (filter if isinstance(filter, Filter) else parse(filter, client_of=self.client_of)).for_calls()
        return self._list([record for record in self.records if matches(record)])

    def slowest(self, count: int = 10) -> CallList:
        """Those that took longest, the slowest first; what was never answered is left out."""
        answered = [record for record in self.records if record.total_ns is not None]
        return self._list(sorted(answered, key=lambda record: -(record.total_ns or 0))[:count])

    # --- what can be made of it ---------------------------------------------------------------------------

    def df(self, columns: Iterable[str] | None = None) -> pd.DataFrame:
        """A DataFrame, one row each; docs/traffic.md has the columns.

        Args:
            columns: Only these, in this order; None: all.
        """
        return calls_frame(self.records, client_of=self.client_of, only=columns)

    def stats(self, by: str = "target", *, phase: str = "total") -> Stats:
        """How many, how many failed and how long, by what they have in common.

        Args:
            by: `tool`, `method`, `target`, `session`, `principal`, `side`, `era` or `version`.
            phase: Which stretch: `total`, `wait`, `run` or `send`.

        Raises:
            ValueError: There is no such key or phase.
        """
        return Stats(self.records, by, phase, self.origin.redactor)

    def histogram(self, by: str = "target", *, phase: str = "total", failed: bool = False) -> Histograms:
        """How their durations are spread; args as `stats`. Success and failure are apart: `failed` asks for the latter."""
        return Histograms(self.stats(by, phase=phase), failed=failed)

    def timeline(self) -> Timeline:
        """A waterfall, a lane for each session."""
        return Timeline(self.records, self.origin.redactor)

    def plot(self, by: str = "target", *, phase: str = "total", ax: Any = None) -> Any:
        """Their durations over time, with matplotlib: a dot each, failures marked; args as `stats`.

        Args:
            by: What has a colour of its own.
            phase: Which stretch.
            ax: Where to draw; None: a new figure.

        Returns:
            The matplotlib Axes.
        """
        from mcp_workbench.exploring.plotting import plot_calls

        return plot_calls(self.records, by, phase, ax, self.origin.redactor)

    @property
    def messages(self) -> MessageList:
        """Everything that crossed for them, in order."""
        found = {id(message): message for call in self for message in call.messages}
        return MessageList(sorted(found.values(), key=lambda message: (message.seq, message.at_ns)), self.client_of, self.origin)

    def _fit(self) -> list[CallRecord]:
        """The latest as they may stand in an output."""
        return list(map(Withholding(self.origin.redactor()).call, self.records[-SHOWN:]))

    def _call(self, record: CallRecord) -> Call:
        return Call(record, self._annotations, self.origin.redactor)

    def _list(self, records: Sequence[CallRecord]) -> CallList:
        return CallList(records, self._annotations, self.client_of, self.origin)

    # --- writing them down ------------------------------------------------------------------------------------

    @in_one_line(FileExistsError)
    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write a recording of these calls, and of what crossed for them: `calls.save("slow")`, to be replayed, verified, sent on.

        What their clients were asked meanwhile, and answered, is in it too.

        Args:
            path: The file; without an ending it is given `.mcptraffic.jsonl`. Only its owner may read it.
            overwrite: Replace a recording that is there.

        Returns:
            Where it is. Secrets are withheld as in what `wb.record` writes.

        Raises:
            FileExistsError: Something is there.
            OSError: It cannot be written.
        """
        from mcp_workbench.exploring.writing.recordings import save

        records = self.with_what_was_asked().records
        return save(path, records, self.origin.crossed_for(records), self.origin, self._annotations, overwrite=overwrite)

    def with_what_was_asked(self) -> CallList:
        """These calls, and what their clients were asked meanwhile: questions, and exchanges that a call began with."""
        from mcp_workbench.exploring.comparing.questions import with_what_was_asked

        return self._list(with_what_was_asked(self.records, map(self._call, self.origin.calls())))

    def withheld(self) -> CallList:
        """The same calls as a recording would have them: what is secret is withheld."""
        from mcp_workbench.exploring.writing.recordings import withheld

        return self._list(list(withheld(self.records, self.origin.crossed_for(self.records), self.origin).calls()))

    @in_one_line(FileExistsError)
    def to_test(
        self,
        path: str | os.PathLike[str],
        *,
        command: Sequence[str] | None = None,
        url: str | None = None,
        volatile: Iterable[str] = (),
        overwrite: bool = False,
    ) -> Path:
        """Write a pytest file that makes these calls again and fails when a tool promises or answers something else.

        The file is short, and meant to be read and edited. Secrets are withheld as in recordings; a call that has lost one is
        skipped, and says so. Tools that change something change it again each time the file is run.

        Args:
            path: `test_x.py`.
            command: Starts the server that is tested, and it is spoken with over stdin and stdout. None: it is at the address in the
                environment variable `MCP_SERVER`, and takes the token in `MCP_SERVER_TOKEN`.
            url: The address where `MCP_SERVER` is not set; without a secret in it.
            volatile: Places in params and answers that differ every time and are not compared: `structuredContent.now`,
                `content[*].text`.
            overwrite: Replace a file that is there.

        Returns:
            Where it is.

        Raises:
            ValueError: None of these calls can be made again, there are more than 1,000, or the address or command has a secret in it.
            FileExistsError: Something is there.
        """
        from mcp_workbench.exploring.writing.files import write_test

        return write_test(Path(path), self, command=command, url=url, volatile=volatile, overwrite=overwrite)

    @in_one_line(FileExistsError)
    def to_notebook(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write a notebook that makes these calls again, at a replay of them: it needs no server and no network.

        Args:
            path: `x.ipynb`; the recording it replays is saved beside it, as `x.mcptraffic.jsonl`.
            overwrite: Replace what is there.

        Returns:
            Where it is. Secrets are withheld as in recordings.

        Raises:
            ValueError: None of these calls can be made again, or there are more than 300.
            FileExistsError: Something is there.
        """
        from mcp_workbench.exploring.writing.files import write_notebook

        return write_notebook(Path(path), self, overwrite=overwrite)

    # --- for people -----------------------------------------------------------------------------------------

    def summary(self) -> str:
        """How many, how many failed, of how many sessions."""
        failed = sum(record.failed for record in self.records)
        sessions = len({record.session_id for record in self.records})
        return f"{counted(len(self), 'call')}, {failed:,} failed, {counted(sessions, 'session')}"

    def __repr__(self) -> str:
        lines = [self.summary()]
        first = len(self) - SHOWN
        if first > 0:
            lines.append(f"… {first:,} before")
        lines += [f"[{max(0, first) + number}] {described(record)}" for number, record in enumerate(self._fit())]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        grid = "display:grid;grid-template-columns:auto auto auto fit-content(34ch) fit-content(32ch) auto auto minmax(0,1fr);gap:0 10px"
        first = max(0, len(self) - SHOWN)
        cells = [cell for number, record in enumerate(self._fit()) for cell in _row(first + number, record)]
        before = [faint(f"… {first:,} before: [i], .where(filter), .df()")] if first else []
        return framed(box("", faint(self.summary())), *before, box(grid, *cells))


def asked_for(record: CallRecord) -> str:
    """What a call was for; the method where its target alone would not say: an address is read, and subscribed to."""
    return record.target if record.target and record.method in WITH_ARGUMENTS else f"{record.method} {record.target}".strip()


def _row(number: int, record: CallRecord) -> list[str]:
    error = shown(record.error or "", 200) if record.failed else shown("; ".join(record.notes), 200)
    asked = written_arguments(record)
    return [
        faint(f"[{number}]"),
        faint(moment(record.received_at)),
        faint(record.session_id),
        name(shown(asked_for(record), 60)),
        span(f"{FAINT};{MONO};{ONE_LINE}", text(shown(asked, 80)), title=shown(asked, 1000)),
        span(f"color:{BAD};font-weight:600" if record.failed else "", text(outcome(str(record.outcome)))),
        span("text-align:right;white-space:nowrap", text(duration(record.total_ns))),
        span(f"{f'color:{BAD}' if record.failed else FAINT};{ONE_LINE}", text(error), title=error),
    ]
