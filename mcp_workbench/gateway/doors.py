"""What a kernel may have that the gateway leads to, and finding it.

Only what stands in a discovery file is ever connected to: written by this user, on this machine, with an address on
loopback (`discovery` refuses others). Nothing a client sends becomes a host or a port.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from mcp_workbench import discovery
from mcp_workbench.discovery import Entry


@dataclass(frozen=True, slots=True)
class Door:
    """One kind of endpoint."""

    name: str
    """Last word of its path."""
    subprotocol: str
    find: Callable[[], list[Entry]]
    """Live endpoints of this kind; looks at files."""


AGENTS = Door("mcp", "mcp", discovery.find)
VIEW = Door("view", "mcp-workbench-view", discovery.find_views)


async def entries(door: Door) -> dict[str, Entry]:
    """Kernel id -> its endpoint of this kind; of several the one that started last."""
    # Files of a home folder may be far away: Jupyter's loop does not wait for them.
    found = await asyncio.to_thread(door.find)
    return {entry.kernel_id: entry for entry in reversed(found)}


def is_elsewhere(kernel: object) -> bool:
    """Whether a kernel of Jupyter's was started on another machine, or in a container: then there is no loopback in common.

    Args:
        kernel: Jupyter's manager of the kernel. One without a provisioner belongs to a Kernel Gateway.
    """
    return not isinstance(getattr(kernel, "provisioner", None), LocalProvisioner)
