"""What a view asks of a DataFrame: where it is done, and that each request is answered once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pandas as pd
import pytest

from mcp_workbench.execution.runner import QUICK_THREADS, Execution
from mcp_workbench.hosts import Cell
from mcp_workbench.limits import Limits
from mcp_workbench.live.dataframes.publications import DataFrames
from mcp_workbench.views.actions import dataframes as actions
from mcp_workbench.views.actions.dataframes import DataFrameActions
from mcp_workbench.views.messages import Done, GetPreview, Message, Preview, Touch
from tests.execution.main_rig import Host


class Stage:
    """Actions over a real `Execution`, whose main thread does what the test lets it do."""

    def __init__(self) -> None:
        self.host = Host()
        host: Any = self.host
        self.execution = Execution(asyncio.get_running_loop(), Limits(), host=host)
        self.dataframes = DataFrames()
        self.df = pd.DataFrame({"n": [1, 2]})
        self.dataframes.publish("data", self.df)
        self.actions = DataFrameActions(self.dataframes, self.execution)
        self.replies: list[Message] = []
        self.came = asyncio.Event()

    def ask(self, message: GetPreview | Touch) -> None:
        self.actions.answer(message, self._reply)

    def _reply(self, message: Message) -> None:
        assert threading.current_thread() is threading.main_thread(), "replies come on the protocol loop"
        self.replies.append(message)
        self.came.set()

    async def replied(self, count: int) -> list[Message]:
        """The first so many replies."""
        while len(self.replies) < count:
            self.came.clear()
            await self.came.wait()
        return self.replies


def on_stage(act: Callable[[Stage], Awaitable[None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(30):
            stage = Stage()
            try:
                await act(stage)
            finally:
                await stage.execution.close(0)

    asyncio.run(run())


def test_a_preview_is_made_in_a_quick_thread_of_the_latest_version() -> None:
    async def act(stage: Stage) -> None:
        stage.df["n"] = [3, 4]
        stage.dataframes.check()
        stage.ask(GetPreview(id=4, name="data"))
        assert stage.replies == [], "nothing is read on the loop"
        (told,) = await stage.replied(1)
        assert isinstance(told, Preview)
        assert (told.re, told.version, told.rows) == (4, 2, (("3",), ("4",)))
        assert stage.execution.statistics().threads <= QUICK_THREADS

    on_stage(act)


def test_what_there_is_not_is_said_at_once_while_a_cell_has_the_main_thread() -> None:
    async def act(stage: Stage) -> None:
        stage.host.at_work = Cell("[3]", None, 0.0)
        stage.ask(GetPreview(id=1, name="dat"))
        stage.ask(Touch(id=2, name="dat"))
        told = sorted(await stage.replied(2), key=lambda done: getattr(done, "re", 0))
        assert [(done.re, done.ok) for done in told if isinstance(done, Done)] == [(1, False), (2, False)]
        assert all("data" in done.sentence for done in told if isinstance(done, Done)), "it names what there is"

    on_stage(act)


def test_a_touch_waits_for_the_cell_and_tells_everybody_who_asked_meanwhile_of_one_version() -> None:
    async def act(stage: Stage) -> None:
        stage.host.at_work = Cell("[3]", None, 0.0)
        stage.ask(Touch(id=1, name="data"))
        stage.ask(Touch(id=2, name="data"))
        stage.df.loc[2] = [9]
        assert (stage.execution.statistics().main_waiting, stage.replies) == (1, [])
        stage.host.at_work = None
        stage.execution.main.cell_ended()
        assert await stage.replied(2) == [
            Done(re=1, ok=True, sentence="data v2: 1 row appended"),
            Done(re=2, ok=True, sentence="data v2: 1 row appended"),
        ]
        stage.ask(Touch(id=3, name="data"))
        stage.host.turn()
        assert (await stage.replied(3))[2] == Done(re=3, ok=True, sentence="data v3: touched")

    on_stage(act)


def test_a_touch_that_comes_while_one_is_at_work_is_done_after_it() -> None:
    async def act(stage: Stage) -> None:
        stage.dataframes.on_change.append(lambda change: stage.ask(Touch(id=2, name="data")) if change.version == 2 else None)
        stage.ask(Touch(id=1, name="data"))
        stage.host.turn()
        stage.host.turn()
        assert [getattr(done, "sentence", "") for done in await stage.replied(2)] == ["data v2: touched", "data v3: touched"]

    on_stage(act)


def test_what_cannot_be_touched_says_why() -> None:
    async def act(stage: Stage) -> None:
        variables = {"other": pd.DataFrame({"n": [1]})}
        stage.dataframes.publish("other", variables["other"], namespace=variables)
        variables.clear()
        stage.ask(Touch(id=1, name="other"))
        stage.host.turn()
        (told,) = await stage.replied(1)
        assert isinstance(told, Done)
        assert not told.ok
        assert "its variable other was deleted" in told.sentence

    on_stage(act)


def test_a_fault_of_somebodys_own_class_is_named_and_logged(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    class Ours(Exception):
        def __str__(self) -> str:
            raise AssertionError("nobody asks it what it says")

    def fail(*_given: object) -> None:
        raise Ours

    monkeypatch.setattr(actions, "preview", fail)

    async def act(stage: Stage) -> None:
        stage.ask(GetPreview(id=1, name="data"))
        (told,) = await stage.replied(1)
        assert isinstance(told, Done)
        assert told.sentence.startswith("It could not be done: ")
        assert told.sentence.endswith("Ours; the notebook's log holds the traceback.")
        assert "what a view asked for could not be done" in caplog.text

    on_stage(act)


def test_a_preview_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(actions, "PATIENCE_S", 0.01)
    monkeypatch.setattr(actions, "preview", lambda *_given: go_on.wait(20))

    async def act(stage: Stage) -> None:
        stage.ask(GetPreview(id=1, name="data"))
        (told,) = await stage.replied(1)
        assert isinstance(told, Done)
        assert told.sentence == "the preview of data took longer than 0.01 s and was given up; try again when the kernel is less busy"
        go_on.set()

    on_stage(act)


def test_a_server_that_stops_answers_what_waits_and_what_still_comes() -> None:
    async def act(stage: Stage) -> None:
        stage.host.at_work = Cell("[3]", None, 0.0)
        stage.ask(Touch(id=1, name="data"))
        await stage.execution.close(0)
        stage.ask(GetPreview(id=2, name="data"))
        told = await stage.replied(2)
        assert [getattr(done, "ok", True) for done in told] == [False, False]
        assert all("shutting down" in getattr(done, "sentence", "") for done in told)

    on_stage(act)
