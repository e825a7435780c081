"""One request of a view, as the function that answers it meets it.

An action answers at once, on the protocol loop, or has the answer worked out in a thread where it needs what may take long or
what is not allowed on the loop: reading files, pandas, the `__str__` of other people's values. Whoever answers knows neither the
connection nor whether it is still there.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.messages import (
    Annotate,
    CheckFilter,
    Compare,
    Done,
    GetDetail,
    GetOlder,
    GetOlderMessages,
    GetPreview,
    GetText,
    Message,
    Resend,
    Stop,
    Touch,
)

logger = logging.getLogger("mcp_workbench")

R = TypeVar(
    "R",
    bound=Annotate | CheckFilter | Compare | GetDetail | GetOlder | GetOlderMessages | GetPreview | GetText | Resend | Stop | Touch,
)

THREAD_NAME = "mcp-workbench-view"
FAILED = "This could not be done: a fault of the workbench itself, which its log tells of."


class Ask(Generic[R]):
    """One request.

    Args:
        request: The message.
        sources: Where the facts are.
        send: Takes the answer; on the protocol loop.
        post: Has the protocol loop run a function soon; False: there is none any more.
    """

    def __init__(self, request: R, sources: Sources, send: Callable[[Message], None], post: Callable[[Callable[[], None]], bool]) -> None:
        self.request = request
        self.sources = sources
        self._send = send
        self._post = post

    def answer(self, message: Message) -> None:
        """Answer; on the protocol loop.

        Args:
            message: Its `re` is the request's id.
        """
        self._send(message)

    def done(self, sentence: str) -> None:
        """Answer that it was done, and what came of it; on the protocol loop."""
        self._send(Done(re=self.request.id, ok=True, sentence=sentence))

    def refuse(self, sentence: str) -> None:
        """Answer that it cannot be done, and why; on the protocol loop."""
        self._send(Done(re=self.request.id, ok=False, sentence=sentence))

    def work_out(self, function: Callable[[], Message]) -> None:
        """Answer with what a function gives that runs in a thread of its own; one that raises is logged, and the view told so.

        Args:
            function: Gives the answer; what it cannot do is a `Done` of its own.
        """
        threading.Thread(target=self._run, args=(function,), name=THREAD_NAME, daemon=True).start()

    def _run(self, function: Callable[[], Message]) -> None:
        try:
            message = function()
        except Exception:  # the boundary of a thread: its view is answered all the same
            logger.exception("a view's request could not be answered: %s", type(self.request).__name__)
            message = Done(re=self.request.id, ok=False, sentence=FAILED)
        self._post(lambda: self._send(message))


Action = Callable[[Ask[Any]], None]
"""Answers requests of one kind, on the protocol loop; what it raises is logged, and the view told so."""
