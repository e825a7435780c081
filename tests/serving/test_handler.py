"""The table of methods, and the answers that stand in for impossible ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
from msgspec import UNSET

from mcp_workbench.errors import RemoteProtocolError
from mcp_workbench.events import Era
from mcp_workbench.execution.runner import Execution
from mcp_workbench.limits import Limits
from mcp_workbench.offer import Offer
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import ClientFacts, Exchange
from mcp_workbench.protocol.methods import CLIENT_REQUESTS
from mcp_workbench.protocol.versions import LATEST_LEGACY
from mcp_workbench.serving.background import Background
from mcp_workbench.serving.capabilities import CAPABILITIES
from mcp_workbench.serving.handler import Handler
from mcp_workbench.serving.rounds import Suspended
from mcp_workbench.serving.services import Services
from mcp_workbench.serving.waiting import News
from mcp_workbench.sessions.session import Session
from mcp_workbench.telemetry.records import CallRecord

ANSWERED_BY_THE_PEER = {"initialize", "ping", "server/discover"}


def _exchange(method: str) -> Exchange:
    return Exchange(1, method, None, ClientFacts(Era.LEGACY, LATEST_LEGACY, wire.ClientCapabilities()), 1)


def _services() -> Services:
    offer = Offer(Limits())
    nothing: Callable[[], None] = lambda: None  # noqa: E731  # a type for mypy
    return Services(
        tools=offer.catalog,
        resources=offer.resources,
        prompts=offer.prompts,
        dataframes=offer.dataframe_resources,
        documents=offer.documents,
        rendering=offer.rendering,
        execution=cast(Execution, None),
        news=cast(News, None),
        limits=Limits(),
        after_call=nothing,
        background=cast(Background, None),
        suspended=cast(Suspended, None),
        tasks=offer.tasks,
    )


def test_every_method_the_protocol_lets_through_has_somebody_who_answers_it() -> None:
    assert _services().handler._table.keys() == CLIENT_REQUESTS.keys() - ANSWERED_BY_THE_PEER


def test_every_capability_named_to_clients_has_methods() -> None:
    named = {name for name in CAPABILITIES.__struct_fields__ if getattr(CAPABILITIES, name) not in (None, UNSET)}
    assert named == {method.capability for method in CLIENT_REQUESTS.values()} - {None}


def test_a_method_without_an_answer_is_unknown() -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        Handler({}, cast(Suspended, None)).handle(cast(Session, None), _exchange("x" * 500), cast(CallRecord, None))
    assert refused.value.code == -32601
    assert len(refused.value.message) < 200


@pytest.mark.parametrize("stand_in", [lambda handler, exchange: handler.too_large(exchange, 2_000_000, 1_000), Handler.unwritable])
def test_tools_get_a_result_and_other_methods_an_error_in_place_of_an_impossible_answer(
    stand_in: Callable[[Handler, Exchange], Any],
) -> None:
    handler = Handler({}, cast(Suspended, None))
    called, read = stand_in(handler, _exchange("tools/call")), stand_in(handler, _exchange("resources/read"))
    assert isinstance(called, wire.CallToolResult)
    assert called.is_error
    assert isinstance(read, RemoteProtocolError)
    assert (read.code, set(read.data)) == (-32603, {"reason"})
