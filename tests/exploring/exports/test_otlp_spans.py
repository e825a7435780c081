from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanKind, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from mcp_workbench.exploring.exports.otlp_spans import MAX_PAYLOAD, Spans, parent_of
from mcp_workbench.jsonrpc import encode_request, encode_result
from mcp_workbench.telemetry.messages import Direction
from mcp_workbench.telemetry.records import JOB, CallRecord, Outcome, Side
from tests.exploring.exports.collector import call, session

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


class Withholding:
    """Withholds the word `hunter2`; what is marked so cannot be looked into."""

    def message(self, raw: bytes, session: str = "") -> bytes:
        if b"unreadable" in raw:
            raise ValueError("withheld")
        return raw.replace(b"hunter2", b"...")


def request(meta: dict[str, str], request_id: int = 7) -> bytes:
    return encode_request(request_id, "tools/call", {"name": "forecast", "arguments": {"key": "hunter2"}, "_meta": meta})


def spans(withholding: Withholding | None = None) -> Spans:
    return Spans(Resource({}), InstrumentationScope("test"), withholding)


def span_of(record: CallRecord, withholding: Withholding | None = None) -> ReadableSpan:
    span = spans(withholding).of(record, session())
    assert span is not None
    return span


def test_a_call_is_the_child_of_the_span_its_request_names() -> None:
    span = span_of(call(request=request({"traceparent": TRACEPARENT, "tracestate": "rojo=1"})))
    assert span.parent is not None
    assert (format(span.parent.trace_id, "032x"), format(span.parent.span_id, "016x")) == (TRACE, PARENT)
    assert span.parent.is_remote
    assert span.context.trace_id == span.parent.trace_id
    assert span.context.span_id != span.parent.span_id
    assert span.context.trace_state.get("rojo") == "1"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00-x",
        TRACEPARENT.upper(),
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{PARENT}-01",
        f"{TRACEPARENT}-x",
    ],
)
def test_what_is_no_traceparent_makes_a_trace_of_its_own(header: str) -> None:
    span = span_of(call(request=request({"traceparent": header})))
    assert span.parent is None
    assert span.context.is_valid


STATES = (
    *("rojo=1", "", "rojo=1, congo=t61rcWkgMzE ", "a@b=1,,", "a=b\x1b[2K\rIn [7]: run\n", "a", "=1", "A=1", "a=1,a=2", "a=b=c", "ä=1"),
    *("a=" + "b" * 600, ",".join(f"a{number}=1" for number in range(33)), "," * 500, "a= ", "a=é"),
)


@pytest.mark.parametrize("state", STATES)
def test_a_tracestate_is_taken_whole_or_not_at_all_and_nothing_of_it_is_logged(state: str, caplog: pytest.LogCaptureFixture) -> None:
    found = parent_of(request({"traceparent": TRACEPARENT, "tracestate": state}), 7)
    assert found is not None
    assert (len(found.trace_state) > 0) is (state in STATES[:4] and state != "")
    assert caplog.records == []


@given(st.text(alphabet="ab01,=@ -*/\t\x1b\n", max_size=40), st.text(max_size=100))
def test_opentelemetrys_own_reader_takes_what_is_taken_here(state: str, noise: str) -> None:
    meta = {"traceparent": TRACEPARENT, "tracestate": state}
    found = parent_of(request(meta), 7)
    theirs = get_current_span(TraceContextTextMapPropagator().extract(meta)).get_span_context()
    assert found is not None
    assert dict(found.trace_state) in ({}, dict(theirs.trace_state))
    parent_of(request({"traceparent": TRACEPARENT, "tracestate": noise}), 7)


def test_a_long_traceparent_says_nothing_and_is_not_told_of(caplog: pytest.LogCaptureFixture) -> None:
    assert parent_of(request({"traceparent": f"01-{TRACE}-{PARENT}-01-" + "x" * 600}), 7) is None
    assert parent_of(request({"traceparent": f"01-{TRACE}-{PARENT}-01-later"}), 7) is not None
    assert caplog.records == []


def test_a_request_without_a_parent_begins_a_trace_of_its_own_each_time() -> None:
    traces = {span_of(call(request=request({}))).context.trace_id for _ in range(10)}
    assert len(traces) == 10


def test_a_request_whose_parent_was_not_sampled_is_not_told_of() -> None:
    assert spans().of(call(request=request({"traceparent": f"00-{TRACE}-{PARENT}-00"})), session()) is None


