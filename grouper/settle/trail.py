"""One case and its amount: the facts that go in, and the trail of steps that comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from grouper.dated import Confidence
from grouper.errors import Issue, Lang
from grouper.money import yuan
from grouper.settle.amounts import CaseType, DecidingRule, mark_text
from grouper.settle.place import Place


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What settlement needs to know of one discharge; None = missing, money in fen.

    bill: other amounts by field, days: dates by field as days since 1970; those the source has.
    adjustment (auxiliary coefficient, "" = none) and group_kind are of DIP cases.
    """

    hospital: str
    hospital_level: str
    insurance: str
    discharge_date: date | None
    total_cost_fen: int | None
    fund_basic_fen: int | None = None
    other_funds_fen: int | None = None
    area_insured: str = ""
    los_days: int | None = None
    leave: str = ""
    age_years: int | None = None
    bill: Mapping[str, int | None] = field(default_factory=dict)
    days: Mapping[str, int] = field(default_factory=dict)
    where: str = ""
    adjustment: str = ""
    group_kind: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the calculation: a stable key, its names, its value as text, where from.

    source: the document; value_zh: the value in Chinese where it has words in it; formula: in the
    symbols of settle.formulas; parameter: section of the policy and its days, or the weight table.
    """

    key: str
    label_zh: str
    label_en: str
    value: str
    source: str = ""
    value_zh: str = ""
    formula: str = ""
    parameter: str = ""

    def said(self, lang: Lang) -> dict[str, str]:
        """Name, formula, value, parameter and document for a reader of the language."""
        return {
            "name": self.label_zh if lang == "zh" else self.label_en,
            "formula": self.formula,
            "value": self.value_zh if lang == "zh" and self.value_zh else self.value,
            "parameter": self.parameter,
            "document": self.source,
        }

    def text(self, lang: Lang) -> str:
        """`label: value  [source]`."""
        label = self.label_zh if lang == "zh" else self.label_en
        value = self.value_zh if lang == "zh" and self.value_zh else self.value
        return f"{label}: {value}" + (f"  [{self.source}]" if self.source else "")


@dataclass(frozen=True, slots=True)
class CaseAmount:
    """What one case is paid and how that came about; None = no such amount."""

    case_type: CaseType
    group_code: str
    place: Place = Place.LOCAL
    payable_fen: int | None = None
    fund_fen: int | None = None
    patient_fen: int | None = None
    difference_fen: int | None = None
    standard_fen: int | None = None
    rule: DecidingRule | None = None
    issue: Issue | None = None
    notice: Issue | None = None
    steps: tuple[Step, ...] = ()
    confidence: Confidence = "official"
    is_demo: bool = False

    def to_dict(self, lang: Lang = "en") -> dict[str, object]:
        """Stable keys for `--json`; amounts as text in yuan."""
        amounts = {
            "standard": self.standard_fen,
            "payment": self.payable_fen,
            "fund_payment": self.fund_fen,
            "patient": self.patient_fen,
            "difference": self.difference_fen,
        }
        return {
            "case_type": self.case_type.word("en"),
            "group": self.group_code,
            "place": self.place.key,
            **{key: None if fen is None else yuan(fen) for key, fen in amounts.items()},
            "rule": str(self.rule) if self.rule else None,
            "issue": self.issue.to_dict(lang) if self.issue else None,
            "notice": self.notice.to_dict(lang) if self.notice else None,
            "steps": {step.key: step.value for step in self.steps},
            "confidence": self.confidence,
            "mark": mark_text(self.confidence, is_demo=self.is_demo, lang=lang),
        }

    def text(self, lang: Lang = "en") -> str:
        """The calculation, one step a line."""
        lines = [step.text(lang) for step in self.steps]
        lines += [one.text(lang) for one in (self.issue, self.notice) if one]
        mark = mark_text(self.confidence, is_demo=self.is_demo, lang=lang)
        return "\n".join([*lines, mark] if mark else lines)
