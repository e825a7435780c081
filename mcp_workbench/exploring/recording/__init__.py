"""Recordings: what crossed the wire as files that can be read, compared and answered from later.

`recorder` writes, `reader` reads, `format` is what both agree on (docs/traffic.md), `redaction` keeps secrets out.
"""

from mcp_workbench.exploring.recording.format import Header, RecordedTool, RecordingError
from mcp_workbench.exploring.recording.reader import Problems, Recording, read

__all__ = ["Header", "Problems", "RecordedTool", "Recording", "RecordingError", "read"]
