"""One case, step by step: the same price as in a batch, with every intermediate for the reader.

Shares the price of the cell with settle.case; compares cost and threshold by cross product
instead of by limits among whole fen, so that tests can hold one against the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction

from grouper.dated import Confidence
from grouper.engine.groups import Status
from grouper.errors import Issue, Lang
from grouper.money import FEN_PER_YUAN, decimal_text, round_half_up, yuan
from grouper.policy.model import Allow, CostRule, Policy, Terms, require_verified
from grouper.settle.amounts import CaseType, DecidingRule, mark_text
from grouper.settle.case import SchemeStatus, check_fit
from grouper.settle.cell import Cell, Threshold, deciding_rule, price_cell
from grouper.settle.fund import fund_a
from grouper.settle.outliers import stands
from grouper.settle.place import Place, place_in, unknown_place
from weights.table import WeightTable


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What settlement needs to know of one discharge; None = missing, money in fen."""

    hospital: str
    hospital_level: str
    insurance: str
    discharge_date: date | None
    total_cost_fen: int | None
    fund_basic_fen: int | None = None
    other_funds_fen: int | None = None
    area_insured: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the calculation: a stable key, its names, its value as text, where from.

    value_zh: the value in Chinese where it has words in it.
    """

    key: str
    label_zh: str
    label_en: str
    value: str
    source: str = ""
    value_zh: str = ""

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
            "steps": {step.key: step.value for step in self.steps},
            "confidence": self.confidence,
            "mark": mark_text(self.confidence, is_demo=self.is_demo, lang=lang),
        }

    def text(self, lang: Lang = "en") -> str:
        """The calculation, one step a line."""
        lines = [step.text(lang) for step in self.steps]
        lines += [self.issue.text(lang)] if self.issue else []
        mark = mark_text(self.confidence, is_demo=self.is_demo, lang=lang)
        return "\n".join([*lines, mark] if mark else lines)


@dataclass(slots=True)
class _Work:
    """What is known so far about the case on the bench."""

    facts: CaseFacts
    group_code: str
    steps: list[Step] = field(default_factory=list)

    @property
    def cost(self) -> int:
        """The total cost, once it is known to be there."""
        assert self.facts.total_cost_fen is not None
        return self.facts.total_cost_fen

    def note(
        self, key: str, zh: str, en: str, value: object, source: str = "", *, value_zh: str = ""
    ) -> None:
        self.steps.append(Step(key, zh, en, str(value), source, value_zh))


def settle_case(
    case: CaseFacts,
    group: str,
    table: WeightTable,
    policy: Policy,
    *,
    scheme_id: str,
    scheme_status: SchemeStatus,
    status: Status = Status.GROUPED,
    allow: Allow = "verified",
) -> CaseAmount:
    """Price one case. group: its DRG code, "" when `status` says it has none.

    A case that cannot be priced has type UNPRICED and an issue. Raises as settle_batch does.
    """
    check_fit(scheme_id, table, policy, scheme_status=scheme_status)
    confidence = require_verified(policy, table.confidence, allow=allow)
    work = _Work(case, group)
    issue = next(_obstacles(case, status, scheme_id, table, policy), None)
    amount = _unpriced(group, issue) if issue else _price(work, status, table, policy)
    place = place_in(policy.area, case.area_insured) or Place.LOCAL
    return replace(amount, place=place, confidence=confidence, is_demo=policy.is_demo)


def _price(work: _Work, status: Status, table: WeightTable, policy: Policy) -> CaseAmount:
    """The amounts of a case that nothing stands against."""
    case, group = work.facts, work.group_code
    assert case.discharge_date is not None
    terms = policy.terms_at(case.discharge_date)
    work.note("cost", "医疗总费用", "total cost", yuan(work.cost))
    if status == Status.GROUPED:
        insurance, level = policy.insurance(case.insurance), _level(case, policy)
        cell = price_cell(terms, table, group, insurance, level, case.hospital.strip())
        priced = cell if isinstance(cell, Issue) else _in_group(work, cell, terms)
    else:
        priced = _at_cost(work, status, terms)
    if isinstance(priced, Issue):
        return _unpriced(group, priced)
    kind, paid, standard_fen = priced
    rule = deciding_rule(terms, kind)
    payable = round_half_up(paid)
    work.note("class", "病例类型", "case type", kind.word("en"), value_zh=kind.word("zh"))
    work.note("pay_unrounded", "应付（未舍入）", "payment before rounding", _shown(paid))
    work.note("pay", "应付", "payment", yuan(payable), str(rule))
    fund, patient, issue = _share(work, payable, terms)
    return CaseAmount(
        case_type=kind,
        group_code=group,
        payable_fen=payable,
        fund_fen=fund,
        patient_fen=patient,
        difference_fen=payable - work.cost,
        standard_fen=standard_fen,
        rule=rule,
        issue=issue,
        steps=tuple(work.steps),
    )


def _unpriced(group: str, issue: Issue) -> CaseAmount:
    return CaseAmount(CaseType.UNPRICED, group, issue=issue)


def _obstacles(
    case: CaseFacts, status: Status, scheme_id: str, table: WeightTable, policy: Policy
) -> Iterator[Issue]:
    """Why the case cannot be priced, in the order in which a batch asks."""
    if status == Status.REJECTED:
        yield Issue("ST212")
    if case.discharge_date is None:
        yield _needs("discharge_date")
        return
    terms = policy.find_terms(case.discharge_date)
    if terms is None:
        day = case.discharge_date.isoformat()
        yield Issue("ST101", policy.area.id, {"key": policy.area.id, "date": day})
        return
    for left, right in ((scheme_id, terms.scheme_id), (table.id, terms.weight_table)):
        if left != right:
            yield Issue("ST109", str(terms.span), {"left": left, "right": right})
    if case.total_cost_fen is None:
        yield _needs("total_cost")
        return
    if case.total_cost_fen < 0:
        yield Issue("ST207", "", {"field": "total_cost"})
    if case.total_cost_fen == 0:
        yield Issue("ST211")
    if not case.hospital.strip():
        yield _needs("hospital")
    codes = [("insurance", case.insurance, policy.insurance(case.insurance))]
    if status == Status.GROUPED:
        codes.append(("hospital_level", case.hospital_level, _level(case, policy)))
    for name, text, code in codes:
        if not code and text.strip():
            yield Issue("ST105", "", {"field": name, "value": text.strip()})
        elif not code:
            yield _needs(name)
    if place_in(policy.area, case.area_insured) is None:
        yield unknown_place(case.area_insured)


def _level(case: CaseFacts, policy: Policy) -> str:
    """The level of the record, where it is empty that of its hospital in the area's list."""
    if case.hospital_level.strip():
        return policy.level(case.hospital_level)
    listed = policy.hospital(case.hospital)
    return listed.level if listed else ""


