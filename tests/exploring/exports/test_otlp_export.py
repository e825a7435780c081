from __future__ import annotations

import asyncio
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import ExponentialHistogramDataPoint
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from opentelemetry.sdk.metrics.export import Metric
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

import mcp_workbench as wb
from mcp_workbench.errors import WorkbenchError
from mcp_workbench.exploring.exports import otlp_export
from mcp_workbench.exploring.exports.otlp_export import BATCH, OtelExport, Sources
from mcp_workbench.exploring.exports.otlp_sending import Answer
from mcp_workbench.telemetry.records import CallRecord, Side
from mcp_workbench.telemetry.telemetry import Telemetry
from tests.exploring.exports.collector import Collector, call, collecting, session, told

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
DOWN = Answer("Connection refused", again=True)


class Sent:
    """Takes what an export sends, and answers as it was told to."""

    place = "http://collector"

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.batches: list[int] = []
        self.metrics: list[Metric] = []
        self.to_spans = self.to_metrics = Answer()
        self.asked = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()

    def send_spans(self, body: bytes) -> Answer:
        self.asked.set()
        assert self.may_answer.wait(10)
        request = ExportTraceServiceRequest.FromString(body)
        spans = [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
        self.batches.append(len(spans))
        if not self.to_spans.reason:
            self.spans.extend(spans)
        return self.to_spans

    def send_metrics(self, resource: Resource, scope: InstrumentationScope, metrics: Sequence[Metric]) -> Answer:
        if not self.to_metrics.reason:
            self.metrics = list(metrics)
        return self.to_metrics


class Following:
    """An export of a memory into which the test writes."""

    def __init__(self, export: Callable[[Sources, Sent], OtelExport], records: int) -> None:
        self.telemetry = Telemetry(records)
        self.told: list[str] = []
        self.sent = Sent()
        self.export = export(Sources(lambda: self.telemetry, lambda: None, lambda _: session(), self.told.append), self.sent)

    def end(self, *calls: CallRecord) -> None:
        for one in calls:
            self.telemetry.record(one)


@contextmanager
def following(*, records: int = 50_000, every_s: float = 3600.0, sides: frozenset[Side] = otlp_export.SIDES) -> Iterator[Following]:
    made = Following(lambda sources, sent: OtelExport(sources, sent, service="x", every_s=every_s, sides=sides), records)
    try:
        yield made
    finally:
        made.sent.may_answer.set()
        made.export.stop()


def calls(count: int) -> list[CallRecord]:
    return [call(request_id=number) for number in range(count)]


def test_each_call_is_told_of_once_in_the_order_in_which_they_ended() -> None:
    with following() as made:
        made.end(*calls(3))
        assert made.export.flush()
        made.end(call(target="last"))
        assert made.export.flush()
        assert made.export.flush()
        names = [span.name for span in made.sent.spans]
    assert names == ["tools/call forecast"] * 3 + ["tools/call last"]
    assert made.export.status.spans == 4


def test_calls_that_ended_before_it_began_are_not_told_of() -> None:
    telemetry = Telemetry()
    telemetry.record(call(target="before"))
    sent = Sent()
    export = OtelExport(Sources(lambda: telemetry, lambda: None, lambda _: None, print), sent, service="x", every_s=3600)
    telemetry.record(call(target="after"))
    export.stop()
    assert [span.name for span in sent.spans] == ["tools/call after"]


def test_what_ended_last_is_sent_when_it_is_stopped() -> None:
    with following() as made:
        made.end(*calls(2))
    assert len(made.sent.spans) == 2
    assert made.export.status.state == "stopped"
    made.export.stop()
    assert not made.export.flush()


def test_many_calls_are_sent_in_batches() -> None:
    with following() as made:
        made.end(*calls(BATCH + 5))
        assert made.export.flush()
        assert sum(made.sent.batches) == BATCH + 5
        assert max(made.sent.batches) <= BATCH


def test_a_collector_that_is_down_is_told_of_once_and_gets_everything_when_it_is_back() -> None:
    with following() as made:
        made.sent.to_spans = made.sent.to_metrics = DOWN
        for _ in range(3):
            made.end(call())
            assert not made.export.flush()
        assert len(made.told) == 1
        assert made.told[0].startswith("http://collector does not take what is exported to it (Connection refused); traffic goes on")
        assert (made.export.status.state, made.export.status.waiting) == ("not taken (Connection refused)", 3)
        made.sent.to_spans = made.sent.to_metrics = Answer()
        assert made.export.flush()
        status = made.export.status
        assert (status.state, status.spans, status.lost, status.waiting) == ("exporting", 3, 0, 0)
        assert [point.count for metric in made.sent.metrics for point in metric.data.data_points if hasattr(point, "count")] == [3]


def test_what_finds_no_room_to_wait_is_counted_and_its_duration_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp_export, "MAX_WAITING", 5)
    with following() as made:
        made.sent.to_spans = DOWN
        made.end(*calls(8))
        made.export.flush()
        assert (made.export.status.waiting, made.export.status.lost) == (5, 3)
        assert "3 lost" in repr(made.export)
        assert [point.count for metric in made.sent.metrics for point in metric.data.data_points if hasattr(point, "count")] == [8]


