"""What agents read is enough to work by: a script that knows nothing else finds the data, asks, errs and recovers."""

from __future__ import annotations

import re

import pandas as pd
import pytest

import mcp_workbench as wb
from tests.agents.scripted_agent import ScriptedAgent
from tests.support.stage import running, within


def notebook() -> wb.Workbench:
    workbench = wb.Workbench(name="airports")
    delays = pd.DataFrame({"airline": ["UA", "AA", "UA", "B6"], "minutes_late": [2, 75, 90, 61], "arrived": ["IAH", "MIA", "ORD", "BQN"]})
    workbench.publish(delays=delays)

    @workbench.tool
    def worst(delays: pd.DataFrame, airline: str, at_least: int = 0) -> int:
        """Longest delay of an airline."""
        chosen = delays[(delays["airline"] == airline) & (delays["minutes_late"] >= at_least)]
        return int(chosen["minutes_late"].max())

    return workbench


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_an_agent_finds_the_data_asks_three_questions_errs_twice_and_recovers(era: str) -> None:
    workbench = notebook()

    async def main() -> None:
        async with workbench.connect(era=era) as session:
            agent = ScriptedAgent(session)
            await agent.begin()
            assert agent.columns == ["airline", "minutes_late", "arrived"]
            late, airline = agent.columns[1], agent.columns[0]

            # One: which airlines are there? Its values are on a page of their own.
            values = await agent.call("df_describe", {"name": agent.table, "column": airline})
            assert re.findall(r"^(\w+),(\d+)$", values, re.MULTILINE) == [("UA", "2"), ("AA", "1"), ("B6", "1")]

            # Two: how many flights were late? It misspells the column, as models do.
            misspelt = late.replace("_", "").replace("late", "lat")
            rows = await agent.call("df_read", {"name": agent.table, "where": f"{misspelt} > 60", "order": f"{misspelt} desc"})
            assert rows.startswith("3 matching rows x 3 columns · 4 rows in all · delays v1 · ")
            assert rows.splitlines()[2] == "UA,90,ORD"

            # Three: the person's own function, with an argument that it has under another name.
            [(function, parameters)] = agent.functions.items()
            assert parameters == ["delays", "airline", "at_least"]
            assert (await agent.call(function, {"airlin": "UA"})).splitlines()[0] == "90"

            assert agent.made == [
                "notebook_status: answered",
                "df_describe: answered",
                "df_describe: answered",
                "df_read: refused",
                "df_read: answered",
                "worst: refused",
                "worst: answered",
            ]

    with running(workbench):
        within(main)


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_an_agent_that_waits_hears_of_a_change_and_reads_just_what_is_new(era: str) -> None:
    workbench = notebook()

    async def main() -> None:
        async with workbench.connect(era=era) as session:
            agent = ScriptedAgent(session)
            await agent.begin()
            cursor = re.findall(r"cursor (\S+)", await agent.call("notebook_status", {}))[0]
            following = pd.concat([workbench.get("delays"), pd.DataFrame({"airline": ["DL"], "minutes_late": [3], "arrived": ["ATL"]})])
            workbench.publish(delays=following.reset_index(drop=True))
            news = await agent.call("notebook_status", {"since": cursor, "wait_s": 50})
            name, version = re.findall(r"^(\w+) v(\d+): 1 row appended$", news, re.MULTILINE)[0]
            changes = await agent.call("df_changes", {"name": name, "since": int(version) - 1})
            offset = re.findall(r'Next: df_read\("delays", offset=(\d+), version=2\) for the new rows', changes)[0]
            assert (await agent.call("df_read", {"name": name, "offset": offset})).splitlines()[2] == "DL,3,ATL"

    with running(workbench):
        within(main)