def _at_cost(
    work: _Work, status: Status, terms: Terms
) -> tuple[CaseType, Fraction, int | None] | Issue:
    ambiguous = status == Status.AMBIGUOUS
    kind = CaseType.AMBIGUOUS if ambiguous else CaseType.UNGROUPED
    rule: CostRule | None = terms.ambiguous if ambiguous else terms.ungrouped
    if rule is None:
        return Issue("ST213", str(terms.span), {"kind": kind.word("en")})
    work.note("factor", "费用支付比例", "share of the cost", rule.factor)
    return kind, work.cost * Fraction(rule.factor), None


def _in_group(work: _Work, cell: Cell, terms: Terms) -> tuple[CaseType, Fraction, int | None]:
    cost = work.cost
    sources = terms.sources
    work.note("weight", "权重", "relative weight", cell.weight, terms.weight_table)
    coefficient_source = sources.get("hospital_coefficient", "")
    work.note("coefficient", "系数", "hospital coefficient", cell.coefficient, coefficient_source)
    work.note("rate", "费率", "base rate", cell.rate, sources["base_rate"])
    work.note("standard", "支付标准", "standard", _shown(cell.standard), sources["standard"])
    formula = terms.standard.ratio_base.replace(" ", " x ")
    work.note("ratio_base_formula", "倍率基数公式", "ratio base formula", formula)
    work.note("ratio_base", "倍率基数", "ratio base", _shown(cell.base))
    work.note("ratio", "倍率", "cost multiple", decimal_text(cost / cell.base))
    kind, paid = CaseType.INLIER, cell.standard
    for threshold, outlier, key in (
        (cell.high, CaseType.HIGH_OUTLIER, "high"),
        (cell.low, CaseType.LOW_OUTLIER, "low"),
    ):
        if threshold is None:
            continue
        zh, en = ("高倍率界限", "high limit") if key == "high" else ("低倍率界限", "low limit")
        source = sources[f"{key}_outlier"]
        text = _threshold(threshold, cell, ("ratio", "cost"))
        text_zh = _threshold(threshold, cell, ("倍率", "费用"))
        work.note(key, zh, en, text, source, value_zh=text_zh)
        # the low test is asked first, therefore it has the last word here
        if stands(cost, threshold.operator, threshold.k, cell.base):
            kind, paid = outlier, cell.outlier_fen(threshold, cost)
    return kind, paid, cell.standard_fen


def _share(work: _Work, payable: int, terms: Terms) -> tuple[int | None, int | None, Issue | None]:
    """Pooled fund's part, patient's part, or what is wrong with the bill."""
    case, cost = work.facts, work.cost
    if case.fund_basic_fen is None:
        return None, None, _needs("fund_basic")
    other = case.other_funds_fen or 0
    for name, fen in (("fund_basic", case.fund_basic_fen), ("other_funds", other)):
        if fen < 0:
            return None, None, Issue("ST207", "", {"field": name})
    if case.fund_basic_fen + other > cost:
        return None, None, Issue("ST203")
    others = cost - case.fund_basic_fen
    fund = fund_a(payable, cost, case.fund_basic_fen)
    if terms.fund.negative == "zero":
        fund = max(fund, 0)
    source = terms.sources["fund"]
    work.note("others_part", "个人和其他基金已承担", "borne by patient and others", yuan(others))
    work.note("fund", "统筹基金应付", "pooled fund's part", yuan(fund), source)
    return fund, others - other, None


def _threshold(threshold: Threshold, cell: Cell, words: tuple[str, str]) -> str:
    """`ratio < 0.4 -> L1 (cost < 2546.772)`; words: for ratio and cost."""
    ratio, cost = (f"{word} {threshold.operator}" for word in words)
    border = _shown(threshold.k * cell.base)
    return f"{ratio} {decimal_text(threshold.k)} -> {threshold.rule} ({cost} {border})"


def _shown(fen: Fraction) -> str:
    """Exact fen as yuan for the eye."""
    return decimal_text(fen / FEN_PER_YUAN)


def _needs(name: str) -> Issue:
    return Issue("ST103", "", {"field": name})
