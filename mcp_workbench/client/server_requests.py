"""Requests a legacy server makes of its client: each answered exactly once, by a handler in a task of its own.

Up to 2025-11-25 a server may ask while a request of ours is in flight. From 2026-07-28 it may not: the
Peer refuses such requests before they come here, and `rounds` does the same work.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from mcp_workbench.client.handlers import Handlers
from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.jsonrpc import ErrorCode
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.protocol.peer import Peer, ResultTooLarge
from mcp_workbench.tasks import start_task

logger = logging.getLogger("mcp_workbench")

MAX_AT_ONCE = 64
"""Requests of the server being answered at once; further ones are refused."""


class ServerRequests:
    """Of one conversation. Loop thread only.

    Args:
        peer: Where answers are made.
        handlers: Who answers.
        send: Sends an answer's text.
    """

    def __init__(self, peer: Peer, handlers: Handlers, send: Callable[[bytes], None]) -> None:
        self._peer = peer
        self._handlers = handlers
        self._send = send
        self._tasks: dict[Exchange, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        """Count the requests that are being answered."""
        return len(self._tasks)

    def receive(self, exchange: Exchange) -> None:
        """Start answering."""
        if len(self._tasks) >= MAX_AT_ONCE:
            self._refuse(exchange, RemoteProtocolError(ErrorCode.INTERNAL_ERROR, f"Busy: {MAX_AT_ONCE} requests are being answered"))
            return
        self._tasks[exchange] = start_task(self._answer(exchange), name=f"mcp-client {exchange.method}")

    def cancel(self, exchange: Exchange) -> None:
        """The server no longer wants this answer."""
        task = self._tasks.pop(exchange, None)
        if task is not None:
            task.cancel()

    def cancel_all(self) -> None:
        """The connection is gone."""
        for exchange in list(self._tasks):
            self.cancel(exchange)

    async def _answer(self, exchange: Exchange) -> None:
        try:
            text = self._peer.answer(exchange, await self._handlers.answer(exchange.method, exchange.params))
            if text is not None:
                self._send(text)
        except RemoteProtocolError as error:
            self._refuse(exchange, error)
        except ResultTooLarge as error:
            self._refuse(exchange, RemoteProtocolError(ErrorCode.INTERNAL_ERROR, f"The client's answer is too large: {error}"))
        except Exception:
            # The user's own function: the server learns that it failed, the traceback stays here.
            logger.exception("the handler for %s failed", exchange.method)
            self._refuse(exchange, RemoteProtocolError(ErrorCode.INTERNAL_ERROR, "Internal error: the client's handler failed"))
        finally:
            self._tasks.pop(exchange, None)

    def _refuse(self, exchange: Exchange, error: RemoteProtocolError) -> None:
        text = self._peer.answer_error(exchange, error.code, error.message, error.data)
        if text is not None:
            self._send(text)
