"""How a test speaks with a script in another environment.

The script gets one line on stdin: which visits to make, with address and token. A credential never stands in
its arguments or its environment. It writes lines on stdout: cues, when the test shall do something at the
notebook, and at last one document of what it saw.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from mcp_workbench.cli.bench.processes import LineProcess
from mcp_workbench.discovery import find, folder
from mcp_workbench.telemetry.records import SessionRecord
from tests.foreign.notebook import Notebook

SCRIPTS = Path(__file__).parent / "scripts"
LINE_WITHIN_S = 60.0
"""For one line: the interpreter's start and the imports of an SDK are in the first."""


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """One connection to a server of its own."""

    version: str
    """The protocol version to ask for, or `auto`."""
    url: str = ""
    """With a ticket, unless there is a token."""
    token: str = ""
    command: list[str] = []
    """Instead of an address: the server to start, which speaks on its stdin and stdout."""
    environment: dict[str, str] = {}
    """What that server needs beside what clients give to every server."""


class Itinerary(msgspec.Struct, frozen=True, kw_only=True):
    """What every client does, so that their testimonies can be compared."""

    calls: dict[str, tuple[str, dict[str, Any]]]
    """What a call is called in the testimony -> tool and arguments."""
    reads: list[str]
    """Resources."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a script is told."""

    visits: list[Visit]
    itinerary: Itinerary


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What a script says: a cue, or what it saw."""

    visit: str = ""
    cue: str = ""
    saw: dict[str, dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one visit when it is over."""

    saw: dict[str, Any]
    """Step -> what the client saw."""
    session: SessionRecord
    """What the server recorded."""
    slow_call_ended: bool
    """Whether the cancelled tool was told to end."""


def judge(
    command: Sequence[str],
    versions: Sequence[str],
    itinerary: Itinerary,
    *,
    with_ticket: bool = False,
    through_bridge: bool = False,
    over_http: bool = False,
) -> dict[str, Evidence]:
    """Have a client visit one server after the other.

    Args:
        command: How the script is started.
        versions: One visit for each.
        itinerary: What is done on each visit, beside what the script does anyway.
        with_ticket: The client cannot send headers.
        through_bridge: The client starts `mcp-workbench bridge`.
        over_http: The client speaks Streamable HTTP.

    Returns:
        By version.

    Raises:
        ProcessFailedError: The script ended, or said nothing in time; carries its last words.
    """
    with ExitStack() as stack:
        notebooks = {version: stack.enter_context(Notebook()) for version in versions}
        visit = through_the_bridge if through_bridge else _over_http if over_http else _with_ticket if with_ticket else _with_token
        visits = [visit(version, notebook) for version, notebook in notebooks.items()]
        saw = _listen(
            command, Order(visits=visits, itinerary=itinerary), {version: notebook.deeds for version, notebook in notebooks.items()}
        )
    # The servers have stopped: whoever had not closed the connection by itself was closed with 1001.
    return {version: _evidence(saw[version], notebook) for version, notebook in notebooks.items()}


def _with_ticket(version: str, notebook: Notebook) -> Visit:
    return Visit(version=version, url=notebook.workbench.ticket_url())


def _with_token(version: str, notebook: Notebook) -> Visit:
    return Visit(version=version, url=notebook.workbench.url, token=notebook.workbench.token)


def _over_http(version: str, notebook: Notebook) -> Visit:
    return Visit(version=version, url=str(notebook.workbench.http_url), token=notebook.workbench.token)


def through_the_bridge(version: str, notebook: Notebook) -> Visit:
    """How a client finds a notebook with the bridge, of which it is told no address and no token."""
    (kernel_id,) = (entry.kernel_id for entry in find() if entry.url == notebook.workbench.url)
    command = [sys.executable, "-m", "mcp_workbench", "bridge", "--kernel", kernel_id]
    checkout = str(Path(__file__).parents[2])
    environment = {"JUPYTER_RUNTIME_DIR": str(folder().parent), "PYTHONPATH": checkout}
    return Visit(version=version, command=command, environment=environment)


def _listen(command: Sequence[str], order: Order, deeds: dict[str, dict[str, Callable[[], object]]]) -> dict[str, dict[str, Any]]:
    with LineProcess(command) as process:
        process.tell(order)
        while True:
            line = process.hear(Line, LINE_WITHIN_S)
            if line.saw is not None:
                return line.saw
            deeds[line.visit][line.cue]()
            process.tell(Line(cue=line.cue))


def _evidence(saw: dict[str, Any], notebook: Notebook) -> Evidence:
    (session,) = notebook.ended_sessions()
    return Evidence(saw, session, notebook.slow_call_ended.is_set())
