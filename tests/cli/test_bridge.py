"""`mcp-workbench bridge` as hosts run it: real processes, real sockets, in any order.

A stand-in for a notebook is a plain Python process that calls `wb.start()`, which is up sooner than a Jupyter kernel;
one test has a real one.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from mcp_workbench import discovery
from mcp_workbench.cli.kernels import TemporaryKernel, one_jupyter_loop
from mcp_workbench.limits import MIB
from mcp_workbench.protocol.versions import LATEST_LEGACY, LATEST_MODERN
from mcp_workbench.transports.command import open_command
from tests.relay.rig import OWN_TOOLS
from tests.support.talk import Talk, text_of

T = TypeVar("T")
COMMAND = (sys.executable, "-m", "mcp_workbench", "bridge")
TEST_S = 60.0
CHANGED = "notifications/tools/list_changed"
NOTEBOOK = """
import sys
import mcp_workbench as wb

limits = wb.Limits(max_message_bytes=64 * 2**20, max_result_bytes=64 * 2**20)

@wb.tool
def whose() -> str:
    "Whose notebook it is."
    return sys.argv[1]

@wb.tool
def size(text: str) -> int:
    "Characters of a text."
    return len(text)

@wb.tool(max_chars=60 * 2**20)
def long(count: int) -> str:
    "A long text."
    return "x" * count

@wb.tool
async def wait(ctx: wb.AsyncContext) -> str:
    "Wait for ever; reports progress once it waits."
    import asyncio
    ctx.report_progress(1)
    await asyncio.Event().wait()
    return ""

for name in sys.argv[2:]:
    wb.tool(name=name)(lambda: "here")
wb.start(sys.argv[1], limits=limits)
print("serving", flush=True)
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
wb.stop()
"""


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A discovery folder of this test's own."""
    folder = tmp_path / "runtime"
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(folder))
    return folder


class Notebook:
    """A process that serves."""

    def __init__(self, name: str, folder: Path, *tools: str) -> None:
        folder.mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-c", NOTEBOOK, name, *tools], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
        )

    async def serving(self) -> Notebook:
        assert await asyncio.to_thread(self._hear) == b"serving\n"
        return self

    async def run(self, code: str) -> None:
        """Run one line."""
        assert self.process.stdin is not None
        self.process.stdin.write(code.encode() + b"\n")
        self.process.stdin.flush()
        assert await asyncio.to_thread(self._hear) == b"done\n"

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()

    def _hear(self) -> bytes:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Awaitable[Notebook]]]:
    """Starts notebooks: name, tools, and a folder below the test's."""
    started: list[Notebook] = []

    def starting(name: str, *tools: str, folder: str = "work") -> Awaitable[Notebook]:
        started.append(Notebook(name, tmp_path / folder, *tools))
        return started[-1].serving()

    yield starting
    for notebook in started:
        notebook.end()


Start = Callable[..., Awaitable[Notebook]]


def environment() -> dict[str, str]:
    """This process's, with the checkout on the path of processes that start elsewhere."""
    return os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}


@asynccontextmanager
async def bridge(
    *options: str, cwd: str | Path = "/", version: str = LATEST_LEGACY, opened: bool = True, checked: bool = True
) -> AsyncIterator[Talk]:
    """A host with its bridge, started in a folder."""
    channel = await open_command([*COMMAND, *options], env=environment(), cwd=cwd)
    async with Talk(channel, version, checked=checked) as talk:
        if opened:
            await talk.open()
        yield talk
    assert talk.closed.result() == (1000, ""), "it ends with exit code 0 when its stdin does"


async def tools(talk: Talk) -> list[str]:
    return [tool["name"] for tool in (await talk.result("tools/list"))["tools"]]


async def listed(talk: Talk, tool: str) -> None:
    """Wait until a tool is listed."""
    while tool not in await tools(talk):
        await talk.news(CHANGED)


