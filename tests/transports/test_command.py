"""A command as a server of ours: started with little, ended whatever it does, and what it says kept for when it fails."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from mcp_workbench.client import connect
from mcp_workbench.errors import CallTimedOut, ConnectionClosed
from mcp_workbench.limits import KIB
from mcp_workbench.transports import command
from mcp_workbench.transports.command import open_command
from tests.support.channels import Listener

READY = "print('[]', flush=True)"
posix = pytest.mark.skipif(sys.platform == "win32", reason="groups and signals are POSIX")


def within(main: Callable[[], Any], seconds: float = 20) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(seconds):
            await main()

    asyncio.run(bounded())


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_command_that_ends_by_itself_says_with_which_code() -> None:
    async def main() -> None:
        channel = await open_command(python("raise SystemExit(3)"))
        listener = Listener()
        channel.open(listener)
        code, reason = await listener.until_closed()
        assert code == 1006
        assert reason.endswith("ended with exit code 3")

    within(main)


def test_the_end_tells_what_a_command_said_last_on_stderr_and_of_all_the_latest_is_kept() -> None:
    code = "import sys; print('a' * 70_000, file=sys.stderr); print('no key:\\x1b[31m set KEY', file=sys.stderr); raise SystemExit(2)"

    async def main() -> None:
        channel = await open_command(python(code))
        listener = Listener()
        channel.open(listener)
        _, reason = await listener.until_closed()
        assert "ended with exit code 2; it said last: aaa" in reason
        assert reason.endswith("aaa no key: [31m set KEY")
        assert len(reason) < 1_200
        said = channel.facts.said()
        assert said.endswith("\nno key:\x1b[31m set KEY\n")
        assert len(said) == 64 * KIB

    within(main)


def test_a_command_that_ignores_the_end_of_its_stdin_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcp_workbench.transports.command.END_WITHIN_S", 0.05)
    code = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {READY}; [signal.pause() for _ in iter(int, 1)]"

    async def main() -> None:
        channel = await open_command(python(code))
        listener = Listener()
        channel.open(listener)
        await listener.until_texts(1)
        channel.close()
        assert await listener.until_closed() == (1000, "")

    within(main)


def test_what_a_command_still_writes_after_the_close_is_taken_from_it(tmp_path: Path) -> None:
    done = tmp_path / "done"
    writing = f"{READY}; sys.stdin.read(); print('x' * 300_000, flush=True)"
    code = f"import pathlib, sys; {writing}; pathlib.Path({str(done)!r}).touch()"

    async def main() -> None:
        for opened in (True, False):
            channel = await open_command(python(code))
            listener = Listener()
            if opened:
                channel.open(listener)
                await listener.until_texts(1)
                channel.pause_receiving()
            channel.close()
            await asyncio.to_thread(channel._process.wait)
            assert done.exists(), "it was not cut off while it wrote"
            assert listener.texts == [b"[]"] * opened
            done.unlink()
            if opened:
                assert await listener.until_closed() == (1000, "")
            await channel.wait_closed()

    within(main)


def test_a_command_that_does_not_exist_is_named_and_its_arguments_are_not() -> None:
    async def main() -> None:
        with pytest.raises(ConnectionClosed, match="no-such-program cannot be started: No such file") as caught:
            await open_command(["/no/such/place/no-such-program", "--token=secret"])
        assert "secret" not in str(caught.value)

    within(main)


def test_a_channel_that_was_never_opened_ends_its_command_too() -> None:
    async def main() -> None:
        channel = await open_command(python("import sys; sys.stdin.read()"))
        channel.close()
        await asyncio.to_thread(channel._process.wait)
        await channel.wait_closed()

    within(main)


def test_a_program_that_is_not_installed_and_a_folder_that_is_not_there_are_told_apart(tmp_path: Path) -> None:
    async def main() -> None:
        with pytest.raises(ConnectionClosed, match="no-such-program cannot be started: no program of that name is on the PATH; install it"):
            await open_command(["no-such-program"])
        with pytest.raises(ConnectionClosed, match="cannot be started: there is no folder"):
            await open_command(python(""), cwd=tmp_path / "absent")

    within(main)


def test_it_is_started_in_its_folder_with_its_variables_and_without_the_keys_of_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "secret")

    async def main() -> None:
        channel = await open_command(
            python("import json, os; print(json.dumps([{'cwd': os.getcwd(), **os.environ}]))"), env={"MINE": "1"}, cwd=tmp_path
        )
        listener = Listener()
        channel.open(listener)
        (text,) = await listener.until_texts(1)
        (saw,) = json.loads(text)
        assert saw["cwd"] == str(tmp_path)
        assert (saw["MINE"], saw["PATH"]) == ("1", os.environ["PATH"])
        assert "SOME_API_KEY" not in saw
        await listener.until_closed()

    within(main)


def test_what_is_no_message_on_its_stdout_is_passed_over_and_told_of() -> None:
    code = "print('Server ready!'); print('[INFO] really'); print('[{}]'); print(' {}'); raise SystemExit(1)"

    async def main() -> None:
        channel = await open_command(python(code))
        listener = Listener()
        channel.open(listener)
        _, reason = await listener.until_closed()
        assert listener.texts == [b"[{}]", b" {}"]
        assert "its stdout, which is for messages only, had 2 other lines, the first: Server ready! (" in reason
        assert "belongs on its stderr" in reason
        assert channel.facts.said() == "Server ready!\n[INFO] really\n"

    within(main)


def test_a_command_that_never_answers_is_given_up_in_one_sentence_and_ended() -> None:
    code = f"import sys; print('give me a key'); {READY}; sys.stdin.read()"

    async def main() -> None:
        channels: list[command.CommandChannel] = []

        async def opener() -> command.CommandChannel:
            channels.append(await open_command(python(code)))
            listener = Listener()
            channels[0].open(listener)
            await listener.until_texts(1)  # by now it has said what the sentence shows
            return channels[0]

        with pytest.raises(CallTimedOut, match=r"initialize was not answered within 0.1 s.*had 1 other line: give me a key"):
            await connect(opener, timeout_s=0.1, probe_timeout_s=0.1)
        assert channels[0]._process.returncode == 0

    within(main)


@posix
def test_what_a_command_has_started_ends_with_it() -> None:
    child = "import signal; signal.pause()"
    code = f"import subprocess, sys; print([subprocess.Popen([sys.executable, '-c', {child!r}]).pid], flush=True); sys.stdin.read()"

    async def main() -> None:
        channel = await open_command(["sh", "-c", f"exec {sys.executable} -c {json.dumps(code)} | sed -u 's/.*/{{&}}/'"])
        listener = Listener()
        channel.open(listener)
        (text,) = await listener.until_texts(1)
        grandchild = psutil.Process(int(text.strip(b"{[]}")))
        channel.close()
        await listener.until_closed()
        await asyncio.to_thread(psutil.wait_procs, [grandchild], 10)
        assert not grandchild.is_running()

    within(main)


@posix
def test_when_this_process_is_killed_a_command_that_ignores_the_end_of_its_stdin_is_ended_too() -> None:
    deaf = "import os, signal; print([os.getpid()], flush=True); [signal.pause() for _ in iter(int, 1)]"
    code = f"""
