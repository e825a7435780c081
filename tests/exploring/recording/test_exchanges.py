from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mcp_workbench import Workbench
from mcp_workbench.exploring.filters import FilterError, parse
from mcp_workbench.exploring.recording import exchanges
from mcp_workbench.exploring.recording.exchanges import Exchanges
from mcp_workbench.exploring.recording.reader import read
from mcp_workbench.jsonrpc import encode, encode_request, encode_result
from mcp_workbench.telemetry import Direction, Message
from tests.exploring.rig import calling

IN, OUT = Direction.IN, Direction.OUT


def crossed(text: bytes, direction: Direction, session: str = "s1") -> Message:
    return Message(session, direction, 0, 0.0, len(text), text)


def asked(number: int, tool: str, session: str = "s1") -> Message:
    params = {"name": tool, "arguments": {"n": number}, "_meta": {"progressToken": f"p{number}"}}
    return crossed(encode_request(number, "tools/call", params), IN, session)


def told(number: int, session: str = "s1") -> Message:
    params = {"progressToken": f"p{number}", "progress": 1}
    return crossed(encode({"jsonrpc": "2.0", "method": "notifications/progress", "params": params}), OUT, session)


def answered(number: int, session: str = "s1", *, failed: bool = False) -> Message:
    return crossed(encode_result(number, b'{"content":[],"isError":%s}' % (b"true" if failed else b"false")), OUT, session)


SAID = {
    "ask sum": asked(1, "sum"),
    "ask mean": asked(2, "mean"),
    "sum tells": told(1),
    "mean tells": told(2),
    "another answers": answered(1, "s2"),
    "mean fails": answered(2, failed=True),
    "sum answers": answered(1),
}


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        ("tool:sum", ["ask sum", "sum tells", "sum answers"]),
        ("args.n:2", ["ask mean", "mean tells", "mean fails"]),
        (
            "kind:request | kind:response",
            ["ask sum", "ask mean", "sum tells", "mean tells", "another answers", "mean fails", "sum answers"],
        ),
        ("-tool:mean -kind:notification", ["ask sum", "sum tells", "another answers", "sum answers"]),
        ("outcome:error", ["mean fails"]),
        ("session:s2", ["another answers"]),
        ("", list(SAID)),
    ],
)
def test_what_belongs_to_a_request_goes_the_way_of_the_request(written: str, taken: list[str]) -> None:
    chosen = Exchanges(parse(written))
    assert [name for name, message in SAID.items() if chosen(message)] == taken


def test_of_requests_that_waited_too_long_the_answer_is_what_its_text_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchanges, "KEPT", 2)
    chosen = Exchanges(parse("tool:sum"))
    assert [chosen(asked(number, "sum")) for number in (1, 2, 3)] == [True] * 3
    assert [chosen(answered(number)) for number in (1, 2, 3)] == [False, True, True]


def test_what_only_a_whole_call_knows_is_refused() -> None:
    with pytest.raises(FilterError, match="dur: is known of calls"):
        Exchanges(parse("tool:sum dur:>5ms"))


def test_a_workbench_records_what_a_filter_text_matches(tmp_path: Path) -> None:
    workbench = Workbench("chosen")

    @workbench.tool
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    @workbench.tool
    def answer() -> int:
        """Answer."""
        return 42

    async def ask() -> None:
        async with workbench.connect(client_info={"name": "asker", "version": "1"}) as session:
            await session.call_tool("add", a=1, b=2)
            await session.call_tool("answer")

    with pytest.raises(FilterError, match='no key "tol", nearest is tool'):
        workbench.record(tmp_path / "x", filter="tol:add")
    assert list(tmp_path.iterdir()) == []
    with (
        calling(workbench),
        workbench.record(tmp_path / "add", filter="tool:add client:asker") as one,
        workbench.record(tmp_path / "none", filter="client:somebody") as other,
    ):
        asyncio.run(ask())
    [call] = read(one.path).calls()
    assert (call.target, call.answer is not None and call.answer.kept) == ("add", True)
    assert list(read(other.path).messages()) == []
