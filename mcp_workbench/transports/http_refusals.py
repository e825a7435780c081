"""What people are told when a server refuses with an HTTP status: what it said, in its words, and what to do about it. Pure.

A refusal that concerns every request of a client (no access, nothing there, the session gone) ends its channel and is
told as such; any other is the error of one request. Nothing that the client has sent as a secret is repeated, whatever
the server says. The neighbours `http_client` and, for a handshake, `websocket_client` ask here: one refusal is one sentence over both.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from mcp_workbench.secret import Secret
from mcp_workbench.transports.http_connection import ResponseHead

MAX_WORDS = 300
MAX_READ = 64 * 1024
"""So much that no secret stands cut in two, and so unknown, among the words that are told."""
POLICY, GOING_AWAY = 1008, 1001
"""The WebSocket's codes for the same: no access, and the session has ended."""

_NOBODY_THERE = (HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)
_TRANSPORTLESS = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.GONE)
_FORBIDDEN = "Look at the name in the address, and at what the token may do: something of it is not allowed there."
_OLDER = "A server that speaks only the HTTP+SSE of 2024-11-05 is not spoken to."


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal of everything that this client could ask."""

    status: int
    code: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Asker:
    """Who was refused."""

    place: str
    """Host and port that were asked."""
    usual_path: bool
    """The address ends as a workbench's does."""
    has_token: bool
    secrets: tuple[Secret, ...] = ()
    """What is not to be repeated."""
    over_http: bool = True
    """Not by a WebSocket's handshake."""

    def refused_for_good(self, head: ResponseHead, body: bytes, *, in_session: bool, opening: bool) -> Refusal | None:
        """Whether an answer refuses everything, and in which words.

        Args:
            head: Of the answer.
            body: What the server said.
            in_session: The request named a session (up to 2025-11-25).
            opening: It was `initialize`.
        """
        said = self.said(head, body)
        if (no_access := self._no_access(head, said)) is not None:
            return Refusal(head.status, POLICY, no_access)
        spoken = _spoken(head, body)
        if opening and spoken is not None and spoken.get("id") is None and head.status in _NOBODY_THERE:
            # Said before any request was read, as the gateway does: there is no server to open a session with.
            return Refusal(head.status, POLICY, self.sentence(head, body))
        match head.status:
            case HTTPStatus.NOT_FOUND if in_session:
                why = "it was idle for long, or the server was started anew"
                return Refusal(
                    head.status, GOING_AWAY, f"{self.place} has ended this session (HTTP 404): {why}. connect() begins another one."
                )
            case status if opening and spoken is None and status in _TRANSPORTLESS:
                return Refusal(
                    head.status, POLICY, f"{self.place} has no MCP server at this path (HTTP {head.status}){said} {self._elsewhere()}"
                )
        return None

    def at_the_handshake(self, head: ResponseHead, body: bytes) -> str:
        """A refusal of a WebSocket."""
        return self._no_access(head, self.said(head, body)) or self.sentence(head, body)

    def _no_access(self, head: ResponseHead, said: str) -> str | None:
        if head.status == HTTPStatus.UNAUTHORIZED:
            return f"{self._wanted(said)} {self._way_in(head)}"
        return f"{self.place} refused (HTTP 403){said} {_FORBIDDEN}" if head.status == HTTPStatus.FORBIDDEN else None

    def said(self, head: ResponseHead, body: bytes) -> str:
        """What the server said, as the end of a sentence or clause; a stop where it said nothing."""
        words = _words(head, body)
        if 300 <= head.status < 400 and head.headers.get("location"):
            words = f"redirects, which are not followed, to {head.headers['location']}"
        for secret in self.secrets:
            words = words.replace(secret.reveal().removeprefix("Bearer ") or "…", "…")
        words = "".join(letter if letter.isprintable() else " " for letter in words)[:MAX_WORDS].strip()
        return f": {words}{'' if words.endswith(('.', '!', '?')) else '.'}" if words else "."

    def sentence(self, head: ResponseHead, body: bytes) -> str:
        """A refusal of one request."""
        hint = f" {self._elsewhere()}" if head.status == HTTPStatus.NOT_FOUND and not self.usual_path else ""
        return f"{self.place} answered with HTTP {head.status}{self.said(head, body)}{hint}"

    def _wanted(self, said: str) -> str:
        verb = "did not accept the credential" if self.has_token else "wants a credential, and none was sent"
        return f"{self.place} {verb} (HTTP 401){said}"

    def _way_in(self, head: ResponseHead) -> str:
        if "resource_metadata" in head.headers.get("www-authenticate", "") and not self.has_token:
            return "It offers OAuth, which this client does not do: get an access token from it by other means, and give it as token=."
        return (
            "Is it still the right one? A restarted server may have another: give it as token=." if self.has_token else "Give it as token=."
        )

    def _elsewhere(self) -> str:
        parts = ("" if self.usual_path else "The address of a workbench ends in /mcp.", _OLDER if self.over_http else "")
        return " ".join(filter(None, parts))


def _spoken(head: ResponseHead, body: bytes) -> dict[str, Any] | None:
    """The JSON-RPC error that an answer is. Not read by `jsonrpc`: the gateway opens WebSockets too, and knows nothing of that."""
    message = _object(head, body)
    error = message.get("error")
    return message if "jsonrpc" in message and isinstance(error, dict) and isinstance(error.get("message"), str) else None


def _object(head: ResponseHead, body: bytes) -> dict[str, Any]:
    """The JSON object that an answer is; an empty one where it is none."""
    if head.media_type == "application/json":
        with suppress(ValueError, RecursionError):
            read = json.loads(body[:MAX_READ])
            return read if isinstance(read, dict) else {}
    return {}


def _words(head: ResponseHead, body: bytes) -> str:
    """What is meant for people; a web page is not, and of a JSON-RPC error, or any other object in JSON that has one, its message."""
    if head.media_type == "text/html":
        return ""
    if (spoken := _spoken(head, body)) is not None:
        return str(spoken["error"]["message"])
    if isinstance(message := _object(head, body).get("message"), str):
        return message
    return body[:MAX_READ].decode("utf-8", "replace").strip()