def test_spans_that_were_refused_for_good_are_not_sent_again() -> None:
    with following() as made:
        made.sent.to_spans = Answer("HTTP 400 Bad Request")
        made.end(*calls(2))
        assert not made.export.flush()
        made.export.flush()
        assert (made.sent.batches, made.export.status.lost) == ([2], 2)


def test_a_collector_that_takes_only_durations_gets_them() -> None:
    with following() as made:
        made.sent.to_spans = Answer("HTTP 404 Not Found")
        made.end(call())
        made.export.flush()
        assert made.export.status.metrics == 1


def test_spans_that_were_taken_and_not_liked_count_as_lost() -> None:
    with following() as made:
        made.sent.to_spans = Answer("too old", rejected=2)
        made.end(*calls(3))
        assert not made.export.flush()
        assert (made.export.status.spans, made.export.status.lost) == (1, 2)


def test_calls_that_left_the_memory_unseen_are_counted() -> None:
    with following(records=10) as made:
        made.sent.may_answer.clear()
        made.end(call())
        flushing = threading.Thread(target=made.export.flush)
        flushing.start()
        assert made.sent.asked.wait(10)  # it waits for the collector and cannot look
        made.end(*calls(25))
        made.sent.may_answer.set()
        flushing.join()
        assert made.export.flush()
        assert (made.export.status.spans, made.export.status.missed) == (11, 15)


def test_calls_go_on_while_a_collector_keeps_it_waiting_and_stopping_does_not_wait_for_ever() -> None:
    with following() as made:
        made.sent.may_answer.clear()
        made.end(call())
        thread = made.export._thread
        flushing = threading.Thread(target=made.export.flush, args=(0.01,))
        flushing.start()
        assert made.sent.asked.wait(10)
        flushing.join()
        made.end(*calls(3))
        made.export.stop(timeout_s=0.01)
        assert not made.export.exporting
        made.sent.may_answer.set()
        thread.join()
        assert made.sent.batches == [1]


def test_a_memory_that_was_exchanged_is_followed_from_its_beginning() -> None:
    with following() as made:
        made.end(*calls(2))
        made.export.flush()
        made.telemetry = Telemetry()
        made.end(call(target="new"))
        made.export.flush()
        assert [span.name for span in made.sent.spans][-1] == "tools/call new"


def test_taps_are_told_of_only_when_asked_for() -> None:
    with following() as made:
        made.end(call(side=Side.TAP), call(side=Side.CLIENT))
        made.export.flush()
        assert [told(span.attributes)["mcp_workbench.side"] for span in made.sent.spans] == ["client"]
    with following(sides=frozenset(Side)) as made:
        made.end(call(side=Side.TAP))
        made.export.flush()
        assert len(made.sent.spans) == 1


def test_a_fault_of_ours_ends_the_export_and_is_told() -> None:
    with following() as made:
        made.sent.send_spans = _fail  # type: ignore[method-assign]  # a fault that there is not
        made.end(call())
        assert not made.export.flush(timeout_s=0.05)
        made.export._thread.join()
        assert not made.export.exporting
        assert "has ended by a fault of mcp-workbench" in made.told[0]


def _fail(body: bytes) -> Answer:
    raise AssertionError("a fault")


# --- of a Workbench -----------------------------------------------------------------------------------------------------


def test_a_session_with_a_real_server_arrives_at_a_real_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_SERVICE_NAME", raising=False)
    workbench = wb.Workbench(name="flights")

    @workbench.tool
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    @workbench.tool
    def fail() -> None:
        """Fail."""
        raise wb.ToolError("hunter2")

    notebook = wb.Workbench(name="another")
    workbench.start()
    try:
        with collecting() as collector:
            with notebook.export_otel(collector.endpoint, headers={"api-key": "k-e-y"}) as asking:
                with workbench.export_otel(collector.endpoint) as export:
                    asyncio.run(_talk(notebook, workbench))
                    assert export.flush()
                _look_at_what_the_server_told(collector, workbench)
                assert asking.flush()
            (client,) = (span for span in collector.spans if (span.name, span.kind) == ("tools/call add", Span.SPAN_KIND_CLIENT))
            attributes = told(client.attributes)
            assert client.trace_id.hex() == TRACE
            assert (attributes["server.address"], attributes["server.port"]) == ("127.0.0.1", urlsplit(workbench.url).port)
            assert collector.points("mcp.client.operation.duration")
            assert "k-e-y" not in repr(asking) + repr(vars(asking))
    finally:
        workbench.stop()


