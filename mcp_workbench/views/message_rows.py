"""Messages of the wire as a view is told them: what they are, and a short beginning; never the whole text."""

from __future__ import annotations

from mcp_workbench.exploring.carrying import carried
from mcp_workbench.exploring.reading import read
from mcp_workbench.limits import MIB
from mcp_workbench.telemetry.messages import Direction, Message
from mcp_workbench.views.exchanges import exchanges, id_text
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.messages import MessageRow

SESSIONS = 1_000
"""Sessions of which is remembered who speaks."""
LONGEST_READ = MIB
"""Bytes; a longer text is not read for its row, for the loop would stand still."""
BEGINNING = 160
"""Characters of what a message carries."""
NAME = 300
"""Characters of a method or target."""
_CARRIED = (b'"params":', b'"result":', b'"error":')
_HEAD = 256


class MessageRows:
    """Makes rows of messages, and remembers who speaks in which session."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._since = sources.running.since
        self._speakers: dict[str, tuple[str, str]] = {}
        """Client and era, of this start of the server: ids begin anew with each."""

    def row(self, message: Message) -> MessageRow:
        """One message as a row."""
        client, era = self._speaker(message.session_id, message.at)
        out, gone = message.direction is Direction.OUT, not message.kept
        if gone or message.size > LONGEST_READ:
            return MessageRow(
                seq=message.seq,
                at=message.at,
                session=message.session_id,
                size=message.size,
                out=out,
                gone=gone,
                beginning=_beginning(message.raw),
                era=era,
                client=client,
            )
        said = read(message)
        decoded = said.decoded
        begins, belongs = ((), ()) if decoded is None else exchanges(message.direction, decoded)
        return MessageRow(
            seq=message.seq,
            at=message.at,
            session=message.session_id,
            size=message.size,
            out=out,
            kind=said.kind or "",
            id=id_text(said.id),
            method=said.method[:NAME],
            target=said.target[:NAME],
            beginning=carried(said, BEGINNING),
            era=era,
            client=client,
            begins=begins,
            belongs=belongs,
        )

    def _speaker(self, session_id: str, at: float) -> tuple[str, str]:
        if at >= self._since and (known := self._speakers.get(session_id)) is not None:
            return known
        record = self._sources.session_of(session_id, at)
        speaker = ("", "") if record is None else (record.client_name or "", record.era or "")
        if at >= self._since and all(speaker):  # else it may be known later
            if len(self._speakers) >= SESSIONS:
                self._speakers.clear()
            self._speakers[session_id] = speaker
        return speaker


def _beginning(raw: bytes) -> str:
    """How what a message carries begins that is too long to be read, or else how it begins."""
    head = raw[:_HEAD]
    found = [at + len(member) for member in _CARRIED if (at := head.find(member)) >= 0]
    begin = min(found, default=0)
    return raw[begin : begin + BEGINNING].decode("utf-8", "ignore")
