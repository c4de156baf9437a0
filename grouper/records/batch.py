"""Many discharges as columns: what readers make and every later step takes.

Missing values: `MISSING` (the smallest int32) for numbers, `MISSING_FEN` (the smallest int64) for
money, 0 for sex, discharge disposition and insurance. No NaN anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MISSING = -(2**31)
MISSING_FEN = -(2**63)

#: admission weight (grams) and ICU hours are kept in thousandths, so that decimals stay exact
THOUSANDTHS = 1000


@dataclass(frozen=True, slots=True)
class CodeColumn:
    """The codes of n cases: element k of case i is `texts[index[offsets[i] + k]]`.

    texts: distinct spellings; index: (m,) int32; offsets: (n + 1,) int32, rising from 0 to m.
    Element 0 of a diagnosis column is the principal diagnosis, of procedures the main procedure.
    """

    texts: Sequence[str]
    index: NDArray[np.int32]
    offsets: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def codes(self, case: int) -> tuple[str, ...]:
        """The codes of one case, in order."""
        part = self.index[self.offsets[case] : self.offsets[case + 1]]
        return tuple(self.texts[k] for k in part)

    @classmethod
    def from_lists(cls, lists: Sequence[Sequence[str]]) -> CodeColumn:
        """A column from one list of codes a case."""
        ids: dict[str, int] = {}
        index = [ids.setdefault(code, len(ids)) for codes in lists for code in codes]
        offsets = np.zeros(len(lists) + 1, np.int32)
        np.cumsum([len(codes) for codes in lists], out=offsets[1:])
        return cls(list(ids), np.array(index, np.int32), offsets)

    def slice(self, start: int, stop: int) -> CodeColumn:
        """Cases `start` to `stop` (exclusive) as a column of their own."""
        low, high = self.offsets[start], self.offsets[stop]
        return CodeColumn(
            self.texts, self.index[low:high], self.offsets[start : stop + 1] - np.int32(low)
        )


@dataclass(frozen=True, slots=True)
class CaseBatch:
    """n discharges as columns of length n; columns a source does not have are all missing.

    dx, px             codes, principal diagnosis and main procedure first
    sex                uint8: 1 male, 2 female, 0 missing or anything else
    age_years          int32, whole years; age_days int32; los_days int32
    admission_weight, birth_weight  int32, thousandths of a gram; the second may be empty
    icu_hours          int32, thousandths of an hour
    discharge_disposition  uint8: 离院方式 1-5, 9; 0 missing
    reject             uint16: 0 = usable, else 1 + position in `reject_codes`
    case_id, hospital, hospital_level, insurance, area, area_insured  text, "" = missing; may be
                       empty lists; area: of the hospital, area_insured: of the insurance
    discharge_date     int32, days since 1970-01-01
    total_cost_fen, fund_basic_fen, other_funds_fen  int64 fen
    admission_date, settlement_date  int32, days since 1970-01-01
    bill               the other amounts of the bill by field name, int64 fen; those the source has
    source, row        where a case came from: source name and row number (1-based) in it
    """

    dx: CodeColumn
    px: CodeColumn
    sex: NDArray[np.uint8]
    age_years: NDArray[np.int32]
    age_days: NDArray[np.int32]
    admission_weight: NDArray[np.int32]
    los_days: NDArray[np.int32]
    icu_hours: NDArray[np.int32]
    discharge_disposition: NDArray[np.uint8]
    reject: NDArray[np.uint16]
    reject_codes: tuple[str, ...] = ()
    birth_weight: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    case_id: Sequence[str] = ()
    hospital: Sequence[str] = ()
    hospital_level: Sequence[str] = ()
    insurance: Sequence[str] = ()
    area: Sequence[str] = ()
    area_insured: Sequence[str] = ()
    discharge_date: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    total_cost_fen: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    fund_basic_fen: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    other_funds_fen: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    admission_date: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    settlement_date: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    bill: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    source: str = ""
    row: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.sex)
