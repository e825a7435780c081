"""What a DataFrame weighs, what it keeps alive, and how to part the two."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mcp_workbench.live.dataframes import fingerprint
from mcp_workbench.live.dataframes.lending import Lender
from mcp_workbench.live.dataframes.memory import Memory, detached, memory_of


def numbers(rows: int = 1_000) -> Any:
    return pd.DataFrame({"a": np.zeros(rows), "b": np.zeros(rows), "n": np.zeros(rows, dtype="int8")})


@pytest.mark.parametrize("understood", [True, False])
def test_what_is_its_own_keeps_alive_what_it_weighs(understood: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint, "MANAGER_UNDERSTOOD", understood)
    memory = memory_of(numbers())
    assert (memory.nbytes, memory.alive, memory.wasteful) == (17_000, 17_000, False)


@pytest.mark.parametrize(
    ("part", "nbytes", "alive"),
    [
        (lambda df: df.iloc[:5], 85, 17_000),
        (lambda df: df.iloc[-5:], 85, 17_000),
        (lambda df: df[["a"]], 8_000, 16_000),
        (lambda df: df["n"].to_frame(), 1_000, 1_000),
        (lambda df: df[df["a"] > 1], 0, 0),
        (lambda df: df.head(0).copy(), 0, 0),
    ],
)
def test_a_view_keeps_its_owner_alive(part: Any, nbytes: int, alive: int) -> None:
    memory = memory_of(part(numbers()))
    assert (memory.nbytes, memory.alive) == (nbytes, alive)


def test_what_is_lent_is_counted_at_its_owner() -> None:
    df = numbers()
    lent = Lender(df).lend(deep=False)
    assert set(memory_of(lent.iloc[:5]).owners) == set(memory_of(df).owners)


def test_labels_count_with_what_they_were_cut_from() -> None:
    df = pd.DataFrame(index=pd.Index(np.arange(1_000) * 3)).iloc[:5]
    assert (memory_of(df).nbytes, memory_of(df).alive) == (40, 8_000)
    pairs = pd.DataFrame(index=pd.MultiIndex.from_product([range(100), range(100)])).iloc[:5]
    assert memory_of(pairs).alive > 10_000
    assert memory_of(detached(pairs)).alive < 100


def test_objects_are_estimated_from_a_sample() -> None:
    texts = pd.DataFrame({"s": pd.Series(["x" * 100] * 10_000, dtype="object")})
    memory = memory_of(texts.iloc[:100])
    cell = 8 + sys.getsizeof("x" * 100)  # the pointer, and the text, which weighs less since Python 3.12
    assert memory.nbytes == pytest.approx(100 * cell, rel=0.01)
    assert memory.alive == pytest.approx(10_000 * cell, rel=0.01)


@pytest.mark.parametrize(
    "array",
    [
        pd.array(range(1_000), dtype="Int64"),
        pd.Categorical(["x", "y"] * 500),
        pd.array(pd.date_range("2013-01-01", periods=1_000, tz="UTC")),
        pd.array(pd.interval_range(0, 1_000)),
        pd.array(["x"] * 1_000, dtype="str"),
    ],
)
def test_extension_arrays_count_every_part(array: Any) -> None:
    whole = memory_of(pd.DataFrame({"a": array}))
    part = memory_of(pd.DataFrame({"a": array}).iloc[:10])
    assert whole.alive == pytest.approx(part.alive, rel=0.01)
    assert part.nbytes < part.alive / 5
    cut = detached(pd.DataFrame({"a": array}).iloc[:10])
    assert memory_of(cut).alive < part.alive / 5
    pd.testing.assert_frame_equal(cut, pd.DataFrame({"a": array[:10]}))


def test_memory_of_somebody_else_is_counted_when_it_says_how_much_it_is() -> None:
    values: Any = np.frombuffer(bytearray(8_000))[:5]
    memory = memory_of(pd.DataFrame(values, copy=False))
    assert (memory.nbytes, memory.alive) == (40, 8_000)


def test_waste_is_more_than_a_mebibyte_and_four_times_the_weight() -> None:
    assert Memory(1_000, ((1, 2_000_000),)).wasteful
    assert not Memory(1_000, ((1, 1_000_000),)).wasteful
    assert not Memory(600_000, ((1, 2_000_000),)).wasteful
