"""`Resend`: a call made again, with arguments that may be others: through the wire, as the notebook itself.

It is a call of its own, in a session of its own, which everybody sees as such; approvals and queues hold for it as for any.
A tool that says that it destroys something is called only when the person was asked.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import msgspec

from mcp_workbench.client.connect import connect
from mcp_workbench.errors import PeerError, WorkbenchError
from mcp_workbench.exploring.asking_again import again
from mcp_workbench.exploring.call import Call
from mcp_workbench.protocol import wire
from mcp_workbench.tasks import start_task
from mcp_workbench.telemetry.records import CallRecord, Side
from mcp_workbench.version import __version__
from mcp_workbench.views.asks import Ask
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.messages import Done, Message, Resend, Resent

PATIENCE_S = 5.0
"""A view is told so long what came of it; after that it learns it as of any call."""
MAX_ARGUMENTS = 256 * 1024
"""Bytes of arguments that are offered to be edited."""

_ASKED = itertools.count(1)
_WITH_ARGUMENTS = ("tools/call", "prompts/get")


def offered(call: CallRecord, sources: Sources) -> tuple[str, str]:
    """Whether a call can be made again, and what it is called with: as `Detail.resend` and `Detail.arguments`."""
    if call.side is not Side.SERVER:
        return "", ""
    try:
        method, params = again(Call(call, sources.offer.annotations), {})
    except WorkbenchError:
        return "", ""
    text = msgspec.json.format(msgspec.json.encode(_edited(method, params)), indent=2).decode()
    return ("asks" if _destroys(call, sources) else "yes", text) if len(text) <= MAX_ARGUMENTS else ("", "")


def resend(ask: Ask[Resend]) -> None:
    """Make the call, and answer which record is its, or that it runs."""
    seq, sources = ask.request.seq, ask.sources
    calls = sources.offer.telemetry.calls_between(seq - 1, seq) if seq > 0 else []
    if not calls or calls[0].side is not Side.SERVER:
        ask.refuse("This call cannot be made again: it is kept no longer, or went to another server.")
        return
    if _destroys(calls[0], sources) and not ask.request.sure:
        ask.refuse(f"{calls[0].target} says that it destroys something, so it is called again only when you have confirmed it.")
        return
    try:
        method, params = _changed(calls[0], ask.request.arguments, sources)
    except WorkbenchError as error:
        ask.refuse(str(error))
        return
    start_task(_ask_again(ask, method, params), name="mcp-workbench resend")


def _changed(call: CallRecord, arguments: str, sources: Sources) -> tuple[str, dict[str, Any]]:
    """The request, with these arguments.

    Raises:
        WorkbenchError: It cannot be made again, or the arguments are no JSON object.
    """
    method, params = again(Call(call, sources.offer.annotations), {})
    try:
        given = msgspec.json.decode(arguments, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise WorkbenchError(f'The arguments are to be one JSON object, as {{"n": 5}}: {error}') from error
    return method, {**params, "arguments": given} if method in _WITH_ARGUMENTS else given


async def _ask_again(ask: Ask[Resend], method: str, params: dict[str, Any]) -> None:
    asking = start_task(_asked(ask.sources, method, params), name="mcp-workbench resent call")
    done, _ = await asyncio.wait({asking}, timeout=PATIENCE_S)
    if not done:
        ask.done("It was sent and runs: it stands among what runs or waits, and in the list when it has ended.")
        return
    answer = asking.result()
    if isinstance(answer, str):
        ask.refuse(answer)
    else:
        ask.answer(_told(ask, answer))


def _told(ask: Ask[Resend], call: CallRecord | None) -> Message:
    if call is None:
        return Done(re=ask.request.id, ok=True, sentence="It was sent; its record is not kept.")
    return Resent(re=ask.request.id, sentence=f"Sent as call {call.seq}, in session {call.session_id}.", seq=call.seq)


async def _asked(sources: Sources, method: str, params: dict[str, Any]) -> CallRecord | str | None:
    """Make the request; returns its record, or why it could not be made."""
    who = wire.Implementation(name=f"panel, resend {next(_ASKED)}", version=__version__)
    token = sources.offer.credentials.own_token(on_main=False)
    try:
        async with connect(sources.running.url, token=token, client_info=who, timeout_s=86_400) as session:
            try:
                if method == "tools/call":
                    await session.call_tool(params.get("name", ""), params.get("arguments"))
                else:
                    await session.request(method, params or None)
            except PeerError:
                pass  # an error is an answer, too: its record says which
    except (WorkbenchError, TypeError, OSError) as error:
        return f"It could not be sent: {error}"
    calls = reversed(sources.offer.telemetry.calls(None))
    return next(
        (call for call in calls if call.method == method and sources.client_of(call.session_id, call.received_at) == who.name), None
    )


def _edited(method: str, params: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = params["arguments"] if method in _WITH_ARGUMENTS else params
    return found


def _destroys(call: CallRecord, sources: Sources) -> bool:
    tool = sources.offer.catalog.get(call.target)
    hints = None if tool is None else tool.listed.annotations
    return isinstance(hints, wire.ToolAnnotations) and hints.destructive_hint is True
