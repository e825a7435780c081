"""Whose a session is: one that is open, one that is only heard, one that has ended, and none of an earlier start."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from mcp_workbench.telemetry import SessionRecord, Telemetry
from mcp_workbench.views.feeds.sources import Sources


def record(session_id: str, since: float, client: str) -> SessionRecord:
    return SessionRecord(session_id, "websocket", "test:1", "default", since, client_name=client)


def sources() -> Sources:
    telemetry = Telemetry()
    for ended in (record("s1", 1.0, "first start"), record("tap1", 2.0, "tapped before"), record("tap1", 6.0, "tapped")):
        telemetry.record_session(ended)
    open_now = {"s1": SimpleNamespace(record=record("s1", 5.0, "second start"))}
    running = SimpleNamespace(sessions=SimpleNamespace(find=open_now.get))
    overhearing = SimpleNamespace(sessions=lambda: [record("out1", 3.0, "this notebook")])
    return Sources(cast(Any, running), cast(Any, SimpleNamespace(telemetry=telemetry, overhearing=overhearing)))


def test_a_session_is_the_one_that_had_the_id_at_that_moment() -> None:
    told = sources()
    names = [told.client_of(*asked) for asked in (("s1", 7.0), ("s1", 2.0), ("out1", 4.0), ("tap1", 7.0), ("tap1", 3.0))]
    assert names == ["second start", "first start", "this notebook", "tapped", "tapped before"]
    assert (told.session_of("s1", 0.5), told.session_of("s9", 7.0), told.client_of("s9", 7.0)) == (None, None, "")
