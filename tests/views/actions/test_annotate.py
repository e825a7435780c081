"""What is written beside calls, as a view asks for it over a real socket."""

from __future__ import annotations

from typing import Any

from mcp_workbench import Workbench
from mcp_workbench.views.messages import Annotate, GetDetail
from tests.support.stage import running, talking, within
from tests.views.visitor import Visitor, visiting


async def detail(visitor: Visitor, seq: int) -> dict[str, Any]:
    return await visitor.ask(GetDetail(id=1_000 + seq, seq=seq))


def test_what_is_written_beside_a_call_is_shown_with_it_until_it_is_taken_away() -> None:
    workbench = Workbench("annotate")

    @workbench.tool
    def add(a: int) -> int:
        return a

    async def main() -> None:
        async with visiting(workbench) as visitor, talking(workbench) as talk:
            await talk.called("add", a=1)
            assert (await visitor.ask(Annotate(id=1, seq=1, text=" <b>slow</b> ")))["ok"]
            assert (await visitor.ask(Annotate(id=2, seq=1, text="why?")))["ok"]
            told = await detail(visitor, 1)
            assert (told["annotations"], told["row"]["note"]) == (["<b>slow</b>", "why?"], "why?")
            refused = await visitor.ask(Annotate(id=3, seq=1, text="x" * 10_001))
            assert "10,000" in refused["sentence"]
            assert (await visitor.ask(Annotate(id=4, seq=1, text=" ")))["ok"]
            assert "annotations" not in await detail(visitor, 1)
            assert not (await visitor.ask(Annotate(id=5, seq=77, text="x")))["ok"]

    with running(workbench):
        within(main)
