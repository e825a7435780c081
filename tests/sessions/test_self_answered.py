"""Handshakes, pings and refused requests are calls with a record, and take no place from what wants something."""

from __future__ import annotations

import json

import pytest

from mcp_workbench.events import Era
from mcp_workbench.telemetry.records import CallRecord, Outcome
from tests.sessions.rig import Rig, request
from tests.support.protocol import META


def told(record: CallRecord) -> tuple[object, ...]:
    return record.method, record.target, record.request_id, record.outcome, record.code


@pytest.mark.parametrize(("version", "era"), [("2025-11-25", Era.LEGACY), ("modern", Era.MODERN)])
def test_the_opening_is_a_call_with_times_sizes_and_texts_and_without_a_run(version: str, era: Era) -> None:
    rig = Rig(version=version)
    [opening] = rig.telemetry.calls()
    assert opening.method == ("initialize" if era is Era.LEGACY else "server/discover")
    assert (opening.session_id, opening.principal, opening.era, opening.outcome) == ("s1", "default", era, Outcome.OK)
    assert (opening.wait_ns, opening.run_ns, opening.started_ns) == (None, None, None)
    assert opening.total_ns is not None
    assert opening.request is not None
    assert opening.answer is not None
    assert (opening.bytes_in, opening.bytes_out) == (opening.request.size, opening.answer.size)
    assert json.loads(opening.answer.raw)["id"] == opening.request_id
    assert rig.session.record.calls == 0, "nobody has called anything"


def test_pings_and_refusals_are_calls_with_their_code_and_sentence() -> None:
    rig = Rig()
    rig.channel.deliver(request(1, "ping"))
    rig.channel.deliver(request(2, "no/such"))
    rig.channel.deliver(request(3, "tools/call", name=7))
    rig.channel.deliver(request(4, "resources/read", uri="note://x", _meta=META))
    _, ping, unknown, broken, modern = rig.telemetry.calls()
    assert told(ping) == ("ping", "", 1, Outcome.OK, None)
    assert told(unknown) == ("no/such", "", 2, Outcome.RPC_ERROR, -32601)
    assert told(broken) == ("tools/call", "", 3, Outcome.RPC_ERROR, -32602)
    assert told(modern)[:4] == ("resources/read", "note://x", 4, Outcome.RPC_ERROR)
    assert "Method not found: no/such" in (unknown.error or "")
    assert rig.session.record.calls == 0


def test_a_revision_that_is_not_spoken_is_a_call_of_the_modern_era_that_was_refused() -> None:
    rig = Rig(version="")
    meta = META | {"io.modelcontextprotocol/protocolVersion": "2099-01-01"}
    rig.channel.deliver(request("d", "server/discover", _meta=meta))
    [refused] = rig.telemetry.calls()
    assert (told(refused), refused.era) == (("server/discover", "", "d", Outcome.RPC_ERROR, -32022), Era.MODERN)
    assert refused.error == "Unsupported protocol version"


def test_in_a_batch_each_is_a_call_and_the_last_one_has_the_array() -> None:
    rig = Rig(version="2025-03-26")
    rig.channel.deliver(b"[" + request(1, "ping") + b"," + request(2, "ping") + b"]")
    _, first, second = rig.telemetry.calls()
    assert first.request is second.request
    assert (first.answer, first.bytes_out > 0) == (None, True)
    assert second.answer is not None
    assert len(json.loads(second.answer.raw)) == 2


def test_what_is_no_request_is_no_call() -> None:
    rig = Rig()
    for text in (b"{", b'{"jsonrpc":"2.0","id":7}', b'{"jsonrpc":"2.0","method":"notifications/cancelled"}'):
        rig.channel.deliver(text)
    assert [record.method for record in rig.telemetry.calls()] == ["initialize"]


def test_of_names_of_any_length_only_the_beginning_is_kept() -> None:
    rig = Rig()
    rig.channel.deliver(request(1, "x" * 10_000))
    rig.channel.deliver(request(2, "resources/read", uri="y" * 10_000, _meta=META))
    _, method, target = rig.telemetry.calls()
    assert (len(method.method), len(target.target)) == (300, 300)


def test_the_figures_of_tools_are_those_of_tools() -> None:
    rig = Rig()
    rig.channel.deliver(request(1, "ping"))
    rig.channel.deliver(request(2, "tools/call", name=7))
    rig.call(3, "inline")
    telemetry = rig.telemetry
    assert [(row.n, row.errors) for row in telemetry.by_tool()] == [(1, 0)]
    assert {row.name: row.n for row in telemetry.by_method()} == {"initialize": 1, "ping": 1, "tools/call": 2}
    sums = telemetry.statistics()
    assert (sums.calls, sums.formalities, rig.session.record.calls) == (4, 2, 1)
    [column] = telemetry.heatmap("", telemetry.calls()[-1].ended_at)
    assert (sum(count for _, count in column.cells), column.failed) == (1, 0)
