"""What a message carries, in a line for people who look down a list of them.

Of a request its arguments, of an answer what it says: structured content, else texts, else the result; of an error its sentence. Left
out is what stands in every message of its era (`_meta`, the envelope of 2026-07-28) and what a list shows beside it: method, target, id.
Whoever wants the text itself has it in `Message.raw`. Pure.
"""

from __future__ import annotations

from typing import Any

from mcp_workbench.exploring.reading import Kind, Reading
from mcp_workbench.jsonrpc import encode

_ENVELOPE = frozenset(("_meta", "resultType", "ttlMs", "cacheScope"))


def carried(said: Reading, most: int) -> str:
    """The beginning of what a message carries; empty where it carries nothing.

    Args:
        said: The message; of a batch, and of what is malformed, the text itself begins.
        most: Characters.
    """
    match said.kind:
        case Kind.REQUEST | Kind.NOTIFICATION:
            return _json(_without_envelope(said.arguments))[:most]
        case Kind.RESPONSE:
            return _in_line(_result(said.result or {}), most)
        case Kind.ERROR:
            return _in_line(f"{said.code}: {said.error}", most)
        case _:
            return said.message.raw[: 4 * most].decode("utf-8", "ignore")[:most]


def _result(result: dict[str, Any]) -> str:
    if (structured := result.get("structuredContent")) is not None:
        return _json(structured)
    parts = [*_list(result.get("content")), *_list(result.get("contents")), *map(_said, _list(result.get("messages")))]
    return " ".join(map(_part, parts)) or _json(_without_envelope(result))


def _in_line(words: str, most: int) -> str:
    """Its beginning, with a space for each line break."""
    return " ".join(words[: 4 * most].split())[:most]


def _said(message: Any) -> Any:
    """What one message of a prompt says."""
    return message.get("content") if isinstance(message, dict) else message


def _part(part: Any) -> str:
    """One block of content, or one resource: its text, or what it is."""
    if not isinstance(part, dict):
        return _json(part)
    if isinstance(part.get("resource"), dict):
        part = part["resource"]
    if isinstance(text := part.get("text"), str):
        return text
    named = [part[name] for name in ("type", "mimeType", "uri") if isinstance(part.get(name), str)]
    return f"[{' '.join(named)}]" if named else _json(_without_envelope(part))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _without_envelope(value: Any) -> Any:
    return {name: kept for name, kept in value.items() if name not in _ENVELOPE} if isinstance(value, dict) else value


def _json(value: Any) -> str:
    return "" if value is None or value == {} else encode(value).decode()
