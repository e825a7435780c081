from __future__ import annotations

import gzip
import logging
import random
import socket
import threading

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTracePartialSuccess, ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from mcp_workbench.exploring.exports.otlp_durations import Durations
from mcp_workbench.exploring.exports.otlp_sending import Answer, Sending, Target, resource_of, target_of
from mcp_workbench.exploring.exports.otlp_spans import Spans
from mcp_workbench.secret import Secret, hidden_values
from tests.exploring.exports.collector import call, collecting, session

SCOPE = InstrumentationScope("test")
KEY = {"api-key": "k-e-y"}
UNWRITTEN = "-".join("secret")
"""Stands in no line of source that a traceback shows."""


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENDPOINT", "TRACES_ENDPOINT", "METRICS_ENDPOINT", "HEADERS", "TRACES_HEADERS", "COMPRESSION"):
        monkeypatch.delenv(f"OTEL_EXPORTER_OTLP_{name}", raising=False)


def target(
    endpoint: str | None = None, headers: dict[str, str] | None = None, *, signal: str = "traces", allow_remote: bool = False
) -> Target:
    return target_of(signal, None if endpoint is None else Secret(endpoint), hidden_values(headers), allow_remote=allow_remote)


def sending(endpoint: str, headers: dict[str, str] | None = None, timeout_s: float = 5.0) -> Sending:
    return Sending(target(endpoint, headers), target(endpoint, headers, signal="metrics"), timeout_s)


def spans(count: int = 1) -> bytes:
    made = Spans(Resource({}), SCOPE).of(call(), session())
    assert made is not None
    body: bytes = encode_spans([made] * count).SerializeToString()
    return body


# --- where to ---------------------------------------------------------------------------------------------------------


def test_a_signal_has_its_path_below_the_endpoint() -> None:
    assert target("http://localhost:4318/").place == "http://localhost:4318/v1/traces"
    assert target("https://o.example/otlp", signal="metrics").place == "https://o.example/otlp/v1/metrics"
    assert target().place == "http://localhost:4318/v1/traces"


@pytest.mark.parametrize(
    "endpoint", ["localhost:4318", "grpc://h:4317", "http://", "http://h:99999", "http://ann:pw@h", "http://h?key=k", "http://h/#f", ""]
)
def test_what_is_no_endpoint_is_refused_without_repeating_it(endpoint: str) -> None:
    with pytest.raises(ValueError, match="as http://localhost:4318") as refused:
        target(endpoint)
    assert "pw" not in str(refused.value)


def test_headers_leave_this_machine_only_encrypted_or_when_told_so() -> None:
    with pytest.raises(ValueError, match=r"unencrypted to http://o\.example/v1/traces: use https") as refused:
        target("http://o.example", KEY)
    assert "k-e-y" not in str(refused.value)
    assert target("http://o.example").headers == {}
    for safe in (target("https://o.example", KEY), target("http://[::1]:1", KEY), target("http://o.example", KEY, allow_remote=True)):
        assert safe.headers == {"api-key": Secret("k-e-y")}


def test_a_header_that_could_end_early_is_refused() -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        target("http://localhost:4318", {"api-key": "a\r\nx: y"})


def test_without_an_endpoint_the_environment_says_where_and_with_what(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "https://all.example/otlp")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "https://metrics.example/in?key=k-e-y")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=k-e-y,x=a%20b")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    assert target().place == "https://all.example/otlp/v1/traces"
    metrics = target(signal="metrics")
    assert (metrics.place, metrics.compressed) == ("https://metrics.example/in", True)
    assert metrics.headers == {"api-key": Secret("k-e-y"), "x": Secret("a b")}
    assert "k-e-y" not in repr(metrics)


def test_headers_of_the_environment_that_cannot_be_sent_are_refused_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"api-key={UNWRITTEN}%0d%0ax: y")
    with pytest.raises(ValueError, match="printable ASCII") as refused:
        target()
    assert UNWRITTEN not in str(refused.getrepr(showlocals=True))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "nothing, =x,api-key = k-e-y ,")
    assert target().headers == {"api-key": Secret("k-e-y")}


def test_no_traceback_shows_what_an_endpoint_held() -> None:
    with pytest.raises(ValueError, match="as http://localhost:4318") as refused:
        target_of("traces", Secret(f"http://ann:{UNWRITTEN}@host"), {}, allow_remote=False)
    assert UNWRITTEN not in str(refused.getrepr(showlocals=True))


def test_the_environments_headers_go_to_no_other_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=k-e-y")
    assert target("https://another.example").headers == {}


def test_an_environment_that_speaks_grpc_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://h:4317")
    with pytest.raises(ValueError, match="only OTLP over HTTP"):
        target()


def test_the_resource_is_named_by_the_environment_else_by_the_workbench(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_SERVICE_NAME", raising=False)
    assert resource_of("flights", "i1").attributes["service.name"] == "flights"
    assert resource_of("flights", "i1").attributes["service.instance.id"] == "i1"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "mine")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "team=a,service.instance.id=i2")
    named = resource_of("flights", "i1").attributes
    assert (named["service.name"], named["team"], named["service.instance.id"]) == ("mine", "a", "i2")


# --- what is sent -----------------------------------------------------------------------------------------------------


