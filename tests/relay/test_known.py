"""What a host has met, and what of it a restart took away."""

from __future__ import annotations

import pandas as pd

from mcp_workbench import Workbench
from mcp_workbench.protocol.versions import LATEST_LEGACY
from mcp_workbench.relay.known import Kind, Known
from tests.support.stage import Stage
from tests.support.talk import Talk, text_of


def test_names_are_lost_from_a_restart_on_until_they_are_met_again() -> None:
    known = Known()
    known.meet(["add", "sub"], Kind.DEFINED)
    known.meet_resources(["df://sales", "file:///x", None])
    assert known.lost == {}
    known.restart(5.0)
    assert known.restarted == 5.0
    assert known.lost_of(Kind.DEFINED) == ("add", "sub")
    assert known.lost_of(Kind.PUBLISHED) == ("sales",)
    known.meet(["add"], Kind.DEFINED)
    known.restart(6.0)
    assert known.lost_of(Kind.DEFINED) == ("sub", "add"), "what is lost twice is lost"
    known.clear()
    assert known.lost == {}
    assert known.restarted is None


def test_a_name_that_stands_for_something_else_now_is_met() -> None:
    known = Known()
    known.meet(["x"], Kind.PUBLISHED)
    known.restart(5.0)
    known.meet(["x"], Kind.DEFINED)
    assert known.lost == {}


def test_the_status_of_a_kernel_names_what_there_is() -> None:
    stage = Stage("memory", LATEST_LEGACY)
    workbench: Workbench = stage.workbench
    workbench.publish(sales=pd.DataFrame({"a": [1]}), planes=pd.DataFrame({"b": [1]}))

    @workbench.tool
    def top_routes(sales: pd.DataFrame, n: int = 5) -> str:
        """Busiest routes."""
        return f"{len(sales)} {n}"

    async def main(talk: Talk) -> None:
        known = Known()
        known.meet_status(text_of(await talk.called("notebook_status")))
        known.restart(5.0)
        assert set(known.lost_of(Kind.PUBLISHED)) == {"sales", "planes"}
        assert known.lost_of(Kind.DEFINED) == ("top_routes",)

    stage.play(main, builtin_tools=True)
