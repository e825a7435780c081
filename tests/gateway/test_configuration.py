from __future__ import annotations

import pytest
from traitlets import TraitError
from traitlets.config import Config

from mcp_workbench.gateway.configuration import McpWorkbenchGateway
from mcp_workbench.limits import Limits


def test_a_place_is_given_back_also_when_its_connection_failed() -> None:
    gateway = McpWorkbenchGateway(config=Config({"McpWorkbenchGateway": {"max_connections": 2}}))
    with gateway.place("a") as first, gateway.place("a") as second, gateway.place("a") as third, gateway.place("b") as other:
        assert (first, second, third, other) == (True, True, False, True)
        assert gateway.connections("a") == 2
    with pytest.raises(RuntimeError), gateway.place("a"):
        raise RuntimeError
    assert gateway.connections("a") == gateway.connections("b") == 0


def test_what_a_kernel_takes_by_default_is_let_through() -> None:
    assert McpWorkbenchGateway().max_message_bytes == Limits().max_message_bytes


def test_bounds_that_let_nothing_through_are_refused() -> None:
    with pytest.raises(TraitError):
        McpWorkbenchGateway(max_connections=0)
