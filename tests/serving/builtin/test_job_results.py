"""What is handed on of a job's result: all of it, or slices that put together are all of it."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_workbench.execution.calls import Call
from mcp_workbench.limits import Limits
from mcp_workbench.primitives.tools import define_tool
from mcp_workbench.protocol import wire
from mcp_workbench.serving.builtin.job_results import handed_on
from mcp_workbench.serving.job import Job, JobState
from mcp_workbench.serving.jobs import Jobs


def slow() -> None: ...


def ended(result: wire.CallToolResult) -> Job:
    jobs = Jobs(Limits())
    job = jobs.begin(define_tool(slow), "default", b"", Call("c", "slow", "thread"), lambda _reason: None, waited_s=1)
    assert job is not None
    jobs.end(job, JobState.DONE, result)
    return job


def text(value: str) -> wire.TextContent:
    return wire.TextContent(text=value)


def texts_of(result: wire.CallToolResult) -> list[str]:
    return [item.text for item in result.content if isinstance(item, wire.TextContent)]


def read_all(job: Job, max_bytes: int) -> str:
    """As an agent does: what is shown, then what the last line says."""
    whole, offset = "", 0
    while True:
        result = handed_on(job, max_bytes, offset)
        assert len(msgspec.json.encode(result)) <= max_bytes
        _, shown, *rest = texts_of(result)
        whole += shown
        more = re.fullmatch(r'More: job_wait\("j1", offset=(\d+)\)\..*', rest[0]) if rest else None
        if more is None:
            return whole
        offset = int(more[1])


def test_a_result_that_fits_is_handed_on_as_it_is() -> None:
    result = wire.CallToolResult(content=[text("a"), wire.ImageContent(data="AAAA", mime_type="image/png")], structured_content={"a": 1})
    assert handed_on(ended(result), 4096) is result


def test_a_long_one_comes_in_slices_that_say_how_to_get_the_rest() -> None:
    job = ended(wire.CallToolResult(content=[text("x" * 10_000), text("y" * 10_000)], is_error=True))
    first = handed_on(job, 20_000)
    facts, shown, rest = texts_of(first)
    assert facts == "j1 (slow) done; its result is 20,080 bytes long, one message here takes 20,000. Characters 0-2,991 of 20,001:"
    assert (shown, rest, first.is_error) == ("x" * 2992, 'More: job_wait("j1", offset=2992).', True)
    assert read_all(job, 20_000) == "x" * 10_000 + "\n" + "y" * 10_000
    assert texts_of(handed_on(job, 10**6, 20_000))[1:] == ["y"], "an offset is heeded also where all of it would fit"


def test_what_has_structure_is_read_as_json() -> None:
    structured = {"rows": [[number, "é\u2028"] for number in range(2000)]}
    job = ended(wire.CallToolResult(content=[text("cut")], structured_content=structured))
    assert json.loads(read_all(job, 8192)) == structured


def test_what_is_no_text_is_counted_where_it_is_left_out() -> None:
    image = wire.ImageContent(data="A" * 10_000, mime_type="image/png")
    result = handed_on(ended(wire.CallToolResult(content=[image, image, text("short")])), 8192)
    assert texts_of(result)[1:] == ["short", "Left out: 2 x Image; call slow for less."]
    result = handed_on(ended(wire.CallToolResult(content=[image])), 8192)
    assert texts_of(result) == [
        "j1 (slow) done; its result is 10,063 bytes long, one message here takes 8,192. It holds no text.",
        "Left out: 1 x Image; call slow for less.",
    ]


def test_past_the_end_there_is_nothing_and_that_is_said() -> None:
    job = ended(wire.CallToolResult(content=[text("x" * 10)]))
    [facts] = texts_of(handed_on(job, 8192, 10))
    assert facts.endswith("There is nothing at offset 10: as text it has 10 characters.")


def test_a_job_that_runs_has_nothing_to_hand_on() -> None:
    job = Jobs(Limits()).begin(define_tool(slow), "default", b"", Call("c", "slow", "thread"), lambda _reason: None, waited_s=1)
    assert job is not None
    with pytest.raises(ValueError, match="j1 has not ended"):
        handed_on(job, 8192)


@settings(deadline=None)
@given(st.text(min_size=1, max_size=3000), st.integers(4096, 20_000))
def test_slices_put_together_are_the_whole_and_each_fits_its_message(value: str, max_bytes: int) -> None:
    filler: Any = wire.ImageContent(data="A" * 20_000, mime_type="image/png")
    job = ended(wire.CallToolResult(content=[text(value), filler]))
    assert read_all(job, max_bytes) == value
