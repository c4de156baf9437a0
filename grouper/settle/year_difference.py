"""What a year's clearing changes against an earlier one of the same year: line by line.

A cleared year is never edited. When a list is corrected afterwards, the year is computed anew and
only the differences are paid; earlier result + differences = new result, to the fen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grouper.settle.annual import Annual
from grouper.settle.year_lines import COLUMNS

#: insurance, place, hospital
Row = tuple[str, str, str]
#: row -> column -> fen
Amounts = Mapping[Row, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Difference:
    """One amount of one hospital that changed, in fen."""

    row: Row
    column: str
    old_fen: int
    new_fen: int

    @property
    def fen(self) -> int:
        """New less old."""
        return self.new_fen - self.old_fen


def amounts_of(annual: Annual) -> dict[Row, dict[str, int]]:
    """Every amount of a year, by fund and hospital."""
    return {
        (fund.insurance, fund.place, code): {
            column.id: int(column.of(account) or 0) for column in COLUMNS if column.kind == "fen"
        }
        for fund in annual.funds
        for code, account in fund.clearing.accounts.items()
    }


def differences(old: Amounts, new: Amounts) -> tuple[Difference, ...]:
    """Every amount that differs, in the order of rows and columns; what one lacks counts as 0."""
    found = []
    for row in sorted({*old, *new}):
        before, after = old.get(row, {}), new.get(row, {})
        for column in dict.fromkeys([*before, *after]):
            left, right = before.get(column, 0), after.get(column, 0)
            if left != right:
                found.append(Difference(row, column, left, right))
    return tuple(found)
