"""The same discharges settled twice: who gains and who pays when rules change.

A case counts on a side where its payment can enter a statement. What changes is told over the
cases that count on both sides, so that the two payments are of the same cases; the others are
counted beside them, with what they are paid on the side that prices them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from grouper.errors import SettlementError
from grouper.settle.amounts import Amounts

_Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over some cases, in fen.

    cases, cost: those that count on both sides; before, after: what these are paid; fund_before,
    fund_after: of it the pooled fund's part; only_before, only_after, neither: cases that count on
    one side alone or on none; lost: what the former are paid before, gained: the latter after.
    """

    cases: int = 0
    cost: int = 0
    before: int = 0
    after: int = 0
    fund_before: int = 0
    fund_after: int = 0
    only_before: int = 0
    only_after: int = 0
    neither: int = 0
    lost: int = 0
    gained: int = 0

    @property
    def change(self) -> int:
        """What the cases are paid more under the rules after."""
        return self.after - self.before

    @property
    def fund_change(self) -> int:
        """What the pooled fund pays more under the rules after."""
        return self.fund_after - self.fund_before

    @property
    def surplus_before(self) -> int:
        """Payment less cost under the rules before; negative is a loss."""
        return self.before - self.cost

    @property
    def surplus_after(self) -> int:
        """Payment less cost under the rules after."""
        return self.after - self.cost

    @property
    def all_cases(self) -> int:
        """The cases however they count."""
        return self.cases + self.only_before + self.only_after + self.neither


_NAMES = tuple(field.name for field in fields(Sums))


@dataclass(frozen=True, slots=True)
class Labels:
    """What the cases are divided by: case i belongs to `texts[ids[i]]`."""

    ids: _Ints
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Simulation:
    """total, and by the name of a division: label -> its sums, the largest loss first."""

    total: Sums
    by: Mapping[str, Mapping[str, Sums]]


def simulate(before: Amounts, after: Amounts, divisions: Mapping[str, Labels]) -> Simulation:
    """What changes between two settlements of the same cases.

    Raises ValueError for lengths that differ, SettlementError ST307 if the sums of a division are
    not those of all cases (a defect).
    """
    lengths = {len(before), len(after), *(len(labels.ids) for labels in divisions.values())}
    if len(lengths) != 1:
        raise ValueError(f"not the same cases: {sorted(lengths)}")
    table = _columns(before, after)
    total = _sums(table.sum(axis=1))
    by = {name: _divided(table, labels) for name, labels in divisions.items()}
    for name, parts in by.items():
        _check(name, total, parts.values())
    return Simulation(total, by)


def _columns(before: Amounts, after: Amounts) -> _Ints:
    """The values of each case in the order of `Sums`, (11, n)."""
    both = before.counted & after.counted
    first, second = before.counted & ~after.counted, after.counted & ~before.counted
    values = (
        (both, 1),
        (both, before.total_fen),
        (both, before.payable_fen),
        (both, after.payable_fen),
        (both, before.fund_fen),
        (both, after.fund_fen),
        (first, 1),
        (second, 1),
        (~(before.counted | after.counted), 1),
        (first, before.payable_fen),
        (second, after.payable_fen),
    )
    return np.array([np.where(where, value, 0) for where, value in values], np.int64)


def _sums(values: _Ints) -> Sums:
    return Sums(**dict(zip(_NAMES, values.tolist(), strict=True)))


def _divided(table: _Ints, labels: Labels) -> dict[str, Sums]:
    sums = np.zeros((len(labels.texts), len(table)), np.int64)
    np.add.at(sums, labels.ids, table.T)
    found = {text: _sums(row) for text, row in zip(labels.texts, sums, strict=True) if row.any()}
    order = sorted(found.items(), key=lambda item: (item[1].change, item[0]))
    return dict(order)


def _check(name: str, total: Sums, parts: Iterable[Sums]) -> None:
    together = [sum(values) for values in zip(*(map(_values, parts)), strict=True)]
    for key, left, right in zip(_NAMES, _values(total), together or [0] * len(_NAMES), strict=True):
        if left != right:
            raise SettlementError("ST307", check=f"{name}: {key}", left=left, right=right)


def _values(sums: Sums) -> list[int]:
    return [int(getattr(sums, name)) for name in _NAMES]
