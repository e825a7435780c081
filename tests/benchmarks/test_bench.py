from __future__ import annotations

import io
import threading
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from mcp_workbench.cli.bench.load import Order, measure, summarise
from mcp_workbench.cli.bench.processes import ProcessFailedError, Server
from mcp_workbench.cli.bench.report import Report, machine_facts, print_report
from mcp_workbench.cli.bench.rounds import Plan, Results, run
from mcp_workbench.cli.bench.subjects import FLOOR, SUBJECTS, Own, Subject, peers_folder
from mcp_workbench.cli.bench.wires import FIRST_ID, BadAnswerError, Target, frame, frame_template, take_http, take_websocket

TINY = Plan(rounds=2, sessions=(1, 4), calls=60, seconds=5)


@pytest.fixture(scope="module")
def results() -> Results:
    return run([subject for subject in SUBJECTS if isinstance(subject, Own)], TINY, lambda _: None)


@pytest.mark.parametrize("name", ["floor", "inline", "thread", "http"])
def test_a_quick_run_yields_a_complete_line(results: Results, name: str) -> None:
    assert name not in {subject.name: subject.reason for subject in results.unavailable}
    line = next(line for line in results.lines if line.name == name)
    assert set(line.at) == set(TINY.sessions)
    for at in line.at.values():
        assert 0 < at.p50_us <= at.p90_us <= at.p99_us
        assert at.calls_per_s > 0
        assert at.calls == TINY.rounds * TINY.calls
    assert line.versions["websockets"]


def test_the_floor_is_once_itself(results: Results) -> None:
    floor = next(line for line in results.lines if line.name == "floor")
    assert {(at.p50_to_floor, at.calls_per_s_to_floor) for at in floor.at.values()} == {(1.0, 1.0)}


def test_the_report_names_machine_and_subjects_as_text_and_as_json(results: Results) -> None:
    report = Report(facts=machine_facts(), plan=TINY, results=results)
    console = Console(width=120, file=io.StringIO(), record=True)
    print_report(report, console)
    text = console.export_text()
    assert "4 sessions, one call in flight on each" in text
    assert "workbench, inline" in text
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report


def test_a_subject_that_cannot_start_is_named_with_its_reason_and_the_others_are_measured() -> None:
    absent = Own("absent", "a server that is not there", "no_such_module")
    results = run([FLOOR, absent], Plan(rounds=1, sessions=(1,), calls=10, seconds=5), lambda _: None)
    assert [line.name for line in results.lines] == ["floor"]
    (missing,) = results.unavailable
    assert missing.name == "absent"
    assert "no_such_module" in missing.reason


@pytest.fixture
def floor() -> Iterator[Target]:
    with Server(FLOOR.command()) as server:
        yield server.ready.targets["floor"]


def test_a_wrong_answer_is_no_measurement(floor: Target) -> None:
    order = Order(target=msgspec.structs.replace(floor, expect='"text":"43"'), sessions=1, seconds=5, calls=10)
    with pytest.raises(BadAnswerError, match='expected "text":"43"'):
        measure(order)


def test_a_server_that_ends_without_a_word_is_reported() -> None:
    with pytest.raises(ProcessFailedError, match="code 0"):
        Server([*FLOOR.command()[:1], "-c", "pass"])


def test_servers_of_others_have_their_scripts_in_the_source_tree() -> None:
    foreign = [subject for subject in SUBJECTS if not isinstance(subject, Own)]
    assert {subject.name for subject in foreign} == {"rest", "mcp1", "mcp2"}
    assert {path.name for path in peers_folder().glob("*.py")} >= {f"{subject.name}.py" for subject in foreign}


def test_no_thread_of_a_run_stays(results: Results) -> None:
    assert [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer) and thread.is_alive()] == []


@given(st.binary(max_size=200) | st.sampled_from([125, 126, 65535, 65536]).map(bytes), st.binary(max_size=20))
def test_a_servers_text_frame_is_cut_out_exactly(payload: bytes, following: bytes) -> None:
    masked = frame(payload)
    # A server's frame is the same without the mask bit and the four bytes of mask.
    header = len(masked) - len(payload) - 4
    sent = masked[:1] + bytes([masked[1] & 127]) + masked[2:header] + payload
    assert take_websocket(sent + following) == (payload, len(sent))
    assert all(take_websocket(sent[:cut]) == (None, 0) for cut in {0, 1, len(sent) // 2, len(sent) - 1})


def test_a_ping_is_skipped() -> None:
    assert take_websocket(b"\x89\x02hi\x81\x01x") == (None, 4)


def test_the_frame_template_takes_any_ten_digit_id() -> None:
    body = '{"id":%d,"percent":"100%%"}'
    assert frame_template(body) % (FIRST_ID + 17) == frame((body % (FIRST_ID + 17)).encode())


@given(st.binary(max_size=50), st.binary(max_size=20))
def test_a_response_is_cut_out_by_its_content_length(body: bytes, following: bytes) -> None:
    sent = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nserver: x\r\n\r\n" % len(body) + body
    assert take_http(sent + following) == (sent, len(sent))
    assert take_http(sent[:20]) == (None, 0)


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=300))
def test_quantiles_are_those_of_the_samples(latencies: list[int]) -> None:
    seen = summarise(latencies, 2.0)
    assert seen.calls == len(latencies)
    assert min(latencies) <= seen.p50_us * 1000 + 1e-3
    assert seen.p50_us <= seen.p90_us <= seen.p99_us <= max(latencies) / 1000
    assert {round(seen.p50_us * 1000), round(seen.p99_us * 1000)} <= set(latencies)


def _kinds(subjects: tuple[Subject, ...]) -> list[str]:
    return [type(subject).__name__ for subject in subjects]


def test_the_floor_comes_first_because_ratios_are_taken_to_it() -> None:
    assert SUBJECTS[0] is FLOOR
    assert _kinds(SUBJECTS) == ["Own"] * 4 + ["Foreign"] * 3
