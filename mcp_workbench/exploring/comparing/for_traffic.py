"""What `wb.traffic` compares with: files become calls, options are checked, servers opened. The work is done by the neighbours."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_workbench.errors import WorkbenchError
from mcp_workbench.exploring.annotations import Annotations
from mcp_workbench.exploring.call import Call
from mcp_workbench.exploring.call_list import CallList
from mcp_workbench.exploring.comparing import comparison, consent, verification
from mcp_workbench.exploring.comparing.answers import Volatile, asks_server
from mcp_workbench.exploring.comparing.call_diff import LABELS, CallDiff
from mcp_workbench.exploring.comparing.comparison import Comparison
from mcp_workbench.exploring.comparing.contract import tools_of
from mcp_workbench.exploring.comparing.trials import Server, Trials, Version, opened
from mcp_workbench.exploring.comparing.verification import Verification
from mcp_workbench.exploring.origin import Origin
from mcp_workbench.exploring.recorded import File, Recorded, recording_of
from mcp_workbench.exploring.recording.reader import Recording
from mcp_workbench.secret import Secret
from mcp_workbench.wording import plain

if TYPE_CHECKING:
    from mcp_workbench.exploring.lent import Lent


def diff(a: Call, b: Call, volatile: Iterable[str]) -> CallDiff:
    """As `Traffic.diff`."""
    return CallDiff(a, b, Volatile(volatile))


def compare(a: Iterable[Call] | File, b: Iterable[Call] | File, volatile: Iterable[str]) -> Comparison:
    """As `Traffic.compare`."""
    labels = _label(a, LABELS[0]), _label(b, LABELS[1])
    return comparison.compare(calls_of(a), calls_of(b), Volatile(volatile), labels)


async def ab(
    lent: Lent, calls: Sequence[Call], versions: tuple[Version, Version], volatile: Iterable[str], *, repeat: int, destructive: str
) -> Comparison:
    """As `Traffic.ab`."""
    trials = Trials(lent.connect, lent.serve, consent.ask_person)
    return await trials.run(calls, versions, Volatile(volatile), repeat=repeat, destructive=consent.check(destructive))


async def verify(
    lent: Lent,
    recorded: Sequence[Call] | File,
    against: Server | None,
    token: Secret | None,
    volatile: Iterable[str],
    *,
    descriptions: bool,
    destructive: str,
) -> Verification:
    """As `Traffic.verify`."""
    wish, places = consent.check(destructive), Volatile(volatile)
    calls = calls_of(recorded)
    asked = [call.record for call in calls if asks_server(call.record)]
    if len(sides := {record.side for record in asked}) > 1:
        some = ", ".join(sorted(sides))
        raise ValueError(f"these calls went to several servers ({some}): take those of one, as wb.traffic.load(file).calls('side:tap')")
    if against is None and lent.connect is None:
        raise WorkbenchError("a recording has no server of its own: say against=, an address or an open session")
    before = tools_of(calls.origin.offered(asked).values())
    async with opened(against, lent.connect, token) as session:
        return await verification.verify(
            calls, before, session, places, destructive=wish, ask=consent.ask_person, descriptions=descriptions
        )


def calls_of(given: Iterable[Call] | File) -> CallList:
    """Calls as a list, those of a recording read."""
    if isinstance(given, CallList):
        return given
    if isinstance(given, str | os.PathLike | Recording):
        annotations = Annotations()
        source = Recorded(recording_of(given), annotations)
        return CallList(source.calls(), annotations, None, Origin(source.sessions, source.tools, source.calls))
    return CallList([call.record for call in given], Annotations())


def _label(given: object, side: str) -> str:
    name = given.name if isinstance(given, Recording) else str(given) if isinstance(given, str | os.PathLike) else ""
    return f"{side}: {plain(Path(name).name)}" if name else side
