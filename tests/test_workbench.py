"""class Workbench: starting, stopping, offering, and what it never says."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPMessage
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import mcp_workbench as wb
from mcp_workbench import assembly, discovery
from mcp_workbench.errors import ConnectionClosed, HandshakeRefused, RegistrationError, WorkbenchError
from mcp_workbench.events import ChangeKind
from mcp_workbench.hosts import PlainHost
from mcp_workbench.transports.credentials import DEFAULT_NAME
from mcp_workbench.views import browser
from mcp_workbench.views.showing import Showing
from tests.support.host import ScriptedHost
from tests.support.stage import running, server_of, talking, within
from tests.support.talk import text_of


def _frame() -> pd.DataFrame:
    return pd.DataFrame({"delay": [2, 11, -4]})


# --- starting and stopping ------------------------------------------------------------------------------


def test_starting_again_with_the_same_settings_does_nothing() -> None:
    workbench = wb.Workbench()
    with running(workbench, name="one") as started:
        url = started.url
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert started.start() is workbench
            assert started.start(name="one") is workbench
        assert workbench.url == url


def test_starting_again_with_other_settings_warns_and_changes_nothing() -> None:
    workbench = wb.Workbench()
    with running(workbench, name="one"):
        url = workbench.url
        with pytest.warns(UserWarning, match="already runs at .* nothing was changed"):
            workbench.start(port=1)
        assert workbench.url == url
        assert workbench.status().name == "one"


def test_a_start_that_fails_leaves_nothing_and_is_forgotten() -> None:
    first, second = wb.Workbench(), wb.Workbench()
    with running(first):
        port = int(first.url.rpartition(":")[2].partition("/")[0])
        with pytest.raises(OSError, match=f"port {port}"):
            second.start(port=port)
        assert not second.running
        with running(second):
            assert second.url != first.url


@pytest.mark.parametrize("host", ["0.0.0.0", "lab.example"])
def test_other_machines_are_let_in_only_by_name(host: str) -> None:
    with pytest.raises(ValueError, match="allow_remote=True"):
        wb.Workbench().start(host=host)


def test_the_name_comes_from_the_argument_or_the_folder() -> None:
    with running(wb.Workbench("mine")) as workbench:
        assert workbench.status().name == "mine"
    with running(wb.Workbench()) as workbench:
        assert workbench.status().name


def test_stopping_twice_and_stopping_nothing_do_nothing() -> None:
    workbench = wb.Workbench()
    workbench.stop()
    workbench.start()
    workbench.stop()
    workbench.stop()
    assert not workbench.running
    with pytest.raises(WorkbenchError, match=r"call start\(\) first"):
        _ = workbench.url


def test_what_was_offered_is_served_again_after_a_stop() -> None:
    workbench = wb.Workbench()
    workbench.publish(flights=_frame())

    @workbench.tool
    def rows(flights: pd.DataFrame) -> int:
        return len(flights)

    async def main() -> None:
        async with talking(workbench) as talk:
            assert text_of(await talk.called("rows")).startswith("3")

    token = workbench.token
    for _ in range(3):
        with running(workbench):
            within(main)
            assert workbench.token == token


def test_another_thread_may_stop_it() -> None:
    workbench = wb.Workbench()
    workbench.start()
    thread = threading.Thread(target=workbench.stop)
    thread.start()
    thread.join()
    assert not workbench.running


def test_a_tool_may_stop_it_from_its_thread_and_an_inline_tool_is_told_why_not() -> None:
    workbench = wb.Workbench(limits=wb.Limits(stop_grace_s=0.01))

    @workbench.tool(run_on="inline")
    def stop_inline() -> None:
        workbench.stop()

    @workbench.tool
    def stop() -> None:
        workbench.stop()

    async def main() -> None:
        async with talking(workbench) as talk:
            refused = await talk.called("stop_inline")
            assert (refused["isError"], "cannot stop the server it runs on" in text_of(refused)) == (True, True)
            assert workbench.running
            stopped = await talk.answer(talk.call("stop"))
            assert "was stopped" in text_of(stopped["result"])
            assert (await talk.closed)[0] == 1001

    with running(workbench):
        within(main)


def test_async_with_starts_and_stops() -> None:
    async def main() -> None:
        async with wb.Workbench(builtin_tools=False) as workbench:
            assert workbench.running
            async with workbench.connect() as session:
                assert await session.list_tools() == []
        assert not workbench.running

    within(main)


def test_a_show_that_was_interrupted_is_in_nobodys_way(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    display, interrupts = PlainHost.display, [False, True, False]

    def interrupted(host: PlainHost, bundle: Mapping[str, Any]) -> Any:
        if interrupts.pop(0):
            raise KeyboardInterrupt
        return display(host, bundle)

    monkeypatch.setattr(PlainHost, "display", interrupted)
    workbench = wb.Workbench(name="trips")
    try:
        workbench.show()
        with pytest.raises(KeyboardInterrupt):
            workbench.show()
        workbench.show()
        assert capsys.readouterr().out.count("serves at") == 2
    finally:
        workbench.stop()


def test_threads_that_show_at_once_leave_one_display(capsys: pytest.CaptureFixture[str]) -> None:
    workbench = wb.Workbench(name="trips")
    try:
        threads = [threading.Thread(target=workbench.show) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert capsys.readouterr().out.count("serves at") == 8
        assert workbench._display is not None
        listeners = workbench._following().on_cell_end
        assert sum(isinstance(getattr(each, "__self__", None), Showing) for each in listeners) == 1
    finally:
        workbench.stop()


def test_a_page_of_its_own_is_one_printed_line_with_a_link_and_ends_with_the_server(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(browser, "open_near", opened.append)
    workbench = wb.Workbench(name="trips")
    try:
        workbench.show(browser=True)
        printed = capsys.readouterr().out
        [link] = opened
        assert printed == f"{link} (good once, for 60 s)\n"
        port = server_of(workbench).server.port
        assert link.startswith(f"http://127.0.0.1:{port}/panel/open/")
        status, headers = _get(port, link.removeprefix(f"http://127.0.0.1:{port}"))
        assert status == 303
        cookie = {"Cookie": headers["Set-Cookie"].partition(";")[0]}
        assert _get(port, "/panel/favicon.svg", cookie)[0] == 200
        assert _get(port, "/panel/", cookie)[0] in (200, 503)  # the latter where the front end was not built
        assert _get(port, "/panel/", {"Authorization": f"Bearer {workbench.token}"})[0] == 403
        assert _get(port, "/panel/link", {"Authorization": f"Bearer {workbench.token}"})[0] == 401
        workbench.stop()
        workbench.start(port=port)
        assert _get(port, "/panel/", cookie)[0] == 403
    finally:
        workbench.stop()


def _get(port: int, target: str, headers: dict[str, str] | None = None) -> tuple[int, HTTPMessage]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", target, headers=headers or {})
        response = connection.getresponse()
        response.read()
        return response.status, response.headers
    finally:
        connection.close()


def test_two_workbenches_live_side_by_side() -> None:
    one, other = wb.Workbench("one"), wb.Workbench("other")

    @one.tool
    def where() -> str:
        return "one"

    @other.tool(name="where")
    def elsewhere() -> str:
        return "other"

    async def main() -> None:
        async with talking(one) as a, talking(other) as b:
            assert [text_of(await talk.called("where")) for talk in (a, b)] == ["one", "other"]
        with pytest.raises(HandshakeRefused, match="401"):
            await wb.connect(one.url, token=other.token)

    with running(one), running(other):
        assert one.url != other.url
        assert one.token != other.token
        assert {entry.url for entry in discovery.find()} >= {one.url, other.url}
        within(main)


def test_it_can_be_found_while_it_runs_and_no_longer() -> None:
    workbench = wb.Workbench("findable")
    with running(workbench):
        [entry] = [entry for entry in discovery.find() if entry.name == "findable"]
        assert (entry.url, entry.token.reveal()) == (workbench.url, workbench.token)
    assert [entry for entry in discovery.find() if entry.name == "findable"] == []


def test_a_server_that_listens_everywhere_is_announced_at_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert assembly.LOOPBACK_OF_ALL == {"0.0.0.0": "127.0.0.1", "::": "::1"}
    monkeypatch.setitem(assembly.LOOPBACK_OF_ALL, "127.0.0.1", "localhost")
    with running(wb.Workbench("everywhere")) as workbench:
        [entry] = [entry for entry in discovery.find() if entry.name == "everywhere"]
        assert entry.url == workbench.url.replace("127.0.0.1", "localhost")


def test_a_server_that_cannot_be_announced_runs_all_the_same(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def full(entry: discovery.Entry) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(discovery, "write", full)
    with running(wb.Workbench()) as workbench:
        assert workbench.running
    assert "disk full" in caplog.text


def test_where_other_programs_cannot_reach_it_there_is_nothing_for_them_to_find(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(assembly.LOOPBACK_OF_ALL, "127.0.0.1", "192.0.2.1")
    with running(wb.Workbench("far")):
        assert "its discovery file has an address that leads elsewhere" in caplog.text
        assert [entry for entry in discovery.find() if entry.name == "far"] == []


def test_a_start_that_fails_late_gives_back_thread_and_port(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**facts: object) -> None:
        raise RuntimeError("late")

    monkeypatch.setattr(discovery, "describe_this_process", broken)
    workbench = wb.Workbench()
    with pytest.raises(RuntimeError, match="late"):
        workbench.start()
    assert not workbench.running
    monkeypatch.undo()
    with running(workbench):
        assert workbench.running


def test_the_switch_interval_is_lowered_while_clients_are_connected() -> None:
    workbench = wb.Workbench(switch_interval=0.0007)
    before = sys.getswitchinterval()

    async def main() -> None:
        async with talking(workbench):
            assert sys.getswitchinterval() == pytest.approx(0.0007)

    with running(workbench):
        assert sys.getswitchinterval() == before
        within(main)
    assert sys.getswitchinterval() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_knows_that_the_server_is_not_its_own() -> None:
    script = """
        import os, sys, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        import mcp_workbench as wb
        workbench = wb.Workbench().start()
        child = os.fork()
        if child == 0:
            code = 0 if not workbench.running else 1
            try:
                workbench.start()
                code |= 2
            except wb.WorkbenchError as error:
                code |= 0 if "forked" in str(error) else 4
            workbench.stop()
            wb.Workbench().start().stop()
            os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert workbench.running
        workbench.stop()
    """
    _run(script)


def _run(script: str, *arguments: str) -> str:
    command = [sys.executable, "-c", textwrap.dedent(script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


# --- offering ---------------------------------------------------------------------------------------------


def test_decorators_return_the_function_unchanged() -> None:
    workbench = wb.Workbench()

    def add(a: int, b: int) -> int:
        return a + b

    assert workbench.tool(add) is add
    assert workbench.tool(name="plus")(add) is add
    assert workbench.prompt(add) is add
    assert workbench.prompt(title="Plus")(add) is add
    assert workbench.resource("sum://{a}/{b}")(add) is add
    assert [tool.name for tool in workbench.tools] == ["add", "plus"]
    assert [prompt.name for prompt in workbench.prompts] == ["add"]
    assert [resource.uri for resource in workbench.resources] == ["sum://{a}/{b}"]


def test_what_cannot_be_offered_is_refused_at_once() -> None:
    workbench = wb.Workbench()

    def wrong(ctx: wb.AsyncContext) -> None: ...

    with pytest.raises(RegistrationError, match="wrong"):
        workbench.tool(wrong)
    assert workbench.tools == ()


def test_publishing_one_or_several_and_with_details() -> None:
    workbench = wb.Workbench()
    workbench.publish(a=_frame(), b=_frame()["delay"])
    workbench.publish("c", _frame(), description="third")
    assert workbench.status().dataframes == ("a v1, 3 x 1", "b v1, 3 x 1", "c v1, 3 x 1")
    with pytest.raises(RegistrationError):
        workbench.publish(nonsense=3)  # type: ignore[call-overload]  # that is the mistake
    with pytest.raises(RegistrationError):
        workbench.publish("no name", _frame())


def test_touch_makes_versions_that_get_hands_out() -> None:
    workbench, frame = wb.Workbench(), _frame()
    workbench.publish(flights=frame)
    frame.loc[0, "delay"] = 99
    change = workbench.touch("df://flights/rows?limit=3")
    assert change is not None
    assert (change.version, change.kind) == (2, ChangeKind.COLUMNS)
    assert [workbench.get("flights", version)["delay"].tolist() for version in (1, None)] == [[2, 11, -4], [99, 11, -4]]
    mine = workbench.get("flights")
    mine.loc[0, "delay"] = 0
    assert workbench.get("flights")["delay"].tolist() == [99, 11, -4]


def test_touching_an_own_resource_returns_nothing_and_needs_no_server() -> None:
    workbench = wb.Workbench()

    @workbench.resource("note://{day}")
    def note(day: str) -> str:
        return day

    assert workbench.touch("note://monday") is None


@pytest.mark.parametrize("verb", ["touch", "get", "unpublish"])
def test_what_is_not_there_is_said_not_to_be(verb: str) -> None:
    with pytest.raises(WorkbenchError, match="absent"):
        getattr(wb.Workbench(), verb)("absent")


def test_unpublish_withdraws_anything_by_name() -> None:
    workbench = wb.Workbench()
    workbench.publish(flights=_frame())
    workbench.tool(_frame)
    workbench.prompt(name="ask")(lambda: "x")
    workbench.resource("note://x", name="note")(lambda: "x")
    for name in ("flights", "_frame", "ask", "note"):
        workbench.unpublish(name)
    status = workbench.status()
    assert (status.tools, status.prompts, status.resources, status.dataframes) == ((), (), (), ())


def test_limits_given_to_start_reach_what_existed_before() -> None:
    workbench = wb.Workbench()
    workbench.publish(flights=_frame())

    @workbench.tool
    def rows(flights: pd.DataFrame) -> pd.DataFrame:
        return flights

    async def main() -> None:
        async with talking(workbench) as talk:
            for _ in range(3):
                await talk.called("rows")

    with running(workbench, limits=wb.Limits(results=1, records=2)):
        within(main)
    assert workbench.get("_r3") is not None
    with pytest.raises(WorkbenchError, match="_r2"):
        workbench.get("_r2")
    assert len(workbench.telemetry.calls()) == 2


# --- who may come in -----------------------------------------------------------------------------------------


def test_revoking_closes_sessions_and_voids_token_tickets_and_results() -> None:
    workbench = wb.Workbench()
    workbench.publish(flights=_frame())

    @workbench.tool
    def rows(flights: pd.DataFrame) -> pd.DataFrame:
        return flights

    token = workbench.tokens.add("alice")
    assert workbench.tokens.names() == (DEFAULT_NAME, "alice")

    async def main() -> None:
        ticket = workbench.ticket_url(name="alice")
        async with talking(workbench) as mine, talking(workbench, principal="alice") as hers:
            await hers.called("rows")
            assert workbench.get("_r1") is not None
            workbench.tokens.revoke("alice")
            assert (await hers.closed)[0] == 1008
            assert await mine.result("ping") == {}
        with pytest.raises(HandshakeRefused, match="401"):
            await wb.connect(workbench.url, token=token)
        with pytest.raises(HandshakeRefused, match="401"):
            await wb.connect(ticket)

    with running(workbench):
        within(main)
        with pytest.raises(ValueError, match="alice"):
            workbench.ticket_url(name="alice")
    with pytest.raises(WorkbenchError, match="_r1"):
        workbench.get("_r1")
    with pytest.raises(ValueError, match="alice"):
        workbench.tokens.revoke("alice")
    with pytest.raises(ValueError, match="default"):
        workbench.tokens.add(DEFAULT_NAME)


def test_an_inline_tool_may_revoke_too() -> None:
    workbench = wb.Workbench()
    workbench.tokens.add("alice")

    @workbench.tool(run_on="inline")
    def throw_out() -> str:
        workbench.tokens.revoke("alice")
        return "gone"

    async def main() -> None:
        async with talking(workbench) as mine, talking(workbench, principal="alice") as hers:
            assert text_of(await mine.called("throw_out")) == "gone"
            assert (await hers.closed)[0] == 1008

    with running(workbench):
        within(main)


def test_a_ticket_opens_one_connection() -> None:
    workbench = wb.Workbench()

    async def main() -> None:
        url = workbench.ticket_url(ttl_s=30)
        assert workbench.status().waiting_tickets == 1
        async with wb.connect(url, era="legacy") as session:
            await session.ping()
        assert workbench.status().waiting_tickets == 0
        with pytest.raises(HandshakeRefused, match="401"):
            await wb.connect(url)

    with running(workbench):
        within(main)
        for ttl_s in (0, -1, 3601):
            with pytest.raises(ValueError, match="ttl_s"):
                workbench.ticket_url(ttl_s)


def test_the_token_is_said_nowhere(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    workbench = wb.Workbench("quiet")
    workbench.publish(flights=_frame())
    heard: list[str] = []

    @workbench.tool
    def fail() -> None:
        raise ValueError("boom")

    async def main() -> None:
        async with talking(workbench) as talk:
            heard.extend([str(await talk.request(method, {"name": "fail"})) for method in ("tools/list", "tools/call", "nonsense")])
            heard.extend([repr(workbench.status()), workbench.status()._repr_html_(), repr(workbench.sessions)])
        for wrong in ("x", workbench.token[:-1], workbench.token + "x"):
            try:
                await wb.connect(workbench.url, token=wrong)
            except HandshakeRefused as refused:
                heard.append(str(refused))
        heard.append(str(workbench.ticket_url()))

    with running(workbench):
        within(main)
        server = server_of(workbench)
        own = (workbench, workbench.tokens, workbench.status(), workbench._offer)
        for thing in (*own, server, server.server, server.sessions, server.settings):
            heard.extend([repr(thing), str(thing)])
        heard.extend(repr(entry) for entry in discovery.find())
        heard.extend([repr(workbench.connect()), repr(workbench._offer.credentials), repr(vars(workbench))])
        heard.extend(str(record) for record in workbench.telemetry.calls())
        heard.extend(record.traceback_text or "" for record in workbench.telemetry.calls())
        token = workbench.token
    output = capfd.readouterr()
    everything = "\n".join([*heard, caplog.text, output.out, output.err, " ".join(sys.argv), str(dict(os.environ))])
    assert len(everything) > 2_000
    assert token not in everything
    assert token[:16] not in everything


def test_without_a_default_token_it_runs_and_is_not_announced(caplog: pytest.LogCaptureFixture) -> None:
    workbench = wb.Workbench("private")
    workbench.tokens.add("alice")
    workbench.tokens.revoke(DEFAULT_NAME)

    async def main() -> None:
        async with talking(workbench, principal="alice") as talk:
            assert await talk.result("ping") == {}

    with running(workbench):
        within(main)
        assert [entry for entry in discovery.find() if entry.name == "private"] == []
    assert "its token was revoked" in caplog.text


# --- looking ---------------------------------------------------------------------------------------------------


def test_status_tells_the_facts_of_the_moment() -> None:
    workbench = wb.Workbench("facts")
    workbench.publish(flights=_frame())

    @workbench.tool
    def add(a: int, b: int) -> int:
        return a + b

    async def main() -> None:
        async with talking(workbench) as talk:
            await talk.called("add", a=1, b=2)
            await talk.called("add", a=1, b="x")
            await talk.fence()  # a call is recorded behind its answer
            shown = repr(workbench.status())
            assert f"'facts' serves at {workbench.url}" in shown
            assert "tools: add" in shown
            assert "DataFrames: flights v1, 3 x 1" in shown
            assert "scripted 1 (2025-11-25, websocket, default): 2 calls, 0 running" in shown
            assert "add: 2 calls, 1 error, p50 " in shown

    with running(workbench):
        assert "no client is connected" in repr(workbench.status())
        within(main)
    assert "is not running; wb.start() starts it." in repr(workbench.status())
    assert repr(workbench) == "<Workbench 'facts' not running>"


def test_status_shows_what_clients_say_of_themselves_as_text() -> None:
    workbench = wb.Workbench("<script>alert(1)</script>")

    async def main() -> None:
        async with talking(workbench, opened=False) as talk:
            info = {"name": "<img src=x onerror=alert(1)>", "version": "&"}
            await talk.result("initialize", {"protocolVersion": talk.version, "capabilities": {}, "clientInfo": info})
            shown = workbench.status()._repr_html_()
            assert "<img" not in shown
            assert "<script" not in shown
            assert "&lt;img src=x" in shown

    with running(workbench):
        within(main)


def test_sessions_come_and_go() -> None:
    workbench = wb.Workbench()

    async def main() -> None:
        assert workbench.sessions == []
        async with talking(workbench) as talk:
            [session] = workbench.sessions
            assert session.record.client_name == "scripted"
            talk.channel.abort()
            await talk.closed
            await _until_nobody_is_left(workbench)

    with running(workbench):
        within(main)
    assert workbench.sessions == []
    assert [ended.close_code for ended in workbench.telemetry.sessions()] == [1006, 1000]


async def _until_nobody_is_left(workbench: wb.Workbench) -> None:
    async with talking(workbench) as other:
        await other.until(lambda: len(workbench.sessions) == 1)


def test_connecting_needs_a_running_server() -> None:
    with pytest.raises(WorkbenchError, match="not running"):
        wb.Workbench().connect()


def test_a_stopped_server_is_gone() -> None:
    workbench = wb.Workbench()
    with running(workbench):
        url = workbench.url

    async def main() -> None:
        with pytest.raises(ConnectionClosed, match="nothing listens"):
            await wb.connect(url, token=workbench.token)

    within(main)


def test_reading_it_from_many_threads_while_clients_come_and_go() -> None:
    workbench, faults, stop = wb.Workbench(), [], threading.Event()
    workbench.tool(_frame)

    def look() -> None:
        try:
            while not stop.is_set():
                repr(workbench.status())
                len(workbench.sessions)
        except Exception as fault:
            faults.append(fault)

    async def visit() -> None:
        async with talking(workbench) as talk:
            await talk.called("_frame")

    async def main() -> None:
        for _ in range(5):
            await asyncio.gather(*(visit() for _ in range(5)))

    lookers = [threading.Thread(target=look) for _ in range(3)]
    with running(workbench):
        for looker in lookers:
            looker.start()
        try:
            within(main)
        finally:
            stop.set()
            for looker in lookers:
                looker.join()
    assert faults == []


# --- what breaking it has shown ----------------------------------------------------------------------------


class _EagerHost(PlainHost):
    """A notebook whose main thread looks before the post that asked for it has returned."""

    def __init__(self) -> None:
        self.looked = 0

    def run_between_cells(self, function: Callable[[], None]) -> bool:
        self.looked += 1
        function()
        return True


def test_dataframes_are_looked_at_after_every_call_however_quick_the_main_thread_is(monkeypatch: pytest.MonkeyPatch) -> None:
    host = _EagerHost()
    monkeypatch.setattr("mcp_workbench.workbench.core.current_host", lambda: host)
    workbench = wb.Workbench()
    workbench.publish(delays=_frame())
    workbench.tool(name="nothing")(lambda: None)

    async def main() -> None:
        async with talking(workbench) as talk:
            for _ in range(3):
                await talk.result("tools/call", {"name": "nothing"})

    with running(workbench):
        within(main)
        assert host.looked == 3


def test_one_server_is_started_however_many_threads_start_it() -> None:
    workbench = wb.Workbench()
    barrier = threading.Barrier(8)
    urls: list[str] = []

    def start() -> None:
        barrier.wait(5)
        urls.append(workbench.start().url)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    try:
        assert set(urls) == {workbench.url}
        assert len(urls) == 8
        assert len(discovery.find()) == 1
    finally:
        workbench.stop()


def test_no_tool_is_lost_when_threads_register_side_by_side() -> None:
    workbench = wb.Workbench()

    def register(number: int) -> None:
        for each in range(20):
            workbench.tool(name=f"tool_{number}_{each}")(lambda: None)

    threads = [threading.Thread(target=register, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(workbench.tools) == 80


@pytest.mark.leaks_threads("the loop of the server that was given up")
def test_stopping_a_server_whose_loop_is_blocked_says_why_and_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcp_workbench.workbench.serving.STOP_PATIENCE_S", 0.1)
    workbench = wb.Workbench(limits=wb.Limits(stop_grace_s=0)).start()
    entered, leave = threading.Event(), threading.Event()

    def block() -> None:
        entered.set()
        leave.wait(10)

    server = server_of(workbench)
    server._engine.post(block)
    assert entered.wait(5)
    with pytest.raises(WorkbenchError, match="its loop is blocked"):
        workbench.stop()
    leave.set()
    server._engine._thread.join(5)
    assert not workbench.running


def test_a_blocked_inline_tool_does_not_hold_up_the_end_of_the_program() -> None:
    script = """
        import threading, mcp_workbench as wb
        workbench = wb.Workbench().start()
        entered = threading.Event()
        workbench._running._engine.post(lambda: (entered.set(), threading.Event().wait()))
        entered.wait(5)
        print("over")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "over\n", "")


