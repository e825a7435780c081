"""What looking at the published DataFrames costs after a cell: when nothing changed, when one did, and per number of columns."""

from __future__ import annotations

from time import perf_counter_ns
from typing import Any

import numpy as np
import pandas as pd

from mcp_workbench.live.dataframes.publications import DataFrames
from tests.benchmarks.common import line, title

ROUNDS = 200


def table(rows: int, columns: int) -> pd.DataFrame:
    random = np.random.default_rng(7)
    return pd.DataFrame({f"c{number}": random.normal(size=rows) for number in range(columns)})


def published(count: int, rows: int, columns: int) -> tuple[DataFrames, dict[str, Any]]:
    namespace: dict[str, Any] = {f"t{number}": table(rows, columns) for number in range(count)}
    frames = DataFrames()
    for name, value in namespace.items():
        frames.publish(name, value, namespace=namespace)
    return frames, namespace


def unchanged_us(count: int, rows: int, columns: int) -> list[float]:
    frames, namespace = published(count, rows, columns)
    samples = []
    for _ in range(ROUNDS):
        begin = perf_counter_ns()
        changes = frames.check(namespace)
        samples.append((perf_counter_ns() - begin) / 1000)
        if changes:
            raise RuntimeError(f"nothing was changed, and {len(changes)} changes were found")
    return samples


def changed_us(rows: int, columns: int) -> list[float]:
    frames, namespace = published(1, rows, columns)
    samples = []
    for number in range(ROUNDS // 4):
        namespace["t0"]["c0"] = namespace["t0"]["c0"] + number + 1
        begin = perf_counter_ns()
        changes = frames.check(namespace)
        samples.append((perf_counter_ns() - begin) / 1000)
        if len(changes) != 1:
            raise RuntimeError(f"one column was changed, and {len(changes)} changes were found")
    return samples


def main() -> None:
    title("looking at the published DataFrames after a cell, µs")
    line("1 DataFrame, 1M x 20, unchanged", unchanged_us(1, 1_000_000, 20), "µs")
    line("1 DataFrame, 1,000 x 20, unchanged", unchanged_us(1, 1_000, 20), "µs")
    line("1 DataFrame, 1,000 x 500, unchanged", unchanged_us(1, 1_000, 500), "µs")
    line("50 DataFrames, 1,000 x 20, unchanged", unchanged_us(50, 1_000, 20), "µs")
    line("1 DataFrame, 1M x 20, one column replaced", changed_us(1_000_000, 20), "µs")


if __name__ == "__main__":
    main()
