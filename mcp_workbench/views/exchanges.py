"""Which messages belong together, told by what they say: a request, its answer, what is said of it meanwhile.

Each message names the exchanges that it opens and those it belongs to, by names that are good within its session: `i5` is the request
with the id 5 that came in, `o5` the one that went out, `itabc` whatever `progressToken: abc` was sent with. Whoever has the rows in
order, pairs them: an id that is used again opens another exchange. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from mcp_workbench.jsonrpc import Batch, Decoded, ErrorResponse, Notification, Request, ResultResponse, encode
from mcp_workbench.protocol import wire
from mcp_workbench.telemetry.messages import Direction

LONGEST = 80
"""Characters of an id in a name; of a longer one stands a digest."""

_WAYS = {Direction.IN: "i", Direction.OUT: "o"}
_OPPOSITE = {Direction.IN: "o", Direction.OUT: "i"}
_CANCELLED, _PROGRESS = "notifications/cancelled", "notifications/progress"


def exchanges(direction: Direction, decoded: Decoded) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The exchanges that a message opens, and those it belongs to.

    Args:
        direction: Which way it went.
        decoded: What it says.
    """
    way, back = _WAYS[direction], _OPPOSITE[direction]
    match decoded:
        case Request(id=request_id, params=params):
            token = _meta(params).get("progressToken")
            return (*_names(way, request_id), *_names(f"{way}t", token)), ()
        case ResultResponse(id=request_id) | ErrorResponse(id=request_id):
            return (), _names(back, request_id)
        case Notification(method=method, params=params):
            return (), _of_notification(way, back, method, params or {})
        case Batch(entries=entries):
            return _joined(exchanges(direction, entry) for entry in entries)
        case _:
            return (), ()


def id_text(request_id: object) -> str:
    """An id as JSON, `5` or `"a"`; of one that is long its beginning and a digest."""
    if not isinstance(request_id, str | int):
        return ""
    text = encode(request_id).decode()
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}~{blake2b(text.encode(), digest_size=8).hexdigest()}"


def _of_notification(way: str, back: str, method: str, params: dict[str, object]) -> tuple[str, ...]:
    if method == _CANCELLED:
        return _names(way, params.get("requestId"))
    if method == _PROGRESS:
        return _names(f"{back}t", params.get("progressToken"))
    return _names(back, _meta(params).get(wire.META_SUBSCRIPTION))


def _names(prefix: str, request_id: object) -> tuple[str, ...]:
    text = id_text(request_id)
    return (prefix + text,) if text else ()


def _meta(params: dict[str, object] | None) -> dict[str, object]:
    meta = (params or {}).get("_meta")
    return meta if isinstance(meta, dict) else {}


def _joined(parts: Iterable[tuple[tuple[str, ...], tuple[str, ...]]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    begins: tuple[str, ...] = ()
    belongs: tuple[str, ...] = ()
    for opened, belonging in parts:
        begins, belongs = begins + opened, belongs + belonging
    return begins, belongs
