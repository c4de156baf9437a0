"""A statement (月度拨付表): its lines, the sums behind them, and the checks that must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grouper.dated import Confidence
from grouper.errors import Lang
from grouper.money import yuan
from grouper.settle.amounts import CaseType, mark_text
from grouper.settle.entries import Deduction
from grouper.settle.ledger import ListLine

#: id -> (label in Chinese, in English, formula in Chinese, in English)
LINES: Mapping[str, tuple[str, str, str, str]] = {
    "M1": ("病例数", "cases", "计数", "count"),
    "M2": ("医疗总费用", "total cost", "医疗总费用之和", "sum of total cost"),
    "M3": ("支付标准合计", "payment by groups", "各病例应付之和", "sum of case payments"),
    "M4": (
        "个人负担",
        "patients' part",
        "总费用 - 统筹基金 - 其他基金之和",
        "sum of total - pooled fund - other funds",
    ),
    "M5": ("其他基金", "other funds", "其他基金之和", "sum of other funds"),
    "M5b": ("负数归零", "negative parts cut to zero", "归零金额之和", "sum of what was cut"),
    "M6": ("应付统筹基金", "accrued pooled fund", "M3 - M4 - M5 + M5b", "M3 - M4 - M5 + M5b"),
    "M7": (
        "待审特例单议",
        "special cases awaiting review",
        "待审病例已记统筹基金之和，评审决定按差额计",
        "recorded pooled fund of cases awaiting review; decisions as differences",
    ),
    "M8": ("更正", "corrections", "新应付 - 原应付之和", "sum of new - old accrual"),
    "M8b": ("迟报", "late lists", "应付之和", "sum of accrual"),
    "M9": ("审核扣款", "audit deductions", "扣款之和", "sum of deductions"),
    "M10": ("结算基数", "base", "M6 + M7 + M8 + M8b - M9", "M6 + M7 + M8 + M8b - M9"),
    "M11": ("质量保证金", "deposit", "四舍五入(比例 x max(M10, 0))", "round(rate x max(M10, 0))"),
    "M12": ("应拨", "payable", "M10 - M11", "M10 - M11"),
    "M13": (
        "周转金抵扣",
        "advance offset",
        "min(计划额, 未抵余额, max(M12 + M14, 0))",
        "min(schedule, outstanding, max(M12 + M14, 0))",
    ),
    "M14": ("上月结转", "carried in", "上月 M16", "last M16"),
    "M15": ("实拨", "paid", "max(M12 + M14 - M13, 0)", "max(M12 + M14 - M13, 0)"),
    "M16": ("结转下月", "carried out", "min(M12 + M14 - M13, 0)", "min(M12 + M14 - M13, 0)"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a statement; `amount_fen` is a count of cases for M1."""

    id: str
    label_zh: str
    label_en: str
    amount_fen: int
    formula_zh: str
    formula_en: str
    is_count: bool = False

    @property
    def text(self) -> str:
        """The count, or the amount in yuan."""
        return str(self.amount_fen) if self.is_count else yuan(self.amount_fen)


@dataclass(frozen=True, slots=True)
class Part:
    """The cases of one type: how many, and their sums in fen."""

    case_type: CaseType
    cases: int
    total_fen: int
    payable_fen: int
    patient_fen: int
    other_fen: int
    pool_fen: int
    fund_fen: int


@dataclass(frozen=True, slots=True)
class Check:
    """Two numbers that must be equal."""

    name: str
    left: int
    right: int

    @property
    def holds(self) -> bool:
        """Whether they are."""
        return self.left == self.right


@dataclass(frozen=True, slots=True)
class Statement:
    """What one hospital is paid for the cases of one insurance in one month.

    parts: the same sums by case type, special cases awaiting review (`awaiting`) apart.
    not_counted: issue code -> cases that have no price or a bill that does not add up; their cost
    is `not_counted_fen`. They are in no line. deductions and differences say what is in M9, and
    what in M8 and M7. advance_left_fen: what is still to be offset after the month.
    """

    area_id: str
    hospital: str
    hospital_name: str
    insurance: str
    insurance_zh: str
    insurance_en: str
    place: str
    month: str
    lines: tuple[Line, ...]
    parts: tuple[Part, ...]
    checks: tuple[Check, ...]
    not_counted: Mapping[str, int]
    not_counted_fen: int
    confidence: Confidence
    is_demo: bool
    weight_table: str
    scheme_id: str
    awaiting: int = 0
    awaiting_fen: int = 0
    late_cases: int = 0
    deductions: tuple[Deduction, ...] = ()
    differences: tuple[ListLine, ...] = ()
    advance_granted_fen: int = 0
    advance_left_fen: int = 0

    def line(self, line_id: str) -> Line:
        """A line by its id."""
        return next(line for line in self.lines if line.id == line_id)

    @property
    def cases(self) -> int:
        """All cases of the key, counted or not."""
        return self.line("M1").amount_fen + sum(self.not_counted.values())

    def mark(self, lang: Lang = "en") -> str:
        """What the printed statement must carry; "" when its values are verified."""
        return mark_text(self.confidence, is_demo=self.is_demo, lang=lang)

    def to_dict(self) -> dict[str, object]:
        """Stable keys for `--json`; amounts as text in yuan."""
        return {
            "area": self.area_id,
            "hospital": self.hospital,
            "hospital_name": self.hospital_name,
            "insurance": self.insurance,
            "place": self.place,
            "month": self.month,
            "lines": {line.id: line.text for line in self.lines},
            "parts": [
                {
                    "case_type": part.case_type.word("en"),
                    "cases": part.cases,
                    "total": yuan(part.total_fen),
                    "payment": yuan(part.payable_fen),
                    "patient": yuan(part.patient_fen),
                    "other_funds": yuan(part.other_fen),
                    "recorded_fund": yuan(part.pool_fen),
                    "fund_payment": yuan(part.fund_fen),
                }
                for part in self.parts
            ],
            "special_awaiting": {"cases": self.awaiting, "total": yuan(self.awaiting_fen)},
            "late_cases": self.late_cases,
            "differences": [one.to_dict() for one in self.differences],
            "deductions": [one.to_dict() for one in self.deductions],
            "advance_granted": yuan(self.advance_granted_fen),
            "advance_left": yuan(self.advance_left_fen),
            "not_counted": dict(self.not_counted),
            "not_counted_cost": yuan(self.not_counted_fen),
            "scheme": self.scheme_id,
            "weight_table": self.weight_table,
            "confidence": self.confidence,
            "mark": self.mark("en"),
        }
