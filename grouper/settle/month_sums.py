"""What a closed month leaves to the year: the sums of one hospital, insurance and place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: lines of a statement that are amounts, in their order
AMOUNT_LINES = (
    *("M2", "M3", "M4", "M5", "M5b", "M6", "M7", "M8", "M8b", "M9"),
    *("M10", "M11", "M12", "M13", "M14", "M15", "M16"),
)
_KEY = ("month", "hospital", "insurance", "place")
_COUNTS = ("cases", "late_cases")
_AMOUNTS = (
    *("total_fen", "patient_fen", "other_fen", "recorded_fen"),
    *("special_recorded_fen", "special_approved_fen"),
    *("advance_granted_fen", "advance_left_fen", "advance_schedule_fen"),
)

#: columns of the file of sums, in their order; amounts in fen
SUM_COLUMNS = (*_KEY, *_COUNTS, *(f"{line}_fen" for line in AMOUNT_LINES), *_AMOUNTS)


@dataclass(frozen=True, slots=True)
class MonthSums:
    """One statement of a closed month in numbers, amounts in fen.

    cases: lists accepted in time, special ones included (M1); late_cases: those in M8b.
    lines: `M2` to `M16`, as on the statement; M9 are the audit deductions.
    total_fen, patient_fen, other_fen, recorded_fen (pooled fund as the lists have it): over all
    that entered in the month, late lists and the differences of corrections included, so that the
    months of a year sum to its lists as they stand. Of recorded_fen special_recorded_fen belongs
    to special cases; special_approved_fen is what decisions of this month granted them.
    advance_granted_fen: paid out in this month; advance_left_fen: still to be offset after it,
    advance_schedule_fen of it a month.
    """

    month: str
    hospital: str
    insurance: str
    place: str
    cases: int
    late_cases: int
    lines: Mapping[str, int]
    total_fen: int
    patient_fen: int
    other_fen: int
    recorded_fen: int
    special_recorded_fen: int
    special_approved_fen: int
    advance_granted_fen: int
    advance_left_fen: int
    advance_schedule_fen: int

    @property
    def key(self) -> tuple[str, str, str]:
        """Hospital, insurance and place."""
        return self.hospital, self.insurance, self.place

    def to_cells(self) -> list[str]:
        """The values in the order of SUM_COLUMNS."""
        return [
            *(getattr(self, name) for name in _KEY),
            *(str(getattr(self, name)) for name in _COUNTS),
            *(str(self.lines[line]) for line in AMOUNT_LINES),
            *(str(getattr(self, name)) for name in _AMOUNTS),
        ]

    @classmethod
    def from_cells(cls, cells: Mapping[str, str]) -> MonthSums:
        """The inverse of `to_cells`, by column. Raises ValueError for what is no whole number."""
        values: dict[str, Any] = {name: cells[name] for name in _KEY}
        values |= {name: int(cells[name]) for name in (*_COUNTS, *_AMOUNTS)}
        values["lines"] = {line: int(cells[f"{line}_fen"]) for line in AMOUNT_LINES}
        return cls(**values)
