"""What a display may leave in a saved notebook. The one rule, and the one place that applies it.

A display is an output of a cell: it is saved, committed and sent to others. So by default it holds what the author wrote
into the notebook anyway, and counts: names of what is offered and published, numbers, times, ids of ours, outcomes. Not: what
clients call themselves or wrote, names of people with a token, what went wrong in words, what code said of its progress,
notes of the server (they hold paths). A text is kept because it is known to be of the first kind, never because it is not
known to be of the second.

Knows the facts, not how they are drawn; `wb.show(keep_data=True)` goes past it. The token stands in no fact at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from mcp_workbench.events import NOTEBOOK
from mcp_workbench.offer import Offer
from mcp_workbench.primitives.resources import find_resource
from mcp_workbench.transports.credentials import DEFAULT_NAME
from mcp_workbench.views.facts import CallFacts, OpenCallFacts, SessionFacts, View

UNKNOWN = "not offered now"
"""Stands for a target that is none of the author's names: it may be any text that a client sent."""
OTHER_TOKEN = "another token"  # noqa: S105  # words for people
MISTAKE = "mistake of the caller"
_KINDS = {"tool_error": "error of the tool", "rpc_error": "error of the request"}
_RESULT = re.compile(r"(df|result)://_r[0-9]{1,9}", re.ASCII)

Named = Callable[[str], str]
"""A target in the author's words, or `UNKNOWN`."""


def author_names(offer: Offer) -> Named:
    """Says what of a target the author wrote: a name that is offered, the template of a URI, a published DataFrame.

    Args:
        offer: What is offered; asked anew each time, from any thread.
    """

    def named(target: str) -> str:
        if offer.catalog.get(target) is not None or offer.prompts.get(target) is not None:
            return target
        if (found := find_resource(offer.resources.list(), target)) is not None:
            return found[0].uri
        addresses = [f"df://{name}" for name in offer.dataframes.names()]
        addresses += [result[0]] if (result := _RESULT.match(target)) else []
        return next((known for address in addresses if (known := _below(address, target))), UNKNOWN)

    return named


def _below(address: str, target: str) -> str:
    """The address itself, or that it is something of it; empty where it is neither."""
    if target == address:
        return address
    return f"{address}/…" if target.startswith((f"{address}/", f"{address}?")) else ""


def without_data(view: View, named: Named) -> View:
    """The view as it may be saved.

    Args:
        view: All facts of a moment.
        named: As `author_names` gives it.

    Returns:
        The view itself where there is nothing to leave out, else one that says so (`left_out`).
    """
    kept = replace(
        view,
        sessions=tuple(_session(session) for session in view.sessions),
        calls=tuple(_call(call, named) for call in view.calls),
        running=tuple(_open_call(call, named) for call in view.running),
        tools=tuple(replace(tool, name=named(tool.name)) for tool in view.tools),
        main_thread=_main_thread(view),
        dataframes=tuple(_dataframe(line) for line in view.dataframes),
        notices=(f"{len(view.notices)} left out: wb.status() says what",) if view.notices else (),
    )
    return view if kept == view else replace(kept, left_out=True)


def _session(session: SessionFacts) -> SessionFacts:
    known = session.principal in (DEFAULT_NAME, NOTEBOOK)
    return replace(session, client=_agent(session.session_id), principal=session.principal if known else OTHER_TOKEN)


def _call(call: CallFacts, named: Named) -> CallFacts:
    error = _KINDS.get(call.outcome, "") if call.failed else ""
    error = MISTAKE if error and call.is_mistake else error
    return replace(call, target=named(call.target), who=_agent(call.session_id), error=error)


def _open_call(call: OpenCallFacts, named: Named) -> OpenCallFacts:
    return replace(call, target=named(call.target), who=_agent(call.session_id), said="")


def _agent(session_id: str) -> str:
    """`agent 3` for the session `s3`."""
    return f"agent {session_id.removeprefix('s')}"


def _main_thread(view: View) -> str:
    """The sentence names whose call it is, right after the call's id."""
    sentence = view.main_thread
    for call in view.running:
        if call.run_id:
            sentence = sentence.replace(f"({call.run_id}) for {call.who}", f"({call.run_id}) for {_agent(call.session_id)}", 1)
    return sentence


def _dataframe(line: str) -> str:
    """Without why it is not followed any more, which may quote what went wrong."""
    facts, lost, _ = line.partition(" (not followed any more")
    return f"{facts}{lost})" if lost else facts
