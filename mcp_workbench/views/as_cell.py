"""A call of an agent's as a line of Python, so that its author can make the same call in a cell.

Published DataFrames stand there by their names, all else as literals: nothing an agent sent becomes code. Where a line would not
do the same (the function wants a context, or is not offered any more; the arguments are kept no longer) there is none.
"""

from __future__ import annotations

import keyword
from typing import Any
from unicodedata import normalize

import msgspec

from mcp_workbench.live.dataframes.names import is_result, parse_reference, parse_version
from mcp_workbench.offer import Offer
from mcp_workbench.primitives.signature import is_async_function
from mcp_workbench.primitives.tools import ToolDefinition
from mcp_workbench.telemetry.records import CALL_TOOL, JOB, CallRecord

LONGEST = 10_000
"""Characters of a line; a longer one is nothing to paste."""


def as_cell(call: CallRecord, offer: Offer) -> str:
    """The line; empty where there is none.

    Args:
        call: A call that has ended.
        offer: What is offered now.
    """
    tool = offer.tools.get(call.target) if call.method in (CALL_TOOL, JOB) else None
    arguments = None if tool is None else _sent(call)
    if tool is None or arguments is None or tool.context_parameter is not None:
        return ""
    name = getattr(tool.function, "__name__", "")
    if not all(map(_is_name, (name, *arguments))):
        return ""
    line = f"{'await ' if is_async_function(tool.function) else ''}{name}({', '.join(_written(tool, arguments, offer))})"
    return line if len(line) <= LONGEST else ""


def _written(tool: ToolDefinition, arguments: dict[str, Any], offer: Offer) -> list[str]:
    """The arguments, in the order of the parameters; leading DataFrames by position, as people write them."""
    live, published = tool.arguments.live, offer.dataframes.names()
    written: list[str] = []
    by_position = True
    for name in (*tool.arguments.names, *(name for name in arguments if name not in tool.arguments.names)):
        is_live = name in live and (name in arguments or name in published)
        if not is_live and name not in arguments:
            by_position = False  # left to the function's default
            continue
        value = _of_dataframe(arguments.get(name, name), published) if is_live else repr(arguments[name])
        by_position = by_position and is_live
        written.append(value if by_position else f"{name}={value}")
    return written


def _of_dataframe(sent: object, published: list[str]) -> str:
    if not isinstance(sent, str):
        return repr(sent)
    reference = parse_reference(sent)
    version = next((parse_version(text) for key, text in reference.options if key == "version"), None)
    if reference.name in published and version is None:
        return reference.name
    if reference.name in published or is_result(reference.name):
        return f"wb.get({reference.name!r})" if version is None else f"wb.get({reference.name!r}, version={version})"
    return repr(sent)


def _sent(call: CallRecord) -> dict[str, Any] | None:
    """The arguments as the client sent them; None where they are kept no longer, or only the beginning of them."""
    if call.arguments is not None:
        return _as_object(msgspec.json.decode(call.arguments))
    raw = b"" if call.request is None else call.request.raw
    if not raw:
        return None
    message = msgspec.json.decode(raw)
    entries = message if isinstance(message, list) else [message]
    params = next(
        (_as_object(entry.get("params")) for entry in entries if isinstance(entry, dict) and entry.get("id") == call.request_id), None
    )
    if params is None:
        return None
    arguments = _as_object(params.get("arguments", {}))
    if arguments is not None and params.get("name") != call.target:  # it came by way of notebook_call, which names the function meant
        return _as_object(arguments.get("arguments", {}))
    return arguments


def _as_object(value: object) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


def _is_name(text: str) -> bool:
    """Whether it is a name in Python, and means itself there: of some letters outside of ASCII Python makes others."""
    return text.isidentifier() and not keyword.iskeyword(text) and text != "__debug__" and normalize("NFKC", text) == text
