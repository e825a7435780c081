"""What a view is told of the published DataFrames."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pandas as pd
import polars as pl

from mcp_workbench import Workbench
from mcp_workbench.live.dataframes.publications import DataFrames
from mcp_workbench.live.dataframes.reading import topic
from mcp_workbench.sessions.index import TopicIndex
from mcp_workbench.views import messages
from mcp_workbench.views.feeds.dataframes import DataFramesFeed, subscribers_in
from mcp_workbench.views.messages import DataFrameRow, Message
from tests.support.stage import on_loop, running, server_of


class Visitor:
    """A session, as far as the index knows one."""

    def __init__(self, session_id: str) -> None:
        self.id = session_id


class Stage:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.dataframes = DataFrames(clock=lambda: self.now)
        self.index: TopicIndex[Any] = TopicIndex()
        self.feed = DataFramesFeed(self.dataframes, subscribers_in(self.index))

    def look(self) -> list[Message]:
        return list(self.feed.look(self.now))


def test_a_row_says_what_the_latest_version_is_and_how_it_came_to_be() -> None:
    stage, df = Stage(), pd.DataFrame({"n": [1, 2], "x": [0.5, 1.5]})
    stage.dataframes.publish("data", df)
    row = DataFrameRow(name="data", rows=2, columns=2, version=1, kind="published", summary="2 rows x 2 columns", at=stage.now)
    assert stage.look() == [messages.DataFrames(rows=(row,))]
    assert stage.look() == []
    stage.now += 60
    df.loc[2] = [3, 2.5]
    stage.dataframes.check()
    row = DataFrameRow(name="data", rows=3, columns=2, version=2, kind="append", summary="1 row appended", at=stage.now)
    assert stage.look() == [messages.DataFrames(rows=(row,))]
    stage.dataframes.touch("data")
    (told,) = stage.look()
    assert isinstance(told, messages.DataFrames)
    assert [(row.version, row.kind, row.summary) for row in told.rows] == [(3, "touched", "touched")]


def test_only_what_has_changed_is_told_and_what_is_gone_by_its_name() -> None:
    stage = Stage()
    assert stage.look() == [messages.DataFrames()], "that there is none is told at first"
    for name in ("a", "b", "c"):
        stage.dataframes.publish(name, pd.DataFrame({"n": [1]}))
    stage.look()
    stage.dataframes.touch("b")
    stage.dataframes.unpublish("c")
    (told,) = stage.look()
    assert isinstance(told, messages.DataFrames)
    assert ([row.name for row in told.rows], told.gone) == (["b"], ("c",))
    stage.dataframes.publish("c", pd.DataFrame({"n": [1]}))
    (told,) = stage.look()
    assert isinstance(told, messages.DataFrames)
    assert [(row.name, row.version) for row in told.rows] == [("c", 2)]


def test_sessions_that_are_told_of_changes_are_named_once() -> None:
    stage = Stage()
    stage.dataframes.publish("data", pd.DataFrame({"n": [1]}))
    stage.look()
    one, other = Visitor("s1"), Visitor("s2")
    for session, uri in ((one, "df://data"), (one, "df://data/rows?limit=5"), (other, "df://data/schema"), (other, "df://another")):
        stage.index.add(session, uri, topic(uri.removeprefix("df://").partition("/")[0]))
    (told,) = stage.look()
    assert isinstance(told, messages.DataFrames)
    assert told.rows[0].subscribers == ("s1", "s2")
    stage.index.drop(one)
    (told,) = stage.look()
    assert isinstance(told, messages.DataFrames)
    assert told.rows[0].subscribers == ("s2",)


def test_the_library_is_named_where_it_is_not_pandas_and_why_nothing_is_followed() -> None:
    stage, variables = Stage(), {"data": pl.DataFrame({"n": [1]})}
    stage.dataframes.publish("data", variables["data"], namespace=variables)
    stage.dataframes.publish("lazy", pl.LazyFrame({"n": [1]}))
    (told,) = stage.look()
    assert isinstance(told, messages.DataFrames)
    assert [row.library for row in told.rows] == ["polars", "polars"]
    variables.clear()
    stage.dataframes.check(variables)
    (told,) = stage.look()
    assert isinstance(told, messages.DataFrames)
    assert [(row.name, row.version, row.lost) for row in told.rows] == [("data", 1, "its variable data was deleted")]


def test_the_feed_keeps_no_version_alive() -> None:
    stage = Stage()
    stage.dataframes.publish("data", pd.DataFrame({"n": [1]}))
    stage.look()
    version = weakref.ref(stage.dataframes.snapshot("data").df)
    assert version() is not None
    stage.dataframes.unpublish("data")
    gc.collect()
    assert version() is None


def test_a_subscription_of_a_real_client_is_seen() -> None:
    with running(Workbench()) as workbench:
        workbench.publish(data=pd.DataFrame({"n": [1]}))
        server = server_of(workbench)
        feed = DataFramesFeed(workbench._offer.dataframes, subscribers_in(server.sessions.index))

        async def visit() -> None:
            async with asyncio.timeout(20), workbench.connect() as session, session.subscribe("df://data/rows?limit=5"):
                (told,) = on_loop(workbench, lambda: list(feed.look(0)))
                assert [row.subscribers for row in told.rows] == [("s1",)]

        asyncio.run(visit())