async def listening(talk: Talk) -> None:
    """Modern hosts hear of changed lists in a listen."""
    if talk.modern:
        talk.ask("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
        await talk.news("notifications/subscriptions/acknowledged")


def within(main: Callable[[], Awaitable[None]], seconds: float = TEST_S) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(seconds):
            await main()

    asyncio.run(bounded())


@pytest.mark.parametrize("version", [LATEST_LEGACY, LATEST_MODERN])
def test_agent_first_then_a_kernel_then_killed_then_another(start: Start, version: str) -> None:
    async def main() -> None:
        async with bridge(version=version) as talk:
            assert await tools(talk) == OWN_TOOLS
            await listening(talk)
            status = text_of(await talk.called("notebook_status"))
            assert "wb.start()" in status
            for tool in ("df_read", "job_wait", "notebook_call"):
                assert text_of(await talk.called(tool)) == f"{tool} was not run. {status}"
            notebook = await start("flights", "top_routes")
            await listed(talk, "top_routes")
            assert text_of(await talk.called("whose")) == "flights"
            waiting = talk.ask("tools/call", {"name": "wait"}, progressToken="p")
            await talk.news("notifications/progress")
            notebook.process.send_signal(signal.SIGKILL)
            lost = (await talk.answer(waiting))["result"]
            assert lost["isError"] is True
            assert "It may have run, wholly, in part or not at all" in text_of(lost)
            assert "top_routes was not run." in text_of(await talk.called("top_routes"))
            assert "top_routes" in await tools(talk)
            await start("flights")
            await talk.news(CHANGED)
            assert "Kernel restarted" in text_of(await talk.called("top_routes"))
            assert "top_routes" not in await tools(talk)

    within(main)


def test_kernel_first_the_opening_is_its_own_and_stopping_and_starting_it_changes_nothing(start: Start) -> None:
    async def main() -> None:
        notebook = await start("flights", "top_routes")
        async with bridge(opened=False) as talk:
            assert (await talk.open())["serverInfo"]["title"] == "Program flights"
            before = await tools(talk)
            assert "top_routes" in before
            await notebook.run("wb.stop()")
            while not (said := text_of(await talk.called("top_routes"))).startswith(
                "top_routes was not run. The connection to flights was"
            ):
                assert "was lost during top_routes" in said, "the bridge had not heard of the end yet"
            await notebook.run("wb.start('flights', limits=limits)")
            while text_of(await talk.called("top_routes")) != "here":
                pass
            assert await tools(talk) == before
            assert talk.heard(CHANGED) == []

    within(main)


def test_of_two_kernels_the_folder_decides_and_in_the_root_the_agent(start: Start, tmp_path: Path) -> None:
    async def main() -> None:
        await asyncio.gather(start("flights", folder="travel"), start("weather", folder="climate"))
        async with bridge(cwd=tmp_path / "climate") as talk:
            assert text_of(await talk.called("whose")) == "weather"
            assert "notebook_use" not in await tools(talk)
        async with bridge("--kernel", "flights", cwd=tmp_path / "climate") as talk:
            assert text_of(await talk.called("whose")) == "flights"
        async with bridge("--kernel", "flihgts") as talk:
            status = text_of(await talk.called("notebook_status"))
            assert "`--kernel flihgts` and takes no other notebook. Running now:\n- " in status
            assert "- flights · " in status
        async with bridge(cwd="/") as talk:
            assert await tools(talk) == [*OWN_TOOLS, "notebook_use"]
            status = text_of(await talk.called("notebook_status"))
            assert "- flights · " in status
            assert "- weather · " in status
            for name in ("weather", "flights"):
                assert text_of(await talk.called("notebook_use", name=name)).startswith(f"Now using {name}.")
                assert text_of(await talk.called("whose")) == name
            assert "notebook_use" in await tools(talk)

    within(main)


def test_fifty_megabytes_pass_both_ways(start: Start) -> None:
    async def main() -> None:
        await start("flights")
        async with bridge() as talk:
            count = 50 * MIB
            assert text_of(await talk.called("size", text="x" * count)) == str(count)
            assert len(text_of(await talk.called("long", count=count))) == count

    within(main, 110)


def test_lines_that_cannot_be_passed_on_are_answered_and_end_nothing(start: Start) -> None:
    async def main() -> None:
        notebook = await start("flights")
        async with bridge() as talk:
            waiting = talk.call("wait")
            talk.channel.send(b'{"jsonrpc":"2.0","id":1001,"method":"tools/call","params":{"name":"size","arguments":{"text":"\xff"}}}')
            talk.channel.send(b'{"jsonrpc":"2.0","id":1002,"method":"tools/call","params":{"x":"' + b"x" * (64 * MIB) + b'"}}')
            assert text_of(await talk.called("size", text="abc")) == "3", "the same connection serves on"
            refused = [message["error"]["code"] for message in talk.inbox if message.get("id") is None and "error" in message]
            assert refused == [-32700, -32600]
            talk.cancel(waiting)
            assert notebook.process.poll() is None

    within(main)


def test_ctrl_c_is_not_for_it_its_stderr_is_quiet_and_no_token_is_told(start: Start, runtime: Path) -> None:
    async def main() -> None:
        await start("flights")
        (entry,) = discovery.find()
        for options in ([], ["--verbose"]):
            process = await asyncio.create_subprocess_exec(
                *COMMAND, *options, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
            )
            assert process.stdin is not None
            assert process.stdout is not None
            ping = b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'
            process.stdin.write(ping)
            assert b'"id":1' in await process.stdout.readline()
            for _ in range(3):
                process.send_signal(signal.SIGINT)
            process.stdin.write(ping)
            assert b'"id":1' in await process.stdout.readline()
            shown = " ".join(psutil.Process(process.pid).cmdline())
            process.stdin.close()
            out, err = await process.communicate()
            assert (process.returncode, out) == (0, b"")
            assert entry.token.reveal() not in shown + err.decode()
            assert (b"connected with flights" in err) == bool(options)
            assert bool(err) == bool(options)

    within(main)


def test_requests_that_are_piped_in_are_answered_before_it_ends(start: Start) -> None:
    async def main() -> None:
        await start("flights")
        client = '"capabilities":{},"clientInfo":{"name":"a pipe","version":"1"}'
        said = [
            f'{{"jsonrpc":"2.0","id":1,"method":"initialize","params":{{"protocolVersion":"2025-11-25",{client}}}}}',
            '{"jsonrpc":"2.0","method":"notifications/initialized"}',
            '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"whose"}}',
        ]
        done = await asyncio.to_thread(
            subprocess.run, COMMAND, input="\n".join(said), capture_output=True, text=True, check=True, env=environment()
        )
        assert done.stderr == ""
        first, second = done.stdout.splitlines()
        assert '"id":1' in first
        assert "flights" in second

    within(main)


@pytest.mark.kernel
def test_a_restarted_jupyter_kernel_is_found_again_and_its_tools_are_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = "import mcp_workbench as wb; wb.start()"
    cell = (
        f"{start}\nimport pandas as pd; wb.publish(sales=pd.DataFrame({{'a': [1]}}))\n@wb.tool\ndef top_routes() -> str:\n    return 'JFK'"
    )
    kernel = TemporaryKernel(tmp_path)
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(kernel.runtime))

    # Everything of Jupyter's in one thread: its calls and asyncio.run share no loop.
    with ThreadPoolExecutor(1) as jupyter, ExitStack() as stack:
        stack.callback(lambda: jupyter.submit(kept.close).result())
        kept = ExitStack()
        jupyter.submit(kept.enter_context, one_jupyter_loop()).result()

        async def do(function: Callable[..., T], *arguments: object) -> T:
            return await asyncio.get_running_loop().run_in_executor(jupyter, function, *arguments)

        def restart() -> None:
            kernel.disconnect()
            kernel.manager.restart_kernel(now=True)
            kernel.connect()

        async def main() -> None:
            async with bridge() as talk:
                assert await tools(talk) == OWN_TOOLS
                await do(kept.enter_context, kernel)
                assert (await do(kernel.run, cell)).error is None
                await listed(talk, "top_routes")
                assert text_of(await talk.called("top_routes")) == "JFK"
                assert "sales v1" in text_of(await talk.called("notebook_status"))
                await do(restart)
                assert "was not run" in text_of(await talk.called("top_routes"))
                assert (await do(kernel.run, start)).error is None
                await talk.news(CHANGED)
                sentence = text_of(await talk.called("top_routes"))
                assert sentence.endswith("ago; top_routes is not defined yet, ask for its cell to be run.")
                gone, ask = "Jobs and results of before are gone.", "ask for its cell to be run"
                assert set(OWN_TOOLS) <= set(await tools(talk))
                for said, call in [
                    (f"nothing is published yet, sales was. {gone}", talk.called("df_read", name="sales")),
                    (f"nothing is published yet, sales was. {gone}", talk.called("df_describe", name="sales")),
                    (f"top_routes is not defined yet, {ask}. {gone}", talk.called("notebook_call", function="top_routes")),
                    (f"only what ran since is there. {gone}", talk.called("job_wait", job="j3")),
                    (
                        f"sales not published yet, top_routes not defined yet: ask for their cells to be run. {gone}",
                        talk.called("notebook_status"),
                    ),
                ]:
                    first = text_of(await call).splitlines()[0]
                    assert first.startswith("Kernel restarted ")
                    assert said in first
                other = "import pandas as pd; wb.publish(planes=pd.DataFrame({'a': [1]}))"
                assert (await do(kernel.run, other)).error is None
                sentence = text_of(await talk.called("df_read", name="sales"))
                assert f"ago; sales is not published yet, {ask}. {gone}\nNo DataFrame 'sales' is published." in sentence
                assert (await do(kernel.run, cell)).error is None
                while text_of(await talk.called("top_routes")) != "JFK":
                    pass
                status = text_of(await talk.called("notebook_status"))
                assert "sales v1" in status
                assert f" s ago. {gone}\n" in status

        within(main, 110)


