"""A recording as a source of traffic: everything that is made of what a workbench remembers can be made of a file.

It is read once, when somebody looks, and kept: the latest calls and messages, as a workbench keeps them.
"""

from __future__ import annotations

import os
import warnings
from collections import deque
from functools import cached_property
from pathlib import Path

from mcp_workbench.exploring.annotations import LONGEST, Annotations
from mcp_workbench.exploring.imports import open_recording
from mcp_workbench.exploring.recording.format import RecordedTool
from mcp_workbench.exploring.recording.reader import Recording
from mcp_workbench.exploring.replaying.replay import found
from mcp_workbench.telemetry.messages import Message
from mcp_workbench.telemetry.records import CallRecord, SessionRecord

File = str | os.PathLike[str] | Recording
CALLS, MESSAGES = 50_000, 100_000
"""Of each the latest are kept."""


class Recorded:
    """The `Source` that a recording is.

    Args:
        recording: What is read.
        annotations: Gets the notes that stand in it beside calls.
    """

    def __init__(self, recording: Recording, annotations: Annotations) -> None:
        self.recording = recording
        self._annotations = annotations

    @cached_property
    def _calls(self) -> list[CallRecord]:
        calls: deque[CallRecord] = deque(maxlen=CALLS)
        number = 0
        for number, call in enumerate(self.recording.calls(), 1):
            call.seq = call.seq or number
            calls.append(call)
        if number > len(calls):
            warnings.warn(f"{self.recording.name} has {number:,} calls, of which the latest {len(calls):,} are looked at", stacklevel=4)
        self._annotate(calls)
        return list(calls)

    @cached_property
    def _messages(self) -> list[Message]:
        return list(deque(self.recording.messages(), maxlen=MESSAGES))

    @cached_property
    def _sessions(self) -> list[SessionRecord]:
        return self.recording.sessions()

    @cached_property
    def _tools(self) -> tuple[RecordedTool, ...]:
        return self.recording.tools()

    def calls(self) -> list[CallRecord]:
        """The latest 50,000 calls."""
        return self._calls

    def messages(self) -> list[Message]:
        """The latest 100,000 messages."""
        return self._messages

    def sessions(self) -> list[SessionRecord]:
        """Who spoke."""
        return self._sessions

    def tools(self) -> tuple[RecordedTool, ...]:
        """What the server offered last."""
        return self._tools

    def catch_up(self) -> None:
        """It is all there."""

    def _annotate(self, calls: deque[CallRecord]) -> None:
        by_request = {call.request.seq: call for call in calls if call.request is not None}
        for note in self.recording.notes():
            call = None if note.call is None else by_request.get(note.call)
            if call is not None and (words := note.text.strip()):
                call.notes = tuple(known for known in call.notes if known != words)  # its line may tell of it, too
                self._annotations.add(call, words[:LONGEST])


def recording_of(file: File) -> Recording:
    """A recording, or the one that is in a file."""
    return file if isinstance(file, Recording) else open_recording(found(Path(file)))