def test_in_a_batch_the_request_with_the_calls_id_counts() -> None:
    batch = b"[" + request({}, 6) + b"," + request({"traceparent": TRACEPARENT}, 7) + b"]"
    assert parent_of(batch, 6) is None
    found = parent_of(batch, 7)
    assert found is not None
    assert format(found.trace_id, "032x") == TRACE


@pytest.mark.parametrize(
    "raw", [b"", b"traceparent", b'{"traceparent"', b'{"id":7,"params":["traceparent"]}', b'{"id":7,"params":{"_meta":"traceparent"}}']
)
def test_a_text_that_is_gone_or_no_such_request_names_no_parent(raw: bytes) -> None:
    assert parent_of(raw, 7) is None


@given(st.binary())
def test_no_text_makes_it_raise(noise: bytes) -> None:
    parent_of(b'{"id":7,"params":{"_meta":{"traceparent":' + noise, 7)
    parent_of(b"[traceparent" + noise, 7)


def test_begin_and_end_are_the_records_and_the_kind_is_who_asked_whom() -> None:
    span = span_of(call(total_ns=3_000_000))
    assert (span.start_time, span.end_time) == (1_700_000_000_000_000_000, 1_700_000_000_003_000_000)
    assert (span.kind, span.status.status_code) == (SpanKind.SERVER, StatusCode.UNSET)
    assert span_of(call(side=Side.CLIENT, direction=Direction.OUT)).kind is SpanKind.CLIENT
    assert span_of(call("elicitation/create", "", direction=Direction.OUT)).kind is SpanKind.CLIENT


def test_a_call_that_was_never_answered_ends_where_it_was_last_seen() -> None:
    record = call(outcome=Outcome.DROPPED, total_ns=None)
    record.returned_ns = record.received_ns + 500
    span = span_of(record)
    assert span.start_time is not None
    assert (span.end_time, span.status.status_code) == (span.start_time + 500, StatusCode.ERROR)


def test_a_job_is_the_child_of_the_call_that_began_it() -> None:
    made = spans()
    began, ended = call(), call(JOB, total_ns=9_000_000)
    began.job = "j3"
    of_call, of_job = made.of(began, session()), made.of(ended, session())
    assert of_call is not None
    assert of_job is not None
    assert of_job.parent == of_call.context
    assert (of_job.name, of_job.kind) == ("execute_tool forecast", SpanKind.INTERNAL)
    assert "mcp.method.name" not in (of_job.attributes or {})


def test_nothing_that_a_call_carried_is_told_unless_it_was_asked_for() -> None:
    record = call(request=request({}), answer=encode_result(7, b'{"content":[{"type":"text","text":"hunter2"}]}'))
    failed = call(outcome=Outcome.RPC_ERROR, code=-32602, request=request({}))
    failed.error = "hunter2 is no date"
    for span in (span_of(record), span_of(failed)):
        assert "hunter2" not in span.to_json()
        assert span.status.description is None


def test_what_was_asked_for_is_told_without_its_secrets() -> None:
    withholding = Withholding()
    made = spans(withholding)
    span = made.of(call(request=request({}), answer=encode_result(7, b'{"content":[{"type":"text","text":"sunny, hunter2"}]}')), session())
    failed = call(outcome=Outcome.RPC_ERROR, code=-32602)
    failed.error = "hunter2 is no date"
    assert span is not None
    told = span.attributes or {}
    assert told["gen_ai.tool.call.arguments"] == '{"key":"..."}'
    assert "sunny, ..." in str(told["gen_ai.tool.call.result"])
    assert span_of(failed, withholding).status.description == "... is no date"


def test_what_cannot_be_looked_into_is_not_told() -> None:
    span = span_of(call(request=encode_request(7, "tools/call", {"arguments": {"a": "unreadable"}}), answer=b"no JSON"), Withholding())
    assert not {name for name in span.attributes or {} if name.startswith("gen_ai.tool.call.")}


def test_a_long_result_is_cut_and_says_how_long_it_was() -> None:
    answer = encode_result(7, msgspec.json.encode({"content": ["x" * 20_000]}))
    told = span_of(call(answer=answer), Withholding()).attributes or {}
    text = str(told["gen_ai.tool.call.result"])
    assert len(text) < MAX_PAYLOAD + 30
    assert text.endswith("… (20,016 characters)")


def test_the_notebooks_own_random_numbers_are_left_alone() -> None:
    random.seed(42)
    before = random.getstate()
    first = span_of(call())
    random.seed(42)
    assert span_of(call()).context.trace_id != first.context.trace_id
    assert random.getstate() == before