def test_spans_and_durations_arrive_with_their_headers() -> None:
    kept = Durations(0)
    kept.add(call(), session())
    with collecting() as collector:
        sender = sending(collector.endpoint, KEY)
        assert sender.send_spans(spans()) == sender.send_metrics(Resource({}), SCOPE, kept.metrics(1)) == Answer()
        assert [found.name for found in collector.spans] == ["tools/call forecast"]
        assert collector.points("mcp.server.operation.duration")[0].scale == 5
        assert {headers["api-key"] for headers in collector.headers} == {"k-e-y"}
        assert {headers["content-type"] for headers in collector.headers} == {"application/x-protobuf"}
    assert (sender.place, "k-e-y" in repr(vars(sender))) == (collector.endpoint, False)


def test_where_the_environment_asks_for_it_requests_are_compressed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    with collecting() as collector:
        collector.unpack = gzip.decompress
        assert sending(collector.endpoint).send_spans(spans()) == Answer()
        assert collector.headers[0]["content-encoding"] == "gzip"
        assert len(collector.spans) == 1


@pytest.mark.parametrize(("status", "again"), [(400, False), (401, False), (404, False), (429, True), (500, False), (503, True)])
def test_a_refusal_is_told_and_only_some_are_worth_another_try(status: int, again: bool) -> None:
    with collecting() as collector:
        collector.answers["/v1/traces"] = status
        answer = sending(collector.endpoint).send_spans(spans())
    assert answer.reason.startswith(f"HTTP {status} ")
    assert answer.again is again


def test_a_collector_may_ask_for_a_pause_of_a_minute_at_most() -> None:
    with collecting() as collector:
        collector.answers["/v1/traces"] = 429
        collector.retry_after = "7"
        assert sending(collector.endpoint).send_spans(spans()).pause_s == 7
        collector.retry_after = "86400"
        assert sending(collector.endpoint).send_spans(spans()).pause_s == 60
        collector.retry_after = "Fri, 31 Dec 1999 23:59:59 GMT"
        assert sending(collector.endpoint).send_spans(spans()).pause_s == 0


def test_headers_follow_no_redirect() -> None:
    with collecting() as elsewhere, collecting() as collector:
        collector.answers["/v1/traces"] = 302
        collector.location = f"{elsewhere.endpoint}/v1/traces"
        assert sending(collector.endpoint, KEY).send_spans(spans()).reason.startswith("HTTP 302")
        assert elsewhere.headers == []


def test_spans_that_a_collector_took_without_liking_them_are_counted() -> None:
    partial = ExportTraceServiceResponse(partial_success=ExportTracePartialSuccess(rejected_spans=1, error_message="too old"))
    with collecting() as collector:
        collector.body = partial.SerializeToString()
        assert sending(collector.endpoint).send_spans(spans(2)) == Answer("too old", rejected=1)
        collector.body = b"\xff no protobuf"
        assert sending(collector.endpoint).send_spans(spans()) == Answer()


def test_a_collector_that_is_not_there_may_come_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    answer = sending(f"http://127.0.0.1:{port}").send_spans(spans())
    assert (answer.reason, answer.again) == ("Connection refused", True)


def test_a_collector_that_does_not_answer_is_not_waited_for_for_ever() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        answer = sending(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.05).send_spans(spans())
    assert (answer.reason, answer.again) == ("no answer in time", True)


def test_what_a_collector_says_is_told_on_one_line_and_without_our_headers() -> None:
    key = "collectorsecret123456"
    with collecting() as collector:
        sender = sending(collector.endpoint, {"authorization": f"Bearer {key}"})
        partial = ExportTracePartialSuccess(rejected_spans=2, error_message=f"\x1b[31mno\n{key}" + "x" * 999)
        collector.body = ExportTraceServiceResponse(partial_success=partial).SerializeToString()
        liked = sender.send_spans(spans(2))
        partial.rejected_spans = -5
        collector.body = ExportTraceServiceResponse(partial_success=partial).SerializeToString()
        assert sender.send_spans(spans(2)) == Answer()
        collector.answers["/v1/traces"], collector.says = 400, f"\x1b[2K no {key} " + "R" * 3000
        refused = sender.send_spans(spans())
    assert liked.rejected == 2
    for answer in (liked, refused):
        assert "no" in answer.reason
        assert key not in answer.reason
        assert answer.reason.isprintable()
        assert len(answer.reason) <= 200


def test_a_collector_that_speaks_no_http_is_no_fault_of_ours() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def babble() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"SSH-2.0-x\r\n\r\n")

        thread = threading.Thread(target=babble)
        thread.start()
        answer = sending(f"http://127.0.0.1:{server.getsockname()[1]}").send_spans(spans())
        thread.join()
    assert answer.reason
    assert answer.again


def test_a_failure_prints_nothing_and_draws_no_random_number(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    before = random.getstate()
    with caplog.at_level(logging.DEBUG), collecting() as collector:
        collector.answers["/v1/traces"] = 503
        sending(collector.endpoint).send_spans(spans())
    assert [record for record in caplog.records if record.name.startswith("opentelemetry")] == []
    assert capfd.readouterr() == ("", "")
    assert random.getstate() == before
