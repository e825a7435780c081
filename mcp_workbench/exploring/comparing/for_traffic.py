"""The part of `wb.traffic` that compares: files become calls, options are checked, servers opened. The work is done by the neighbours."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from mcp_workbench.exploring.annotations import Annotations
from mcp_workbench.exploring.call import Call
from mcp_workbench.exploring.call_list import CallList
from mcp_workbench.exploring.comparing import comparison, consent, verification
from mcp_workbench.exploring.comparing.answers import Volatile, asks_server
from mcp_workbench.exploring.comparing.call_diff import LABELS, CallDiff
from mcp_workbench.exploring.comparing.comparison import Comparison
from mcp_workbench.exploring.comparing.contract import tools_of
from mcp_workbench.exploring.comparing.playing import Asked
from mcp_workbench.exploring.comparing.trials import Server, Trials, Version, opened
from mcp_workbench.exploring.comparing.verification import Verification
from mcp_workbench.exploring.lent import Lent
from mcp_workbench.exploring.origin import Origin
from mcp_workbench.exploring.recorded import File, Recorded, recording_of
from mcp_workbench.exploring.recording.reader import Recording
from mcp_workbench.secret import Secret, hidden
from mcp_workbench.telemetry.records import CallRecord
from mcp_workbench.wording import plain


class ComparingTraffic:
    """Compares; `Traffic` is one.

    Args:
        lent: What the Workbench lends it.
    """

    def __init__(self, lent: Lent) -> None:
        self._lent = lent

    def diff(self, a: Call, b: Call, *, volatile: Iterable[str] = ()) -> CallDiff:
        """Two calls side by side: `wb.traffic.diff(calls[0], calls[5])`.

        Args:
            a: One call, from wherever.
            b: The other.
            volatile: Places in params and answers that are not compared: `arguments.now`, `structuredContent.rows[*].id`.

        Returns:
            What differs: `.arguments`, `.result`, `.same`; shows itself.

        Raises:
            ValueError: A place cannot be read.
        """
        return CallDiff(a, b, Volatile(volatile))

    def compare(self, a: Iterable[Call] | File, b: Iterable[Call] | File, *, volatile: Iterable[str] = ()) -> Comparison:
        """Two runs of the same requests: equal ones are paired in their order; `_meta` and conversation are left out.

        Args:
            a: Calls, or a recording or where it is.
            b: The same.
            volatile: Places in params and answers that are not compared, as `diff`.

        Returns:
            A list of pairs: `.ok`, `.differing`, `.latencies` (histograms laid over each other), `.df()`; shows itself.

        Raises:
            RecordingError: A file is no recording.
            ValueError: A place cannot be read.
        """
        labels = _label(a, LABELS[0]), _label(b, LABELS[1])
        return comparison.compare(calls_of(a), calls_of(b), Volatile(volatile), labels)

    async def ab(
        self,
        calls: Sequence[Call],
        *,
        a: Version = None,
        b: Version,
        volatile: Iterable[str] = (),
        repeat: int = 1,
        destructive: str = "ask",
    ) -> Comparison:
        """The same calls against two versions of a tool, in turns: `await wb.traffic.ab(calls, a=forecast, b=faster_forecast)`.

        Args:
            calls: What is asked; of one tool where a version is a function. What cannot be asked again is left out.
            a: A function, which is served alone, with what is published here; an open session, `wb.connect(url, token=…)`, an
                address or a command; None: the answers as they were recorded.
            b: The other version.
            volatile: Places in params and answers that are not compared, as `diff`.
            repeat: How often each call is made, for histograms that say more.
            destructive: What becomes of calls of others' tools that may change something, as `verify`.

        Returns:
            As `compare`.

        Raises:
            WorkbenchError: No call can be made, or a version cannot be reached; says why.
            ValueError: A function is to answer calls of several tools, or an option makes no sense.
        """
        trials = Trials(self._lent.connect, self._lent.serve, consent.ask_person)
        asked = _asked(calls, Volatile(volatile))
        return await trials.run(calls, (a, b), asked, repeat=repeat, destructive=consent.check(destructive))

    async def verify(
        self,
        recorded: Sequence[Call] | File,
        *,
        against: Server | None = None,
        token: str | Secret | None = None,
        volatile: Iterable[str] = (),
        descriptions: bool = False,
        destructive: str = "ask",
    ) -> Verification:
        """Make the requests of a recording again at a live server, and compare contract, answers and latency.

        They are made one after the other in one session. A question that the server asks meanwhile is answered with what the
        recorded client answered to it: matched by method and params, equal ones of a call in their order. Where the recording holds
        no such answer, or withheld it, functions of the session (`wb.connect(…, on_elicit=…)`) are asked if there are any; else the
        call is in `.skipped`, as one that needs an answer that the recording does not hold, and the result is not `ok`: no answer is
        made up. What cannot be made again (a secret was withheld, for instance) is in `.skipped` with its reason, too.

        Args:
            recorded: A recording, where it is, or calls of one server: `wb.traffic.load(file).calls("side:tap")`.
            against: The server: an open session, `wb.connect(…)`, an address, a command; None: this notebook's own.
            token: Shown to an address.
            volatile: Places in params and answers that are not compared, as `diff`.
            descriptions: Whether titles and descriptions of tools belong to the contract.
            destructive: What becomes of calls of tools that may change something: `ask` the person, in a notebook (where nobody sits
                none is made, and the result is not `ok`), `skip` them, or `run` them. A tool that says nothing of its effects may.

        Returns:
            What was found: `.ok`, `.contract`, `.payloads`, `.latency`, `.skipped`, `.raise_if_different()`; shows itself.

        Raises:
            RecordingError: The file is no recording.
            WorkbenchError: There is nothing to ask again, or no server here.
            ValueError: The calls are of several servers, or an option makes no sense.
            HandshakeRefused: The server refused, for instance a wrong token.
            ConnectionClosed: Nothing listens there.
        """
        against, token = hidden(against) if isinstance(against, str) else against, hidden(token)  # first: what fails may show variables
        wish, places = consent.check(destructive), Volatile(volatile)
        calls = calls_of(recorded)
        before = tools_of(calls.origin.offered(_of_one_server(calls)).values())
        answers = _asked(calls, places).answers()
        async with opened(against, self._lent.connect, answers, token) as session:
            return await verification.verify(
                calls, before, session, answers, places, destructive=wish, ask=consent.ask_person, descriptions=descriptions
            )


def calls_of(given: Iterable[Call] | File) -> CallList:
    """Calls as a list, those of a recording read."""
    if isinstance(given, CallList):
        return given
    if isinstance(given, str | os.PathLike | Recording):
        annotations = Annotations()
        source = Recorded(recording_of(given), annotations)
        return CallList(source.calls(), annotations, None, Origin(source.sessions, source.tools, source.calls, source.messages))
    calls = list(given)
    return CallList([call.record for call in calls], Annotations(), None, Origin(redactor=calls[0].redactor) if calls else None)


def _asked(calls: Sequence[Call], volatile: Volatile) -> Asked:
    """What clients were asked in calls, and in all others that there are: a list of tools' calls has no questions in it."""
    if isinstance(calls, CallList):
        there = {id(record) for record in calls.records}
        others = [record for record in calls.origin.calls() if id(record) not in there]
        records = sorted([*calls.records, *others], key=lambda record: record.seq)
        return Asked([Call(record, Annotations()) for record in records], volatile)
    return Asked(list(calls), volatile)


def _of_one_server(calls: CallList) -> list[CallRecord]:
    """The requests among them, which went to one server.

    Raises:
        ValueError: They went to several.
    """
    asked = [record for record in calls.records if asks_server(record)]
    if len(sides := {record.side for record in asked}) > 1:
        some = ", ".join(sorted(sides))
        raise ValueError(f"these calls went to several servers ({some}): take those of one, as wb.traffic.load(file).calls('side:tap')")
    return asked


def _label(given: object, side: str) -> str:
    name = given.name if isinstance(given, Recording) else str(given) if isinstance(given, str | os.PathLike) else ""
    return f"{side}: {plain(Path(name).name)}" if name else side
