"""The seam between a session and what answers its requests.

A session knows no tools: it hands each request to a `RequestHandler`, which answers at once or returns
`Work` that runs user code. How many works run, wait or are refused is the session's business; how they
run is not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.protocol import wire

Answer = wire.Result | RemoteProtocolError
Done = Callable[[Answer | None], None]
"""Takes the answer, or None when there is nobody left to answer. Called on the loop thread, exactly once."""


class Work(ABC):
    """A request that needs user code. All methods are called on the loop thread."""

    __slots__ = ()

    @property
    def parks(self) -> bool:
        """Whether it may wait for long and runs nothing meanwhile: such works have a bound of their own."""
        return False

    @abstractmethod
    def start(self, done: Done) -> None:
        """Begin; `done` may be called before this returns."""

    @abstractmethod
    def cancel(self, reason: str) -> None:
        """Nobody wants the answer any more; `done` is called soon, at the latest when the work ends."""

    @abstractmethod
    def stop(self) -> Answer | None:
        """The notebook's author ends it, and the client is told so.

        Returns:
            The answer, where nothing has been started that could give it; None: `done` is called with it, at the latest when the work ends.
        """

    @abstractmethod
    def refuse(self, sentence: str) -> Answer:
        """The answer that says why this is not taken on; `start` will never be called."""
