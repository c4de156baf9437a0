"""What changed from one weight table to another, group by group and value by value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from weights.table import NUMBERS, Facts, WeightTable

Kind = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class Change:
    """One value that differs; for a group that only one table has, its weight or first value.

    old, new: None where there is none.
    """

    kind: Kind
    group: str
    name: str
    facts: Facts
    column: str
    old: Decimal | None
    new: Decimal | None

    @property
    def ratio(self) -> Fraction | None:
        """New over old, None where one of them is missing or old is 0."""
        if self.old is None or self.new is None or self.old == 0:
            return None
        return Fraction(self.new) / Fraction(self.old)


def diff(old: WeightTable, new: WeightTable) -> tuple[Change, ...]:
    """Every difference, by group code; rows are compared for the same insurance, level, hospital.

    A column that one of the tables does not have at all is not compared.
    """
    shared = [name for name in NUMBERS if _has(old, name) and _has(new, name)]
    groups = sorted({*old.group_codes, *new.group_codes})
    return tuple(change for group in groups for change in _changes(old, new, group, shared))


def _changes(
    old: WeightTable, new: WeightTable, group: str, columns: list[str]
) -> Iterator[Change]:
    before, after = _rows(old, group), _rows(new, group)
    table = new if group in new else old
    name = next((table.names[row] for row in table.rows_of(group) if table.names[row]), "")
    if not before or not after:
        kind: Kind = "added" if after else "removed"
        own = after or before
        for facts in own:
            column = next((c for c in NUMBERS if own[facts].get(c) is not None), "weight")
            value = own[facts].get(column)
            pair = (None, value) if kind == "added" else (value, None)
            yield Change(kind, group, name, facts, column, *pair)
        return
    for facts in dict.fromkeys([*before, *after]):
        for column in columns:
            left = before.get(facts, {}).get(column)
            right = after.get(facts, {}).get(column)
            if left != right:
                yield Change("changed", group, name, facts, column, left, right)


def _rows(table: WeightTable, group: str) -> dict[Facts, dict[str, Decimal | None]]:
    return {
        table.facts[row]: {name: table.numbers[name].decimal(row) for name in NUMBERS}
        for row in table.rows_of(group)
    }


def _has(table: WeightTable, column: str) -> bool:
    numbers = table.numbers[column]
    return any(numbers.decimal(row) is not None for row in range(len(table)))
