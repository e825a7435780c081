"""What kernels ask the host (up to 2025-11-25: elicitation, sampling, roots, ping), so that no answer reaches another kernel.

Each kernel counts its ids from the start. An id goes to the host as it is, unless the host still owes an answer to a
kernel before that used the same.
"""

from __future__ import annotations

from mcp_workbench.jsonrpc import RequestId

MAX_ABANDONED = 1000
"""Questions of lost kernels that the host has never answered; past it the oldest are forgotten."""


class Questions:
    """Of one host.

    Args:
        own: How ids begin that are given here.
    """

    def __init__(self, own: str) -> None:
        self._own = own
        self._given = 0
        self._open: dict[RequestId, RequestId] = {}
        """Id at the host -> id at the kernel that is connected."""
        self._abandoned: dict[RequestId, None] = {}
        """Ids at the host of questions nobody waits for any more."""

    def asked(self, kernel_id: RequestId) -> RequestId:
        """The kernel asks something; returns the id to ask it with."""
        host_id = kernel_id
        if kernel_id in self._abandoned:
            self._given += 1
            host_id = f"{self._own}question-{self._given}"
        self._open[host_id] = kernel_id
        return host_id

    def answered(self, host_id: RequestId | None) -> RequestId | None:
        """The host has answered; returns the kernel's id, None when no kernel waits for it."""
        if host_id is None:
            return None
        self._abandoned.pop(host_id, None)
        return self._open.pop(host_id, None)

    def withdrawn(self, kernel_id: RequestId) -> RequestId | None:
        """The kernel no longer wants to know; returns the id at the host, None when there is no such question."""
        for host_id, asked in self._open.items():
            if asked == kernel_id and type(asked) is type(kernel_id):
                del self._open[host_id]
                self._abandon(host_id)
                return host_id
        return None

    def abandon(self) -> tuple[RequestId, ...]:
        """The kernel is gone; returns the ids at the host of what it had asked."""
        lost = tuple(self._open)
        self._open.clear()
        for host_id in lost:
            self._abandon(host_id)
        return lost

    def _abandon(self, host_id: RequestId) -> None:
        self._abandoned[host_id] = None
        if len(self._abandoned) > MAX_ABANDONED:
            del self._abandoned[next(iter(self._abandoned))]
