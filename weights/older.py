"""An estimate beside an older weight table: what changes for whom."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from grouper.errors import Issue
from weights.estimated import Estimate
from weights.table import WeightTable


@dataclass(frozen=True, slots=True)
class Compared:
    """A group in an older table and in an estimate: both weights (None = none) and the cases."""

    code: str
    name: str
    cases: int
    old: Decimal | None
    new: Decimal | None

    @property
    def change(self) -> Fraction | None:
        """New over old, less 1."""
        if self.old is None or self.new is None or not self.old:
            return None
        return Fraction(self.new) / Fraction(self.old) - 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """An estimate beside an older table.

    rows: every group of either, the largest shift of total weight first; scale: what the old
    weights are multiplied with so that the cases of the history weigh the same in all.
    """

    old_id: str
    rows: tuple[Compared, ...]
    scale: Fraction | None


def compare(found: Estimate, old: WeightTable) -> Comparison:
    """An estimate beside an older table of the same groups."""
    now = {one.code: one for one in found.groups}
    codes = dict.fromkeys([*now, *old.group_codes])
    rows = [
        Compared(
            code,
            now[code].name if code in now else "",
            now[code].kept if code in now else 0,
            old.find_weight(code),
            now[code].printed if code in now else None,
        )
        for code in codes
    ]
    both = [row for row in rows if row.old is not None and row.new is not None]
    before = sum((row.cases * Fraction(row.old or 0) for row in both), Fraction(0))
    after = sum((row.cases * Fraction(row.new or 0) for row in both), Fraction(0))
    scale = after / before if before else None

    def shift(row: Compared) -> tuple[Fraction, str]:
        if row.old is None or row.new is None or scale is None:
            return Fraction(0), row.code
        return -abs(row.cases * (Fraction(row.new) - scale * Fraction(row.old))), row.code

    return Comparison(old.id, tuple(sorted(rows, key=shift)), scale)


def lacking(comparison: Comparison, *, limit: int = 10) -> list[Issue]:
    """Groups of the older table that the history has no case of (WT233), as one issue."""
    codes = sorted(row.code for row in comparison.rows if row.new is None and row.old is not None)
    if not codes:
        return []
    shown = ", ".join(codes[:limit]) + (" ..." if len(codes) > limit else "")
    params = {"count": len(codes), "groups": shown, "table": comparison.old_id}
    return [Issue("WT233", "", params)]
