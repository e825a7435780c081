"""What the scripts here share: where a script reads its order, and how it says what it saw.

Standard library only: it runs in every environment. Its other end is `tests/foreign/judging.py`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import warnings
from collections.abc import Awaitable, Iterator
from typing import Any

STEP_WITHIN_S = 10.0


class Witness(logging.Handler):
    """One script's order and testimony: visit -> step -> what was seen."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        # The WebSocket transports of `mcp` 1.28 and later, and what 2026-07-28 removed, are deprecated: known, and meant.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", UserWarning)
        self._order: dict[str, Any] = json.loads(sys.stdin.readline())
        self._testimony: dict[str, dict[str, Any]] = {}
        self._visit = ""
        logging.basicConfig(level=logging.WARNING, handlers=[self])

    @property
    def calls(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """The calls to make: what each is called in the testimony -> tool and arguments."""
        return self._order["itinerary"]["calls"]

    @property
    def reads(self) -> list[str]:
        """The resources to read."""
        return self._order["itinerary"]["reads"]

    def visits(self) -> Iterator[dict[str, Any]]:
        """Each visit to make: its version, and where the server is or how it is started."""
        for visit in self._order["visits"]:
            self._visit = visit["version"]
            self._testimony[self._visit] = {"complaints": []}
            yield visit

    @property
    def saw(self) -> dict[str, Any]:
        """Step -> what was seen, in this visit."""
        return self._testimony[self._visit]

    async def see(self, name: str, step: Awaitable[Any]) -> None:
        """Write down what a step gives; one that fails is written down as such, and the tour goes on."""
        try:
            async with asyncio.timeout(STEP_WITHIN_S):
                self.saw[name] = await step
        except Exception as error:
            self.saw[name] = {"failed": f"{type(error).__name__}: {error}", "code": getattr(getattr(error, "error", None), "code", None)}

    async def cue(self, deed: str) -> None:
        """Have the test do something at the notebook; returns when it is done."""
        say({"visit": self._visit, "cue": deed})
        await asyncio.to_thread(sys.stdin.readline)

    def complain(self, text: str) -> None:
        """Write down what the SDK did not like."""
        self.saw["complaints"].append(text[:500])

    def emit(self, record: logging.LogRecord) -> None:
        """The SDKs log and drop notifications that do not fit their schema."""
        self.complain(record.getMessage())

    def finish(self) -> None:
        """Say what was seen."""
        say({"saw": self._testimony})


def say(line: dict[str, Any]) -> None:
    """Write one line."""
    print(json.dumps(line), flush=True)
