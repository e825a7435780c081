"""The Peer: one side of one MCP conversation, without I/O.

Texts in -> happenings out (`receive_text`); calls in -> texts out (everything else). It owns ids, the
tables of requests in flight in both directions, the era, the version rules and the connection's
subscriptions. It has no clock, awaits nothing and never raises for what the other side sent; only our
own misuse raises `LocalProtocolError`. Timers, queues and sockets belong to the driver
(`mcp_workbench.sessions` on the server, `mcp_workbench.client` on the client).

One class for both sides. What differs stands beside the sentence of the specification that demands it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import UNSET

from mcp_workbench.errors import LocalProtocolError, PeerError, RemoteProtocolError
from mcp_workbench.events import Era
from mcp_workbench.jsonrpc import (
    Batch,
    ErrorCode,
    ErrorResponse,
    Malformed,
    Message,
    Notification,
    Request,
    RequestId,
    ResultResponse,
    decode,
    encode,
    encode_error,
    encode_notification,
    encode_request,
    encode_result,
)
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.admission import UNKNOWN_CLIENT, Admission, convert
from mcp_workbench.protocol.claude_channel import CAPABILITY
from mcp_workbench.protocol.content import fit_result
from mcp_workbench.protocol.exchange import BatchReply, ClientFacts, Exchange, Fate
from mcp_workbench.protocol.happenings import (
    Happening,
    Ignored,
    NotificationReceived,
    Pending,
    ProgressReceived,
    RequestAnswered,
    RequestCancelled,
    RequestReceived,
    ResponseReceived,
    SessionBegan,
    SessionInitialized,
    TextIgnored,
    TextToSend,
)
from mcp_workbench.protocol.methods import BATCH_VERSION, CLIENT_NOTIFICATIONS, SERVER_NOTIFICATIONS, SERVER_REQUESTS
from mcp_workbench.protocol.sides import ServerDescription, Side
from mcp_workbench.protocol.states import TRANSITIONS, Refusal, State, Trigger
from mcp_workbench.protocol.subscriptions import Listen, Listing, Subscriptions
from mcp_workbench.protocol.versions import LATEST_LEGACY, LEGACY_VERSIONS, MODERN_VERSIONS


class ResultTooLarge(Exception):
    """A result's text exceeds what the client takes."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"a result of {size:,} bytes exceeds the limit of {limit:,}")
        self.size = size
        self.limit = limit


_NO_CAPABILITIES = wire.ClientCapabilities()


