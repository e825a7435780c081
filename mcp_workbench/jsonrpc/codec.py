"""Strict decoding and encoding of JSON-RPC texts, on msgspec.

Decided here, and tested:

* Texts are UTF-8 bytes. NaN, Infinity, numbers that overflow a float, a byte order mark, trailing text
  and lone surrogates (`"\\ud800"`) are parse errors: none of them survives a round trip.
* Of duplicate keys the last one counts, as in every mainstream parser. Nothing of ours passes a text
  on to a second parser that could read it differently.
* Nesting deeper than `MAX_DEPTH` is refused as an invalid request before anything walks it.
* These rules hold for the whole text: for members nobody asks for as well.
* An id is remembered longer than its text, and said again in the answer: one of more than `MAX_ID` characters is refused, to nobody.
"""

from __future__ import annotations

from typing import Any, TypeGuard, cast

import msgspec

from mcp_workbench.jsonrpc.errors import ErrorCode
from mcp_workbench.jsonrpc.messages import Batch, ErrorResponse, Malformed, Message, Notification, Request, RequestId, ResultResponse

MAX_DEPTH = 128
"""Arrays and objects inside one another in one text: far above any real message, far below the interpreter's recursion limit."""

MAX_ID = 1024
"""Characters of an id: far above any real one."""

_TOO_DEEP = f"Invalid request: nested deeper than {MAX_DEPTH} levels"

Decoded = Message | Batch | Malformed

UNSET = msgspec.UNSET


