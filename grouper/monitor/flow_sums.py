"""Sums by pair of results, in parts that add up: whole cases, fen and units of weight."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
#: what is summed for a flow; `*_known` counts the cases that have the amount
MEASURES = (
    "cases",
    "cost",
    "cost_known",
    "weight_from",
    "weight_from_known",
    "payment_from",
    "payment_from_known",
    "weight_to",
    "weight_to_known",
    "payment_to",
    "payment_to_known",
)


@dataclass(frozen=True)
class FlowSums:
    """Sums by key, keys rising: `sums` (k, measures) int64; `first`: the least position of each."""

    keys: Ids
    sums: Ids
    first: Ids

    @classmethod
    def of(cls, keys: Ids, values: Ids, positions: Ids) -> FlowSums:
        """Rows summed by key; values (n, measures)."""
        if not len(keys):
            return cls(keys, values, positions)
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        return cls(
            ordered[begins],
            np.add.reduceat(values[order], begins, axis=0),
            np.minimum.reduceat(positions[order], begins),
        )

    @classmethod
    def none(cls) -> FlowSums:
        """No rows."""
        empty = np.zeros(0, np.int64)
        return cls(empty, np.zeros((0, len(MEASURES)), np.int64), empty)

    def plus(self, other: FlowSums) -> FlowSums:
        """The sums of both."""
        return FlowSums.of(
            np.concatenate([self.keys, other.keys]),
            np.concatenate([self.sums, other.sums]),
            np.concatenate([self.first, other.first]),
        )


@dataclass(frozen=True)
class PartFlows:
    """What a part of a file amounts to: flows in all, and for each value of each dimension."""

    all: FlowSums
    by: Mapping[str, tuple[tuple[str, ...], FlowSums]] = field(default_factory=dict)


def part_flows(
    before: Ids,
    after: Ids,
    width: tuple[int, int],
    values: Ids,
    positions: Ids,
    dimensions: Mapping[str, tuple[Ids, tuple[str, ...]]],
) -> PartFlows:
    """Sum the rows of a part.

    before, after: (n,) labels out of `width` ones; values: (n, measures); positions: (n,) where a
    row stands; dimensions: name -> ids (n,) and the texts behind them.
    """
    pair = before * width[1] + after
    size = width[0] * width[1]
    by = {
        name: (texts, FlowSums.of(ids * size + pair, values, positions))
        for name, (ids, texts) in dimensions.items()
    }
    return PartFlows(FlowSums.of(pair, values, positions), by)


class FlowTally:
    """Parts added up in any number; the dimensions' texts are numbered as they come."""

    def __init__(self, width: tuple[int, int], dimensions: Iterable[str]) -> None:
        self.width = width
        self.all = FlowSums.none()
        self.by = {name: FlowSums.none() for name in dimensions}
        self._ids: dict[str, dict[str, int]] = {name: {} for name in self.by}

    def add(self, part: PartFlows) -> None:
        """Take in a part."""
        self.all = self.all.plus(part.all)
        size = self.width[0] * self.width[1]
        for name, (texts, flows) in part.by.items():
            ids = self._ids[name]
            renumber = np.array([ids.setdefault(text, len(ids)) for text in texts], np.int64)
            value, pair = np.divmod(flows.keys, size)
            again = FlowSums.of(renumber[value] * size + pair, flows.sums, flows.first)
            self.by[name] = self.by[name].plus(again)

    def texts(self, dimension: str) -> tuple[str, ...]:
        """The values of a dimension, by number."""
        return tuple(self._ids[dimension])
