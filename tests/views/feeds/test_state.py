from __future__ import annotations

from functools import partial

import pandas as pd

from mcp_workbench import Workbench
from mcp_workbench.pasting import CLIENTS, TITLES
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.feeds.state import COUNTERS_S, StateFeed, snippets
from mcp_workbench.views.messages import encode
from tests.support.stage import on_loop, running, server_of, talking, within


def test_the_state_is_told_whole_when_it_has_changed_and_counters_once_a_second() -> None:
    workbench = Workbench("trips")

    @workbench.tool
    def add(a: int) -> int:
        if a < 0:
            raise ValueError("negative")
        return a

    async def main() -> None:
        server = server_of(workbench)
        feed = StateFeed(Sources(server, workbench._offer))
        [state] = on_loop(workbench, feed.look, 100.0)
        assert (state.name, state.url, state.tools, state.principals) == ("trips", workbench.url, ("add",), ("default",))
        assert workbench.token not in encode(state).decode()
        assert on_loop(workbench, feed.look, 101.0) == ()
        async with talking(workbench) as talk:
            await talk.result("tools/list")
            assert on_loop(workbench, feed.look, 100.0 + COUNTERS_S - 0.01) == ()
            other = StateFeed(Sources(server, workbench._offer))
            other._told, other._told_at = state, 100.0
            [final] = on_loop(workbench, partial(other.look, last=True), 100.01)
            assert final.calls == 1, "at the end numbers are final"
            [counted] = on_loop(workbench, feed.look, 100.0 + COUNTERS_S)
            assert (counted.calls, counted.bytes_in > 0, counted.bytes_out > 0, counted.failed) == (1, True, True, 0)
            await talk.answer(talk.call("add", a=-1))
            [failed] = on_loop(workbench, feed.look, 101.1)
            assert (failed.failed, failed.calls) == (1, 2)
        workbench.tokens.add("alice")
        workbench.prompt(name="ask", description="Ask.")(lambda: "x")
        workbench.publish(flights=pd.DataFrame({"a": [1]}))
        [more] = on_loop(workbench, feed.look, 101.1)
        assert more.dataframes == ("flights",)
        assert (more.principals, more.prompts) == (("default", "alice"), ("ask",))

    with running(workbench):
        within(main)


def test_every_client_has_a_snippet_with_a_title_and_no_secret() -> None:
    found = snippets(8123)
    assert tuple(snippet.client for snippet in found) == CLIENTS == tuple(TITLES)
    assert all(snippet.title and snippet.what and snippet.text and snippet.then for snippet in found)
    assert "mcp_workbench" in found[0].text
