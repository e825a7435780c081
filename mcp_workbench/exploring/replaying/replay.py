"""What `wb.replay()` gives: a server whose answers are a recording's, for tests, tutorials and hosts without the notebook.

It serves both eras over WebSocket, guarded as every server is, on a thread and loop of its own; no network and no tool is needed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from mcp_workbench.client.connect import Connecting, connect
from mcp_workbench.engine import Engine
from mcp_workbench.errors import WorkbenchError
from mcp_workbench.events import Principal
from mcp_workbench.exploring.imports import open_recording
from mcp_workbench.exploring.recording.reader import Recording
from mcp_workbench.exploring.recording.recorder import recording_path
from mcp_workbench.exploring.replaying.answering import Answering
from mcp_workbench.exploring.replaying.tape import Recorded, Tape
from mcp_workbench.jsonrpc import encode
from mcp_workbench.limits import Limits
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.sides import ServerDescription
from mcp_workbench.secret import Secret
from mcp_workbench.sessions.registry import Sessions
from mcp_workbench.sessions.session import Session
from mcp_workbench.telemetry.telemetry import Telemetry
from mcp_workbench.transports.channel import Channel
from mcp_workbench.transports.credentials import Credentials
from mcp_workbench.transports.gate import Endpoint, Gate
from mcp_workbench.transports.websocket_server import serve_websocket
from mcp_workbench.version import __version__
from mcp_workbench.wording import counted

PATH, SUBPROTOCOL = "/mcp", "mcp"
THREAD_NAME = "mcp-workbench-replay"
UNANSWERED_KEPT = 100
_OF_CONVERSATION = frozenset(("initialize", "server/discover", "ping", "subscriptions/listen"))
"""Answered by the session itself, with what the recording says of its server, in whichever era a client speaks."""


class Replay:
    """A running replay; `with wb.replay(file) as replay:` closes it at the end. From any thread.

    Args:
        recording: What it answers with.
        volatile: Paths in params that are not compared.
        repeat: As `Tape`.
        speed: As `Answering`.
        host: Where it listens.
        port: ... 0: any free one.
        token: What clients show; None: a random one.
    """

    def __init__(
        self,
        recording: Recording,
        volatile: Sequence[str] = (),
        *,
        repeat: bool | None = None,
        speed: float | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        token: Secret | None = None,
    ) -> None:
        if speed is not None and not speed > 0:
            raise ValueError(f"speed is how many times faster than recorded, more than 0, or None: at once; got {speed!r}")
        self.recording = recording
        self.tape = Tape(recording.calls(), volatile, repeat=repeat, messages=recording.messages())
        if not len(self.tape):
            raise ValueError(
                f"nothing in {recording.name or 'this recording'} was asked of a server and answered: there is nothing to replay"
            )
        self.unanswered: list[str] = []
        """Why requests found no answer, the first hundred."""
        self._credentials = Credentials(token=token)
        self._description = describe(recording, self.tape)
        self._answering = Answering(self.tape, speed, self._note_unanswered)
        self._visited = False
        self.telemetry = Telemetry()
        self._engine = Engine(name=THREAD_NAME)
        self._engine.start()
        try:
            self._engine.run(self._open(host, port))
        except BaseException:
            self._engine.stop()
            raise

    def __repr__(self) -> str:
        where = f"at {self.url}" if self._engine.running else "closed"
        return f"<Replay {where}: {counted(len(self.tape), 'answer')} of {self.recording.name or 'a recording'}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    @property
    def url(self) -> str:
        """`ws://127.0.0.1:PORT/mcp`."""
        return f"ws://{self._server.host}:{self._server.port}{PATH}"

    @property
    def token(self) -> str:
        """What clients show. A secret: it stands in no repr."""
        return self._credentials.token()

    def ticket_url(self, ttl_s: float = 60.0) -> str:
        """An address that opens one connection, for clients that cannot send headers."""
        return f"{self.url}/t/{self._credentials.tickets.mint(Principal('default'), ttl_s=ttl_s)}"

    def connect(self, **options: Any) -> Connecting:
        """A client of ours: `async with replay.connect() as session`; options as `wb.connect`."""
        return connect(self.url, token=self._credentials.token(), **options)

    def unused(self) -> list[Recorded]:
        """Answers of the recording that nobody asked for; those that belong to conversations are given with the first of them."""
        given = _OF_CONVERSATION if self._visited else frozenset()
        return [recorded for recorded in self.tape.unused() if recorded.method not in given]

    def close(self) -> None:
        """End it. Calling it again does nothing."""
        if not self._engine.running:
            return
        if self._engine.is_here:
            raise WorkbenchError("a replay cannot be closed from its own thread")
        try:
            self._engine.run(self._shut())
        finally:
            self._engine.stop()

    async def _open(self, host: str, port: int) -> None:
        limits = Limits()
        self._sessions = Sessions(self._answering, lambda: self._description, self.telemetry, limits, asyncio.get_running_loop())
        endpoint = Endpoint(PATH, self._credentials, SUBPROTOCOL, self._accept, self._credentials.tickets)
        self._server = await serve_websocket(Gate([endpoint], bound_host=host), host=host, port=port, limits=limits)

    def _accept(self, channel: Channel, principal: Principal) -> Session:
        self._visited = True
        return self._sessions.accept(channel, principal)

    async def _shut(self) -> None:
        self._server.stop_accepting()
        await self._sessions.close(0)
        await self._server.close()

    def _note_unanswered(self, sentence: str) -> None:
        if len(self.unanswered) < UNANSWERED_KEPT:
            self.unanswered.append(sentence)


def replay(
    file: str | os.PathLike[str] | Recording,
    *,
    volatile: Sequence[str] = (),
    repeat: bool | None = None,
    speed: float | None = None,
    port: int = 0,
) -> Replay:
    """As `Workbench.replay`, which says what it takes and gives."""
    recording = file if isinstance(file, Recording) else open_recording(found(Path(file)))
    return Replay(recording, volatile, repeat=repeat, speed=speed, port=port)


def describe(recording: Recording, tape: Tape) -> ServerDescription:
    """What the server said of itself when it was recorded; where that was not, what its answers tell."""
    opening = tape.first("initialize") or tape.first("server/discover")
    said = {} if opening is None or opening.result is None else opening.result
    info = said.get("serverInfo") or (said.get("_meta") or {}).get(wire.META_SERVER_INFO) or {}
    name = info.get("name") if isinstance(info, dict) else None
    instructions = said.get("instructions")
    return ServerDescription(
        wire.Implementation(
            name=str(name or "replay"),
            version=str(info.get("version") or __version__),
            title=f"Replay of {recording.header.server or name or 'a recording'}",
        ),
        _capabilities(said.get("capabilities"), tape),
        instructions if isinstance(instructions, str) else None,
    )


def found(file: Path) -> Path:
    """Where a recording is: as a person calls it who has called `record` so."""
    return file if file.exists() else recording_path(file)


_FIELDS = {"tools": "tools", "resources": "resources", "prompts": "prompts", "completion": "completions", "logging": "logging"}


def _capabilities(said: object, tape: Tape) -> wire.ServerCapabilities:
    """As recorded, without extensions, which a replay cannot honour; with all that it has answers for."""
    declared = {key: value for key, value in said.items() if key in _FIELDS.values()} if isinstance(said, dict) else {}
    for method in tape.methods:
        field = _FIELDS.get(method.partition("/")[0])
        if field is not None:
            declared.setdefault(field, {})
    try:
        return msgspec.json.decode(encode(declared), type=wire.ServerCapabilities)
    except msgspec.ValidationError:  # what a recording says of them need not be what MCP knows
        return msgspec.json.decode(encode({name: {} for name in declared}), type=wire.ServerCapabilities)
