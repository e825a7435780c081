from __future__ import annotations

from mcp_workbench.events import Era
from mcp_workbench.telemetry.printed import Printed
from mcp_workbench.telemetry.records import CallRecord, Outcome, SessionRecord
from mcp_workbench.telemetry.telemetry import Telemetry
from mcp_workbench.views.call_rows import ARGUMENTS, CallRows
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.messages import CallRow
from tests.views.rig import no_server
from tests.views.wire_log import WireLog


def record(session_id: str = "s1", at: float = 50.0) -> CallRecord:
    return CallRecord("c7", session_id, "default", Era.LEGACY, "tools/call", "add", 1, 1_000, at, 120)


def ended(session_id: str, since: float, client: str | None) -> SessionRecord:
    session = SessionRecord(session_id, "memory", "test:1", "default", since)
    session.client_name = client
    return session


def test_a_row_says_what_the_record_says() -> None:
    call = record()
    call.seq, call.started_ns, call.returned_ns, call.sent_ns = 3, 2_500, 3_000, 4_000
    call.outcome, call.code, call.error, call.job, call.printed, call.bytes_out = Outcome.RPC_ERROR, -32603, "no", "j1", Printed(), 9
    assert CallRows(no_server()).row(call) == CallRow(
        seq=3,
        at=50.0,
        method="tools/call",
        target="add",
        session="s1",
        principal="default",
        outcome="rpc_error",
        call_id="c7",
        error="no",
        code=-32603,
        wait_us=1.5,
        run_us=0.5,
        send_us=1.0,
        total_us=3.0,
        bytes_in=120,
        bytes_out=9,
        job="j1",
        printed=True,
    )
    assert CallRows(no_server()).row(record()).total_us is None


def test_the_client_is_that_of_the_session_of_its_time() -> None:
    telemetry = Telemetry()
    for since, client in ((10.0, "old"), (200.0, "new"), (210.0, None)):
        telemetry.record_session(ended("s1" if client else "s2", since, client))
    sources = no_server(telemetry)
    sources.running.since = 150.0
    rows = CallRows(sources)
    clients = [rows.row(record(session_id, at)).client for session_id, at in (("s1", 50.0), ("s1", 220.0), ("s2", 220.0), ("s9", 220.0))]
    assert clients == ["old", "new", "", ""]


def test_a_name_that_comes_later_is_found_later_and_then_remembered() -> None:
    telemetry = Telemetry()
    session = ended("s1", 0.0, None)
    telemetry.record_session(session)
    sources: Sources = no_server(telemetry)
    rows = CallRows(sources)
    assert rows.row(record()).client == ""
    session.client_name = "agent"
    assert rows.row(record()).client == "agent"
    session.client_name = "other"
    assert rows.row(record()).client == "agent"


def test_a_row_says_how_what_was_called_with_begins_where_that_is_kept_and_not_long() -> None:
    log = WireLog()
    rows = CallRows(no_server())
    assert rows.row(log.call("revenue", 1, region="EMEA", n=5)).arguments == "region='EMEA', n=5"
    assert rows.row(log.call("revenue", 2, text="x" * 300)).arguments == "text='" + "x" * (ARGUMENTS - 6)
    lost = log.call("revenue", 3, n=5)
    lost.request = None
    assert (rows.row(lost).arguments, rows.row(log.call("revenue", 4)).arguments) == ("", "")
