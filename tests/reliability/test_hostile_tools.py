"""Tools that raise, return or do the worst there is: the caller is answered, the session and all others go on."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest

import mcp_workbench as wb
from mcp_workbench.protocol import wire
from mcp_workbench.serving.tools import ToolWork
from tests.reliability.bystanders import unharmed
from tests.support.stage import happened, running, server_of, talking, within
from tests.support.talk import text_of

Output = pytest.CaptureFixture[str]


class Unsayable(Exception):
    def __str__(self) -> str:
        raise Unsayable


class Exiting(SystemExit):
    def __str__(self) -> str:
        raise Exiting


class Unprintable:
    def __repr__(self) -> str:
        raise SystemExit(1)

    __str__ = __repr__


class Everything:
    """Raises at whatever is done with it."""

    def __getattr__(self, name: str) -> Any:
        raise KeyboardInterrupt(name)

    def __iter__(self) -> Iterator[int]:
        raise SystemExit(2)

    def __len__(self) -> int:
        raise MemoryError

    def __bool__(self) -> bool:
        raise RecursionError

    def __eq__(self, other: object) -> bool:
        raise SystemExit(3)

    def __hash__(self) -> int:
        raise SystemExit(4)


class LyingText(str):
    __slots__ = ()

    def __len__(self) -> int:
        return -5

    def __str__(self) -> str:
        raise SystemExit(5)

    def encode(self, *_: Any) -> bytes:
        raise SystemExit(6)


class LyingDict(dict[str, int]):
    def items(self) -> Any:
        raise SystemExit(7)

    def __iter__(self) -> Iterator[str]:
        raise SystemExit(8)


class LyingList(list[int]):
    def __iter__(self) -> Iterator[int]:
        raise SystemExit(9)


def _cycle() -> list[Any]:
    cycle: list[Any] = []
    cycle.append(cycle)
    return cycle


def _deep() -> list[Any]:
    deep: list[Any] = []
    for _ in range(50_000):
        deep = [deep]
    return deep


def _raising_generator() -> Iterator[int]:
    yield 1
    raise SystemExit(10)


EXCEPTIONS: dict[str, Callable[[], BaseException]] = {
    "ValueError": lambda: ValueError("x"),
    "KeyboardInterrupt": KeyboardInterrupt,
    "SystemExit": SystemExit,
    "GeneratorExit": GeneratorExit,
    "BaseException": BaseException,
    "StopIteration": StopIteration,
    "CancelledError": asyncio.CancelledError,
    "MemoryError": MemoryError,
    "RecursionError": RecursionError,
    "TimeoutError": TimeoutError,
    "group": lambda: BaseExceptionGroup("g", [KeyboardInterrupt(), ExceptionGroup("h", [ValueError()])]),
    "wb.Cancelled": lambda: wb.Cancelled("me"),
    "unsayable": Unsayable,
    "exiting while it speaks": Exiting,
    "surrogate": lambda: ValueError("\ud800"),
    "surrogate for the model": lambda: wb.ToolError("\ud800"),
    "megabytes": lambda: ValueError("x" * 3_000_000),
    "lying text": lambda: wb.ToolError(LyingText("x")),
    "unprintable argument": lambda: ValueError(Unprintable()),
}
VALUES: dict[str, Callable[[], Any]] = {
    "object": object,
    "everything": Everything,
    "unprintable": Unprintable,
    "unprintable inside": lambda: {"a": [Unprintable()]},
    "unprintable key": lambda: {Unprintable(): 1},
    "class": lambda: Everything,
    "module": lambda: sys,
    "lock": threading.Lock,
    "cycle": _cycle,
    "deep": _deep,
    "generator": lambda: (number for number in range(3)),
    "raising generator": _raising_generator,
    "lying text": lambda: LyingText("x"),
    "lying dict": lambda: LyingDict(a=1),
    "lying list": lambda: LyingList([1]),
    "surrogate": lambda: "\ud800",
    "surrogate inside": lambda: {"\ud800": ["\udfff"]},
    "surrogate in content": lambda: wire.TextContent(text="\ud800"),
    "object in content": lambda: wire.EmbeddedResource(resource={"uri": object()}),  # type: ignore[arg-type]  # that is the mistake
    "foreign content": lambda: wire.ImageContent(data=object(), mime_type=7),  # type: ignore[arg-type]  # that is the mistake
    "huge integer": lambda: 10**5_000,
    "infinite": lambda: [float("nan"), float("inf")],
    "bytes": lambda: b"\x00" * 100,
    "exception": lambda: SystemExit(11),
    "megabytes": lambda: "x" * 3_000_000,
    "megabytes of object": lambda: {"a": ["x" * 1_000] * 3_000},
    "hostile cells": lambda: pd.DataFrame({"a": [Unprintable(), Everything()]}),
    "duplicate columns": lambda: pd.DataFrame([[1, 2]], columns=["a", "a"]),
    "cyclic cells": lambda: pd.DataFrame({"a": [_cycle()]}),
}


def _try(workbench: wb.Workbench, tool: str, check: Callable[[dict[str, Any]], None], **arguments: Any) -> None:
    async def main() -> None:
        async with unharmed(workbench), talking(workbench) as talk:
            result = await talk.called(tool, **arguments)
            check(result)
            assert await talk.result("ping") == {}
            assert text_of(await talk.called("well")) == "well"
            assert talk.inbox == []

    @workbench.tool
    def well() -> str:
        return "well"

    with running(workbench):
        within(main)


def _is_error(result: dict[str, Any]) -> None:
    assert result["isError"] is True
    assert 0 < len(text_of(result)) < 3_000


@pytest.mark.parametrize("where", ["thread", "inline", "async"])
@pytest.mark.parametrize("make", EXCEPTIONS.values(), ids=EXCEPTIONS)
def test_whatever_a_tool_raises_is_an_error_result(
    make: Callable[[], BaseException], where: str, capfd: pytest.CaptureFixture[str]
) -> None:
    workbench = wb.Workbench()
    if where == "async":

        @workbench.tool(name="fail")
        async def fail_later() -> None:
            raise make()

    else:

        @workbench.tool(name="fail", run_on=where)
        def fail() -> None:
            raise make()

    _try(workbench, "fail", _is_error)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("where", ["thread", "inline", "async"])
@pytest.mark.parametrize("make", VALUES.values(), ids=VALUES)
def test_whatever_a_tool_returns_is_answered(make: Callable[[], Any], where: str, capfd: Output) -> None:
    workbench = wb.Workbench(builtin_tools=False)  # the first DataFrame to be read would bring tools that read it
    if where == "async":

        @workbench.tool(name="give")
        async def give_later() -> Any:
            return make()

    else:

        @workbench.tool(name="give", run_on=where)
        def give() -> Any:
            return make()

    def answered(result: dict[str, Any]) -> None:
        assert result["content"]
        assert len(json.dumps(result)) < 800_000

    _try(workbench, "give", answered)
    assert capfd.readouterr().err == ""


def test_bottomless_recursion_is_an_error_result() -> None:
    workbench = wb.Workbench()

    @workbench.tool
    def fall(n: int = 0) -> int:
        return fall(n + 1)

    _try(workbench, "fall", lambda result: _says(result, "RecursionError"))


def _tells(result: dict[str, Any], words: str) -> None:
    assert not result.get("isError")
    assert text_of(result).startswith(words)


def _says(result: dict[str, Any], words: str) -> None:
    _is_error(result)
    assert words in text_of(result)


def test_a_tool_that_changes_its_arguments_changes_its_own_copy() -> None:
    workbench, frame = wb.Workbench(), pd.DataFrame({"delay": [1, 2, 3]})
    workbench.publish(flights=frame)

    @workbench.tool
    def spoil(flights: pd.DataFrame, items: list[int], options: dict[str, int]) -> int:
        flights.loc[:, "delay"] = 0
        flights.loc[len(flights)] = 7
        flights.insert(0, "mine", 1)
        items.clear()
        options.clear()
        return len(flights)

    _try(workbench, "spoil", lambda result: _tells(result, "4"), items=[1, 2], options={"a": 1})
    assert frame["delay"].tolist() == [1, 2, 3]
    assert workbench.get("flights")["delay"].tolist() == [1, 2, 3]


@pytest.mark.leaks_threads("its tools never return")
def test_tools_that_never_return_keep_their_threads_and_nothing_else() -> None:
    workbench = wb.Workbench(limits=wb.Limits(tool_threads=2, stop_grace_s=0.01))
    forever = threading.Event()

    @workbench.tool(timeout_s=0.02)
    def hang() -> None:
        forever.wait()

    @workbench.tool
    def well() -> str:
        return "well"

    async def main() -> None:
        async with unharmed(workbench), talking(workbench) as talk:
            for _ in range(2):
                assert "did not finish within" in text_of(await talk.called("hang"))
            assert text_of(await talk.called("well")) == "well"
            hung = talk.call("hang")
            talk.cancel(hung)
            assert text_of(await talk.called("well")) == "well"
            assert workbench.status().execution["abandoned"] >= 2

    with running(workbench):
        within(main)


def test_a_coroutine_that_swallows_its_cancellation_hurts_nobody() -> None:
    workbench = wb.Workbench(limits=wb.Limits(stop_grace_s=0.01))
    begun, swallowed, release = threading.Event(), threading.Event(), threading.Event()

    @workbench.tool
    async def stubborn() -> str:
        begun.set()
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                swallowed.set()
                if release.is_set():
                    return "at last"
                release.set()

    async def main() -> None:
        async with unharmed(workbench), talking(workbench) as talk:
            call = talk.call("stubborn")
            await happened(begun)
            talk.cancel(call)
            await happened(swallowed)
            await talk.fence()
            assert talk.inbox == []
            assert workbench.status().execution["abandoned"] == 1

    with running(workbench):
        within(main)


def test_a_blocking_coroutine_blocks_only_other_coroutines() -> None:
    workbench = wb.Workbench()
    release = threading.Event()

    @workbench.tool
    async def block() -> str:
        release.wait()
        return "released"

    @workbench.tool
    async def other() -> str:
        return "other"

    @workbench.tool
    def plain() -> str:
        return "plain"

    async def main() -> None:
        async with unharmed(workbench), talking(workbench) as talk:
            blocked, waiting = talk.call("block"), talk.call("other")
            assert text_of(await talk.called("plain")) == "plain"
            assert talk.inbox == []
            release.set()
            assert text_of((await talk.answer(blocked))["result"]) == "released"
            assert text_of((await talk.answer(waiting))["result"]) == "other"

    with running(workbench):
        within(main)


def test_an_inline_tool_that_takes_long_is_moved_to_a_thread(caplog: pytest.LogCaptureFixture) -> None:
    workbench = wb.Workbench()
    names: list[str] = []

    @workbench.tool(run_on="inline")
    def grind() -> int:
        names.append(threading.current_thread().name)
        return sum(range(1_000_000))

    async def main() -> None:
        async with talking(workbench) as talk:
            for _ in range(40):
                await talk.called("grind")
                if names[-1].startswith("mcp-tool-"):
                    return
            pytest.fail("it stayed where it was")

    with running(workbench):
        within(main)
    assert "from now on it runs in a thread" in caplog.text


def test_a_million_progress_reports_and_logs_are_bounded() -> None:
    workbench = wb.Workbench()

    @workbench.tool
    def chatter(ctx: wb.Context) -> str:
        for number in range(100_000):
            ctx.report_progress(number)
        for number in range(20_000):
            ctx.log(f"{number}\ud800" if number % 2 else "x")
        return "done"

    async def main() -> None:
        async with unharmed(workbench), talking(workbench) as talk:
            call = talk.ask("tools/call", {"name": "chatter"}, progressToken=1)
            assert text_of((await talk.answer(call))["result"]) == "done"
            reports = talk.heard("notifications/progress")
            assert [each["progress"] for each in reports] == sorted({each["progress"] for each in reports})

    with running(workbench):
        within(main)


def test_a_fault_in_our_own_work_is_answered_too(monkeypatch: pytest.MonkeyPatch) -> None:
    workbench = wb.Workbench()

    @workbench.tool
    def well() -> str:
        return "well"

    def broken(work: ToolWork, *_: object) -> Any:
        raise RuntimeError("ours")

    async def main() -> None:
        async with unharmed(workbench), talking(workbench) as talk:
            for method in ("start", "_run", "_finish", "_answer_for", "ended"):
                with monkeypatch.context() as patch:
                    patch.setattr(ToolWork, method, broken)
                    answer = await talk.answer(talk.call("well"))
                assert "error" in answer or answer["result"]["isError"], method
            assert text_of(await talk.called("well")) == "well"

    with running(workbench):
        within(main)
        assert server_of(workbench)._engine.running