def test_what_the_author_should_know_stands_in_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(entry: discovery.Entry) -> None:
        raise OSError("disk \x1b[31mfull")

    monkeypatch.setattr(discovery, "write", full)
    with running(wb.Workbench()) as workbench:
        assert "note: other programs will not find this kernel" in repr(workbench.status())
        assert "disk \\x1b[31mfull" in repr(workbench.status())


def test_a_folder_deleted_under_us_keeps_nobody_from_starting() -> None:
    script = """
        import os, tempfile
        import mcp_workbench as wb
        folder = tempfile.mkdtemp()
        os.chdir(folder)
        os.rmdir(folder)
        with_server = wb.Workbench().start()
        print(with_server.running)
        with_server.stop()
    """
    # -P: with "" on the path Python 3.13.0 itself raises SystemError at any missing attribute of a module once the folder is gone.
    command = [sys.executable, "-P", "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


def test_a_token_of_ones_own_choice_lasts_longer_than_a_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = "a-token-that-outlives-the-kernel-0123456789"
    monkeypatch.setenv("MCP_WORKBENCH_TOKEN", chosen)
    workbench = wb.Workbench()
    assert workbench.token == chosen
    assert chosen not in repr(workbench) + repr(workbench.tokens)
    assert workbench.tokens.add("alice") != chosen
    monkeypatch.setenv("MCP_WORKBENCH_TOKEN", "short")
    with pytest.raises(ValueError, match="a chosen token has 32 to 512") as refused:
        wb.Workbench()
    assert "short" not in str(refused.value)


def test_the_mistakes_of_a_first_publish_are_named() -> None:
    workbench = wb.Workbench()
    with pytest.raises(RegistrationError, match="publish takes the name first"):
        workbench.publish(_frame())  # type: ignore[call-overload]  # the mistake
    with pytest.raises(RegistrationError, match=r'publish\("flights", flights, description=…\)'):
        workbench.publish(delays=_frame(), description="late")  # type: ignore[call-overload]  # the mistake
    assert workbench.status().dataframes == ()
    workbench.publish(description=_frame())
    assert workbench.status().dataframes == ("description v1, 3 x 1",)


def test_a_tool_that_takes_the_name_of_another_function_is_pointed_out() -> None:
    workbench = wb.Workbench()

    def first() -> None: ...
    def second() -> None: ...

    workbench.tool(name="dup")(first)
    with pytest.warns(UserWarning, match=r"the tool 'dup' was .*first and is now .*second"):
        workbench.tool(name="dup")(second)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        workbench.tool(name="dup")(second)


def test_connecting_nowhere_says_where_to_connect() -> None:
    with pytest.raises(WorkbenchError, match=r"call start\(\) first, or connect to another with url= and token="):
        wb.Workbench().connect()


def test_a_resource_without_its_uri_is_refused_at_once() -> None:
    with pytest.raises(RegistrationError, match="a resource needs its URI"):
        wb.Workbench().resource(lambda: "text")  # type: ignore[arg-type]  # the mistake


def test_a_name_that_is_let_in_again_keeps_results_again_and_finds_none_of_before() -> None:
    workbench = wb.Workbench()
    workbench.tool(name="frame")(_frame)

    async def call(expected: str) -> None:
        async with talking(workbench, principal="alice") as talk:
            assert expected in text_of(await talk.result("tools/call", {"name": "frame"}))

    with running(workbench):
        workbench.tokens.add("alice")
        within(lambda: call("_r1"))
        workbench.tokens.revoke("alice")
        workbench.tokens.add("alice")
        within(lambda: call("_r2"))
    assert workbench.get("_r2").shape == (3, 1)
    with pytest.raises(WorkbenchError, match="_r1"):
        workbench.get("_r1")


def test_a_dataframe_whose_variable_is_gone_is_marked_in_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    host = ScriptedHost()
    monkeypatch.setattr("mcp_workbench.workbench.core.current_host", lambda: host)
    workbench = wb.Workbench()
    host.variables["delays"] = _frame()
    workbench.publish(delays=host.variables["delays"])
    with running(workbench):
        with host.running_cell():
            del host.variables["delays"]
        assert workbench.status().dataframes == ("delays v1, 3 x 1 (not followed any more: its variable delays was deleted)",)


def test_a_result_has_no_versions() -> None:
    workbench = wb.Workbench()
    workbench._offer.results.keep(_frame(), "default")
    assert workbench.get("_r1").shape == (3, 1)
    with pytest.raises(WorkbenchError, match="has no versions"):
        workbench.get("_r1", version=77)


def test_our_client_reads_what_a_result_left_out_through_its_links() -> None:
    workbench = wb.Workbench()
    rows = pd.DataFrame({"n": range(9_000)})

    @workbench.tool
    def report() -> list[object]:
        return ["words " * 9_000, rows]

    async def main() -> None:
        async with workbench.connect() as session:
            result = await session.call_tool("report")
            text, table = result.links
            read = await session.read_resource(f"{text.uri}?limit=100000")
            assert (read.contents[0].text, len(read.contents)) == ("words " * 9_000, 1)
            assert (await session.read_resource(f"{table.uri}/rows?offset=8999")).text.startswith("n\n8999\n")
            assert result.images == []

    with running(workbench):
        within(main)


def test_a_pyplot_figure_beside_what_fills_a_message_still_fits_it() -> None:
    workbench = wb.Workbench()

    def draw() -> None:
        plt.figure().subplots().imshow(np.random.default_rng(1).random((200, 200)))

    @workbench.tool
    def pictures() -> list[object]:
        draw()
        return [Image.effect_noise((1_000, 1_000), 100) for _ in range(3)]

    @workbench.tool
    def promised() -> dict[str, str]:
        draw()
        return {"a": "x" * 600_000}

    async def main() -> None:
        async with workbench.connect() as session:
            for tool, count in (("pictures", 4), ("promised", 1)):
                result = await session.call_tool(tool)
                assert not result.is_error, result.text
                assert len(result.images) == count

    with running(workbench):
        within(main)


# --- the main thread ------------------------------------------------------------------------------------


def test_a_call_for_the_main_thread_runs_when_a_cell_has_ended_and_says_what_it_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    host = ScriptedHost()
    monkeypatch.setattr("mcp_workbench.workbench.core.current_host", lambda: host)
    workbench = wb.Workbench()
    host.variables["delays"] = _frame()
    workbench.publish(delays=host.variables["delays"])

    @workbench.tool(run_on="main")
    def correct() -> str:
        print("corrected")
        host.variables["delays"].loc[0, "delay"] = 99
        return threading.current_thread().name

    answers: list[str] = []
    waits = threading.Event()

    async def client() -> None:
        async with workbench.connect() as session:
            # Of this process, but not of its main thread: it waits for the cell as others do.
            result = await session.call_tool("correct", on_progress=lambda *_: waits.set())
            answers.append(result.text)

    with running(workbench):
        thread = threading.Thread(target=within, args=(client,))
        with host.running_cell():
            thread.start()
            assert waits.wait(10)
            assert workbench.status().execution["main_waiting"] == 1
            assert "1 call waits for the main thread" in str(workbench.status())
        thread.join()
        assert answers == ["MainThread"]
        [record] = [call for call in workbench.telemetry.calls(10) if call.target == "correct"]
        assert record.queued_behind is not None
        assert record.queued_behind.startswith("cell [1], running ")
        assert record.output == "corrected\n"
        assert workbench.status().dataframes == ("delays v2, 3 x 1",)


def test_wait_needs_a_server_and_not_its_own_thread() -> None:
    workbench = wb.Workbench()
    with pytest.raises(WorkbenchError, match="not running"):
        workbench.wait()

    @workbench.tool(run_on="inline")
    def wait() -> None:
        workbench.wait()

    async def main() -> None:
        async with talking(workbench) as talk:
            assert "cannot wait on the server's own thread" in text_of(await talk.called("wait"))

    with running(workbench):
        within(main)
        assert workbench.wait(timeout_s=0) is False


SCRIPT = """
import asyncio
import threading

import mcp_workbench as wb

@wb.tool(run_on="main")
def name() -> str:
    return threading.current_thread().name

@wb.tool(run_on="main")
async def name_async(ctx: wb.AsyncContext) -> str:
    await asyncio.sleep(0)
    return threading.current_thread().name

async def client():
    async with wb.connect() as session:
        print([(await session.call_tool(tool)).text for tool in ("name", "name_async")])

def main():
    asyncio.run(client())
    wb.stop()

wb.start()
threading.Thread(target=main).start()
print(wb.wait(), flush=True)
"""


def test_a_script_lends_its_main_thread_until_the_server_stops() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["['MainThread', 'MainThread']", "True"]
    assert done.stderr == ""


def test_what_is_not_published_is_answered_with_what_is() -> None:
    workbench = wb.Workbench("trips")
    with pytest.raises(WorkbenchError, match=r"no DataFrame is published as 'nix'; nothing is: wb.publish\(name=df\) serves a DataFrame"):
        workbench.get("nix")
    workbench.publish(flights=pd.DataFrame({"a": [1]}))
    with pytest.raises(WorkbenchError, match="no DataFrame is published as 'flihgts', nearest is 'flights'; published are flights"):
        workbench.get("flihgts")
    with pytest.raises(WorkbenchError, match="No result _r7 is kept"):
        workbench.get("_r7")


def test_the_options_of_tool_can_be_completed() -> None:
    shown = inspect.signature(wb.Workbench("trips").tool).parameters
    assert [*shown][:3] == ["function", "name", "title"]
    assert {"run_on", "timeout_s", "background_after_s"} <= shown.keys()
    assert shown["background_after_s"].default == 45
