"""A keeper for tests: it keeps everything, and shows what was kept."""

from __future__ import annotations

from mcp_workbench.protocol.wire import ResourceLink


class Shelf:
    """Keeps without bounds, for every principal; `full` keeps nothing."""

    def __init__(self, *, full: bool = False) -> None:
        self.full = full
        self.kept: list[tuple[str | bytes, str, str, str]] = []
        """Data, MIME type, description, principal."""

    def keep(self, data: str | bytes, mime_type: str, description: str, principal: str) -> ResourceLink | None:
        """As `mcp_workbench.primitives.keeping.Keeper`."""
        if self.full:
            return None
        self.kept.append((data, mime_type, description, principal))
        name = f"_r{len(self.kept)}"
        return ResourceLink(uri=f"result://{name}", name=name, description=description, mime_type=mime_type)

    def for_one(self, data: str | bytes, mime_type: str, description: str, /) -> ResourceLink | None:
        """As `mcp_workbench.primitives.keeping.Keep`."""
        return self.keep(data, mime_type, description, "alice")

    @property
    def only(self) -> tuple[str | bytes, str]:
        """Data and MIME type of the one thing that is kept."""
        ((data, mime_type, _, _),) = self.kept
        return data, mime_type