class Peer:
    """One side of one conversation.

    Args:
        side: Which end this is.
        server: Server side: what to say of ourselves.
        client: Client side: our name and version.
        capabilities: Client side: what we can do for the server.
        max_batch: Messages in one 2025-03-26 batch.
        max_text_bytes: Longest result text; clients close connections over longer ones.
    """

    def __init__(
        self,
        side: Side,
        *,
        server: ServerDescription | None = None,
        client: wire.Implementation | None = None,
        capabilities: wire.ClientCapabilities = _NO_CAPABILITIES,
        max_batch: int = 64,
        max_text_bytes: int = 768 * 1024,
    ) -> None:
        if side is Side.SERVER and server is None:
            raise LocalProtocolError("a server Peer needs a ServerDescription")
        self.side = side
        self.state = State.FRESH
        self.subscriptions = Subscriptions()
        self.facts: ClientFacts | None = None
        """The client's facts: legacy from the handshake, modern from the first request (a label only)."""
        self.server_result: dict[str, Any] | None = None
        """Client side: the server's InitializeResult or DiscoverResult."""
        self.log_level: wire.LogLevel = "info"
        """Legacy: set by `logging/setLevel`; until then the server MAY choose (2025-11-25, server/utilities/logging)."""
        self.log_level_asked = False
        """Legacy: the client has set it."""
        self._server = server
        self._client = client or wire.Implementation(name="mcp-workbench", version="0")
        self._capabilities = capabilities
        self._max_batch = max_batch
        self._max_text_bytes = max_text_bytes
        self._admission = Admission(side, server)
        self._notifications = CLIENT_NOTIFICATIONS if side is Side.SERVER else SERVER_NOTIFICATIONS
        self._incoming: dict[RequestId, Exchange] = {}
        self._outgoing: dict[RequestId, Pending] = {}
        self._next_id = 0
        self._server_info_meta = b"" if server is None else encode({wire.META_SERVER_INFO: server.info})

    # --- what can be read off ---------------------------------------------------------------------

    @property
    def era(self) -> Era | None:
        """None until the first request has decided it."""
        return None if self.facts is None else self.facts.era

    @property
    def version(self) -> str | None:
        """Protocol revision in force; modern: of the first request."""
        return None if self.facts is None else self.facts.version

    @property
    def in_flight(self) -> int:
        """Received requests that are neither answered nor cancelled."""
        return len(self._incoming)

    @property
    def open_exchanges(self) -> Iterable[Exchange]:
        """Those requests."""
        return tuple(self._incoming.values())

    @property
    def awaited(self) -> Iterable[Pending]:
        """Requests of ours that wait for a response."""
        return tuple(self._outgoing.values())

    # --- texts in ---------------------------------------------------------------------------------

    def receive_text(self, text: bytes) -> list[Happening]:
        """Take one text.

        Args:
            text: One JSON value in UTF-8.

        Returns:
            What happened, in order; never empty. Never raises for what the text says.
        """
        happened: list[Happening] = []
        message = decode(text)
        if type(message) is Batch:
            self._receive_batch(message, len(text), happened)
        else:
            self._receive_message(message, len(text), None, happened)
        return happened

    def _receive_batch(self, batch: Batch, size: int, happened: list[Happening]) -> None:
        # 2025-03-26 basic: "Implementations … MUST support receiving JSON-RPC batches"; no other revision has them.
        reason = None
        if self.version != BATCH_VERSION:
            reason = "Invalid request: expected one message per text, got an array"
        elif len(batch.entries) > self._max_batch:
            reason = f"Invalid request: at most {self._max_batch} messages in a batch, got {len(batch.entries)}"
        if reason is not None:
            self._receive_malformed(Malformed(ErrorCode.INVALID_REQUEST, reason), None, happened)
            return
        reply = BatchReply(sum(isinstance(entry, Request) or self._answers_malformed(entry) for entry in batch.entries))
        for entry in batch.entries:
            self._receive_message(entry, size // len(batch.entries), reply, happened)

    def _receive_message(
        self, message: Message | Malformed | Batch, size: int, batch: BatchReply | None, happened: list[Happening]
    ) -> None:
        kind = type(message)
        if kind is Request:
            self._receive_request(message, size, batch, happened)  # type: ignore[arg-type]  # `kind is` is the fast isinstance
        elif isinstance(message, Notification):
            self._receive_notification(message, happened)
        elif isinstance(message, ResultResponse | ErrorResponse):
            self._receive_response(message, happened)
        elif isinstance(message, Malformed):
            self._receive_malformed(message, batch, happened)

    def _receive_malformed(self, malformed: Malformed, batch: BatchReply | None, happened: list[Happening]) -> None:
        if self._answers_malformed(malformed):
            text = encode_error(malformed.id, malformed.code, malformed.reason)
            if (whole := text if batch is None else batch.settle(text)) is not None:
                happened.append(TextToSend(whole, None, malformed.code, malformed.id))
            return
        # Each side counts its own ids: a broken request of theirs is no answer to ours with the same id.
        pending = None if malformed.id is None or malformed.answerable else self._outgoing.pop(malformed.id, None)
        if pending is not None:
            # Whoever waits would wait in vain: this was the answer.
            happened.append(ResponseReceived(pending, None, PeerError(malformed.code, f"The answer was malformed. {malformed.reason}")))
            return
        happened.append(TextIgnored(Ignored.BROKEN_RESPONSE if malformed.id is not None else Ignored.BROKEN_NOTIFICATION))

    def _answers_malformed(self, entry: Message | Malformed) -> bool:
        # A client never answers what it could not read: only requests are answered, and servers rarely send any.
        return self.side is Side.SERVER and isinstance(entry, Malformed) and entry.answerable

    # --- requests in ------------------------------------------------------------------------------

    def _receive_request(self, request: Request, size: int, batch: BatchReply | None, happened: list[Happening]) -> None:
        try:
            if request.id in self._incoming:
                raise RemoteProtocolError(ErrorCode.INVALID_REQUEST, "Invalid request: a request with this id is still in flight")
            exchange, self.state = self._admission.admit(request, size, self.state, self.facts)
        except RemoteProtocolError as error:
            self._refuse(request, size, error, batch, happened)
            return
        if self.facts is None and exchange.client is not UNKNOWN_CLIENT:
            self.facts = exchange.client
            happened.append(SessionBegan(exchange.client))
        exchange.batch = batch
        self._incoming[exchange.id] = exchange
        if request.method == "initialize":
            self._answer_itself(exchange, request, self._initialize_result(exchange), happened)
        elif request.method == "ping":
            self._answer_itself(exchange, request, wire.EmptyResult(), happened)
        elif request.method == "server/discover":
            self._answer_itself(exchange, request, self._discover_result(), happened)
        else:
            happened.append(RequestReceived(exchange))

    def _initialize_result(self, exchange: Exchange) -> wire.InitializeResult:
        server = self._own_description()
        return wire.InitializeResult(
            protocol_version=exchange.client.version,
            capabilities=msgspec.structs.replace(server.capabilities, extensions=UNSET),  # they came with the modern era
            server_info=server.info,
            instructions=server.instructions or UNSET,
        )

    def _discover_result(self) -> wire.DiscoverResult:
        server = self._own_description()
        # What is experimental are notifications that nobody asked for, and from 2026-07-28 there are none.
        capabilities = msgspec.structs.replace(server.capabilities, experimental=UNSET)
        return wire.DiscoverResult(
            supported_versions=list(MODERN_VERSIONS), capabilities=capabilities, instructions=server.instructions or UNSET
        )

    def _own_description(self) -> ServerDescription:
        if self._server is None:
            raise LocalProtocolError("only the server side describes a server")
        return self._server

    # --- notifications and responses in -------------------------------------------------------------

    def _receive_notification(self, notification: Notification, happened: list[Happening]) -> None:
        """A notification is never answered, not even with an error (JSON-RPC 2.0 section 4.1)."""
        method = self._notifications.get(notification.method)
        if method is None or (self.version is not None and not method.exists_in(self.version)):
            happened.append(TextIgnored(Ignored.UNKNOWN_NOTIFICATION))
            return
        if self.state in (State.FRESH, State.CLOSED):
            happened.append(TextIgnored(Ignored.EARLY_NOTIFICATION))
            return
        try:
            params = convert(notification.params or {}, method.params, "params")
        except RemoteProtocolError:
            happened.append(TextIgnored(Ignored.BROKEN_NOTIFICATION))
            return
        if isinstance(params, wire.CancelledParams):
            self._receive_cancel(params, happened)
        elif isinstance(params, wire.ProgressParams):
            pending = self._outgoing.get(params.progress_token)
            happened.append(TextIgnored(Ignored.UNKNOWN_PROGRESS) if pending is None else ProgressReceived(pending, params))
        elif notification.method == Trigger.INITIALIZED:
            self.state = State.LEGACY
            happened.append(SessionInitialized())
        else:
            happened.append(NotificationReceived(notification.method, params, _subscription_id(notification.params)))

    def _receive_cancel(self, params: wire.CancelledParams, happened: list[Happening]) -> None:
        exchange = self._incoming.pop(params.request_id, None)
        if exchange is None and self.side is Side.CLIENT and self._ends_listen(params.request_id):
            # 2026-07-28 lets a server end a listen by cancelling it as well as by answering it.
            happened.append(ResponseReceived(self._outgoing.pop(params.request_id), {}, None))
            return
        if exchange is None:
            happened.append(TextIgnored(Ignored.LATE_CANCEL))
            return
        exchange.fate = Fate.CANCELLED
        self.subscriptions.close_listen(exchange.id)
        happened.append(RequestCancelled(exchange, params.reason if isinstance(params.reason, str) else ""))
        if exchange.batch is not None and (array := exchange.batch.settle(None)) is not None:
            happened.append(TextToSend(array, id=exchange.id))

    def _ends_listen(self, request_id: RequestId) -> bool:
        pending = self._outgoing.get(request_id)
        return pending is not None and pending.method == "subscriptions/listen"

    def _receive_response(self, response: ResultResponse | ErrorResponse, happened: list[Happening]) -> None:
        # 2026-07-28: "clients do not send JSON-RPC responses"; nothing of ours is awaited then, so it falls out here.
        pending = self._outgoing.pop(response.id, None) if response.id is not None else None
        if pending is None:
            happened.append(TextIgnored(Ignored.UNKNOWN_RESPONSE))
        elif isinstance(response, ErrorResponse):
            happened.append(ResponseReceived(pending, None, PeerError(response.code, response.message, response.data)))
        else:
            happened.append(ResponseReceived(pending, response.result, None))

    # --- answers out ----------------------------------------------------------------------------------

    def answer(self, exchange: Exchange, result: wire.Result) -> bytes | None:
        """Answer a request.

        Args:
            exchange: From `RequestReceived`.
            result: Its result; fitted here to the client's revision.

        Returns:
            The text to send; None when there is nothing to send now: the exchange was cancelled or
            answered before, or it belongs to a batch that is not complete.

        Raises:
            ResultTooLarge: The text would be longer than `max_text_bytes`; the exchange stays open.
        """
        if self._incoming.get(exchange.id) is not exchange:
            return None
        text = encode_result(exchange.id, self._encode_result(exchange.client, result))
        limit = self.room(exchange)
        if len(text) > limit:
            raise ResultTooLarge(len(text), limit)
        del self._incoming[exchange.id]
        return self._settle(exchange, text)

    def room(self, exchange: Exchange) -> int:
        """Bytes that the answer to a request may have; the answers of a batch share one text."""
        return self._max_text_bytes if exchange.batch is None else self._max_text_bytes // exchange.batch.requests

    def answer_error(self, exchange: Exchange, code: int, message: str, data: Any = None) -> bytes | None:
        """Answer a request with an error; returns like `answer`."""
        # Its id may have been given to a newer request since it was cancelled: that one stays.
        if self._incoming.get(exchange.id) is not exchange:
            return None
        text = encode_error(exchange.id, code, message, data)
        del self._incoming[exchange.id]
        return self._settle(exchange, text)

    def _settle(self, exchange: Exchange, text: bytes) -> bytes | None:
        exchange.fate = Fate.ANSWERED
        self.subscriptions.close_listen(exchange.id)
        return text if exchange.batch is None else exchange.batch.settle(text)

    def _answer_itself(self, exchange: Exchange, request: Request, result: wire.Result, happened: list[Happening]) -> None:
        text = encode_result(exchange.id, self._encode_result(exchange.client, result))
        del self._incoming[exchange.id]
        answered = RequestAnswered(request.method, request.params, request.id, exchange.client.era, exchange.text_bytes, len(text))
        self._tell(answered, self._settle(exchange, text), happened)

    def _refuse(
        self, request: Request, size: int, error: RemoteProtocolError, batch: BatchReply | None, happened: list[Happening]
    ) -> None:
        text = encode_error(request.id, error.code, error.message, error.data)
        refused = PeerError(error.code, error.message, error.data)
        answered = RequestAnswered(request.method, request.params, request.id, self._era_of(request), size, len(text), refused)
        self._tell(answered, text if batch is None else batch.settle(text), happened)

    def _tell(self, answered: RequestAnswered, text: bytes | None, happened: list[Happening]) -> None:
        if text is None:
            happened.append(answered)
            return
        code = None if answered.error is None else answered.error.code
        happened.append(TextToSend(text, answered.method, code, answered.id, answered))

    def _era_of(self, request: Request) -> Era:
        """Of a request that was refused: the connection's, else what its envelope says."""
        meta = (request.params or {}).get("_meta")
        return self.era or (Era.MODERN if isinstance(meta, dict) and wire.META_VERSION in meta else Era.LEGACY)

    def _encode_result(self, client: ClientFacts, result: wire.Result) -> bytes:
        result = fit_result(result, client.version)
        body = encode(result)
        if client.era is Era.LEGACY or self._server is None:
            return body
        # 2026-07-28: resultType on every result; ttlMs and cacheScope on what may be cached; serverInfo SHOULD be there.
        # Spliced in as bytes: the results themselves are the same in both eras.
        head = b'{"resultType":"' + _result_type(result) + b'"'
        if isinstance(result, wire.CacheableResult):
            head += b',"ttlMs":0' if result.ttl_ms is UNSET else b""
            head += b',"cacheScope":"private"' if result.cache_scope is UNSET else b""
        if result.meta is UNSET:
            head += b',"_meta":' + self._server_info_meta
        else:
            body = encode(msgspec.structs.replace(result, meta={wire.META_SERVER_INFO: self._server.info} | result.meta))
        return head + (b"}" if body == b"{}" else b"," + body[1:])

    # --- requests out -----------------------------------------------------------------------------------

    def request(
        self, method: str, params: dict[str, Any] | None = None, *, waiter: Any = None, progress: bool = False
    ) -> tuple[Pending, bytes]:
        """Make a request of our own.

        Args:
            method: Its method.
            params: Its params, camelCase; `_meta` is added here.
            waiter: Kept in the returned Pending.
            progress: Ask for progress; it is reported under the request's own id.

        Returns:
            The pending request and the text to send.

        Raises:
            LocalProtocolError: This side must not send it now.
            TypeError: The params are not JSON.
        """
        if self.side is Side.SERVER and not self._may_ask(method):
            raise LocalProtocolError(f"a server may not send {method} on a connection that is {self.state} in version {self.version}")
        request_id = self._next_id
        self._next_id += 1
        meta = dict((params or {}).get("_meta", {}))
        if self.side is Side.CLIENT and (self.state is State.MODERN or method == "server/discover"):
            meta = self._envelope() | meta
        if progress:
            meta["progressToken"] = request_id
        text = encode_request(request_id, method, {**(params or {}), "_meta": meta} if meta else params)
        pending = self._outgoing[request_id] = Pending(request_id, method, waiter)
        return pending, text

    def _may_ask(self, method: str) -> bool:
        known = SERVER_REQUESTS.get(method)
        return self.state is State.LEGACY and known is not None and known.exists_in(self.version or LATEST_LEGACY)

    def cancel(self, pending: Pending, reason: str = "") -> bytes | None:
        """Give up a request of ours; its late response will be ignored. None when it is settled, or may not be cancelled."""
        if self._outgoing.pop(pending.id, None) is None or pending.method == "initialize":
            return None
        return encode_notification("notifications/cancelled", {"requestId": pending.id} | ({"reason": reason} if reason else {}))

    def notify(self, method: str, params: dict[str, Any] | None = None) -> bytes:
        """Text of a plain notification (client side; the server has methods of its own below)."""
        return encode_notification(method, params)

    def _envelope(self) -> dict[str, Any]:
        return {
            wire.META_VERSION: self.version if self.state is State.MODERN else MODERN_VERSIONS[-1],
            wire.META_CAPABILITIES: self._capabilities,
            wire.META_CLIENT_INFO: self._client,
        }

    # --- opening a conversation, client side -----------------------------------------------------------

    def initialize(self, version: str = LATEST_LEGACY, *, waiter: Any = None) -> tuple[Pending, bytes]:
        """Client, legacy: the request that opens the conversation."""
        self._step(Trigger.INITIALIZE)
        capabilities = msgspec.structs.replace(self._capabilities, extensions=UNSET)  # they came with the modern era
        params = {"protocolVersion": version, "capabilities": capabilities, "clientInfo": self._client}
        return self.request("initialize", params, waiter=waiter)

    def initialized(self, result: dict[str, Any]) -> bytes:
        """Client, legacy: take the answer to `initialize`; returns the `notifications/initialized` to send.

        Raises:
            RemoteProtocolError: The server chose a revision we do not speak, or its answer has the wrong shape.
        """
        answer = convert(result, wire.InitializeResult, "result")
        if answer.protocol_version not in LEGACY_VERSIONS:
            raise RemoteProtocolError(
                ErrorCode.UNSUPPORTED_VERSION,
                f"The server chose protocol version {answer.protocol_version[:40]}; we speak {', '.join(LEGACY_VERSIONS)}",
            )
        self._step(Trigger.INITIALIZED)
        self.facts = ClientFacts(Era.LEGACY, answer.protocol_version, self._capabilities, self._client)
        self.server_result = result
        return encode_notification("notifications/initialized")

    def discovered(self, result: dict[str, Any]) -> None:
        """Client, modern: take the answer to `server/discover`; from now on every request is enveloped.

        Raises:
            RemoteProtocolError: No mutual modern revision, or the answer has the wrong shape.
        """
        answer = convert(result, wire.DiscoverResult, "result")
        mutual = [version for version in MODERN_VERSIONS if version in answer.supported_versions]
        if not mutual:
            raise RemoteProtocolError(
                ErrorCode.UNSUPPORTED_VERSION, f"The server speaks {answer.supported_versions}, we speak {MODERN_VERSIONS}"
            )
        self._step(Trigger.ENVELOPED)
        self.facts = ClientFacts(Era.MODERN, mutual[-1], self._capabilities, self._client)
        self.server_result = result

    def close(self) -> list[Pending]:
        """The connection is gone; returns the requests of ours that will never be answered."""
        self.state = State.CLOSED
        lost = list(self._outgoing.values())
        self._outgoing.clear()
        for exchange in self._incoming.values():
            exchange.fate = Fate.CANCELLED
        self._incoming.clear()
        return lost

    def _step(self, trigger: Trigger) -> None:
        verdict = TRANSITIONS[self.state][trigger]
        if isinstance(verdict, Refusal):
            raise LocalProtocolError(verdict.sentence)
        self.state = verdict

    # --- what a server tells ------------------------------------------------------------------------------

    def acknowledge(self, exchange: Exchange, honoured: wire.ListenFilter) -> bytes:
        """Modern: accept a `subscriptions/listen`; the request stays open until cancelled or ended.

        Returns:
            The acknowledgement, which MUST be the first message of the stream (2026-07-28 subscriptions).
        """
        if exchange.fate is not Fate.OPEN:
            raise LocalProtocolError("a listen that has ended cannot be acknowledged")
        self.subscriptions.open_listen(Listen(exchange, honoured))
        return self._stream_notification("notifications/subscriptions/acknowledged", exchange.id, {"notifications": honoured})

    def end_listen(self, exchange: Exchange) -> bytes | None:
        """Modern: end a listen from our side with its response (subscriptions: "response SHOULD end it")."""
        return self.answer(exchange, wire.EmptyResult(meta={wire.META_SUBSCRIPTION: exchange.id}))

    def resource_updated(self, uri: str) -> dict[RequestId | None, bytes]:
        """Notifications for whoever on this connection wants `uri`, which is repeated as subscribed.

        Returns:
            The texts, by the listen they belong to; None: the legacy subscription.
        """
        texts: dict[RequestId | None, bytes] = {None: _updated_text(uri)} if self.subscriptions.wants_uri(uri) else {}
        for listen_id in self.subscriptions.listens_for_uri(uri):
            texts[listen_id] = self._stream_notification("notifications/resources/updated", listen_id, {"uri": uri})
        return texts

    def list_changed(self, listing: Listing) -> dict[RequestId | None, bytes]:
        """Notifications that a list has changed; legacy: to every initialized client, modern: to the listens that asked.

        Returns:
            The texts, as `resource_updated`.
        """
        method = f"notifications/{listing}/list_changed"
        if self.state is State.LEGACY:
            # A list that was not offered in `initialize` cannot change for this client.
            return {None: encode_notification(method)} if self._own_description().offers(listing) else {}
        listens = self.subscriptions.listens_for_listing(listing)
        return {listen_id: self._stream_notification(method, listen_id, {}) for listen_id in listens}

    @property
    def takes_channel(self) -> bool:
        """Whether this client may be told news of a channel: in the legacy era, by a server that declared one."""
        experimental = UNSET if self._server is None else self._server.capabilities.experimental
        return self.state is State.LEGACY and experimental is not UNSET and CAPABILITY in experimental

    def task_changed(self, task: wire.Task, listen_id: RequestId | None = None) -> dict[RequestId, bytes]:
        """Notifications for whoever on this connection follows a task.

        Args:
            task: As it is now.
            listen_id: Only for this listen; None: for all that named it.

        Returns:
            The texts, by the listen they belong to.
        """
        listens = self.subscriptions.listens_for_task(task.task_id) if listen_id is None else (listen_id,)
        return {each: encode_notification("notifications/tasks", _within_listen(task, each)) for each in listens}

    def progress(self, exchange: Exchange, progress: float, total: float | None = None, message: str | None = None) -> bytes | None:
        """Progress of an open request that asked for it; None otherwise: nothing may follow an answer or a cancel."""
        if exchange.progress_token is None or exchange.fate is not Fate.OPEN:
            return None
        params = wire.ProgressParams(
            progress_token=exchange.progress_token,
            progress=progress,
            total=UNSET if total is None else total,
            message=UNSET if message is None else message,
        )
        return encode_notification("notifications/progress", params)

    def wants_output(self, exchange: Exchange, level: wire.LogLevel) -> bool:
        """Whether the client has asked for log messages of this level, be it once or with this request; from any thread."""
        modern = exchange.client.era is Era.MODERN
        threshold = exchange.log_level if modern else (self.log_level if self.log_level_asked else None)
        return threshold is not None and wire.LOG_LEVELS.index(level) >= wire.LOG_LEVELS.index(threshold)

    def log(self, exchange: Exchange, level: wire.LogLevel, data: Any, logger: str | None = None) -> bytes | None:
        """A log message of an open request, when the client wants that level; None otherwise."""
        # Logging: "Servers that emit log message notifications MUST declare the logging capability".
        if not self._own_description().offers("logging"):
            return None
        # 2026-07-28: without logLevel in the request's _meta a server MUST NOT emit.
        threshold = exchange.log_level if exchange.client.era is Era.MODERN else self.log_level
        if threshold is None or exchange.fate is not Fate.OPEN or wire.LOG_LEVELS.index(level) < wire.LOG_LEVELS.index(threshold):
            return None
        return encode_notification("notifications/message", wire.LogParams(level=level, data=data, logger=logger or UNSET))

    def _stream_notification(self, method: str, listen_id: RequestId, params: dict[str, Any]) -> bytes:
        # 2026-07-28 subscriptions: every message of the stream carries the id of the listen request.
        return encode_notification(method, params | {"_meta": {wire.META_SUBSCRIPTION: listen_id}})


def _result_type(result: wire.Result) -> bytes:
    if isinstance(result, wire.InputRequiredResult):
        return b"input_required"
    return b"task" if isinstance(result, wire.CreateTaskResult) else b"complete"


def _subscription_id(params: dict[str, Any] | None) -> RequestId | None:
    meta = (params or {}).get("_meta")
    found = meta.get(wire.META_SUBSCRIPTION) if isinstance(meta, dict) else None
    return found if isinstance(found, str | int) else None


def _within_listen(task: wire.Task, listen_id: RequestId) -> wire.Task:
    return msgspec.structs.replace(task, meta={wire.META_SUBSCRIPTION: listen_id})


def _updated_text(uri: str) -> bytes:
    return encode_notification("notifications/resources/updated", {"uri": uri})
