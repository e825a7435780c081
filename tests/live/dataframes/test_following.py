"""What a publication follows, and what the author is told about it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import polars as pl
import pytest

from mcp_workbench.errors import RegistrationError
from mcp_workbench.live.dataframes.following import as_seen, choose, look_up, seen

DF = pd.DataFrame({"a": [1]})


def test_the_variable_of_the_same_name_is_followed_without_a_word() -> None:
    followed, sentence = choose("flights", DF, None, {"flights": DF, "df": DF})
    assert (followed.variable, followed.obj, sentence) == ("flights", None, None)


def test_else_the_only_public_variable_is() -> None:
    followed, sentence = choose("flights", DF, None, {"df": DF, "_12": DF, "flights": 3})
    assert followed.variable == "df"
    assert sentence == "flights follows the variable df."


def test_with_several_variables_the_object_itself_is() -> None:
    followed, sentence = choose("flights", DF, None, {"a": DF, "b": DF})
    assert followed.obj is DF
    assert sentence == 'flights follows the object itself, not its variables a, b: choose one with follow="a".'


@pytest.mark.parametrize("namespace", [None, {}, {"_1": DF}])
def test_without_a_variable_the_object_itself_is(namespace: dict[str, Any] | None) -> None:
    followed, sentence = choose("flights", DF, None, namespace)
    assert followed.obj is DF
    assert sentence == "flights follows the object itself: no variable is bound to it."


def test_the_author_may_choose() -> None:
    assert choose("flights", DF, "b", {"a": DF, "b": DF}) == (choose("b", DF, None, {"a": DF, "b": DF})[0], None)
    for namespace in (None, {}, {"b": DF.copy()}):
        with pytest.raises(RegistrationError, match='follow="b": no variable of that name'):
            choose("flights", DF, "b", namespace)


def test_a_variable_is_looked_up_again() -> None:
    namespace: dict[str, Any] = {"flights": DF}
    followed, _ = choose("flights", DF, None, namespace)
    namespace["flights"] = other = DF.copy()
    assert look_up(followed, None)[0] is other
    namespace["flights"] = [1]
    assert look_up(followed, None) == (None, "its variable flights now holds list")
    del namespace["flights"]
    assert look_up(followed, namespace) == (None, "its variable flights was deleted")
    assert look_up(followed, {"flights": DF})[0] is DF


def test_a_table_of_another_library_is_followed_too() -> None:
    table = pl.DataFrame({"a": [1]})
    followed, _ = choose("flights", table, None, variables := {"flights": table})
    found, lost = look_up(followed, variables)
    assert (found is table, lost) == (True, None)


def test_a_table_is_as_seen_until_it_is_another_or_of_another_library() -> None:
    df: Any = pd.DataFrame({"a": [1.0, 2.0]})
    held = df.copy(deep=False)
    table = pl.DataFrame({"a": [1.0, 2.0]})
    assert as_seen(seen(df), df)
    assert as_seen(seen(table), table)
    assert not as_seen(seen(df), table)
    assert not as_seen(seen(table), df)
    before = seen(df)
    df.loc[0, "a"] = 9.0
    assert not as_seen(before, df)
    assert held["a"].tolist() == [1.0, 2.0]
