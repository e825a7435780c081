"""A collector on this machine that takes OTLP over HTTP and keeps what it was told; and records of calls to tell of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import ExponentialHistogramDataPoint, Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from mcp_workbench.events import Era
from mcp_workbench.telemetry.messages import Direction, Message
from mcp_workbench.telemetry.records import CallRecord, Outcome, SessionRecord, Side


class Collector:
    """What it was told, in the order it came."""

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"
        self.answers: dict[str, int] = {}
        """Path -> HTTP status it answers with; 200 where none is named."""
        self.retry_after = self.location = self.says = ""
        self.body = b""
        self.unpack: Callable[[bytes], bytes] = bytes
        self.took = threading.Event()
        """Set by each request."""
        self.headers: list[dict[str, str]] = []
        self.traces: list[ExportTraceServiceRequest] = []
        self.metric_requests: list[ExportMetricsServiceRequest] = []

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        status = self.answers.get(path, 200)
        self.headers.append(headers)
        body = self.unpack(body)
        if status == 200 and path == "/v1/traces":
            self.traces.append(ExportTraceServiceRequest.FromString(body))
        elif status == 200 and path == "/v1/metrics":
            self.metric_requests.append(ExportMetricsServiceRequest.FromString(body))
        return status

    @property
    def spans(self) -> list[Span]:
        scopes = [scope for request in self.traces for resource in request.resource_spans for scope in resource.scope_spans]
        return [span for scope in scopes for span in scope.spans]

    @property
    def metrics(self) -> dict[str, Metric]:
        """Of the latest request, by name."""
        (resource,) = self.metric_requests[-1].resource_metrics
        return {metric.name: metric for scope in resource.scope_metrics for metric in scope.metrics}

    @property
    def resource(self) -> dict[str, Any]:
        return told(self.traces[-1].resource_spans[0].resource.attributes)

    def points(self, name: str) -> list[ExponentialHistogramDataPoint]:
        return list(self.metrics[name].exponential_histogram.data_points)


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector while a test tells it something."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = collector.take(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(status, collector.says or None)
            for name, value in (("Retry-After", collector.retry_after), ("Location", collector.location)):
                if value:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(collector.body)
            collector.took.set()

        do_GET = do_POST  # noqa: N815  # the name that http.server looks for

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(server.server_port)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()


def told(attributes: Any) -> dict[str, Any]:
    """Attributes of OTLP as a dict."""
    values: dict[str, Any] = {}
    one: KeyValue
    for one in attributes:
        values[one.key] = getattr(one.value, str(one.value.WhichOneof("value")))
    return values


def session(transport: str = "websocket", remote: str = "127.0.0.1:51234") -> SessionRecord:
    return SessionRecord("s1", transport, remote, "default", 1.0, protocol_version="2025-11-25", era=Era.LEGACY)


def call(
    method: str = "tools/call",
    target: str = "forecast",
    *,
    outcome: Outcome = Outcome.OK,
    code: int | None = None,
    side: Side = Side.SERVER,
    direction: Direction = Direction.IN,
    request: bytes = b"",
    answer: bytes = b"",
    tool_version: str | None = "v1",
    total_ns: int | None = 3_000_000,
    request_id: str | int = 7,
) -> CallRecord:
    """A call that ended."""
    record = CallRecord("c1", "s1", "default", Era.LEGACY, method, target, request_id, 1_000, 1_700_000_000.0, len(request))
    record.outcome, record.code, record.side, record.direction, record.tool_version = outcome, code, side, direction, tool_version
    record.sent_ns = None if total_ns is None else 1_000 + total_ns
    record.request = Message("s1", direction, 1_000, 1_700_000_000.0, len(request), request)
    record.answer = Message("s1", direction, 1_000, 1_700_000_000.0, len(answer), answer)
    return record
