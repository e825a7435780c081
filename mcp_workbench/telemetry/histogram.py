"""Durations in buckets: a base-2 exponential histogram of scale 5, bucket for bucket OpenTelemetry's.

Bucket `i` holds the durations in `(2**(i/32), 2**((i+1)/32)]` seconds, so an export needs no
conversion and any two histograms merge without loss. Neighbouring bounds differ by 2.2 %; a quantile
is answered with the value in its bucket that is never further than 1.1 % from any other value in it.

Only the buckets in use are kept: a tool's durations touch a few dozen of the 1,900 there could be,
and every (tool, phase, outcome) owns a histogram. A fixed list records a quarter faster and takes
five times the memory.

The module knows nothing of calls, clocks or threads; `aggregates.py` decides what is recorded.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from itertools import accumulate
from math import ceil, log2

SCALE = 5
"""Doublings are cut into `2**SCALE` buckets."""

_PER_DOUBLING = 2**SCALE
# Durations come in ns, OpenTelemetry's bounds are in seconds: 960 buckets keep the sum positive so that
# int() rounds down, and 32 * log2(1e9) shifts the bounds. A bound belongs to the bucket below it, hence
# the last term. With it every whole number of ns up to `EXACT_BELOW_NS` meets the exact bucket; the
# test compares both sides of every bound with integer arithmetic.
_BIAS = 960
_SHIFT = _BIAS - _PER_DOUBLING * log2(1e9) - 1e-12

EXACT_BELOW_NS = 2_900_000_000_000
"""Up to here (48 minutes) every duration is in OpenTelemetry's bucket; beyond, one right at a bound may be in the next."""


def bucket_index(ns: int) -> int:
    """OpenTelemetry's bucket index (scale 5, seconds) of a duration of `ns` >= 1 nanoseconds."""
    return int(log2(ns) * _PER_DOUBLING + _SHIFT) - _BIAS


def bucket_bounds_ns(index: int) -> tuple[float, float]:
    """Exclusive lower and inclusive upper bound of a bucket, in nanoseconds."""
    return 2 ** (index / _PER_DOUBLING) * 1e9, 2 ** ((index + 1) / _PER_DOUBLING) * 1e9


class Histogram:
    """How often which duration was seen.

    One thread records at a time. Any thread may take a `copy()` meanwhile and read that.
    """

    __slots__ = ("_counts", "_max", "_min", "_sum")

    def __init__(self, durations_ns: Iterable[int] = ()) -> None:
        self._counts: dict[int, int] = {}
        self._sum = 0
        self._min = 0
        self._max = 0
        for ns in durations_ns:
            self.record(ns)

    def record(self, ns: int) -> int:
        """Count one duration; what is shorter than 1 ns (two equal clock readings) counts as 1 ns.

        Returns:
            The index of its bucket, so that whoever sorts it further needs no logarithm.
        """
        if ns < 1:
            ns = 1
        self._sum += ns
        if ns > self._max:
            self._max = ns
        if ns < self._min or not self._min:
            self._min = ns
        # Last, because copy() takes it first.
        index = int(log2(ns) * _PER_DOUBLING + _SHIFT)
        counts = self._counts
        counts[index] = counts.get(index, 0) + 1
        return index - _BIAS

    def merge(self, other: Histogram) -> None:
        """Add everything `other` has seen, as if it had been recorded here."""
        for index, count in other._counts.items():
            self._counts[index] = self._counts.get(index, 0) + count
        self._sum += other._sum
        self._max = max(self._max, other._max)
        self._min = min(self._min or other._min, other._min or self._min)

    def copy(self) -> Histogram:
        """What was seen until now, safe to take while another thread records."""
        twin = Histogram()
        # dict.copy is one step for other threads. Sum and bounds are read after it and written before it:
        # they may be one duration ahead of the counts, never behind.
        twin._counts = self._counts.copy()
        twin._sum, twin._min, twin._max = self._sum, self._min, self._max
        return twin

    def since(self, earlier: Histogram) -> Histogram:
        """What was recorded after `earlier`, a copy of this one, was taken.

        Counts and sum are exact. The shortest and the longest are known only as far as their buckets, 2.2 % wide at most, unless they
        are new.
        """
        counts = {index: count - earlier._counts.get(index, 0) for index, count in self._counts.items()}
        later = Histogram()
        later._counts = {index: count for index, count in counts.items() if count > 0}
        later._sum = self._sum - earlier._sum
        if later._counts:
            low = bucket_bounds_ns(min(later._counts) - _BIAS)[0]
            high = bucket_bounds_ns(max(later._counts) - _BIAS)[1]
            later._min = max(self._min, int(low) + 1)
            later._max = min(self._max, int(high))
        return later

    @property
    def count(self) -> int:
        """How many durations were recorded."""
        return sum(self._counts.values())

    @property
    def sum_ns(self) -> int:
        """All durations added up, exactly."""
        return self._sum

    @property
    def min_ns(self) -> int | None:
        """The shortest, exactly; None when nothing was recorded."""
        return self._min or None

    @property
    def max_ns(self) -> int | None:
        """The longest, exactly; None when nothing was recorded."""
        return self._max or None

    @property
    def buckets(self) -> Mapping[int, int]:
        """OpenTelemetry's bucket index -> count, ascending, empty buckets left out."""
        return {index - _BIAS: count for index, count in sorted(self._counts.items())}

    def quantile(self, q: float) -> int | None:
        """The duration that the share `q` of all did not exceed.

        Args:
            q: 0 (the shortest) to 1 (the longest).

        Returns:
            Nanoseconds, within 1.1 % of the exact nearest-rank quantile. None when nothing was recorded,
            and for a `q` above 0.99 that too few durations support: p99.9 takes 1,000 of them.

        Raises:
            ValueError: `q` lies outside 0 to 1.
        """
        return self.quantiles(q)[0]

    def quantiles(self, *shares: float) -> list[int | None]:
        """What `quantile` says of each of these shares, in one pass.

        Raises:
            ValueError: As `quantile`.
        """
        indices = sorted(self._counts)
        upto = list(accumulate(map(self._counts.__getitem__, indices)))
        ranks = [_rank(q, upto[-1] if upto else 0) for q in shares]
        return [None if rank is None else self._at_rank(rank, indices, upto) for rank in ranks]

    def _at_rank(self, rank: int, indices: list[int], upto: list[int]) -> int:
        if rank == 1:
            return self._min
        if rank == upto[-1]:
            return self._max
        return self._inside(indices[bisect_left(upto, rank)] - _BIAS)

    def _inside(self, index: int) -> int:
        """The value with the smallest worst-case relative error in a bucket, kept within what was seen."""
        low, high = bucket_bounds_ns(index)
        return min(max(round(2 * low * high / (low + high)), self._min), self._max)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Histogram):
            return NotImplemented
        return (self._counts, self._sum, self._min, self._max) == (other._counts, other._sum, other._min, other._max)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"<Histogram of {self.count} durations>"


def _rank(q: float, count: int) -> int | None:
    if not 0 <= q <= 1:
        raise ValueError(f"expected a share between 0 and 1, got {q}; p99 is 0.99")
    # 1 - 0.999 is not exactly 0.001; without the tolerance the 1,000th sample would still be refused.
    if not count or (0.99 < q < 1 and count * (1 - q) < 1 - 1e-9):
        return None
    return max(1, ceil(q * count - 1e-9))