import asyncio, sys
from mcp_workbench.transports.command import open_command

class Ear:
    def receive_text(self, text):
        print(text.decode(), flush=True)

async def main():
    channel = await open_command([sys.executable, "-c", {("print('{', end=''); " + deaf).replace("[os.getpid()]", "os.getpid()")!r}])
    channel.open(Ear())
    await asyncio.Event().wait()

asyncio.run(main())
"""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(python(code), stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline().strip(b"{\n")))
        process.send_signal(signal.SIGKILL)
    psutil.wait_procs([child], 20)
    assert not child.is_running()


@posix
def test_a_forked_child_does_not_hide_from_a_command_that_we_have_gone() -> None:
    code = f"import sys; {READY}; sys.stdin.read(); {READY}"

    async def main() -> None:
        channel = await open_command(python(code))
        listener = Listener()
        channel.open(listener)
        await listener.until_texts(1)
        child = os.fork()  # noqa: TID251  # it is what is tested
        if child == 0:
            signal.pause()
        try:
            channel.close()
            assert await listener.until_closed() == (1000, "")
            assert channel._process.returncode == 0, "it was not ended by a signal"
        finally:
            os.kill(child, signal.SIGKILL)  # noqa: TID251  # our own child
            await asyncio.to_thread(os.waitpid, child, 0)

    within(main)
