"""This process as a server on its stdin and stdout, and a command as a server of ours."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcp_workbench.errors import ConnectionClosed
from mcp_workbench.limits import MIB
from mcp_workbench.transports.stdio import open_command
from tests.support.channels import Listener

ECHO = """
import asyncio, os, sys
from mcp_workbench.transports.stdio import take_stdio

class Echo:
    def receive_text(self, text):
        print("a library prints", flush=True)
        os.write(1, b"so does C code\\n")
        channel.send(text)

    def receive_writable(self):
        "Whoever echoes has nothing in store."

    def receive_close(self, code, reason):
        over.set()

async def main():
    global channel, over
    over = asyncio.Event()
    channel = take_stdio()
    channel.open(Echo())
    await over.wait()
    channel.close()
    await channel.wait_closed()

asyncio.run(main())
"""


def within(main: Callable[[], Any], seconds: float = 20) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(seconds):
            await main()

    asyncio.run(bounded())


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_texts_of_every_size_come_back_unchanged_and_prints_do_not_disturb_them() -> None:
    texts = [b'{"a":1}', '{"é":"🛫"}'.encode(), b'"' + b"x" * 5_000 + b'"', b'"' + b"y" * (50 * MIB) + b'"', b"[]"]

    async def main() -> None:
        channel = await open_command(python(ECHO))
        listener = Listener()
        channel.open(listener)
        for text in texts:
            channel.send(text)
        assert await listener.until_texts(len(texts)) == texts
        channel.close()
        assert await listener.until_closed() == (1000, "")
        assert channel.bytes_sent == channel.bytes_received == sum(len(text) + 1 for text in texts)

    within(main, 60)


def test_stdin_may_be_a_file_that_does_not_end_in_a_line_break_and_stdout_too(tmp_path: Path) -> None:
    source, sink = tmp_path / "in", tmp_path / "out"
    source.write_bytes(b'{"a":1}\r\n\n   \n{"a":2}')
    with source.open("rb") as stdin, sink.open("wb") as stdout:
        done = subprocess.run(python(ECHO), stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, timeout=30, check=True)
    assert sink.read_bytes() == b'{"a":1}\r\n{"a":2}\n'
    assert done.stderr.count(b"a library prints") == done.stderr.count(b"so does C code") == 2


def test_a_command_that_ends_by_itself_says_with_which_code() -> None:
    async def main() -> None:
        channel = await open_command(python("raise SystemExit(3)"))
        listener = Listener()
        channel.open(listener)
        code, reason = await listener.until_closed()
        assert code == 1006
        assert reason.endswith("ended with exit code 3")

    within(main)


def test_a_command_that_ignores_the_end_of_its_stdin_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcp_workbench.transports.stdio.END_WITHIN_S", 0.05)
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); [signal.pause() for _ in iter(int, 1)]"

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
    writing = "print(1, flush=True); sys.stdin.read(); print('x' * 300_000, flush=True)"
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
            assert listener.texts == [b"1"] * opened
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
