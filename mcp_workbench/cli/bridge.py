"""`mcp-workbench bridge`: the stdio server that hosts start, and that finds running notebooks by itself.

Reads its options with the standard library, because a host that starts it waits for it. From the moment it runs,
stdout belongs to the protocol and Ctrl-C to the host.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence

from mcp_workbench.jsonrpc import ErrorCode, encode_error
from mcp_workbench.limits import MIB
from mcp_workbench.relay.bridge import END_WITHIN_S, Bridge
from mcp_workbench.relay.choosing import Wish
from mcp_workbench.transports.stdio import take_stdio

MAX_LINE_BYTES = 64 * MIB
TOO_LONG = f"Invalid request: a message may have at most {MAX_LINE_BYTES:,} bytes; this one was longer and was not read. Pass data by name."
DESCRIPTION = """\
An MCP server on stdin and stdout that leads to a running notebook. It is started by an agent's host
(`mcp-workbench config` shows what to paste there), in any order with notebooks, and stays while they come and go.
"""
CHOOSING = """\
Without an option it takes the notebook that lies in, above or below the folder it was started in, else the only
one that runs; of several the agent chooses. Exit codes: 0 the host has ended, 2 wrong options.
"""
FOR_PEOPLE = """\
This is started by an agent's host, which speaks to it on stdin; `mcp-workbench config` shows what to paste there.
`mcp-workbench list` shows what it finds. Ctrl-D ends it.
"""


def run_bridge(arguments: Sequence[str]) -> int:
    """Serve until stdin ends.

    Args:
        arguments: The options.

    Returns:
        The exit code.
    """
    options = _parser().parse_args(arguments)
    # A host's Ctrl-C reaches its children too, and is meant for what the agent does, not for its servers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _log_to_stderr(verbose=options.verbose)
    if os.isatty(0):
        sys.stderr.write(FOR_PEOPLE)
    asyncio.run(_serve(Wish(kernel=options.kernel, notebook=options.notebook, cwd=_folder()), channel=options.channel))
    return 0


async def _serve(wish: Wish, *, channel: bool) -> None:
    # Ending would cost all that is open, and the host its server; the id of what was not read is not known.
    host = take_stdio(max_message_bytes=MAX_LINE_BYTES, too_long=encode_error(None, ErrorCode.INVALID_REQUEST, TOO_LONG))
    try:
        await Bridge(host, wish, channel=channel).run()
    finally:
        host.close()
        try:
            async with asyncio.timeout(END_WITHIN_S):
                await host.wait_closed()
        except TimeoutError:
            # It does not read what it asked for; its pipe ends with this process.
            host.abort()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mcp-workbench bridge", description=DESCRIPTION, epilog=CHOOSING, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--kernel", metavar="NAME", help="the kernel of this name or id (also the beginning of an id)")
    which.add_argument("--notebook", metavar="PATH", help="the kernel of this notebook")
    parser.add_argument(
        "--channel", action="store_true", help="bring Claude Code the news of notebooks that were started with channels=True"
    )
    parser.add_argument("--verbose", action="store_true", help="tell on stderr what it does; never a token")
    return parser


def _log_to_stderr(*, verbose: bool) -> None:
    """Faults always, the rest when asked: hosts show stderr to people as something that went wrong."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("mcp-workbench bridge: %(message)s"))
    logger = logging.getLogger("mcp_workbench")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if verbose else logging.ERROR)


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109  # a text
    except FileNotFoundError:
        return "/"  # it was removed: then nothing lies near