def _look_at_what_the_server_told(collector: Collector, workbench: wb.Workbench) -> None:
    spans = {span.name: span for span in collector.spans}
    added, failed = spans["tools/call add"], spans["tools/call fail"]
    assert (added.trace_id.hex(), added.parent_span_id.hex(), added.kind) == (TRACE, PARENT, Span.SPAN_KIND_SERVER)
    attributes = told(added.attributes)
    assert (attributes["network.protocol.name"], attributes["mcp.protocol.version"]) == ("websocket", "2025-11-25")
    assert (failed.status.code, told(failed.attributes)["error.type"]) == (Status.STATUS_CODE_ERROR, "tool_error")
    counted = {told(point.attributes).get("gen_ai.tool.name"): point for point in collector.points("mcp.server.operation.duration")}
    ours = workbench.telemetry.histogram("add")
    assert (counted["add"].count, counted["fail"].count) == (1, 1)
    assert counted["add"].sum == pytest.approx(ours.sum_ns / 1e9)
    assert buckets(counted["add"]) == ours.buckets
    assert collector.resource["service.name"] == "flights"
    assert b"hunter2" not in b"".join(request.SerializeToString() for request in collector.traces)


async def _talk(notebook: wb.Workbench, workbench: wb.Workbench) -> None:
    async with notebook.connect(workbench.url, token=workbench.token, era="legacy") as session:
        meta = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
        await session.request("tools/call", {"name": "add", "arguments": {"a": 1, "b": 2}, "_meta": meta})
        assert (await session.call_tool("fail")).is_error


def buckets(point: ExponentialHistogramDataPoint) -> dict[int, int]:
    return {point.positive.offset + at: count for at, count in enumerate(point.positive.bucket_counts) if count}


def test_payloads_are_told_when_asked_for_and_without_their_secrets() -> None:
    workbench = wb.Workbench(name="flights")

    @workbench.tool
    def forecast(city: str, password: str, plan: str) -> str:
        """Forecast."""
        return f"{city}: sunny for {password} and {plan}"

    workbench.start()
    try:
        with collecting() as collector, workbench.export_otel(collector.endpoint, payloads=True, redact=["plan"]) as export:
            asyncio.run(_forecast(workbench))
            assert export.flush()
            (span,) = (span for span in collector.spans if span.name == "tools/call forecast")
    finally:
        workbench.stop()
    attributes = told(span.attributes)
    assert "Oslo" in attributes["gen_ai.tool.call.arguments"]
    assert "Oslo: sunny for ‹redacted:" in attributes["gen_ai.tool.call.result"]
    assert not {word for word in ("correct-horse", "plan-number-9") if word in repr(attributes)}


async def _forecast(workbench: wb.Workbench) -> None:
    async with workbench.connect() as session:
        await session.call_tool("forecast", city="Oslo", password="correct-horse", plan="plan-number-9")


def test_times_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match=r"seconds above 0, got 0 and 10\.0"):
        wb.Workbench().export_otel(every_s=0)


def test_without_its_packages_the_line_that_installs_them_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp_workbench.exploring.exports.otlp_export", None)
    with pytest.raises(WorkbenchError, match=re.escape('pip install ".[otel]"')):
        wb.Workbench().export_otel()


def test_names_ids_and_addresses_are_told_without_their_secrets() -> None:
    secret = "hunter22xyz"
    with following() as made:
        made.end(
            call(target="sk-abcdefghijklmnop123456"),
            call(method=f"password={secret}", target=""),
            call(method="resources/read", target=f"db://bob:{secret}@h/x;password={secret}/y"),
            call(request_id=f"password={secret}"),
        )
        assert made.export.flush()
        told = "\n".join(str(each) for each in (*made.sent.spans, *made.sent.metrics))
    assert secret not in told
    assert "abcdefghijklmnop" not in told
    assert "db://" in told
    assert "tools/call ‹redacted:" in made.sent.spans[0].name


def test_a_collector_that_rejects_more_than_it_was_sent_makes_no_more_lost() -> None:
    with following() as made:
        made.sent.to_spans = Answer("no", rejected=2**40)
        made.end(*calls(3))
        made.export.flush()
        assert (made.export.status.spans, made.export.status.lost) == (0, 3)
