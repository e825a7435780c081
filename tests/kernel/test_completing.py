from __future__ import annotations

import asyncio

import pytest
from IPython.core.completer import provisionalcompleter

from mcp_workbench.errors import PeerError
from mcp_workbench.exploring.filters.keys import KEYS
from mcp_workbench.kernel.completing import completions
from mcp_workbench.pasting import CLIENTS
from mcp_workbench.telemetry.records import Outcome
from tests.kernel.conftest import Shell


def offered(shell: Shell, line: str) -> set[str]:
    """What Tab offers at the end of a line, as IPython has it."""
    with provisionalcompleter():
        return {found.text for found in shell.ip.Completer.completions(line, len(line))}


def test_tab_offers_commands_hosts_and_the_keys_of_filters_until_the_extension_is_unloaded(shell: Shell) -> None:
    assert offered(shell, "%mcp s") == {"start", "status", "stop", "sessions"}
    assert offered(shell, "%mcp config cl") == {client for client in CLIENTS if client.startswith("cl")}
    assert offered(shell, "%mcp traffic dur:>5ms -(ou") == {"outcome:"}
    assert {"tool_error", "timeout"} <= offered(shell, "%mcp traffic outcome:t")
    shell.ip.extension_manager.reload_extension("mcp_workbench")
    assert offered(shell, "%mcp traffic to") == {"tool:", "tokens:"}, "once"
    shell.ip.extension_manager.unload_extension("mcp_workbench")
    assert "status" not in offered(shell, "%mcp s")
    shell.ip.extension_manager.load_extension("mcp_workbench")


def test_no_name_of_python_stands_between_what_is_offered(shell: Shell) -> None:
    shell.ip.user_ns["tokens_of_mine"] = 1
    assert offered(shell, "%mcp traffic to") == {"tool:", "tokens:"}
    assert offered(shell, "%mcp traffic outcome:") == {*map(str, Outcome), "failed"}
    assert "tokens_of_mine" in offered(shell, "print(to")


def test_what_was_called_and_who_called_is_offered_as_values(shell: Shell) -> None:
    @shell.workbench.tool
    def add(a: int) -> int:
        """Add."""
        return a

    async def call() -> None:
        async with shell.workbench.connect(client_info={"name": "two words", "version": "1"}) as session:
            await session.call_tool("add", a=1)
            with pytest.raises(PeerError):
                await session.call_tool("gone")

    shell.workbench.start(builtin_tools=False)
    asyncio.run(call())

    def values(line: str, begun: str = "") -> list[str]:
        return sorted(completions(lambda: shell.workbench, f"%mcp traffic {line}{begun}", begun))

    assert values("tool:") == ["add", "gone"]
    assert values("-tool:", "a") == ["add"]
    assert values("session:") == ["s1"]
    assert values("principal:") == ["notebook"]
    assert values("client:") == [], "what would have to stand in quotes is left out"
    assert values("side:") == ["client", "server", "tap"]
    assert values("dur:") == values("nothing:") == []
    assert "tools/call" in values("method:")
    assert values("", "args.") == ["args.a:"], "the arguments of what is offered"


@pytest.mark.parametrize("line", ["%mcp status ", "%mcp config cursor ", "%mcp nothing "])
def test_where_nothing_may_follow_nothing_is_offered(shell: Shell, line: str) -> None:
    assert list(completions(lambda: shell.workbench, line, "")) == []


def test_every_key_is_offered(shell: Shell) -> None:
    keys = completions(lambda: shell.workbench, "%mcp traffic ", "")
    assert {key.rstrip(":.") for key in keys} == set(KEYS)
