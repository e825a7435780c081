"""The seam between a view's connection and what is told on it: a feed for each kind of facts.

A feed belongs to one connection and remembers what it has told there, so that it gives only what has changed since.
It is asked on the protocol loop, at most four times a second, and only while its panel is watched; so it takes what can be
read in microseconds and nothing of pandas. A feature adds its panel by adding its feed (`feeds/`), its messages and
its view; nothing else has to know it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from mcp_workbench.views.messages import Message, Watch


class Feed(Protocol):
    """Gives what a view has not been told yet."""

    panel: str
    """As `Watch.panels` names it."""

    def watch(self, wanted: Watch) -> None:
        """What is to be seen has changed; called before the first `look` and while the panel is not watched too."""

    def look(self, now: float, *, last: bool = False) -> Iterable[Message]:
        """What has changed since the last time; the first time everything.

        Args:
            now: Seconds since 1970.
            last: Nothing is told after this, for the server stops: what is usually told later is told now.
        """
