"""Following what crosses, and writing it down in files, beside the path.

The thread `mcp-workbench-recorder` reads what has gathered in the telemetry's memory a few times a second, and encodes, withholds and
writes; on the path of calls (the protocol loop, or whoever speaks while no server runs) stands next to nothing. What the memory
lets go before it was read is put aside (`waiting`), so nothing is lost however little it keeps. What finds no room, in memory or on
the disk, is counted, told and noted in the file; traffic never waits for it.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from mcp_workbench.exploring.recording.choosing import Choice
from mcp_workbench.exploring.recording.format import FORMAT, SUFFIX, VERSION, Clock, Header, Lost, Note, Redaction, Stop, Tools, encode_line
from mcp_workbench.exploring.recording.lines import Crossed, Lines
from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.exploring.recording.rotation import Files
from mcp_workbench.exploring.recording.waiting import Gap, Other, Waiting
from mcp_workbench.limits import KIB, MIB
from mcp_workbench.platforms import call_in_forked_children
from mcp_workbench.primitives.tools import ToolDefinition
from mcp_workbench.telemetry.messages import Message
from mcp_workbench.telemetry.records import CallRecord, SessionRecord
from mcp_workbench.telemetry.telemetry import Telemetry
from mcp_workbench.version import __version__
from mcp_workbench.wording import counted

logger = logging.getLogger("mcp_workbench")

THREAD_NAME = "mcp-workbench-recorder"
FLUSH_S = 0.25
"""What crossed is in the file after so many seconds; later where more crosses than it can write in its share of the time."""
AT_ONCE = 128
"""Messages that are made into lines before calls have their turn: of 64 calls, which takes some tenths of a millisecond. Each turn costs
the calls two changes of thread."""
AT_ONCE_BYTES = 256 * KIB
"""... or so much of text."""
LEAST_SHARE = 0.08
"""Of its time the thread works, while it has little to catch up with: the interpreter runs one thread at a time, and calls come first."""
FULL_SHARE_AT = 0.5
"""How full its memory is when it works all of the time."""
MAX_WAITING = 64 * MIB
"""Bytes of what has crossed and is not in the file; what comes past it is not recorded, and counted."""
MAX_LATE = 1000
"""Calls that wait for their answers to be read by slow clients, so that their lines can name them."""


@dataclass(frozen=True, slots=True)
class RecorderStatus:
    """How a recording stands."""

    path: str
    state: str
    """`recording`, `stopped`, or why it cannot write at present."""
    messages: int
    """Written."""
    calls: int
    """Written."""
    bytes: int
    """Of all files so far."""
    parts: int
    """Files begun."""
    lost: int
    """Messages and calls that stand in no file."""
    waiting: int
    """Bytes that crossed and are not written yet."""

    def __str__(self) -> str:
        written = f"{counted(self.messages, 'message')}, {counted(self.calls, 'call')}, {_sized(self.bytes)}"
        lost = f"; {self.lost:,} could not be written" if self.lost else ""
        return f"{self.path}: {self.state}, {written}{lost}"


@dataclass(frozen=True, slots=True)
class Sources:
    """What a recorder asks about what it follows. From its own thread."""

    telemetry: Callable[[], Telemetry]
    settle: Callable[[], None]
    """Has the telemetry hear what was overheard until now. From the thread that calls `flush` or `stop`."""
    session: Callable[[str], SessionRecord | None]
    tools: Callable[[], tuple[ToolDefinition, ...]]
    tell: Callable[[str], None]
    """Tells a person."""
    server: str = ""
    gather: Callable[[], None] = lambda: None
    """Has the telemetry hear what was overheard and nobody else would write down soon."""
    on_waiting: list[Callable[[], None]] = field(default_factory=list)
    """Called when there is such a thing, from any thread."""


class Recorder:
    """One recording that goes on. `with wb.record(path):`, or `.stop()`.

    Args:
        path: The file.
        sources: What is recorded.
        redactor: Withholds what is secret; None: nothing is withheld.
        sessions: Only these, by their ids; None: all.
        wanted: Only messages of which this is true, and their calls; runs on the recorder's thread. None: all.
        max_bytes: Size at which the next file begins; None: never.
        keep: Older files that are kept.
        overwrite: Whether an older recording there may be replaced.

    Raises:
        FileExistsError: Something is there; `overwrite` replaces recordings alone.
        TypeError: `max_bytes` or `keep` is no whole number.
        ValueError: One of them is none that can be.
        OSError: The file cannot be made.

    Its methods may be called from any thread; what begins with an underscore after `_run` is the recorder's own.
    """

    def __init__(
        self,
        path: Path,
        sources: Sources,
        redactor: Redactor | None,
        *,
        sessions: Iterable[str] | None = None,
        wanted: Callable[[Message], bool] | None = None,
        max_bytes: int | None = None,
        keep: int = 5,
        overwrite: bool = False,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self.path = path
        """The newest file."""
        self._sources, self._redactor = sources, redactor
        self._choice = Choice(sessions, wanted, self._tell_of_filter)
        self._id, self._clock = uuid4().hex, Clock(time.time(), time.perf_counter_ns())
        self._lines = Lines(self._clock, redactor, sources.session)
        self._digests: tuple[str, ...] = ()
        self._files = Files(path, self._header, max_bytes=max_bytes, keep=keep, overwrite=overwrite, gone=self._tell_of_end)
        self._waiting = Waiting(max_waiting)
        self._late: deque[CallRecord] = deque()
        self._unwritten = Gap()
        self._why = ""
        self._messages = self._calls = self._unwritable = 0
        self._told: set[str] = set()
        self._hurry = threading.Event()
        """Somebody waits for it: no rest."""
        self._stopping = threading.Lock()
        self._stopped = self._ends = False
        self._thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)
        self._thread.start()
        sources.telemetry().follow(self._waiting)
        sources.on_waiting.append(self._waiting.wake_up)
        atexit.register(self.stop)
        mine = weakref.ref(self)
        call_in_forked_children(lambda: None if (recorder := mine()) is None else recorder.abandon_in_child())

    def __repr__(self) -> str:
        return f"<Recorder {self.status}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def recording(self) -> bool:
        """Whether it goes on."""
        return not self._stopped

    @property
    def status(self) -> RecorderStatus:
        """How it stands."""
        return RecorderStatus(
            path=str(self.path),
            state="stopped" if self._stopped else f"cannot write ({self._why})" if self._why else "recording",
            messages=self._messages,
            calls=self._calls,
            bytes=self._files.bytes,
            parts=self._files.part,
            lost=self._waiting.missed + self._unwritable,
            waiting=self._waiting.bytes,
        )

    # --- what a person does -------------------------------------------------------------------------------------------

    def annotate(self, text: str, call: CallRecord | None = None) -> None:
        """Write a remark into the recording, at this moment.

        Args:
            text: The remark; what looks like a secret in it is withheld like elsewhere.
            call: What it is about.
        """
        self._sources.settle()
        self._waiting.put(Note(time.time(), text, None if call is None or call.request is None else call.request.seq))

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Wait until all that has crossed so far is in the file.

        Args:
            timeout_s: Longest wait.

        Returns:
            Whether it is; False also where it could not be written.
        """
        if self._stopped:
            return not self._unwritten
        self._sources.settle()
        done = threading.Event()
        self._hurry.set()
        self._waiting.put(done)
        return done.wait(timeout_s) and not self._unwritten

    def stop(self, timeout_s: float = 10.0) -> None:
        """Write what has crossed until now, and end; a second time it does nothing.

        Args:
            timeout_s: Longest wait for a slow disk; past it the rest is lost.
        """
        with self._stopping:
            if self._stopped:
                return
            self._sources.settle()
            self._unfollow()
            self._ends = True
            self._hurry.set()
            self._waiting.wake.set()
            self._thread.join(timeout_s)  # a Ctrl-C ends the wait, not the writing: the thread says when it has ended
            self._stopped = True
            atexit.unregister(self.stop)

    def abandon_in_child(self) -> None:
        """In a forked process, which has neither the thread nor the traffic: the file is its parent's."""
        if not self._stopped:
            self._stopped = True
            self._stopping = threading.Lock()  # somebody may hold it who is not here
            self._unfollow()
            self._files.abandon()

    def _unfollow(self) -> None:
        self._sources.telemetry().unfollow(self._waiting)
        with suppress(ValueError):  # a second time
            self._sources.on_waiting.remove(self._waiting.wake_up)

    # --- on the thread ---------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._ends:
                self._waiting.fall_asleep()
                self._waiting.wake.wait()
                self._hurry.wait(FLUSH_S)
                self._waiting.wake.clear()
                self._sources.gather()
                self._drain()
            self._finish()
        except BaseException:  # a named boundary: the top of a thread, which nobody else would hear of
            logger.exception("the recording %s", self.path)
            self._unfollow()
            self._stopped = True
            self._sources.tell(f"the recording {self.path} has ended by a fault of mcp-workbench, which is in the log; traffic goes on")
        finally:
            self._files.close()
            self._stopped = True

    def _finish(self) -> None:
        self._drain()
        self._waiting.close_gap()
        self._drain(all_calls=True)
        self._write([encode_line(Stop(time.time(), self._messages, self._calls))])

    def _drain(self, *, all_calls: bool = False) -> None:
        if self._redactor is not None:
            self._redactor.begin()
        self._look_at_tools()
        self._release_late(all_calls=all_calls)
        self._write([])  # whoever waits for it is to hear when the file is gone
        while self._waiting.anything:
            begun = time.perf_counter()
            items, other = self._waiting.take(AT_ONCE, AT_ONCE_BYTES)
            self._take(items)
            if other is not None:
                self._take_other(other)
            self._give_way(begun)

    def _give_way(self, begun: float) -> None:
        """Rest after a stretch of work, the shorter the more waits; not at all when somebody waits for it."""
        waiting = self._waiting.bytes / (FULL_SHARE_AT * self._waiting.max_bytes)
        share = LEAST_SHARE + (1 - LEAST_SHARE) * waiting**2  # in squares: a burst of calls comes first, as there is room
        if share < 1 and self._waiting.anything:
            self._hurry.wait((time.perf_counter() - begun) * (1 / share - 1))

    def _take(self, items: list[Crossed | CallRecord]) -> None:
        """Messages and calls, in their order."""
        self._write(self._lines.of([item for item in self._choice.of(items) if not self._is_late(item)]))

    def _take_other(self, item: Other) -> None:
        if isinstance(item, threading.Event):
            if not self._ends:
                self._hurry.clear()
            item.set()
        elif isinstance(item, SessionRecord):
            if self._choice.session(item.session_id):
                self._release_late(session_id=item.session_id)
                self._write([self._lines.end(item)])
        elif isinstance(item, Note):
            self._write([encode_line(Note(item.at, self._lines.text(item.text), item.call))])
        else:
            self._tell("room", f"the recording {self.path} cannot keep up: what crosses meanwhile is counted in it, not written")
            self._write([encode_line(_lost(item, "more crossed than could be written in time"))])

    def _tell_of_end(self) -> None:
        self._tell("gone", f"the recording {self.path} was moved or removed by somebody; it goes on in a new file of that name")

    def _tell_of_filter(self, error: BaseException) -> None:
        self._tell(
            "filter", f"the filter of the recording {self.path} failed ({type(error).__name__}): messages it fails at are not recorded"
        )

    def _is_late(self, item: Crossed | CallRecord) -> bool:
        """Put a call aside whose answer its client has not read yet: it has no number."""
        if not isinstance(item, CallRecord) or item.answer is None or item.answer.seq or len(self._late) >= MAX_LATE:
            return False
        self._late.append(item)
        return True

    def _release_late(self, *, session_id: str | None = None, all_calls: bool = False) -> None:
        ready, late = list[CallRecord](), deque[CallRecord]()
        for call in self._late:
            is_ready = all_calls or call.session_id == session_id or (call.answer is not None and call.answer.seq)
            (ready if is_ready else late).append(call)
        if ready:
            self._late = late
            self._write(self._lines.of(ready))

    def _look_at_tools(self) -> None:
        tools = self._sources.tools()
        if (digests := tuple(tool.digest for tool in tools)) != self._digests:
            self._digests = digests
            self._write([encode_line(Tools(time.time(), self._lines.tools(tools)))])

    def _header(self, part: int) -> bytes:
        if self._redactor is not None:
            self._redactor.begin()
        tools = self._sources.tools()
        self._digests = tuple(tool.digest for tool in tools)
        header = encode_line(
            Header(
                format=FORMAT,
                version=VERSION,
                written_by=f"mcp-workbench {__version__}",
                at=self._clock.at,
                clock=Clock(self._clock.at),
                recording=self._id,
                part=part,
                server=self._lines.text(self._sources.server),
                tools=self._lines.tools(tools),
                redaction=Redaction(on=False) if self._redactor is None else self._redactor.rules(),
            )
        )
        return header + b"".join(self._lines.sessions())

    # --- writing -----------------------------------------------------------------------------------------------------------

    def _write(self, lines: list[bytes]) -> None:
        gap = self._unwritten
        first = [encode_line(_lost(gap, self._why))] if gap else []
        done, error = self._files.write([*first, *lines])
        if first and done:
            self._unwritten = Gap()
        if error is None:
            self._why = ""
        written, rest = lines[: max(0, done - len(first))], lines[max(0, done - len(first)) :]
        self._messages += _messages(written)
        self._calls += _calls(written)
        if error is not None:
            self._count_unwritten(rest, error)

    def _count_unwritten(self, lines: list[bytes], error: OSError) -> None:
        gap, messages, calls = self._unwritten, _messages(lines), _calls(lines)
        gap.messages, gap.calls = gap.messages + messages, gap.calls + calls
        gap.bytes += sum(map(len, lines))
        self._unwritable += messages + calls
        self._why = error.strerror or type(error).__name__
        self._lines.forget_sessions()
        self._tell(
            "disk",
            f"the recording {self.path} cannot be written: {self._why}. Traffic goes on, and so will the recording when there is room",
        )

    def _tell(self, about: str, sentence: str) -> None:
        if about not in self._told:
            self._told.add(about)
            self._sources.tell(sentence)


def recording_path(path: str | os.PathLike[str]) -> Path:
    """Where a recording is written that a person calls so: with an ending, and wherever the process goes from here."""
    named = Path(path).expanduser()
    return (named if named.suffix else named.with_name(named.name + SUFFIX)).absolute()


def _sized(size: int) -> str:
    return f"{size / MIB:,.1f} MiB" if size >= MIB else f"{size / KIB:,.1f} KiB"


def _lost(gap: Gap, why: str) -> Lost:
    return Lost(time.time(), gap.messages, gap.calls, gap.bytes, why)


def _messages(lines: list[bytes]) -> int:
    return sum(line.startswith(b'{"k":"message"') for line in lines)


def _calls(lines: list[bytes]) -> int:
    return sum(line.startswith(b'{"k":"call"') for line in lines)
