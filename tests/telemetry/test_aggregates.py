from __future__ import annotations

from mcp_workbench.events import Era
from mcp_workbench.telemetry.aggregates import MAX_KEYS, NO_METHOD, OTHER, Aggregates, Phase
from mcp_workbench.telemetry.messages import Direction
from mcp_workbench.telemetry.records import CallRecord, Outcome


def _ended(target: str, total_ns: int, outcome: Outcome = Outcome.OK, method: str = "tools/call") -> CallRecord:
    call = CallRecord("c", "s", "default", Era.MODERN, method, target, 1, 1_000, 1.7e9, 10)
    call.started_ns, call.returned_ns, call.sent_ns = 1_000 + total_ns // 4, 1_000 + total_ns // 2, 1_000 + total_ns
    call.outcome = outcome
    return call


def test_failed_calls_do_not_shift_the_quantiles_of_the_others() -> None:
    aggregates = Aggregates()
    for _ in range(3):
        aggregates.add(_ended("add", 4_000))
    aggregates.add(_ended("add", 9_000_000, Outcome.TIMEOUT))
    (row,) = aggregates.rows("tools/call")
    assert (row.name, row.n, row.errors) == ("add", 4, 1)
    assert (row.p50_ns, row.p90_ns, row.p99_ns) == (4_000, 4_000, 4_000)
    assert aggregates.histogram(("tools/call", "add"), Phase.TOTAL, failed=True).max_ns == 9_000_000


def test_every_phase_is_counted_by_itself() -> None:
    aggregates = Aggregates()
    aggregates.add(_ended("add", 4_000))
    seen = {phase: aggregates.histogram(("tools/call", "add"), phase, failed=False).max_ns for phase in Phase}
    assert seen == {Phase.WAIT: 1_000, Phase.RUN: 1_000, Phase.SEND: 2_000, Phase.TOTAL: 4_000}


def test_a_call_that_was_never_answered_counts_in_the_phases_it_reached() -> None:
    aggregates = Aggregates()
    call = _ended("slow", 4_000, Outcome.DROPPED)
    call.sent_ns = None
    aggregates.add(call)
    counts = {phase: aggregates.histogram(("tools/call", "slow"), phase, failed=True).count for phase in Phase}
    assert counts == {Phase.WAIT: 1, Phase.RUN: 1, Phase.SEND: 0, Phase.TOTAL: 0}
    (row,) = aggregates.rows("tools/call")
    assert (row.n, row.errors, row.p50_ns) == (1, 1, None)


def test_what_was_cancelled_is_a_call_and_no_error_and_its_times_are_nobodys() -> None:
    aggregates = Aggregates()
    aggregates.add(_ended("slow", 4_000, Outcome.CANCELLED))
    (row,) = aggregates.rows("tools/call")
    assert (row.n, row.errors, row.p50_ns) == (1, 0, None)
    for failed in (True, False):
        assert aggregates.histogram(("tools/call", "slow"), Phase.TOTAL, failed=failed).count == 0
    assert len(aggregates.heatmaps) == 0


def test_rows_come_most_called_first_and_methods_add_their_targets_up() -> None:
    aggregates = Aggregates()
    aggregates.add(_ended("rare", 1_000))
    for _ in range(2):
        aggregates.add(_ended("often", 1_000))
    aggregates.add(_ended("df://flights", 2_000, method="resources/read"))
    assert [row.name for row in aggregates.rows("tools/call")] == ["often", "rare"]
    assert [(row.name, row.n) for row in aggregates.rows_by_method()] == [("tools/call", 3), ("resources/read", 1)]


def test_names_a_client_makes_up_cannot_fill_the_memory() -> None:
    aggregates = Aggregates()
    for number in range(MAX_KEYS + 50):
        aggregates.add(_ended(f"guess{number}", 1_000, Outcome.TOOL_ERROR))
    aggregates.add(_ended("guess0", 1_000))
    assert len(aggregates) == MAX_KEYS + 1
    assert {row.name: row.n for row in aggregates.rows(OTHER)} == {OTHER: 50}
    assert next(row for row in aggregates.rows("tools/call") if row.name == "guess0").n == 2


def test_tools_that_there_never_were_get_no_rows() -> None:
    aggregates = Aggregates()
    for name in ("ad", "addd"):
        aggregates.add(_ended(name, 1_000, Outcome.RPC_ERROR))
    ran = _ended("add", 1_000, Outcome.RPC_ERROR)
    ran.tool_version = "v1@1f3a9c0e"
    aggregates.add(ran)
    assert [row.name for row in aggregates.rows("tools/call")] == ["add"]
    assert [(row.name, row.n, row.errors) for row in aggregates.rows_by_method()] == [("tools/call", 3, 3)]


