"""Inpatient settlements as columns, the institutions they come from, and the periods they fall in.

What the coverage measures need and no more: plain arrays, so that a table of any origin will do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

#: "no amount given" in `Cases.pool_fen`, as in the record batches
MISSING_FEN = -(2**63)
_MISSING_DAY = -(2**31)

PeriodKind = Literal["month", "quarter", "year", "cumulative"]


@dataclass(frozen=True, slots=True)
class Category:
    """A column of words: row i reads `names[index[i]]`; names are distinct. index: (n,) int32."""

    names: tuple[str, ...]
    index: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.index)

    @classmethod
    def of(cls, values: Sequence[str]) -> Category:
        """A column from one word a row."""
        ids: dict[str, int] = {}
        index = np.fromiter(
            (ids.setdefault(value, len(ids)) for value in values), np.int32, len(values)
        )
        return cls(tuple(ids), index)

    @classmethod
    def coded(cls, names: Sequence[str], index: NDArray[np.integer]) -> Category:
        """A column from ids into a table of names, which may hold a name twice."""
        merged = cls.of(names)
        return cls(merged.names, merged.index[index])

    @classmethod
    def same(cls, value: str, length: int) -> Category:
        """A column that reads `value` in every row."""
        return cls((value,), np.zeros(length, np.int32))


@dataclass(frozen=True, slots=True)
class Hospital:
    """A designated institution (定点医疗机构), as the contract register of its area knows it.

    excluded_only: all its inpatient work is of kinds the area keeps out of DRG/DIP, such as
    psychiatric bed days or long-term care.
    """

    code: str
    area: str
    level: str = ""
    name: str = ""
    contract: bool = True
    inpatient: bool = True
    excluded_only: bool = False

    @property
    def eligible(self) -> bool:
        """Whether it counts as 符合条件的医疗机构: contract, inpatients, not excluded kinds only.

        Confidence: constructed; no national text defines the word.
        """
        return self.contract and self.inpatient and not self.excluded_only


@dataclass(frozen=True, slots=True)
class Area:
    """A pooling area (统筹地区) and the year in which its DRG/DIP payment started, if known."""

    name: str
    start_year: int | None = None


@dataclass(frozen=True, slots=True)
class Cases:
    """n inpatient settlements, each column of length n.

    hospital      code of the institution
    area          pooling area whose fund pays; "" = the area of the institution
    insurance     as the source writes it; "" = not told
    disease_type  ADRG (or category of the principal diagnosis); "" = none known
    month         (n,) int32 yyyymm of the settlement (or of the discharge); 0 = not known
    paid          (n,) bool: grouped and paid by DRG/DIP
    pool_fen      (n,) int64: pooled basic fund spent on the case; MISSING_FEN = not known
    excluded      (n,) bool: of a kind the area keeps out of DRG/DIP (short, long, bed-day stays)

    Raises ValueError when lengths differ.
    """

    hospital: Category
    area: Category
    insurance: Category
    disease_type: Category
    month: NDArray[np.int32]
    paid: NDArray[np.bool_]
    pool_fen: NDArray[np.int64]
    excluded: NDArray[np.bool_]

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in self.__slots__}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns of different length: {lengths}")

    def __len__(self) -> int:
        return len(self.month)


@dataclass(frozen=True, slots=True)
class Period:
    """Months `first` to `last` (yyyymm, both included) of one year."""

    label: str
    first: int
    last: int

    @property
    def year(self) -> int:
        """The calendar year, by which targets are chosen."""
        return self.last // 100


def hospitals_in(cases: Cases, *, level: Category | None = None) -> tuple[Hospital, ...]:
    """A stand-in for the contract register: every institution that has cases, all eligible.

    level: (n,) level of the institution as each case tells it. Its area and level are those most
    of its cases name (on a tie the smaller word).
    """
    levels = level or Category.same("", len(cases))
    area = _commonest(cases.area, cases.hospital)
    grade = _commonest(levels, cases.hospital)
    return tuple(
        Hospital(code, area[code], grade[code])
        for code in sorted(cases.hospital.names)
        if code in area
    )


def _commonest(column: Category, hospital: Category) -> dict[str, str]:
    """For each institution that has cases the word most of them name, the smaller on a tie."""
    pair = hospital.index.astype(np.int64) * len(column.names) + column.index
    values, counts = np.unique(pair, return_counts=True)
    best: dict[str, tuple[int, str]] = {}
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        code, word = divmod(value, len(column.names))
        name, rank = hospital.names[code], (-count, column.names[word])
        best[name] = min(best.get(name, rank), rank)
    return {name: word for name, (_, word) in best.items()}


def months_of(days: NDArray[np.int32]) -> NDArray[np.int32]:
    """The month yyyymm of dates given as days since 1970-01-01; 0 where the date is missing."""
    known = days != _MISSING_DAY
    months = np.where(known, days, 0).astype("datetime64[D]").astype("datetime64[M]").astype(int)
    year, month = np.divmod(months, 12)
    return np.where(known, (1970 + year) * 100 + month + 1, 0).astype(np.int32)


def periods(month: NDArray[np.int32], kind: PeriodKind) -> tuple[Period, ...]:
    """The periods of one kind in which there is at least one case, earliest first.

    month: (n,) yyyymm, 0 = not known. `cumulative` runs from January to each month present.
    """
    present = [int(m) for m in np.unique(month) if m > 0]
    return tuple(dict.fromkeys(_period(m, kind) for m in present))


def _period(month: int, kind: PeriodKind) -> Period:
    year, number = divmod(month, 100)
    january = year * 100 + 1
    if kind == "month":
        return Period(f"{year}-{number:02d}", month, month)
    if kind == "quarter":
        quarter = (number - 1) // 3
        first = january + 3 * quarter
        return Period(f"{year}-Q{quarter + 1}", first, first + 2)
    if kind == "year":
        return Period(str(year), january, year * 100 + 12)
    return Period(f"{year}-01..{number:02d}", january, month)
