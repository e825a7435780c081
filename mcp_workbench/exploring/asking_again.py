"""A call as something to make again: as text for a cell, and as a request.

Nothing an agent sent becomes code: names that are no identifiers and all values stand as literals.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from typing import Any

from mcp_workbench.errors import WorkbenchError, in_one_line
from mcp_workbench.exploring.call import Call
from mcp_workbench.telemetry.records import JOB, Side

AGAIN = (
    *("tools/call", "prompts/get", "resources/read", "completion/complete"),
    *("tools/list", "prompts/list", "resources/list", "resources/templates/list", "ping"),
)
"""What can be asked again by itself: neither what opens a conversation nor what subscribes."""
_LONGEST = 100_000
_KEPT_NO_LONGER = "its request is kept no longer: newer messages have pushed its text out (Limits.messages_bytes)"


@in_one_line(WorkbenchError)
def again(call: Call, changes: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Method and params by which a call is made again.

    Args:
        call: Which.
        changes: Arguments of a tool or prompt that are to be others, else params.

    Raises:
        WorkbenchError: It cannot be made again; says why.
    """
    method = "tools/call" if call.method == JOB else call.method
    if method not in AGAIN:
        raise WorkbenchError(f"{method} belongs to its conversation and cannot be sent again; {', '.join(AGAIN)} can")
    if call.request is None:
        raise WorkbenchError(f"call {call.record.seq} cannot be sent again: {_KEPT_NO_LONGER}")
    params = {key: value for key, value in call.params.items() if key not in ("_meta", "requestState", "inputResponses")}
    if method in ("tools/call", "prompts/get"):
        params["arguments"] = {**(call.arguments or {}), **changes}
    else:
        params.update(changes)
    return method, params


def as_cell(call: Call) -> str:
    """Python text that makes a call through `wb.connect`, for a cell.

    Args:
        call: Which; of one that went to another server the address is left to fill in.

    Raises:
        WorkbenchError: It cannot be made again; says why.
    """
    method, params = again(call, {})
    if call.record.side is Side.SERVER:
        return cell_in("wb.connect()", method, params)
    return cell_in('wb.connect("ws://…", token=…)', method, params, comment="the server it went to")


def cell_in(opening: str, method: str, params: Mapping[str, Any], *, comment: str = "", refused: bool = False) -> str:
    """Python text that makes a request, for a cell.

    Args:
        opening: The expression that opens a session; ours, never data.
        method: Of the request.
        params: Of the request.
        comment: Ours too.
        refused: Its answer is an error, which becomes the result.

    Raises:
        WorkbenchError: It would be too long.
    """
    how = _LINES.get(method, _any)(method, dict(params))
    lines = [f"result = await {how}"]
    if refused:
        lines = ["try:", f"    {lines[0]}", "except wb.PeerError as error:", "    result = error"]
    head = f"async with {opening} as session:{f'  # {comment}' if comment else ''}"
    cell = "\n".join([head, *(f"    {line}" for line in lines), "result"])
    if len(cell) > _LONGEST:
        raise WorkbenchError(f"as a cell it would have {len(cell):,} characters: wb.traffic.resend(call) makes it again without one")
    return cell


def _tool(method: str, params: dict[str, Any]) -> str:
    name, arguments = params.get("name", ""), params["arguments"]
    if any(_is_taken(key) for key in arguments):
        return f"session.call_tool({name!r}, {arguments!r})"
    return f"session.call_tool({', '.join([repr(name), *(f'{key}={value!r}' for key, value in arguments.items())])})"


def _prompt(method: str, params: dict[str, Any]) -> str:
    arguments = f", **{params['arguments']!r}" if params["arguments"] else ""
    return f"session.get_prompt({params.get('name', '')!r}{arguments})"


def _resource(method: str, params: dict[str, Any]) -> str:
    return f"session.read_resource({params.get('uri', '')!r})" if set(params) <= {"uri"} else _any(method, params)


def _any(method: str, params: dict[str, Any]) -> str:
    return f"session.request({method!r}, {params!r})" if params else f"session.request({method!r})"


_LINES = {"tools/call": _tool, "prompts/get": _prompt, "resources/read": _resource}
_OF_CALL_TOOL = frozenset(("timeout_s", "on_progress", "log_level", "__debug__"))
"""Arguments that would mean something else as keywords, or are none to Python."""


def _is_taken(name: str) -> bool:
    """Whether it cannot be a keyword that means itself: Python folds letters outside of ASCII, so that one name becomes another."""
    return not (name.isascii() and name.isidentifier()) or keyword.iskeyword(name) or name in _OF_CALL_TOOL
