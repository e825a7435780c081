"""This process as a server on its stdin and stdout: what is printed beside the protocol never gets into it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcp_workbench.limits import MIB
from mcp_workbench.transports.command import open_command
from tests.interaction.requirements import requirement
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
CHECKOUT = {"PYTHONPATH": str(Path(__file__).parents[2])}


def within(main: Callable[[], Any], seconds: float = 20) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(seconds):
            await main()

    asyncio.run(bounded())


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@requirement("stdio-lines")
@requirement("stdio-stdout")
def test_texts_of_every_size_come_back_unchanged_and_prints_do_not_disturb_them() -> None:
    texts = [b'{"a":1}', '{"é":"🛫"}'.encode(), b'{"x":"' + b"x" * 5_000 + b'"}', b'{"y":"' + b"y" * (50 * MIB) + b'"}', b"[]"]

    async def main() -> None:
        channel = await open_command(python(ECHO), env=CHECKOUT)
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


def test_what_was_printed_before_and_not_flushed_does_not_get_into_the_protocol(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.write_bytes(b'{"a":1}')
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"} | CHECKOUT
    with source.open("rb") as stdin:
        done = subprocess.run(python("print('hello')" + ECHO), stdin=stdin, capture_output=True, timeout=30, check=True, env=environment)
    assert done.stdout == b'{"a":1}\n'
    assert done.stderr.startswith(b"hello\n")


@pytest.mark.skipif(sys.platform == "win32", reason="a shell there closes no descriptors")
@pytest.mark.parametrize("closing", ["<&-", ">&-"])
def test_a_program_that_was_started_without_stdin_or_stdout_says_so(closing: str) -> None:
    script = "from mcp_workbench.transports.stdio import TakenStdio; TakenStdio.take()"
    ended = subprocess.run(["/bin/sh", "-c", f'exec "$0" -c "$1" {closing}', sys.executable, script], stderr=subprocess.PIPE, check=False)
    assert b"WorkbenchError: stdin, stdout or stderr is closed: a host speaks to this program" in ended.stderr
