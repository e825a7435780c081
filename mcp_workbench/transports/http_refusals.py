"""What people are told when an HTTP server refuses: what it said, in its words, and what to do about it. Pure.

A refusal that concerns every request of a client (no access, nothing there, the session gone) ends its channel and is
told as such; any other is the error of one request. Nothing that the client has sent as a secret is repeated, whatever
the server says. The neighbour `http_client` asks here.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from mcp_workbench.jsonrpc import ErrorResponse, decode
from mcp_workbench.secret import Secret
from mcp_workbench.transports.http_connection import ResponseHead

MAX_WORDS = 300
MAX_READ = 64 * 1024
"""So much that no secret stands cut in two, and so unknown, among the words that are told."""
POLICY, GOING_AWAY = 1008, 1001
"""The WebSocket's codes for the same: no access, and the session has ended."""

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

    def refused_for_good(self, head: ResponseHead, body: bytes, *, in_session: bool, opening: bool) -> Refusal | None:
        """Whether an answer refuses everything, and in which words.

        Args:
            head: Of the answer.
            body: What the server said.
            in_session: The request named a session (up to 2025-11-25).
            opening: It was `initialize`.
        """
        said = self.said(head, body)
        match head.status:
            case HTTPStatus.UNAUTHORIZED:
                return Refusal(head.status, POLICY, f"{self._wanted(said)} {self._way_in(head)}")
            case HTTPStatus.FORBIDDEN:
                return Refusal(head.status, POLICY, f"{self.place} refused (HTTP 403){said} {_FORBIDDEN}")
            case HTTPStatus.NOT_FOUND if in_session:
                why = "it was idle for long, or the server was started anew"
                return Refusal(
                    head.status, GOING_AWAY, f"{self.place} has ended this session (HTTP 404): {why}. connect() begins another one."
                )
            case status if opening and status in _TRANSPORTLESS:
                return Refusal(
                    head.status, POLICY, f"{self.place} has no MCP server at this path (HTTP {head.status}){said} {self._elsewhere()}"
                )
        return None

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
        return _OLDER if self.usual_path else f"The address of a workbench ends in /mcp. {_OLDER}"


def _words(head: ResponseHead, body: bytes) -> str:
    """What is meant for people; a web page is not, and of a JSON-RPC error its message."""
    if head.media_type == "text/html":
        return ""
    message = decode(body) if head.media_type == "application/json" else None
    if isinstance(message, ErrorResponse):
        return message.message
    return body[:MAX_READ].decode("utf-8", "replace").strip()
