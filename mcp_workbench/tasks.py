"""Starting asyncio tasks: named, referenced until done, and never dying in silence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

logger = logging.getLogger("mcp_workbench")

_running: set[asyncio.Task[Any]] = set()


def start_task(coroutine: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
    """Start a task that logs what kills it.

    Args:
        coroutine: What to run on the running loop.
        name: Shown in asyncio's debug output and in the log.

    Returns:
        The task; a reference is kept here until it ends.
    """
    task = asyncio.get_running_loop().create_task(coroutine, name=name)
    _running.add(task)
    task.add_done_callback(_finished)
    return task


def _finished(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("task %s failed", task.get_name(), exc_info=error)
