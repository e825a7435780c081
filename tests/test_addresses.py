"""Addresses as hosts write them."""

from __future__ import annotations

import json

import pytest

from mcp_workbench.addresses import TOKEN, Reached, address_entry, start_line
from mcp_workbench.pasting import CLIENTS

WAYS: tuple[Reached, ...] = ("http", "ws")


@pytest.mark.parametrize("client", CLIENTS)
def test_an_entry_names_the_variable_and_the_port_that_the_notebook_is_told(client: str) -> None:
    for reached in WAYS:
        usual, chosen = address_entry(client, reached), address_entry(client, reached, 9999)
        assert (usual is None) == (chosen is None)
        if usual is not None and chosen is not None:
            port = start_line(reached).rpartition("=")[2].rstrip(")")
            assert f"{reached}://127.0.0.1:{port}/mcp" in usual.values()
            assert f"{reached}://127.0.0.1:9999/mcp" in chosen.values()
            assert "=9999)" in start_line(reached, 9999)
            assert TOKEN in json.dumps(usual) or client == "vscode"


def test_claude_code_alone_is_led_by_websocket_and_claude_desktop_nowhere() -> None:
    assert [client for client in CLIENTS if address_entry(client, "ws")] == ["claude-code"]
    assert [client for client in CLIENTS if not address_entry(client, "http")] == ["claude-desktop"]