@pytest.mark.parametrize(("options", "code"), [(["--help"], 0), (["--kernel"], 2), (["--kernel", "a", "--notebook", "b"], 2), (["x"], 2)])
def test_options_and_exit_codes(options: list[str], code: int) -> None:
    done = subprocess.run([*COMMAND, *options], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == code
    assert "--notebook" in done.stdout + done.stderr


def test_modules_of_the_folder_it_is_started_in_do_not_take_the_place_of_others(tmp_path: Path) -> None:
    for name in ("secrets", "queue", "json", "websockets", "discovery"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a module of the project was imported')")
    done = subprocess.run(COMMAND, cwd=tmp_path, env=environment(), capture_output=True, check=False, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="terminals are made differently there")
def test_people_who_start_it_by_hand_are_told_what_it_is_for() -> None:
    terminal, stdin = os.openpty()
    process = subprocess.Popen(COMMAND, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.close(stdin)
    assert process.stderr is not None
    told = process.stderr.readline() + process.stderr.readline()
    assert b"mcp-workbench config" in told
    assert told.rstrip().endswith(b"Ctrl-D ends it.")
    os.write(terminal, b"\x04")
    assert process.communicate() == (b"", b"")
    os.close(terminal)
    assert process.returncode == 0


def test_starting_it_loads_nothing_that_takes_long() -> None:
    code = (
        "import sys; sys.argv = ['mcp-workbench', 'bridge']\n"
        "from mcp_workbench.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 0, end\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert "websockets" in loaded
    assert not loaded & {"pandas", "numpy", "pydantic", "ipykernel", "IPython", "jupyter_client", "typer", "rich", "griffe", "narwhals"}


def test_a_channels_news_come_through(start: Start) -> None:
    serve = "wb.stop(); wb.start('flights', limits=wb.Limits(channel_every_s=0.05), channels=True)"

    async def main() -> None:
        async with bridge("--channel", opened=False, checked=False) as talk:
            assert (await talk.open())["capabilities"]["experimental"] == {"claude/channel": {}}, "no kernel is there yet"
            notebook = await start("flights")
            await notebook.run(serve)
            await listed(talk, "whose")
            await notebook.run("import pandas; wb.publish(flights=pandas.DataFrame({'a': [1]}))")
            assert (await talk.news("notifications/claude/channel"))["meta"] == {"dataframes": "flights@1"}

    within(main)
