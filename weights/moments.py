"""Exact counts, sums and squares of the costs that trimming keeps, by group and year."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from weights.history import History
from weights.trim import Limits

#: keys looked at in one go: a block ends with the group that reaches so many
_BLOCK = 1 << 20
#: a deviation of 40 bits is squared in two halves, whose products int64 can sum
_HALF = 20

_Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The keys of some groups, `first` to `last` (exclusive).

    group: (m,) position of the group in the history; fen, year, counts: (m,); inside: (m,) whether
    the limits keep the cost; starts: (groups of the block,) where each begins.
    """

    first: int
    last: int
    group: _Ints
    fen: _Ints
    year: NDArray[np.uint8]
    counts: _Ints
    inside: NDArray[np.bool_]
    starts: _Ints

    def by_group(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """The sum of (m,) values over each group of the block."""
        summed: NDArray[np.generic] = np.add.reduceat(values, self.starts)
        return summed


def blocks(found: History, limits: Sequence[Limits]) -> Iterator[Block]:
    """The keys of a history, whole groups at a time."""
    low, high = np.array([one.fen for one in limits], np.int64).T
    starts = found.starts()
    first = 0
    while first < len(found.groups):
        last = int(np.searchsorted(starts, starts[first] + _BLOCK, side="right"))
        last = min(max(last, first + 1), len(found.groups))
        part = slice(int(starts[first]), int(starts[last]))
        keys = found.keys[part]
        sizes = np.diff(starts[first : last + 1])
        group = np.repeat(np.arange(first, last), sizes)
        fen = History.fen_of(keys)
        inside = (fen >= low[group]) & (fen <= high[group])
        counts = found.counts[part].astype(np.int64)
        own = starts[first:last] - starts[first]
        yield Block(first, last, group, fen, History.year_of(keys), counts, inside, own)
        first = last


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """What is kept of every group.

    cases: (groups, years) int64, kept cases; fen: the same, their cost; every: (groups,) cases
    before trimming; kept, total_fen: (groups,) cases and cost over all years; squares: for each
    group the exact sum of the squared deviations from its own mean, in square fen.
    """

    cases: _Ints
    fen: _Ints
    every: _Ints
    kept: tuple[int, ...]
    total_fen: tuple[int, ...]
    squares: tuple[Fraction, ...]


def moments(found: History, limits: Sequence[Limits]) -> Moments:
    """The moments of every group of a history under some limits."""
    shape = (len(found.groups), len(found.years))
    cases, fen = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    every = np.zeros(shape[0], np.int64)
    squares: list[Fraction] = []
    for block in blocks(found, limits):
        own = slice(block.first, block.last)
        every[own] = block.by_group(block.counts)
        kept = np.where(block.inside, block.counts, 0)
        for year in range(shape[1]):
            many = np.where(block.year == year, kept, 0) if shape[1] > 1 else kept
            cases[own, year] = block.by_group(many)
            fen[own, year] = block.by_group(many * block.fen)
        squares += _squares(block, kept, cases[own].sum(axis=1), fen[own].sum(axis=1))
    kept_in_all, fen_in_all = (tuple(both.sum(axis=1).tolist()) for both in (cases, fen))
    return Moments(cases, fen, every, kept_in_all, fen_in_all, tuple(squares))


def _squares(block: Block, kept: _Ints, cases: _Ints, fen: _Ints) -> list[Fraction]:
    """Sum of (x - mean)^2 = sum of (x - c)^2 - (sum of (x - c))^2 / n, c a whole number near it."""
    centre = fen // np.maximum(cases, 1)
    off = block.fen - centre[block.group - block.first]
    high, low = off >> _HALF, off & ((1 << _HALF) - 1)
    parts = zip(
        *(block.by_group(kept * part).tolist() for part in (high * high, high * low, low * low)),
        (fen - centre * cases).tolist(),
        cases.tolist(),
        strict=True,
    )
    return [
        (hh << 2 * _HALF) + (hl << (_HALF + 1)) + ll - Fraction(rest * rest, max(n, 1))
        for hh, hl, ll, rest, n in parts
    ]
