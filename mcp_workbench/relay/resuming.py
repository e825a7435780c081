"""Beginning anew with a kernel: it is told what the host said, under ids of the bridge's own, and asked what it offers.

Legacy: initialize, the log level, the subscriptions. Modern: the open listens, sent again as the host wrote them. Then
the lists the host was shown are read, so that the relay can tell what changed. A resource that is not there yet, as
after a restart, is subscribed when the kernel says that its resources have changed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from mcp_workbench.events import Era
from mcp_workbench.jsonrpc import RequestId, encode_notification, encode_request
from mcp_workbench.relay.answers import cancelled
from mcp_workbench.relay.envelope import member
from mcp_workbench.relay.memory import MAX_PAGES, Memory, items_of

WATCH = {"resourcesListChanged": True}
Then = Callable[[dict[str, Any] | None], None]
"""Takes the result of a request of ours; None: it was answered with an error."""


class Resuming:
    """With one kernel, from the moment its connection is open.

    Args:
        memory: What the host said; only read.
        send: Sends a text to the kernel.
        new_id: Makes an id that the host has not used and will not.
        tell_updated: A resource is watched anew, for the host itself or one of its listens: it may have changed meanwhile.
    """

    def __init__(
        self,
        memory: Memory,
        send: Callable[[bytes], None],
        new_id: Callable[[], str],
        tell_updated: Callable[[str, RequestId | None], None],
    ) -> None:
        self.failure: str | None = None
        """Why this kernel cannot go on with the conversation."""
        self.lists: dict[str, list[Any]] = {}
        """What the kernel offers now, by the list methods that the host has used."""
        self._memory = memory
        self._send = send
        self._new_id = new_id
        self._tell_updated = tell_updated
        self._waiting: dict[RequestId, Then] = {}
        self._unanswered: set[RequestId] = set()
        """Listens sent again that were not acknowledged yet."""
        self._honoured: dict[RequestId, set[str]] = {}
        self._missing: set[str] = set()
        """Legacy: subscriptions to what is not there yet."""
        self._unwanted: set[str] = set()
        """Legacy: the host has asked for their end, and may not have been answered."""
        self._incomplete: set[RequestId] = set()
        """Modern: listens that name something that is not there yet."""
        self._watch: str | None = None
        """Id of a listen of ours, held open while there are incomplete ones."""

    @property
    def settled(self) -> bool:
        """Whether nothing is awaited from the kernel."""
        return not self._waiting and not self._unanswered

    def begin(self) -> None:
        """Send what opens the conversation; nothing when the host has not begun one."""
        if self._memory.era is Era.LEGACY:
            self._ask("initialize", self._memory.opening, self._opened)
        elif self._memory.era is Era.MODERN:
            if any(held.uris for held in self._memory.listens.values()):
                self._open_watch()  # before the listens: what appears right after one of them was read is heard of
            for listen_id in self._memory.listens:
                self._listen_again(listen_id)
            self._read_lists()

    def receive_response(self, request_id: RequestId, text: bytes, *, failed: bool) -> None:
        """The kernel answered a request of ours; others are not for here."""
        then = self._waiting.pop(request_id, None)
        if then is not None:
            then(None if failed else member(text, "result"))

    def receive_acknowledgement(self, listen_id: RequestId, text: bytes) -> None:
        """The kernel accepted a listen that was sent again, or our own."""
        held = self._memory.listens.get(listen_id)
        if listen_id not in self._unanswered or held is None:
            self._unanswered.discard(listen_id)
            return
        self._unanswered.discard(listen_id)
        wants = member(text, "params").get("notifications")
        named = wants.get("resourceSubscriptions") if isinstance(wants, dict) else None
        before, now = self._honoured.get(listen_id, set()), set(named) if isinstance(named, list) else set()
        self._honoured[listen_id] = now
        for uri in held.uris:
            if uri in now and uri not in before:
                self._tell_updated(uri, listen_id)
        if not now.issuperset(held.uris):
            self._incomplete.add(listen_id)
        self._keep_watch()

    def receive_end_of_listen(self, listen_id: RequestId) -> None:
        """The kernel refused or ended a listen; for the host it stays open."""
        self._incomplete.add(listen_id)
        if listen_id in self._unanswered:
            self._unanswered.discard(listen_id)
            self._keep_watch()

    def forget(self, listen_id: RequestId) -> None:
        """The host has ended a listen."""
        self._unanswered.discard(listen_id)
        self._incomplete.discard(listen_id)
        self._honoured.pop(listen_id, None)
        self._keep_watch()

    def note_wanted(self, uri: str, *, wanted: bool) -> None:
        """The host has subscribed to a resource itself, or asked for the end of that: what is missing is not for here any more."""
        (self._unwanted.discard if wanted else self._unwanted.add)(uri)

    def owns(self, listen_id: RequestId) -> bool:
        """Whether this listen is ours and not the host's."""
        return listen_id == self._watch

    def retry(self) -> None:
        """The kernel's resources have changed: what was missing may be there."""
        missing, self._missing = self._missing, set()
        for uri in (missing & self._memory.uris.keys()) - self._unwanted:
            self._subscribe(uri)
        incomplete, self._incomplete = self._incomplete, set()
        for listen_id in incomplete & self._memory.listens.keys():
            self._send(cancelled(listen_id, "to be sent again"))
            self._listen_again(listen_id)
        self._keep_watch()

    # --- legacy -------------------------------------------------------------------------------------------

    def _opened(self, result: dict[str, Any] | None) -> None:
        wanted = self._memory.opening.get("protocolVersion")
        if result is None or result.get("protocolVersion") != wanted:
            self.failure = f"its server does not speak MCP {wanted}, which this host began with: its mcp_workbench has another version"
            return
        if self._memory.initialized:
            self._send(encode_notification("notifications/initialized"))
        if self._memory.level is not None:
            self._ask("logging/setLevel", self._memory.level, _no_matter)
        for uri in self._memory.uris:
            self._subscribe(uri)
        self._read_lists()

    def _subscribe(self, uri: str) -> None:
        self._ask("resources/subscribe", {"uri": uri}, partial(self._subscribed, uri))

    def _subscribed(self, uri: str, result: dict[str, Any] | None) -> None:
        if result is None:
            self._missing.add(uri)
        else:
            self._tell_updated(uri, None)

    # --- modern -------------------------------------------------------------------------------------------

    def _listen_again(self, listen_id: RequestId) -> None:
        self._unanswered.add(listen_id)
        self._send(self._memory.listens[listen_id].text)

    def _keep_watch(self) -> None:
        """Hear of changed resources while that matters, whatever the host's own listens ask for."""
        if self._incomplete and self._watch is None:
            self._open_watch()
        elif self._watch is not None and not self._incomplete and not self._unanswered:
            self._send(cancelled(self._watch, "no longer needed"))
            self._watch = None

    def _open_watch(self) -> None:
        self._watch = self._new_id()
        self._send(encode_request(self._watch, "subscriptions/listen", self._enveloped({"notifications": WATCH})))

    # --- both ---------------------------------------------------------------------------------------------

    def _read_lists(self) -> None:
        for method in self._memory.told:
            self._read_page(method, {}, 1)

    def _read_page(self, method: str, params: dict[str, Any], number: int) -> None:
        self._ask(method, params, partial(self._take_page, method, number))

    def _take_page(self, method: str, number: int, result: dict[str, Any] | None) -> None:
        if result is None:
            return
        self.lists.setdefault(method, []).extend(items_of(method, result))
        cursor = result.get("nextCursor")
        if isinstance(cursor, str) and number < MAX_PAGES:
            self._read_page(method, {"cursor": cursor}, number + 1)

    def _ask(self, method: str, params: dict[str, Any], then: Then) -> None:
        request_id = self._new_id()
        self._waiting[request_id] = then
        self._send(encode_request(request_id, method, self._enveloped(params)))

    def _enveloped(self, params: dict[str, Any]) -> dict[str, Any]:
        return params | {"_meta": self._memory.envelope} if self._memory.era is Era.MODERN else params


def _no_matter(result: dict[str, Any] | None) -> None:
    """A kernel without logs serves as well."""
