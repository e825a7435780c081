"""What is new since a version."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import polars as pl
import pytest

from mcp_workbench.live.dataframes.names import NotFound
from mcp_workbench.live.dataframes.news import News, news_since
from mcp_workbench.live.dataframes.publications import DataFrames


def since(dataframes: DataFrames, version: int) -> News:
    return news_since(dataframes.publication("ticks"), version)


def test_every_version_since_and_what_they_come_to_together() -> None:
    namespace: dict[str, Any] = {"ticks": pd.DataFrame({"n": [1, 2]})}
    dataframes = DataFrames()
    dataframes.publish("ticks", namespace["ticks"], namespace=namespace)
    for rows in (3, 4):
        namespace["ticks"] = pd.DataFrame({"n": range(1, rows + 1)})
        dataframes.check(namespace)
    news = since(dataframes, 1)
    assert [snapshot.version for snapshot in news.newer] == [2, 3]
    assert news.together is not None
    assert (news.together.summary, news.rows_before, news.forgotten) == ("2 rows appended", 2, 0)
    assert (since(dataframes, 3).newer, since(dataframes, 3).together) == ((), None)
    with pytest.raises(NotFound, match=re.escape("ticks v4 does not exist yet. Nearest: 3 (latest).")):
        since(dataframes, 4)


def test_together_says_what_each_version_said() -> None:
    namespace: dict[str, Any] = {"ticks": pd.DataFrame({"price": [1, 2], "n": [1, 2]})}
    dataframes = DataFrames()
    dataframes.publish("ticks", namespace["ticks"], namespace=namespace)
    namespace["ticks"].loc[0, "price"] = 9
    dataframes.check(namespace)
    namespace["ticks"]["margin"] = 0
    dataframes.check(namespace)
    news = since(dataframes, 1)
    assert [snapshot.summary for snapshot in news.newer] == ["column price changed", "column margin added"]
    assert news.together is not None
    assert news.together.summary == "column margin added; column price changed"


def test_types_are_those_of_the_library_that_the_table_is_of() -> None:
    namespace: dict[str, Any] = {"ticks": pl.DataFrame({"n": [1]})}
    dataframes = DataFrames()
    dataframes.publish("ticks", namespace["ticks"], namespace=namespace)
    namespace["ticks"] = pl.DataFrame({"n": ["1"]})
    dataframes.check(namespace)
    news = since(dataframes, 1)
    assert news.together is not None
    assert news.together.summary == "dtype of n is String, was Int64"


def test_versions_that_are_not_kept_are_counted() -> None:
    dataframes = DataFrames(max_versions=2)
    dataframes.publish("ticks", pd.DataFrame({"n": [1]}))
    for _ in range(4):
        dataframes.touch("ticks")
    news = since(dataframes, 1)
    assert ([snapshot.version for snapshot in news.newer], news.forgotten) == ([4, 5], 2)
    assert (news.together, news.rows_before) == (None, None)
