"""Amounts: what became of many cases in money, and how it becomes columns of a result file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from grouper.dated import Confidence
from grouper.errors import Issue, Lang
from grouper.money import total
from grouper.records.batch import MISSING_FEN
from grouper.settle.place import Place

#: result columns in order -> (Chinese, English title)
COLUMN_TITLES: dict[str, tuple[str, str]] = {
    "case_type": ("病例类型", "case type"),
    "place": ("参保地类别", "place of insurance"),
    "relative_weight": ("权重", "relative weight"),
    "hospital_coefficient": ("医院系数", "hospital coefficient"),
    "base_rate": ("费率", "base rate"),
    "standard": ("支付标准", "payment standard"),
    "payment": ("应付金额", "payment"),
    "fund_payment": ("统筹基金应付", "pooled fund's part"),
    "difference": ("盈亏", "payment less cost"),
    "payment_rule": ("支付依据", "rule that decided"),
    "payment_issue": ("未计价原因", "why there is no price"),
    "payment_confidence": ("金额可信度", "weakest mark of the values used"),
}
_MARKS_ZH: dict[Confidence, str] = {
    "official": "官方文件",
    "official_draft": "官方征求意见稿",
    "published": "公开资料",
    "unofficial": "非官方资料",
    "constructed": "自行设定",
}


class CaseType(IntEnum):
    """How a case is paid; the lower-case name is the English word in result files.

    CLASS_RULE: by a rule for the class of its group (without weight, unstable ...); CASE_RULE: by
    one for its stay, discharge or ratio (days out of bounds, left against advice ...).
    """

    UNPRICED = 0
    INLIER = 1
    LOW_OUTLIER = 2
    HIGH_OUTLIER = 3
    AMBIGUOUS = 4
    UNGROUPED = 5
    CLASS_RULE = 6
    CASE_RULE = 7

    def word(self, lang: Lang = "en") -> str:
        """The word in result files."""
        return self.name.lower() if lang == "en" else _ZH[self]


_ZH = {
    CaseType.UNPRICED: "未计价",
    CaseType.INLIER: "正常病例",
    CaseType.LOW_OUTLIER: "低倍率病例",
    CaseType.HIGH_OUTLIER: "高倍率病例",
    CaseType.AMBIGUOUS: "歧义组病例",
    CaseType.UNGROUPED: "未入组病例",
    CaseType.CLASS_RULE: "按病组类别付费",
    CaseType.CASE_RULE: "按特定情形付费",
}


@dataclass(frozen=True, slots=True)
class DecidingRule:
    """The rule a payment follows and where the area wrote it down."""

    rule: str
    source: str

    def __str__(self) -> str:
        return f"{self.rule} {self.source}"


@dataclass(frozen=True, slots=True)
class Places:
    """Decimals of weights, coefficients and rates in result columns, at least these."""

    weight: int = 0
    coefficient: int = 0
    rate: int = 0


class Worth(Protocol):
    """What is told of the cell of a case; None = its payment does not rest on such a number."""

    @property
    def weight(self) -> Decimal | None:
        """Relative weight."""

    @property
    def coefficient(self) -> Decimal | None:
        """Hospital coefficient."""

    @property
    def rate(self) -> Decimal | None:
        """Base rate, yuan per weight 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Amounts:
    """One row a case, (n,) arrays; MISSING_FEN where there is no amount.

    case_type       uint8 (CaseType)
    place           uint8 (place.Place): where the patient is insured; statements are keyed by it
    standard_fen    payment standard of the group, rounded half up; none outside the groups
    payable_fen     what the case is paid by its rule, patient and all funds together
    fund_fen        of it the pooled fund's part
    total_fen, pool_fen, other_fen, patient_fen  the bill: cost, pooled fund as recorded, other
                    funds (0 if the source has none), the patient's part
    difference_fen  payable less cost: gain or loss of the hospital
    rule            uint16: 0, or 1 + position in `rules`
    issue           uint32: 0, or 1 + position in `issues`: why the case has no price, or why its
                    bill cannot enter a statement
    cell            int32: position in `cells`, -1 outside the groups
    confidence      the weakest mark of all values used
    places          decimals in result columns, the same for every part of a run
    notice          uint32: 0, or 1 + position in `notices`: what is reported of the bill without
                    keeping the case out of statements (bill_check = warn); empty = none
    score           int64 units of 10**-score_decimals: the scores (分值) of DIP cases, MISSING_FEN
                    where a case has none; None where payment is by DRG
    """

    case_type: NDArray[np.uint8]
    place: NDArray[np.uint8]
    standard_fen: NDArray[np.int64]
    payable_fen: NDArray[np.int64]
    fund_fen: NDArray[np.int64]
    total_fen: NDArray[np.int64]
    pool_fen: NDArray[np.int64]
    other_fen: NDArray[np.int64]
    patient_fen: NDArray[np.int64]
    difference_fen: NDArray[np.int64]
    rule: NDArray[np.uint16]
    issue: NDArray[np.uint32]
    cell: NDArray[np.int32]
    rules: tuple[DecidingRule, ...]
    issues: tuple[Issue, ...]
    cells: tuple[Worth, ...]
    area_id: str
    weight_table: str
    scheme_id: str
    confidence: Confidence
    is_demo: bool
    places: Places = Places()
    notice: NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, np.uint32))
    notices: tuple[Issue, ...] = ()
    score: NDArray[np.int64] | None = None
    score_decimals: int = 0

    def __len__(self) -> int:
        return len(self.case_type)

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Cases that enter statements: priced, with a bill that adds up and a fund that pays."""
        fine: NDArray[np.bool_] = (self.issue == 0) & (self.fund_fen != MISSING_FEN)
        return fine

    def issue_of(self, case: int) -> Issue | None:
        """Why a case has no price or no place in a statement."""
        number = int(self.issue[case])
        return self.issues[number - 1] if number else None

    def notice_of(self, case: int) -> Issue | None:
        """What is reported of a case that is counted all the same."""
        number = int(self.notice[case]) if len(self.notice) else 0
        return self.notices[number - 1] if number else None

    def issue_counts(self) -> list[tuple[Issue, int]]:
        """How many cases each issue marks, the commonest first."""
        counts = Counter(self.issue[self.issue > 0].tolist())
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return [(self.issues[number - 1], count) for number, count in ordered]

    def type_counts(self) -> dict[CaseType, int]:
        """How many cases there are of each type; the counts sum to all cases."""
        counts = np.bincount(self.case_type, minlength=len(CaseType))
        return {kind: int(counts[kind]) for kind in CaseType}

    def mark(self, lang: Lang = "en") -> str:
        """What every output must carry when the values are not verified; "" if they are."""
        return mark_text(self.confidence, is_demo=self.is_demo, lang=lang)

    def to_columns(self, lang: Lang = "en") -> list[tuple[str, pa.Array]]:
        """The result columns in order: texts, and exact decimals in yuan; null where none.

        lang: language of the words; names are the English ones (COLUMN_TITLES has the titles).
        """
        words = [kind.word(lang) for kind in CaseType]
        mark = _MARKS_ZH[self.confidence] if lang == "zh" else self.confidence
        weight = (
            "relative_weight",
            self._of_cell([cell.weight for cell in self.cells], self.places.weight),
        )
        rate = ("base_rate", self._of_cell([cell.rate for cell in self.cells], self.places.rate))
        if self.score is not None:
            weight = ("case_score", decimal_column(self.score, self.score_decimals))
            rate = ("point_value", rate[1])
        return [
            ("case_type", _texts(self.case_type, words)),
            ("place", _texts(self.place, [place.word(lang) for place in Place])),
            weight,
            (
                "hospital_coefficient",
                self._of_cell([cell.coefficient for cell in self.cells], self.places.coefficient),
            ),
            rate,
            ("standard", yuan_column(self.standard_fen)),
            ("payment", yuan_column(self.payable_fen)),
            ("fund_payment", yuan_column(self.fund_fen)),
            ("difference", yuan_column(self.difference_fen)),
            ("payment_rule", _texts(self.rule, ["", *map(str, self.rules)])),
            ("payment_issue", self._remarks(lang)),
            ("payment_confidence", pa.repeat(mark, len(self))),
        ]

    def _remarks(self, lang: Lang) -> pa.Array:
        """The issue of each case, or what is merely reported of it."""
        said = ["", *(_said(one, lang) for one in (*self.issues, *self.notices))]
        which = self.issue
        if len(self.notice):
            noticed = np.where(self.notice > 0, self.notice + np.uint32(len(self.issues)), 0)
            which = np.where(which == 0, noticed, which).astype(np.uint32)
        return _texts(which, said)

    def total_score(self, rows: NDArray[np.integer]) -> Fraction:
        """The exact score of some DIP cases together."""
        if self.score is None:
            raise ValueError("amounts of DRG have no scores")
        known = self.score[rows]
        return Fraction(total(known[known != MISSING_FEN]), 10**self.score_decimals)

    def _of_cell(self, values: Sequence[Decimal | None], least: int) -> pa.Array:
        """A value of the cells, given to each case; all with the same decimals."""
        own = (-_exponent(value) for value in values if value is not None)
        kind = pa.decimal128(38, max(2, least, *own))
        known = pa.array(values, kind)
        return known.take(pa.array(self.cell, mask=self.cell < 0))


def mark_text(confidence: Confidence, *, is_demo: bool, lang: Lang) -> str:
    """What outputs say about the values they rest on."""
    if is_demo:
        return {"zh": "示范数据（虚构），不得用于实际结算", "en": "invented demonstration data"}[
            lang
        ]
    if confidence in ("unofficial", "constructed"):
        return {"zh": "含未经核实的数值", "en": "rests on values that are not verified"}[lang]
    return ""


def yuan_column(fen: NDArray[np.int64]) -> pa.Array:
    """Fen as decimal128(21, 2) yuan without touching a float; MISSING_FEN becomes null."""
    return decimal_column(fen, 2)


def decimal_column(units: NDArray[np.int64], decimals: int) -> pa.Array:
    """Units of 10**-decimals as decimal128; MISSING_FEN becomes null.

    A decimal128 is a 128-bit integer of its last digit: the units themselves, sign extended.
    21 digits hold every int64.
    """
    missing = units == MISSING_FEN
    low = np.where(missing, 0, units)
    words = np.empty((len(units), 2), "<i8")
    words[:, 0] = low
    words[:, 1] = low >> 63
    valid = pa.array(~missing).buffers()[1] if missing.any() else None
    kind = pa.decimal128(21, decimals)
    return pa.Array.from_buffers(kind, len(units), [valid, pa.py_buffer(words)])


def _texts(index: NDArray[np.unsignedinteger], words: Sequence[str]) -> pa.Array:
    return pa.array(words, pa.string()).take(pa.array(index))


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return exponent


def _said(issue: Issue, lang: Lang) -> str:
    return f"{issue.code} {issue.what(lang)}"
