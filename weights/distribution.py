"""How the costs of a group are spread: bins that grow by a constant ratio, payment limits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from weights.history import History

#: bins of a group
BINS = 32


@dataclass(frozen=True, slots=True)
class Distribution:
    """Bin k holds `counts[k]` cases with `edges[k]` <= cost < `edges[k + 1]`, in fen."""

    edges: tuple[int, ...]
    counts: tuple[int, ...]


def distribution(found: History, group: int, *, bins: int = BINS) -> Distribution:
    """The costs of a group, by its position, before trimming; every case is in one bin."""
    start, stop = found.starts()[group : group + 2].tolist()
    fen, counts = History.fen_of(found.keys[start:stop]), found.counts[start:stop]
    first, last = int(fen[0]), int(fen[-1]) + 1
    edges = np.unique(np.rint(np.geomspace(first, last, bins + 1)).astype(np.int64))
    edges[0], edges[-1] = first, last
    at = np.searchsorted(edges, fen, side="right") - 1
    many = np.bincount(at, counts, minlength=len(edges) - 1).astype(np.int64)
    return Distribution(tuple(edges.tolist()), tuple(many.tolist()))


@dataclass(frozen=True, slots=True)
class Outliers:
    """Payment limits of a group in exact fen, and its cases below the low, above the high one."""

    low_fen: Fraction
    high_fen: Fraction
    low: int
    high: int


def outliers(found: History, group: int, low_fen: Fraction, high_fen: Fraction) -> Outliers:
    """The cases of a group, by its position, that cost less or more than some limits."""
    start, stop = found.starts()[group : group + 2].tolist()
    fen, counts = History.fen_of(found.keys[start:stop]), found.counts[start:stop]
    below, above = fen < math.ceil(low_fen), fen > math.floor(high_fen)
    low, high = (int(counts[rows].sum(dtype=np.int64)) for rows in (below, above))
    return Outliers(low_fen, high_fen, low, high)
