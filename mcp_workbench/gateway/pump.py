"""Texts from one half of a relayed connection to the other, each read no faster than the other one takes.

The half to the kernel pushes (`Channel`), the half to the client is asked for one text after the other and gives a
future for each one it is to send. Nothing is read, changed or reordered. Loop thread only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from functools import partial
from typing import Protocol

from mcp_workbench.gateway.closing import told_to_client
from mcp_workbench.transports.channel import Channel

HIGH_WATER_BYTES = 64 * 1024
"""Handed to the client's half and not taken by the operating system: past it the kernel is not read."""


class Client(Protocol):
    """The half to the client."""

    def send(self, text: bytes) -> asyncio.Future[None] | None:
        """Send one text; the future is done when the operating system has it. None: the client is gone."""

    def end(self, code: int, reason: str) -> None:
        """Close, behind what was sent before."""


class Pump:
    """Between one client and one kernel: receives from the kernel, and is told what the client says.

    Args:
        kernel: The channel to the kernel; opened here.
        client: The other half, which is open.
    """

    def __init__(self, kernel: Channel, client: Client) -> None:
        self._kernel = kernel
        self._client = client
        self._unsent_bytes = 0
        self._paused = False
        self._ended = False
        self._writable = asyncio.Event()
        kernel.open(self)

    # --- to the kernel ---------------------------------------------------------------------------------------

    def pass_on(self, text: bytes) -> Awaitable[None] | None:
        """Send a text of the client's to the kernel.

        Returns:
            What to await before the next text is read; None: nothing. Cancelling it is safe.
        """
        self._kernel.send(text)
        return None if self._kernel.writable or self._ended else self._until_writable()

    async def _until_writable(self) -> None:
        while not (self._kernel.writable or self._ended):
            self._writable.clear()
            await self._writable.wait()

    def receive_writable(self) -> None:
        """The kernel reads again."""
        self._writable.set()

    # --- to the client ---------------------------------------------------------------------------------------

    def receive_text(self, text: bytes) -> None:
        """A text of the kernel's."""
        sending = self._client.send(text)
        if sending is None:
            return
        self._unsent_bytes += len(text)
        sending.add_done_callback(partial(self._note_sent, len(text)))
        self._pace()

    def _note_sent(self, size: int, sending: asyncio.Future[None]) -> None:
        if not sending.cancelled():
            sending.exception()  # of a client that is gone; its half says so itself, and asyncio is to know that we looked
        self._unsent_bytes -= size
        self._pace()

    def _pace(self) -> None:
        too_much = self._unsent_bytes > HIGH_WATER_BYTES
        if too_much != self._paused and not self._ended:
            self._paused = too_much
            (self._kernel.pause_receiving if too_much else self._kernel.resume_receiving)()

    # --- the end ---------------------------------------------------------------------------------------------

    def receive_close(self, code: int, reason: str) -> None:
        """The kernel's half has ended."""
        self._ended = True
        self._writable.set()
        self._client.end(*told_to_client(code, reason))
