from __future__ import annotations

import io
import json
import subprocess
import sys

import msgspec
import pytest
from rich.console import Console

from mcp_workbench.cli.bench.announce import Seen
from mcp_workbench.cli.bench.curve_report import CurveReport, print_curves, remarks
from mcp_workbench.cli.bench.curves import Curve, CurvePlan, Curves, Point, run_curves
from mcp_workbench.cli.bench.ours import Sight
from mcp_workbench.cli.bench.paced_load import PacedOrder, measure_paced
from mcp_workbench.cli.bench.pacing import Paced
from mcp_workbench.cli.bench.processes import Server
from mcp_workbench.cli.bench.report import machine_facts
from mcp_workbench.cli.bench.subjects import FLOOR, SUBJECTS, Own
from mcp_workbench.cli.bench.wires import BadAnswerError
from mcp_workbench.telemetry import Telemetry
from tests.exploring.exports.collector import call

PLAN = CurvePlan(rates=(100, 200), seconds=0.5, sessions=4, arrivals="even")


@pytest.fixture(scope="module")
def curves() -> Curves:
    absent = Own("absent", "a server that is not there", "no_such_module")
    return run_curves([*(subject for subject in SUBJECTS if isinstance(subject, Own)), absent], PLAN, lambda _: None)


@pytest.mark.parametrize("name", ["floor", "inline", "thread", "http"])
def test_each_rate_has_the_clients_times_and_the_servers_of_the_same_calls(curves: Curves, name: str) -> None:
    curve = next(curve for curve in curves.curves if curve.name == name)
    assert [point.client.rate for point in curve.points] == [100, 200]
    for point in curve.points:
        client, server = point.client, point.server
        assert 0 < client.p50_us <= client.p90_us <= client.p99_us <= client.max_us
        assert client.calls == client.rate * PLAN.seconds
        assert client.p999_us is None
        assert (server is None) == (name == "floor")
        if server is not None and not client.unanswered:
            assert server.calls == client.calls
            assert server.p50_us is not None


def test_a_subject_that_cannot_start_is_named_and_the_others_are_measured(curves: Curves) -> None:
    assert [subject.name for subject in curves.unavailable] == ["absent"]
    assert len(curves.curves) == 4


def test_the_report_is_text_that_fits_a_terminal_and_json(curves: Curves) -> None:
    report = CurveReport(facts=machine_facts(), plan=PLAN, results=curves)
    console = Console(width=80, file=io.StringIO(), record=True)
    print_curves(report, console)
    text = console.export_text()
    assert "workbench, inline" in text
    assert "…" not in text
    assert "not measured: a server that is not there" in text
    assert msgspec.json.decode(msgspec.json.encode(report), type=CurveReport) == report


def paced(**facts: float) -> Paced:
    usual: dict[str, float] = {"rate": 100, "calls": 500, "achieved": 100, "unanswered": 0, "client_late_us": 1, "max_us": 90}
    return msgspec.convert(usual | dict.fromkeys(("p50_us", "p90_us", "p99_us"), 80.0) | facts | {"p999_us": None}, Paced)


def seen(calls: int) -> Seen:
    return Seen(calls=calls, p50_us=1, p90_us=1, p99_us=1, p999_us=None, max_us=1)


@pytest.mark.parametrize(
    ("client", "calls", "word"),
    [
        (paced(), 500, None),
        (paced(achieved=80), 500, "saturated"),
        (paced(unanswered=3, achieved=99), 497, "3 requests given up after 5 s"),
        (paced(), 600, "the server counts 600 calls, the client 500"),
        (paced(calls=50), 50, "only 50 requests: p99 is the slowest"),
        (paced(client_late_us=70), 500, "the client itself was late by 70 µs"),
    ],
)
def test_what_spoils_a_measurement_is_said(client: Paced, calls: int, word: str | None) -> None:
    said = remarks(Point(client=client, saturated=client.saturated, server=seen(calls)), 0.5)
    assert any(word in sentence for sentence in said) if word else said == []


def test_an_empty_curve_can_be_printed() -> None:
    curves = Curves(curves=[Curve(name="x", title="x", versions={}, points=[])], unavailable=[])
    print_curves(CurveReport(facts=machine_facts(), plan=PLAN, results=curves), Console(file=io.StringIO()))


def test_a_server_tells_of_the_calls_since_it_was_last_asked() -> None:
    telemetry = Telemetry()
    sight = Sight(telemetry, {"inline": "forecast", "http": "forecast"}, lambda: None)
    assert sight.since_asked("inline").calls == 0
    telemetry.record(call(total_ns=1_000_000))
    telemetry.record(call(total_ns=1_000_000))
    first = sight.since_asked("inline")
    assert (first.calls, first.p999_us) == (2, None)
    assert first.p50_us == pytest.approx(1000, rel=0.025)
    telemetry.record(call(total_ns=9_000_000))
    assert sight.since_asked("http").calls == 1
    assert sight.since_asked("http").max_us is None


def test_a_wrong_answer_is_no_measurement() -> None:
    with Server(FLOOR.command()) as server:
        target = msgspec.structs.replace(server.ready.targets["floor"], expect='"text":"43"')
        with pytest.raises(BadAnswerError, match='expected "text":"43"'):
            measure_paced(PacedOrder(target=target, sessions=1, rate=50, seconds=0.1, arrivals="random"))
        assert server.seen("floor") is None


def test_the_command_prints_json_and_refuses_what_is_no_rate() -> None:
    command = [sys.executable, "-m", "mcp_workbench", "bench", "--only", "floor", "--seconds", "0.2", "--sessions", "2", "--rate"]
    done = subprocess.run([*command, "100, 50", "--json"], capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert [point["client"]["rate"] for point in report["results"]["curves"][0]["points"]] == [100, 50]
    refused = subprocess.run([*command, "fast"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "got 'fast'" in refused.stderr
    few = subprocess.run([*command, "1e-9"], capture_output=True, text=True, check=False)
    assert few.returncode == 2
    assert "at least 10 requests" in few.stderr
