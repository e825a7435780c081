"""Who spoke, as a list that shows itself: sessions of this server, of this notebook as a client, through taps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

from mcp_workbench.exploring.message_list import item_at
from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.exploring.withholding import Withholding
from mcp_workbench.markup import BAD, box, faint, framed, name, span, text
from mcp_workbench.telemetry.records import SessionRecord
from mcp_workbench.wording import counted, moment, shown

SHOWN = 50


class SessionList(Sequence[SessionRecord]):
    """Sessions, in the order in which they came.

    Args:
        sessions: In any order.
        redactor: Makes what withholds secrets from outputs.
    """

    def __init__(self, sessions: Sequence[SessionRecord], redactor: Callable[[], Redactor] = Redactor) -> None:
        self._sessions = sorted(sessions, key=lambda session: session.since)
        self._redactor = redactor

    def __len__(self) -> int:
        return len(self._sessions)

    @overload
    def __getitem__(self, at: int) -> SessionRecord: ...

    @overload
    def __getitem__(self, at: slice) -> SessionList: ...

    def __getitem__(self, at: int | slice) -> SessionRecord | SessionList:
        """One session, or a part of the list.

        Raises:
            IndexError: There is none at that place.
        """
        if isinstance(at, slice):
            return SessionList(self._sessions[at], self._redactor)
        return item_at(self._sessions, at, "session")

    def _rows(self) -> list[tuple[str, ...]]:
        """The latest as they may stand in an output."""
        fit = Withholding(self._redactor())
        return [_row(session, fit) for session in self._sessions[-SHOWN:]]

    def __repr__(self) -> str:
        lines = [f"{session:>6}  {', '.join(part for part in rest if part)}" for session, *rest in self._rows()]
        return "\n".join([counted(len(self), "session"), *self._before(), *lines])

    def _repr_html_(self) -> str:
        grid = "display:grid;grid-template-columns:repeat(7,auto) minmax(0,1fr);gap:0 12px"
        cells = [cell for row in self._rows() for cell in (name(row[0]), *map(faint, row[1:-1]), span(f"color:{BAD}", text(row[-1])))]
        return framed(box("", faint(counted(len(self), "session"))), *map(faint, self._before()), box(grid, *cells))

    def _before(self) -> list[str]:
        return [f"… {len(self) - SHOWN:,} before: [i]"] if len(self) > SHOWN else []


def _row(session: SessionRecord, fit: Withholding) -> tuple[str, ...]:
    """Id, side, client, how, as whom, how long, how much, and what went wrong."""
    client = " ".join(filter(None, (session.client_name, session.client_version)))
    how = f"{session.transport}, {session.era or 'no request yet'}" if session.transport else str(session.era or "")
    lasts = "lasts" if session.until is None else f"to {moment(session.until)}"
    since = f"{moment(session.since)} {lasts}" if session.since else ""
    much = f"{session.messages_in:,} in, {session.messages_out:,} out" if session.messages_in or session.messages_out else ""
    wrong = "" if session.close_code in (None, 1000, 1001) else f"closed with {session.close_code} {session.close_reason}".strip()
    words = (str(session.side), client, how, f"as {session.principal}" if session.principal else "", since, much, wrong)
    return (session.session_id, *(shown(fit.text(each), 80) for each in words))
