"""Call records as a view is told them."""

from __future__ import annotations

from mcp_workbench.exploring.call import written_arguments
from mcp_workbench.telemetry.records import CallRecord
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.messages import CallRow

CLIENTS = 1_000
"""Sessions of which the client's name is remembered."""
NOTE = 120
"""Characters of an annotation."""
ARGUMENTS = 160
"""Characters of what a call was called with."""


class CallRows:
    """Makes rows of records, and remembers who the sessions' clients are."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._since = sources.running.since
        self._annotations = sources.offer.annotations
        self._clients: dict[str, str] = {}
        """Of this start of the server: ids begin anew with each."""

    def row(self, call: CallRecord) -> CallRow:
        """One call as a row."""
        session_id, at = call.session_id, call.received_at
        if at < self._since:
            client = self._sources.client_of(session_id, at)
        else:
            client = self._clients.get(session_id) or self._client(session_id, at)
        return CallRow(
            seq=call.seq,
            at=at,
            method=call.method,
            target=call.target,
            session=session_id,
            principal=call.principal,
            outcome=call.outcome.value,
            client=client,
            call_id=call.call_id,
            error=call.error or "",
            code=call.code or 0,
            wait_us=_us(call.wait_ns),
            run_us=_us(call.run_ns),
            send_us=_us(call.send_ns),
            total_us=_us(call.total_ns),
            bytes_in=call.bytes_in,
            bytes_out=call.bytes_out,
            job=call.job or "",
            printed=call.printed is not None,
            note=self._note(call),
            arguments=written_arguments(call)[:ARGUMENTS],
        )

    def _note(self, call: CallRecord) -> str:
        notes = self._annotations.of(call)
        return notes[-1][:NOTE] if notes else ""

    def _client(self, session_id: str, at: float) -> str:
        client = self._sources.client_of(session_id, at)
        if client:  # else it may say so later
            if len(self._clients) >= CLIENTS:
                self._clients.clear()
            self._clients[session_id] = client
        return client


def _us(ns: int | None) -> float | None:
    return None if ns is None else ns / 1000
