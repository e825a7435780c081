"""Recordings of other programs, read as ours: `mcpdump` and `mcp_recorder`. `open_recording` tells them apart."""

from __future__ import annotations

from pathlib import Path

from mcp_workbench.errors import in_one_line
from mcp_workbench.exploring.imports.mcp_recorder import is_cassette, read_cassette
from mcp_workbench.exploring.imports.mcpdump import is_mcpdump, read_mcpdump
from mcp_workbench.exploring.recording.format import RecordingError
from mcp_workbench.exploring.recording.reader import Recording, read

__all__ = ["open_recording", "read_cassette", "read_mcpdump"]

_BEGINNING = 4096


@in_one_line(FileNotFoundError, RecordingError)
def open_recording(path: str | Path, *, strict: bool = True) -> Recording:
    """A recording of ours, a session of mcpdump or a cassette of mcp-recorder, whichever the file is.

    Args:
        path: The file.
        strict: As `read`.

    Raises:
        FileNotFoundError: There is none.
        RecordingError: It is none of these, or of a version that this program does not read.
    """
    path = Path(path)
    if path.is_file():
        with path.open("rb") as file:
            beginning = file.read(_BEGINNING)
        if is_mcpdump(beginning):
            return read_mcpdump(path, strict=strict)
        if is_cassette(beginning):
            return read_cassette(path)
    return read(path, strict=strict)
