"""What `job_wait` hands on of a job that has ended: its result as it is, or slices of it where it is too long for one message.

A call that ran for minutes is not to be run again because its result does not fit: the whole is kept with the job,
so it is read on from where a slice ended, as JSON where it has structure.
"""

from __future__ import annotations

from collections import Counter

import msgspec
from msgspec import UNSET

from mcp_workbench.limits import KIB
from mcp_workbench.protocol import wire
from mcp_workbench.serving.budgets import DEFAULT_CHARS
from mcp_workbench.serving.job import Job

ENVELOPE_BYTES = 2 * KIB
"""What a message holds beside a slice, its facts included."""
_BYTES_PER_CHARACTER = 6
"""At most, as JSON: `\\u0000`."""


def handed_on(job: Job, max_bytes: int, offset: int = 0) -> wire.CallToolResult:
    """The answer of `job_wait`.

    Args:
        job: One that has ended.
        max_bytes: Of one message on the connection.
        offset: Character from which on to read; 0: the whole result where it fits.
    """
    result = job.result
    if result is None:
        raise ValueError(f"job {job.id} has not ended")
    if not offset and job.result_bytes + ENVELOPE_BYTES <= max_bytes:
        return result
    text = _as_text(result)
    size = min(DEFAULT_CHARS, (max_bytes - ENVELOPE_BYTES) // _BYTES_PER_CHARACTER)
    shown = text[offset : offset + size]
    parts = [_facts(job, max_bytes, len(text), offset, len(shown)), shown, _rest(job, result, len(text), offset + len(shown))]
    return wire.CallToolResult(content=[wire.TextContent(text=part) for part in parts if part], is_error=result.is_error)


def _as_text(result: wire.CallToolResult) -> str:
    if result.structured_content is not UNSET:
        return msgspec.json.encode(result.structured_content).decode()
    return "\n".join(item.text for item in result.content if isinstance(item, wire.TextContent))


def _facts(job: Job, max_bytes: int, total: int, offset: int, shown: int) -> str:
    size = f"{job.id} ({job.tool}) {job.state.value}; its result is {job.result_bytes:,} bytes long, one message here takes {max_bytes:,}."
    if not total:
        return f"{size} It holds no text."
    if not shown:
        return f"{size} There is nothing at offset {offset:,}: as text it has {total:,} characters."
    return f"{size} Characters {offset:,}-{offset + shown - 1:,} of {total:,}:"


def _rest(job: Job, result: wire.CallToolResult, total: int, end: int) -> str:
    others = Counter(type(item).__name__.removesuffix("Content") for item in result.content if not isinstance(item, wire.TextContent))
    left_out = f"Left out: {', '.join(f'{count} x {kind}' for kind, count in others.items())}; call {job.tool} for less." if others else ""
    more = f'More: job_wait("{job.id}", offset={end}).' if end < total else ""
    return " ".join(part for part in (more, left_out) if part)
