"""A question and its answer, and a server while a test talks with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mcp_workbench import Workbench
from mcp_workbench.jsonrpc import encode_request, encode_result

QUESTION = encode_request(1, "tools/call", {"name": "add", "arguments": {"a": 1}})
ANSWER = encode_result(1, b'{"content":[]}')


@contextmanager
def calling(workbench: Workbench) -> Iterator[Workbench]:
    """A started workbench, stopped at the end."""
    workbench.start()
    try:
        yield workbench
    finally:
        workbench.stop()
