"""What a Workbench lends its traffic, so that it can be asked again, written down and published; a recording has none of it.

Traffic knows no Workbench: what it needs of one comes through here, as functions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from mcp_workbench.client.connect import Connecting
from mcp_workbench.exploring.comparing.trials import Serve
from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.protocol import wire


class Connect(Protocol):
    """How servers are reached, this notebook's own without an address: `Workbench.connect`."""

    def __call__(self, url: Any = None, *, token: Any = None, client_info: wire.Implementation | None = None) -> Connecting:
        """Open a session."""


class Publish(Protocol):
    """Offers a resource: `Workbench.resource`."""

    def __call__(self, uri: str, /, **options: Any) -> Callable[[Callable[..., Any]], object]:
        """A decorator."""


@dataclass(frozen=True, slots=True)
class Lent:
    """Each is None where there is no Workbench."""

    connect: Connect | None = None
    serve: Serve | None = None
    """Serves a function alone."""
    redactor: Callable[[], Redactor] = field(default=Redactor)
    """Withholds what is secret, as `record` does: also what tools name, and the Workbench's own tokens."""
    publish: Publish | None = None
    unpublish: Callable[[str], object] | None = None
    server: Callable[[], str] = field(default=str)
    """Its name."""
