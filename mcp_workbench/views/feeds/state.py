"""What is served, and what to paste so that a host finds it."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

import msgspec

from mcp_workbench.pasting import CLIENTS, TITLES, config
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.messages import Message, Snippet, State, Watch

COUNTERS_S = 1.0
"""Where nothing but counters has changed, told this often at most."""

_name_of = attrgetter("name")
_COUNTERS = {"calls": 0, "bytes_in": 0, "bytes_out": 0}


class StateFeed:
    """Tells the state, whole, when it has changed."""

    panel = "connect"

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._connect = snippets(sources.running.settings.port or None)
        self._told: State | None = None
        self._told_at = 0.0

    def watch(self, wanted: Watch) -> None:
        """It is always the whole."""

    def look(self, now: float, *, last: bool = False) -> Iterable[Message]:
        """The state, where it is another than the last."""
        state, told = self._state(), self._told
        if state == told:
            return ()
        soon = abs(now - self._told_at) < COUNTERS_S  # not for ever either, where the clock was set back
        if told is not None and soon and not last and _but_counters(state) == _but_counters(told):
            return ()
        self._told, self._told_at = state, now
        return (state,)

    def _state(self) -> State:
        offer, running = self._sources.offer, self._sources.running
        telemetry = offer.telemetry
        sums = telemetry.statistics()
        return State(
            name=running.name,
            url=running.url,
            since=running.since,
            tools=tuple(map(_name_of, offer.tools.list())),
            resources=tuple(resource.uri for resource in offer.resources.list()),
            prompts=tuple(map(_name_of, offer.prompts.list())),
            dataframes=tuple(offer.dataframes.names()),
            principals=offer.credentials.names(),
            notices=tuple(running.notices),
            failed=telemetry.failed,
            mistakes=telemetry.mistaken,
            calls=sums.calls - sums.formalities,
            bytes_in=sums.bytes_in,
            bytes_out=sums.bytes_out,
            connect=self._connect,
        )


def snippets(port: int | None) -> tuple[Snippet, ...]:
    """How each host is connected: the first thing to paste, which is all that it needs.

    Args:
        port: The fixed port, if there is one.
    """
    found = []
    for client in CLIENTS:
        host = config(client, port=port)
        first = host.pastes[0]
        found.append(Snippet(client=client, title=TITLES[client], what=first.what, text=first.text, then=host.then))
    return tuple(found)


def _but_counters(state: State) -> State:
    return msgspec.structs.replace(state, **_COUNTERS)