def test_an_unknown_key_has_an_empty_histogram() -> None:
    assert Aggregates().histogram(("tools/call", "add"), Phase.RUN, failed=False).count == 0


def test_an_early_answer_counts_as_a_call_and_only_the_end_of_its_job_says_how_long_the_tool_took() -> None:
    aggregates = Aggregates()
    aggregates.add(_ended("slow", 1_000))
    for outcome in (Outcome.OK, Outcome.OK, Outcome.OK):
        early = _ended("slow", 45, outcome)
        early.job = "j1"
        aggregates.add(early)
    (row,) = aggregates.rows("tools/call")
    assert (row.n, row.errors, row.p99_ns) == (4, 0, 1_000)
    aggregates.add(_ended("slow", 9_000, method="job"))
    aggregates.add(_ended("slow", 9_000_000, Outcome.CANCELLED, method="job"))
    (row,) = aggregates.rows("tools/call")
    assert (row.name, row.n, row.errors) == ("slow", 4, 0), "what was cancelled is no error"
    assert aggregates.histogram(("tools/call", "slow"), Phase.TOTAL, failed=False).count == 2
    assert aggregates.histogram(("tools/call", "slow"), Phase.TOTAL, failed=False).max_ns == 9_000
    assert [row.name for row in aggregates.rows_by_method()] == ["tools/call"]


def test_the_sums_of_a_tool_have_all_phases_and_a_thousandth_takes_a_thousand_calls() -> None:
    aggregates = Aggregates()
    for _ in range(999):
        aggregates.add(_ended("add", 4_000))
    sums = aggregates.tool("add", 1.7e9 + 1)
    assert sums is not None
    assert (sums.name, sums.n, sums.errors, sums.per_s) == ("add", 999, 0, 99.9)
    assert sums.quantiles_ns[Phase.TOTAL] == [4_000, 4_000, 4_000, None]
    assert sums.quantiles_ns[Phase.WAIT] == [1_000, 1_000, 1_000, None]
    aggregates.add(_ended("add", 4_000))
    sums = aggregates.tool("add", 1.7e9 + 1)
    assert sums is not None
    assert sums.quantiles_ns[Phase.SEND] == [2_000] * 4
    assert aggregates.tool("sub", 1.7e9) is None
    assert aggregates.per_s("sub", 1.7e9) == 0


def test_the_end_of_a_job_is_no_further_call() -> None:
    aggregates = Aggregates()
    early = _ended("slow", 45)
    early.job = "j1"
    aggregates.add(early)
    aggregates.add(_ended("slow", 9_000, method="job"))
    assert aggregates.per_s("slow", 1.7e9) == 0.1


def test_who_knows_the_records_up_to_a_number_is_told_the_tools_with_later_ones() -> None:
    aggregates = Aggregates()
    for seq, (target, outcome) in enumerate(
        [("a", Outcome.OK), ("b", Outcome.OK), ("nobody", Outcome.RPC_ERROR), ("a", Outcome.TIMEOUT)], 1
    ):
        call = _ended(target, 1_000, outcome)
        call.seq = seq
        call.tool_version = None if target == "nobody" else "v1"
        aggregates.add(call)
    aggregates.add(_ended("df://x", 1_000, method="resources/read"))
    assert aggregates.tools_after(0) == ["a", "b"]
    assert aggregates.tools_after(2) == ["a"]
    assert aggregates.tools_after(4) == []


def test_methods_that_there_are_not_are_one_row_however_many_a_client_makes_up() -> None:
    aggregates = Aggregates()
    for number in range(MAX_KEYS + 5):
        unknown = _ended("", 1_000, Outcome.RPC_ERROR, f"no/such{number}")
        unknown.code = -32601
        aggregates.add(unknown)
    asked = _ended("", 1_000, Outcome.RPC_ERROR, "roots/list")
    asked.code, asked.direction = -32601, Direction.OUT
    aggregates.add(asked)
    aggregates.add(_ended("add", 1_000))
    assert {row.name: row.n for row in aggregates.rows_by_method()} == {NO_METHOD: MAX_KEYS + 5, "roots/list": 1, "tools/call": 1}
    assert [row.name for row in aggregates.rows("tools/call")] == ["add"]
