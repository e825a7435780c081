"""What one connection wants to be told: its legacy subscriptions and its modern listens.

Which sessions want a given resource is a different question; `mcp_workbench.sessions` keeps that index.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

from mcp_workbench.jsonrpc import RequestId
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Exchange


class Listing(StrEnum):
    """The lists whose change is announced."""

    TOOLS = "tools"
    PROMPTS = "prompts"
    RESOURCES = "resources"


class Listen:
    """One open `subscriptions/listen`."""

    __slots__ = ("exchange", "listings", "tasks", "uris")

    def __init__(self, exchange: Exchange, honoured: wire.ListenFilter) -> None:
        self.exchange = exchange
        self.uris = frozenset(honoured.resource_subscriptions or ())
        self.tasks = frozenset(honoured.task_ids or ())
        wanted = {
            Listing.TOOLS: honoured.tools_list_changed,
            Listing.PROMPTS: honoured.prompts_list_changed,
            Listing.RESOURCES: honoured.resources_list_changed,
        }
        self.listings = frozenset(listing for listing, flag in wanted.items() if flag is True)


class Subscriptions:
    """Of one connection; URIs are kept as the client wrote them, because notifications repeat that text."""

    __slots__ = ("_listens", "_uris")

    def __init__(self) -> None:
        self._uris: dict[str, None] = {}
        self._listens: dict[RequestId, Listen] = {}

    def __len__(self) -> int:
        """Legacy subscriptions, listens, and the URIs and tasks of those listens."""
        return len(self._uris) + len(self._listens) + sum(len(listen.uris) + len(listen.tasks) for listen in self._listens.values())

    def subscribe(self, uri: str) -> None:
        """Legacy: tell about this URI; a second time changes nothing."""
        self._uris[uri] = None

    def unsubscribe(self, uri: str) -> bool:
        """Legacy: no longer; False when it was not subscribed."""
        return self._uris.pop(uri, 0) is None

    def open_listen(self, listen: Listen) -> None:
        """Modern: a listen was acknowledged."""
        self._listens[listen.exchange.id] = listen

    def close_listen(self, request_id: RequestId) -> Listen | None:
        """Modern: a listen has ended."""
        return self._listens.pop(request_id, None)

    @property
    def listens(self) -> Iterable[Listen]:
        """Open listens, oldest first."""
        return tuple(self._listens.values())

    def wants_uri(self, uri: str) -> bool:
        """Whether the legacy subscriptions hold this URI."""
        return uri in self._uris

    def listens_for_uri(self, uri: str) -> Iterator[RequestId]:
        """Ids of the listens that named this URI."""
        return (request_id for request_id, listen in self._listens.items() if uri in listen.uris)

    def listens_for_listing(self, listing: Listing) -> Iterator[RequestId]:
        """Ids of the listens that asked for changes of this list."""
        return (request_id for request_id, listen in self._listens.items() if listing in listen.listings)

    def listens_for_task(self, task_id: str) -> Iterator[RequestId]:
        """Ids of the listens that named this task."""
        return (request_id for request_id, listen in self._listens.items() if task_id in listen.tasks)

    def uris(self) -> set[str]:
        """Every URI wanted, in either way."""
        return set(self._uris).union(*(listen.uris for listen in self._listens.values()))
