"""Conversations with a Peer, written down as they pass, and an oracle that reads every text we send.

A script is a list of lines. `>>` lines are fed to the Peer; the `<<` lines behind each must be exactly
what came of it, in order::

    >> #1 tools/call {"name":"add"}            a request with id 1 (any JSON: #"a", #1.5)
    >> notifications/initialized               a notification
    >> #0 result {"roots":[]}                  a response; `#0 error -32601` for an error
    >> [{"jsonrpc":...}]                       anything else: the text itself
    << #1 result {"resultType":"complete"}     a text we send; a member "..." in an object allows further ones
    << #1 error -32602 {"uri":"df://x"}        an error: code and data count, its sentence is for people
    << notifications/progress {"...":0}
    << [#1 result {}, #2 error -32601]         the array that answers a batch
    << (request #1 tools/call)                 a happening
    << (response to tools/list) {"tools":[]}   the answer to a request of ours
    << nothing                                 a call of ours had nothing to send

What begins with `$` is written out in `ABBREVIATIONS`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from mcp_types import jsonrpc as oracle_jsonrpc
from mcp_types import methods as oracle
from pydantic import ValidationError

from mcp_workbench.events import Era
from mcp_workbench.jsonrpc import RequestId
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.protocol.happenings import (
    Happening,
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
from mcp_workbench.protocol.peer import Peer
from mcp_workbench.protocol.sides import ServerDescription, Side
from mcp_workbench.protocol.versions import LATEST_LEGACY, V2026_07_28

INFO = {"name": "workbench", "version": "1"}
META = {
    wire.META_VERSION: V2026_07_28,
    wire.META_CAPABILITIES: {},
    wire.META_CLIENT_INFO: {"name": "agent", "version": "2"},
}
ABBREVIATIONS = {
    "$META": json.dumps(META),
    "$CLIENT": '"capabilities":{},"clientInfo":{"name":"agent","version":"2"}',
    "$INFO": json.dumps(INFO),
    "$MODERN": f'"resultType":"complete","_meta":{json.dumps({wire.META_SERVER_INFO: INFO})}',
    "$CACHE": '"ttlMs":0,"cacheScope":"private"',
    "$STREAM": json.dumps(wire.META_SUBSCRIPTION),
}
"""What scripts may write for the parts that never change."""
CAPABILITIES = wire.ServerCapabilities(
    tools=wire.ListChanged(list_changed=True),
    resources=wire.ResourcesCapability(subscribe=True, list_changed=True),
    prompts=wire.ListChanged(list_changed=True),
    logging={},
    completions={},
)
FREE = "..."
"""Member of an expected object that allows further members."""


def server_peer(
    capabilities: wire.ServerCapabilities = CAPABILITIES, *, instructions: str | None = None, max_text_bytes: int = 768 * 1024
) -> Peer:
    """A server that offers everything."""
    description = ServerDescription(wire.Implementation(name="workbench", version="1"), capabilities, instructions)
    return Peer(Side.SERVER, server=description, max_text_bytes=max_text_bytes)


def client_peer(capabilities: wire.ClientCapabilities | None = None) -> Peer:
    """A client."""
    return Peer(Side.CLIENT, client=wire.Implementation(name="agent", version="2"), capabilities=capabilities or wire.ClientCapabilities())


class Conversation:
    """One Peer, what it was told and what came of it.

    Args:
        peer: The side under test; the script plays the other one.
    """

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.oracle = Oracle(peer)
        self.transcript: list[str] = []
        self._exchanges: dict[tuple[type, RequestId], Exchange] = {}
        self._pendings: dict[RequestId, Pending] = {}
        self._unread: list[str] = []

    def play(self, script: str) -> None:
        """Feed the `>>` lines and compare what comes with the `<<` lines."""
        expected: list[str] = []
        for line in filter(None, map(str.strip, script.splitlines())):
            mark, _, rest = line.partition(" ")
            if mark == "<<":
                expected.append(rest)
            elif mark == ">>":
                self._compare(expected)
                self.receive(_text_of(rest))
            else:
                raise ValueError(f"a line of a script starts with >> or <<: {line}")
        self._compare(expected)

    def receive(self, text: bytes) -> list[Happening]:
        """Feed one text; what comes of it waits for the next `<<` lines."""
        self.transcript.append(f">> {text.decode(errors='replace')}")
        self.oracle.note_received(text)
        happenings = self.peer.receive_text(text)
        assert happenings, "a text is answered, or counted under a reason: nothing happened"
        for happening in happenings:
            self._note(self._describe(happening))
        return happenings

    def send(self, *texts: bytes | Iterable[bytes] | None) -> None:
        """Note what a call of the Peer gave to send."""
        for text in texts:
            if text is None or (not isinstance(text, bytes) and not text):
                self._note("nothing")
            elif isinstance(text, bytes):
                self._note(self.oracle.check_sent(text))
            else:
                self.send(*text)

    def ask(self, asked: tuple[Pending, bytes]) -> Pending:
        """Note a request of ours."""
        pending, text = asked
        self._pendings[pending.id] = pending
        self.send(text)
        return pending

    def exchange(self, request_id: RequestId) -> Exchange:
        """The request with that id which the Peer handed over last."""
        return self._exchanges[type(request_id), request_id]

    def answer(self, request_id: RequestId, result: wire.Result) -> None:
        """Answer it."""
        self.send(self.peer.answer(self.exchange(request_id), result))

    def _note(self, line: str) -> None:
        self.transcript.append(f"<< {line}")
        self._unread.append(line)

    def _compare(self, expected: list[str]) -> None:
        came, self._unread = self._unread, []
        told = "\n".join(self.transcript)
        assert len(came) == len(expected), f"expected {expected}\ncame {came}\nin\n{told}"
        for wanted, line in zip(expected, came, strict=True):
            assert _fits(_parsed(wanted), _parsed(line)), f"expected << {wanted}\ncame     << {line}\nin\n{told}"
        expected.clear()

    def _describe(self, happening: Happening) -> str:
        match happening:
            case TextToSend(text=text):
                return self.oracle.check_sent(text)
            case RequestAnswered(id=request_id, method=method):
                return f"(answered #{json.dumps(request_id)} {method})"
            case SessionBegan(client=client):
                return f"(session {client.era} {client.version})"
            case SessionInitialized():
                return "(initialized)"
            case RequestReceived(exchange=exchange):
                self._exchanges[type(exchange.id), exchange.id] = exchange
                return f"(request #{json.dumps(exchange.id)} {exchange.method})"
            case RequestCancelled(exchange=exchange, reason=reason):
                return f"(cancelled #{json.dumps(exchange.id)}{' ' + reason if reason else ''})"
            case ResponseReceived(pending=pending, result=result, error=error):
                outcome = json.dumps(result) if error is None else f"error {error.code}"
                return f"(response to {pending.method}) {outcome}"
            case ProgressReceived(pending=pending, params=params):
                return f"(progress of {pending.method} {params.progress:g})"
            case NotificationReceived(method=method, subscription_id=subscription):
                return f"({method}{'' if subscription is None else f' of #{json.dumps(subscription)}'})"
            case TextIgnored(reason=reason):
                return f"(ignored {reason.name})"


def legacy(version: str = LATEST_LEGACY, capabilities: wire.ServerCapabilities = CAPABILITIES) -> Conversation:
    """An initialized conversation with a server."""
    talk = Conversation(server_peer(capabilities))
    talk.play(f"""
        >> #0 initialize {{"protocolVersion":"{version}",$CLIENT}}
        << (session legacy {version})
        << #0 result {{"...":0}}
        >> notifications/initialized
        << (initialized)
    """)
    return talk


def modern(capabilities: wire.ServerCapabilities = CAPABILITIES) -> Conversation:
    """A modern conversation with a server."""
    talk = Conversation(server_peer(capabilities))
    talk.play("""
        >> #0 server/discover {"_meta":$META}
        << (session modern 2026-07-28)
        << #0 result {"...":0}
    """)
    return talk


class Oracle:
    """Reads each text a Peer sends with the models of `mcp-types`, for the revision in force.

    Args:
        peer: Whose texts.
    """

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        # Several per id, the newest last: an id may be used again while the answer of a batch still waits.
        self._methods: dict[tuple[type, RequestId], list[str]] = {}

    def note_received(self, text: bytes) -> None:
        """Remember which method an id asked for."""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return
        for entry in value if isinstance(value, list) else [value]:
            if isinstance(entry, dict) and isinstance(entry.get("id"), str | int) and isinstance(entry.get("method"), str):
                self._methods.setdefault((type(entry["id"]), entry["id"]), []).append(entry["method"])

    def check_sent(self, text: bytes) -> str:
        """Validate one text; returns it in the words of a script."""
        value = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_duplicates)
        if isinstance(value, list):
            assert self._peer.version == "2025-03-26", "only 2025-03-26 has batches"
            assert value, "an array holds at least one message"
            return "[" + ", ".join(self._check(entry) for entry in value) + "]"
        return self._check(value)

    def _check(self, message: dict[str, Any]) -> str:
        oracle_jsonrpc.jsonrpc_message_adapter.validate_python(message)
        assert message.keys() <= {"jsonrpc", "id", "method", "params", "result", "error"}
        if "error" in message:
            return self._check_error(message)
        if "result" in message:
            return self._check_result(message)
        return self._check_call(message)

    def _check_result(self, message: dict[str, Any]) -> str:
        request_id, result = message["id"], message["result"]
        asked = self._methods.get((type(request_id), request_id), [])
        method = next((method for method in reversed(asked) if self._is_result_of(method, result)), None)
        assert method is not None, f"no result of {asked} in {self._version}: {result}"
        asked.remove(method)
        if self._peer.side is Side.SERVER and self._peer.era is Era.MODERN:
            assert result["_meta"][wire.META_SERVER_INFO] == INFO, "2026-07-28: serverInfo SHOULD be on every result"
        return f"#{json.dumps(request_id)} result {json.dumps(result)}"

    def _is_result_of(self, method: str, result: dict[str, Any]) -> bool:
        validate = oracle.validate_server_result if self._peer.side is Side.SERVER else oracle.validate_client_result
        try:
            validate(method, self._version, result)
        except (KeyError, ValidationError):
            return False
        return True

    def _check_error(self, message: dict[str, Any]) -> str:
        request_id, error = message["id"], message["error"]
        assert error["code"] in {-32700, -32600, -32601, -32602, -32603, -32002, -32021, -32022}, "a code the specifications define"
        assert len(error["message"]) < 400, "one sentence"
        if error["code"] == -32022:
            assert error["data"]["supported"] == [V2026_07_28]
            assert isinstance(error["data"]["requested"], str)
        data = f" {json.dumps(error['data'])}" if "data" in error else ""
        return f"#{json.dumps(request_id)} error {error['code']}{data}"

    def _check_call(self, message: dict[str, Any]) -> str:
        method, params = message["method"], message.get("params")
        server = self._peer.side is Side.SERVER
        version = V2026_07_28 if method == "server/discover" else self._version
        if "id" not in message:
            (oracle.parse_server_notification if server else oracle.parse_client_notification)(method, version, params)
        else:
            (oracle.parse_server_request if server else oracle.parse_client_request)(method, version, params)
        address = f"#{json.dumps(message['id'])} " if "id" in message else ""
        return f"{address}{method}" + (f" {json.dumps(params)}" if params is not None else "")

    @property
    def _version(self) -> str:
        return self._peer.version or LATEST_LEGACY


_ADDRESSED = re.compile(r'#("(?:[^"\\]|\\.)*"|[^\s,]+) (\S+)(?: (.*))?')


def _written_out(line: str) -> str:
    for short, long in ABBREVIATIONS.items():
        line = line.replace(short, long)
    return line


def _text_of(line: str) -> bytes:
    """The text a `>>` line stands for."""
    line = _written_out(line)
    if line[0] == "#":
        match = _ADDRESSED.fullmatch(line)
        assert match, line
        return _addressed_text(*match.groups())
    if re.match(r"[a-z]+/", line):
        method, _, params = line.partition(" ")
        return _object(f'"method":"{method}"', f'"params":{params}' if params else "")
    return line.encode()


def _addressed_text(request_id: str, word: str, rest: str | None) -> bytes:
    address = f'"id":{request_id}'
    if word == "result":
        return _object(address, f'"result":{rest}')
    if word == "error":
        return _object(address, f'"error":{{"code":{rest},"message":"no"}}')
    return _object(address, f'"method":"{word}"', f'"params":{rest}' if rest else "")


def _object(*members: str) -> bytes:
    return ("{" + ",".join(['"jsonrpc":"2.0"', *filter(None, members)]) + "}").encode()


def _parsed(line: str) -> Any:
    """A `<<` line as something that compares: words stay text, JSON becomes values."""
    line = _written_out(line)
    if line.startswith("["):
        return [_parsed(part) for part in re.split(r", (?=#)", line[1:-1])]
    start = line.find("{")
    return [line, None] if start < 0 else [line[:start].strip(), json.loads(line[start:])]


def _fits(wanted: Any, came: Any) -> bool:
    if isinstance(wanted, dict) and isinstance(came, dict):
        free = FREE in wanted
        named = wanted.keys() - {FREE}
        return (named <= came.keys() if free else named == came.keys()) and all(_fits(wanted[key], came[key]) for key in named)
    if isinstance(wanted, list) and isinstance(came, list):
        return len(wanted) == len(came) and all(map(_fits, wanted, came))
    return type(wanted) is type(came) and bool(wanted == came)


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), f"a key stands twice in an object we send: {keys}"
    return dict(pairs)


def subscribe(peer: Peer, exchange: Exchange) -> bytes | None:
    """What the server's driver does with a `resources/subscribe` it accepts."""
    peer.subscriptions.subscribe(exchange.params.uri)
    return peer.answer(exchange, wire.EmptyResult())


def unsubscribe(peer: Peer, exchange: Exchange) -> bytes | None:
    """The same for `resources/unsubscribe`."""
    peer.subscriptions.unsubscribe(exchange.params.uri)
    return peer.answer(exchange, wire.EmptyResult())
