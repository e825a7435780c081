"""What a session up to 2025-11-25 rests on, for a client whose server has ended it: what is said again to another one. Pure.

A session is a memory of the server's: the handshake, what was subscribed to, how much is logged. All of it has crossed
the channel, so it is noted there and can be said again; what tools have kept for the session is lost. Whoever is
subscribed is told that everything may have changed, since nobody told them meanwhile. The neighbour is `http_client`.
"""

from __future__ import annotations

from mcp_workbench.jsonrpc import Message, Notification, Request, encode_notification, encode_request

INITIALIZE, INITIALIZED = "initialize", "notifications/initialized"
_SUBSCRIBE, _UNSUBSCRIBE, _LEVEL = "resources/subscribe", "resources/unsubscribe", "logging/setLevel"
_LISTS = ("tools", "prompts", "resources")


class Standing:
    """The memory of one channel."""

    def __init__(self) -> None:
        self.opening: tuple[Request, bytes] | None = None
        """`initialize`, as it was said."""
        self.ready = b""
        """The notification behind it."""
        self._subscribed: dict[str, tuple[Request, bytes]] = {}
        self._level: tuple[Request, bytes] | None = None

    def note_sent(self, message: Message, text: bytes) -> None:
        """Something is said."""
        if isinstance(message, Request) and message.method == INITIALIZE:
            self.opening = message, text
        elif isinstance(message, Notification) and message.method == INITIALIZED:
            self.ready = text

    def note_answered(self, request: Request) -> None:
        """A request has a result."""
        text = encode_request(request.id, request.method, request.params)
        uri = (request.params or {}).get("uri")
        if request.method == _LEVEL:
            self._level = request, text
        elif request.method == _SUBSCRIBE and isinstance(uri, str):
            self._subscribed[uri] = request, text
        elif request.method == _UNSUBSCRIBE and isinstance(uri, str):
            self._subscribed.pop(uri, None)

    def again(self) -> list[tuple[Request, bytes]]:
        """What to ask for anew behind the handshake."""
        return [*self._subscribed.values(), *([] if self._level is None else [self._level])]

    def news(self) -> list[bytes]:
        """What whoever listens is told then: read everything again."""
        lists = [encode_notification(f"notifications/{kind}/list_changed") for kind in _LISTS]
        return lists + [encode_notification("notifications/resources/updated", {"uri": uri}) for uri in self._subscribed]
