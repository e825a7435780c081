"""What of a call is compared: its params and its answer, without what belongs to the conversation or differs every time.

Left out are `_meta`, the envelope of 2026-07-28, and what the reader calls volatile. A text that is JSON is compared as what it
says, one that repeats the structured content not at all, and lists of tools, resources and prompts by name. What a server counts is
all the same: names of kept results (`_r7`), and the versions of DataFrames that a tool of a workbench has read (`Read: orders v2`,
which follows what it answered). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from mcp_workbench.exploring.call import Call
from mcp_workbench.jsonrpc import ErrorCode
from mcp_workbench.primitives.argument_paths import Path, parse_path, replace_at
from mcp_workbench.primitives.output import WRAPPER
from mcp_workbench.telemetry.messages import Direction
from mcp_workbench.telemetry.records import JOB, CallRecord, Side

VOLATILE = "‹volatile›"
"""Stands in the place of what is not compared; that something is there is."""
AS_STRUCTURED = "‹as structuredContent›"
ANSWERS = (
    "tools/call",
    "prompts/get",
    "resources/read",
    "completion/complete",
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
)
"""Methods whose answers say what a server offers or does; the others belong to their conversation."""

_OF_CONVERSATION = ("_meta", "requestState", "inputResponses")
_ENVELOPE = ("_meta", "resultType", "ttlMs", "cacheScope")
_LISTS = {"tools": "name", "prompts": "name", "resources": "uri", "resourceTemplates": "uriTemplate"}
_PARTS = frozenset(("content", "contents", *_LISTS))
_KEPT = re.compile(rb"\b_r[1-9][0-9]*\b")
_READ = re.compile(r"Read: (?:\w+ v[1-9][0-9]*|_rN)(?:, (?:\w+ v[1-9][0-9]*|_rN))*")
_VERSION = re.compile(r" v[0-9]+(?=,|\Z)")
_TO_SERVER = {Side.SERVER: Direction.IN, Side.TAP: Direction.IN, Side.CLIENT: Direction.OUT}
"""Which way requests go that a server answers."""


class Volatile:
    """Places in params and results that are not compared.

    Args:
        paths: From the top of params or result: `arguments.now`, `structuredContent.rows[*].id`, `content`.

    Raises:
        ValueError: One cannot be read.
    """

    def __init__(self, paths: Iterable[str] = ()) -> None:
        self.texts = (paths,) if isinstance(paths, str) else tuple(paths)
        self.paths: tuple[Path, ...] = tuple(map(parse_path, self.texts))

    def without(self, value: Any) -> Any:
        """A value with what stands at these places replaced; the value itself is not changed."""
        if not self.paths:
            return value
        value = msgspec.json.decode(msgspec.json.encode(value))
        for path in self.paths:
            replace_at(value, path, lambda _: VOLATILE)
        return value


def asks_server(record: CallRecord) -> bool:
    """Whether it is a request that can be compared with one to another server."""
    return record.method in ANSWERS and record.method != JOB and record.direction is _TO_SERVER[record.side]


def asks_client(record: CallRecord) -> bool:
    """Whether it is a request of the server's."""
    return record.direction is not _TO_SERVER[record.side]


def params_of(call: Call, volatile: Volatile) -> dict[str, Any]:
    """What was asked, as compared."""
    return asked(call.params, volatile)


def asked(params: Mapping[str, Any], volatile: Volatile) -> dict[str, Any]:
    """Params, as compared."""
    kept: dict[str, Any] = {name: value for name, value in params.items() if name not in _OF_CONVERSATION}
    if kept.get("arguments") == {}:
        del kept["arguments"]  # left out, it is the same
    without: dict[str, Any] = volatile.without(kept)
    return without


def answer_of(call: Call, volatile: Volatile) -> Any:
    """What was answered, as compared: a result, `{"error": {"code", "message"}}`, or `{"outcome": …}` where nothing was."""
    response = call.response
    if isinstance(response, dict) and isinstance(error := response.get("error"), dict):
        return refused(error.get("code"), error.get("message"), volatile)
    if isinstance(response, dict) and "result" in response:
        return answered(response["result"], volatile)
    return {"outcome": call.outcome, "answer": "not kept" if call.record.answer is not None else "none"}


def refused(code: Any, message: Any, volatile: Volatile) -> Any:
    """An error, as compared: what the eras say in two codes is the same."""
    alike = int(ErrorCode.INVALID_PARAMS) if code == ErrorCode.RESOURCE_NOT_FOUND else code  # -32602 since 2026-07-28 (SEP-2164)
    return volatile.without({"error": {"code": alike, "message": message}})


def answered(result: Any, volatile: Volatile) -> Any:
    """A result, as compared."""
    if not isinstance(result, dict):
        return volatile.without(result)
    kept = {name: value for name, value in result.items() if name not in _ENVELOPE and not (name == "isError" and value is False)}
    for name in _PARTS & kept.keys():
        kept[name] = _without_meta(kept[name])
    for name, key in _LISTS.items():
        kept |= {name: _by_name(kept[name], key)} if name in kept else {}
    if isinstance(content := kept.get("content"), list):
        structured = _counted_alike(kept.get("structuredContent"))
        kept["content"] = _read_alike([_block(_counted_alike(block), structured) for block in content])
    return volatile.without(kept)


def _without_meta(parts: Any) -> Any:
    if not isinstance(parts, list):
        return parts
    return [{name: value for name, value in part.items() if name != "_meta"} if isinstance(part, dict) else part for part in parts]


def _counted_alike(value: Any) -> Any:
    """With every name of a kept result the same."""
    written = msgspec.json.encode(value)
    return msgspec.json.decode(_KEPT.sub(b"_rN", written)) if b"_r" in written else value


def _read_alike(blocks: list[Any]) -> list[Any]:
    """With every version the same that a tool says last it has read; names stay, and whatever it says before."""
    last: Any = blocks[-1] if len(blocks) > 1 else None
    text = last.get("text") if isinstance(last, dict) else None
    if not isinstance(text, str) or not _READ.fullmatch(text):
        return blocks
    return [*blocks[:-1], {**last, "text": _VERSION.sub(" vN", text)}]


def _by_name(listed: Any, key: str) -> Any:
    """A list of named things as an object, where each has a name of its own."""
    if not isinstance(listed, list) or not all(isinstance(each, dict) and isinstance(each.get(key), str) for each in listed):
        return listed
    named = {each[key]: each for each in listed}
    return named if len(named) == len(listed) else listed


def _block(block: Any, structured: Any) -> Any:
    text = block.get("text") if isinstance(block, dict) else None
    if not isinstance(text, str):
        return block
    said = _json_in(text)
    wrapped = structured.get(WRAPPER) if isinstance(structured, dict) and set(structured) == {WRAPPER} else structured
    if structured is not None and (text == wrapped or said in (structured, wrapped)):
        return {**block, "text": AS_STRUCTURED}
    return {**block, "text": said} if isinstance(said, dict | list) else block


def _json_in(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return text