class _Envelope(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """The shape nearly every text has; whatever does not fit it is examined key by key in `_explain`.

    Unknown members do not fit, because msgspec would skip over them without checking their UTF-8, numbers and depth.
    """

    jsonrpc: str
    # None only ever means "absent": the types refuse a null on the wire.
    id: str | int = cast(Any, None)
    method: str = cast(Any, None)
    params: dict[str, Any] = cast(Any, None)
    result: dict[str, Any] = cast(Any, None)
    error: Any = UNSET


_envelopes = msgspec.json.Decoder(_Envelope)
_anything = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()

encode = _encoder.encode
"""Any JSON-compatible value or msgspec Struct -> UTF-8 bytes."""


def decode(text: bytes) -> Decoded:
    """Read one text; never raises.

    Args:
        text: UTF-8 bytes of one JSON value.

    Returns:
        A message, a `Batch` for an array, or a `Malformed` that says how to answer.
    """
    try:
        envelope = _envelopes.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _explain(text)
    if _may_be_deep(text) and _too_deep([envelope.params, envelope.result]):
        return _explain(text)
    method: Any = envelope.method
    result: Any = envelope.result
    if envelope.jsonrpc == "2.0" and envelope.error is UNSET:
        if result is None and method is not None:
            if envelope.id is None:
                return Notification(method, envelope.params)
            if not _is_long(envelope.id):
                return Request(envelope.id, method, envelope.params)
        elif result is not None and method is None and not _is_long(envelope.id) and envelope.id is not None:
            return ResultResponse(envelope.id, result)
    return _explain(text)


def encode_result(request_id: RequestId, result: bytes) -> bytes:
    """Wrap an encoded result object into its response text."""
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (encode(request_id), result)


def encode_error(request_id: RequestId | None, code: int, message: str, data: Any = None) -> bytes:
    """Text of an error response; `request_id` None becomes `null` (JSON-RPC 2.0 section 5)."""
    error = {"code": int(code), "message": message}
    if data is not None:
        error["data"] = data
    return encode({"jsonrpc": "2.0", "id": request_id, "error": error})


def encode_request(request_id: RequestId, method: str, params: Any = None) -> bytes:
    """Text of a request; `params` None is left out (JSON-RPC forbids null)."""
    return encode({"jsonrpc": "2.0", "id": request_id, "method": method} | ({} if params is None else {"params": params}))


def encode_notification(method: str, params: Any = None) -> bytes:
    """Text of a notification; `params` None is left out."""
    return encode({"jsonrpc": "2.0", "method": method} | ({} if params is None else {"params": params}))


def _explain(text: bytes) -> Decoded:
    """The slow way: a response, a batch, or the exact rule that was broken."""
    try:
        value = _anything.decode(text)
    except RecursionError:
        return Malformed(ErrorCode.INVALID_REQUEST, _TOO_DEEP)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Malformed(ErrorCode.PARSE_ERROR, f"Parse error: expected one JSON value in UTF-8; {_without_input(error)}")
    if _too_deep(value):
        usable_id, answerable = _reply_address(value) if isinstance(value, dict) else (None, True)
        return Malformed(ErrorCode.INVALID_REQUEST, _TOO_DEEP, usable_id, answerable)
    if isinstance(value, list):
        if not value:
            return _invalid("expected at least one message in the array, got none")
        return Batch(tuple(_examine(entry) for entry in value))
    return _examine(value)


def _examine(value: Any) -> Message | Malformed:
    if not isinstance(value, dict):
        return _invalid(f"expected a JSON object, got {_json_type(value)}")
    request_id, has_id = value.get("id"), "id" in value
    usable_id, answerable = _reply_address(value)
    asks = "method" in value
    answers = "result" in value or "error" in value

    def invalid(reason: str) -> Malformed:
        return Malformed(ErrorCode.INVALID_REQUEST, f"Invalid request: {reason}", usable_id, answerable)

    if _is_long(request_id):
        return invalid(f"an id has at most {MAX_ID:,} characters, this one has {len(request_id):,}")
    if value.get("jsonrpc") != "2.0":
        return invalid('expected the member "jsonrpc": "2.0"')
    if asks and answers:
        return invalid("method together with result or error")
    if asks:
        return _examine_request(value, has_id, usable_id, invalid)
    if "result" in value and "error" in value:
        return invalid("a response has either result or error, this one has both")
    if "result" in value:
        if usable_id is None:
            return invalid("a result needs the id of its request, a string or an integer")
        if not isinstance(value["result"], dict):
            return invalid(f"expected an object as result, got {_json_type(value['result'])}")
        return ResultResponse(usable_id, value["result"])
    if "error" in value:
        return _examine_error(value["error"], request_id, usable_id, invalid)
    return invalid("expected a method, a result or an error, found none of them")


def _reply_address(value: dict[str, Any]) -> tuple[RequestId | None, bool]:
    """The id to answer a broken object to, where it has one, and whether to answer it at all."""
    request_id = value.get("id")
    usable_id = request_id if isinstance(request_id, str | int) and not isinstance(request_id, bool) and not _is_long(request_id) else None
    # A broken notification or response must not be answered; a broken request must be.
    answers = "result" in value or "error" in value
    return usable_id, not answers and ("id" in value or "method" not in value)


def _examine_request(value: dict[str, Any], has_id: bool, usable_id: RequestId | None, invalid: Any) -> Message | Malformed:
    method, params = value["method"], value.get("params")
    if has_id and usable_id is None:
        return cast(Malformed, invalid(f"expected a string or an integer as id, got {_json_type(value['id'])}"))
    if not isinstance(method, str):
        return cast(Malformed, invalid(f"expected a string as method, got {_json_type(method)}"))
    if "params" in value and not isinstance(params, dict):
        return cast(Malformed, invalid(f"expected an object as params, got {_json_type(params)}"))
    return Notification(method, params) if usable_id is None else Request(usable_id, method, params)


def _examine_error(error: Any, request_id: Any, usable_id: RequestId | None, invalid: Any) -> Message | Malformed:
    code, message = (error.get("code"), error.get("message")) if isinstance(error, dict) else (None, None)
    if not isinstance(code, int) or isinstance(code, bool) or not isinstance(message, str):
        return cast(Malformed, invalid("an error needs an integer code and a message"))
    if usable_id is None and request_id is not None:
        return cast(Malformed, invalid(f"expected a string or an integer as id, got {_json_type(request_id)}"))
    return ErrorResponse(usable_id, code, message, error.get("data"))


def _is_long(request_id: Any) -> TypeGuard[str]:
    return isinstance(request_id, str) and len(request_id) > MAX_ID


def _invalid(reason: str) -> Malformed:
    return Malformed(ErrorCode.INVALID_REQUEST, f"Invalid request: {reason}")


def _may_be_deep(text: bytes) -> bool:
    """Too few brackets cannot nest too deep: the common case costs two counts over the bytes."""
    return text.count(b"{") + text.count(b"[") > MAX_DEPTH


def _too_deep(value: Any) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in (node.values() if isinstance(node, dict) else node) if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def _json_type(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "an array", dict: "an object"}
    return names.get(type(value), "something else")


def _without_input(error: Exception) -> str:
    """The decoder's reason; msgspec names positions, never contents, but a UnicodeDecodeError would quote bytes."""
    return "the bytes are not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
