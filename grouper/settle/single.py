"""One case, step by step: the same price as in a batch, with every intermediate for the reader.

Takes the numbers of table and area from settle.cell as the batch does, but asks the rules one by
one with the cost in hand, on fractions, so that tests can hold one path against the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction

import numpy as np

from grouper.engine.groups import Status
from grouper.errors import Issue, SettlementError, WeightError
from grouper.money import FEN_PER_YUAN, decimal_text, round_half_up, yuan
from grouper.policy.model import Allow, CostRule, FundRule, Policy, Terms, require_verified
from grouper.records.batch import MISSING_FEN
from grouper.settle.amounts import CaseType, DecidingRule
from grouper.settle.batch import Marks, at_row, needs, negative
from grouper.settle.case import UNGROUPED_CODE, SchemeStatus, check_fit
from grouper.settle.cell import Key, cost_deciding, cost_rule, lay_out, own_type, why_not
from grouper.settle.checks import is_strict, less_than_funds, mark_bills, mark_rows
from grouper.settle.dip_steps import price_case
from grouper.settle.formulas import FUND_FORMULAS, STANDARD_FORMULAS, formula_of
from grouper.settle.lead import Border, LeadAmount, pay_by_lead
from grouper.settle.lead_cuts import needs_days
from grouper.settle.place import Place, place_in, unknown_place
from grouper.settle.share import ASKED, share_fen
from grouper.settle.trail import CaseAmount, CaseFacts, Step
from weights.table import Facts, WeightTable


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
        self,
        key: str,
        zh: str,
        en: str,
        value: object,
        source: str = "",
        *,
        value_zh: str = "",
        formula: str = "",
        parameter: str = "",
    ) -> None:
        self.steps.append(Step(key, zh, en, str(value), source, value_zh, formula, parameter))

    def note_rule(
        self,
        key: str,
        zh: str,
        en: str,
        value: object,
        section: str,
        terms: Terms,
        *,
        value_zh: str = "",
        formula: str = "",
    ) -> None:
        """A value of a section of the policy: its document, and the days it holds on."""
        source = terms.sources.get(section, "")
        place = f"{section} {terms.span}" if source else ""
        if terms.span.start == date.min:  # a lead has no days
            place = terms.rules.where
        self.note(key, zh, en, value, source, value_zh=value_zh, formula=formula, parameter=place)


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
    confidence = require_verified(policy, table.confidence, allow=allow, tables=[table.id])
    work = _Work(case, group)
    issue = next(_obstacles(case, status, scheme_id, table, policy), None)
    amount = _unpriced(group, issue) if issue else _price(work, status, table, policy)
    place = place_in(policy.area, case.area_insured) or Place.LOCAL
    issue, notice = (
        at_row(one, case.where) if one else None for one in (amount.issue, amount.notice)
    )
    return replace(
        amount,
        place=place,
        issue=issue,
        notice=notice,
        confidence=confidence,
        is_demo=policy.is_demo,
    )


def _price(work: _Work, status: Status, table: WeightTable, policy: Policy) -> CaseAmount:
    """The amounts of a case that nothing stands against."""
    case, group = work.facts, work.group_code
    assert case.discharge_date is not None or policy.is_undated
    terms = policy.terms[0] if case.discharge_date is None else policy.terms_at(case.discharge_date)
    work.note("cost", "医疗总费用", "total cost", yuan(work.cost))
    rule = None if terms.dip is not None else cost_rule(terms, status)
    if terms.dip is not None:
        priced: _Found | Issue = _by_score(work, status, table, policy, terms)
    elif rule is not None:
        priced = _at_cost(work, status, rule, terms)
    else:
        key = Key(
            status,
            UNGROUPED_CODE if status == Status.UNGROUPED else group,
            policy.insurance(case.insurance),
            _level(case, policy),
            case.hospital.strip(),
            los=case.los_days,
            leave=case.leave,
            age=case.age_years,
        )
        priced = _by_rules(work, key, terms, table)
    if isinstance(priced, Issue):
        return _unpriced(group, priced)
    kind, deciding, paid, standard_fen = priced
    payable = round_half_up(paid)
    work.note("class", "病例类型", "case type", kind.word("en"), value_zh=kind.word("zh"))
    formula, unrounded = formula_of(deciding.rule), _shown(paid)
    work.note(
        "pay_unrounded", "应付（未舍入）", "payment before rounding", unrounded, formula=formula
    )
    half_up = "half up to 0.01"
    work.note("pay", "应付", "payment", yuan(payable), str(deciding), formula=half_up)
    shared = _share(work, payable, terms, policy)
    return CaseAmount(
        case_type=kind,
        group_code=group,
        payable_fen=payable,
        fund_fen=shared.fund,
        patient_fen=shared.patient,
        difference_fen=payable - work.cost,
        standard_fen=standard_fen,
        rule=deciding,
        issue=shared.issue,
        notice=shared.notice,
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
    if case.discharge_date is None and not policy.is_undated:
        yield needs("discharge_date")
        return
    terms = policy.find_terms(case.discharge_date) if case.discharge_date else policy.terms[0]
    if terms is None:
        assert case.discharge_date is not None
        yield policy.nothing_on(case.discharge_date)
        return
    for left, right in ((scheme_id, terms.scheme_id), (table.id, terms.weight_table)):
        if left != right:
            yield Issue("ST109", str(terms.span), {"left": left, "right": right})
    if case.total_cost_fen is None:
        yield needs("total_cost")
        return
    if case.total_cost_fen < 0:
        yield negative("total_cost", case.total_cost_fen)
    if case.total_cost_fen == 0:
        yield Issue("ST211")
    if not case.hospital.strip() and not policy.is_undated:
        yield needs("hospital")
    codes = [("insurance", case.insurance, policy.insurance(case.insurance))]
    if status == Status.GROUPED and policy.area.levels:
        codes.append(("hospital_level", case.hospital_level, _level(case, policy)))
    for name, text, code in codes:
        if not code and text.strip():
            yield policy.unknown(name, text.strip())
        elif not code:
            yield needs(name)
    if place_in(policy.area, case.area_insured) is None:
        yield unknown_place(case.area_insured)
    if case.los_days is None and needs_days(terms.rules):
        yield needs("los")


def _level(case: CaseFacts, policy: Policy) -> str:
    """The level of the record, where it is empty that of its hospital in the area's list."""
    if case.hospital_level.strip():
        return policy.level(case.hospital_level)
    listed = policy.hospital(case.hospital)
    return listed.level if listed else ""


#: type, rule, exact payment in fen, rounded standard in fen
_Found = tuple[CaseType, DecidingRule, Fraction, int | None]


def _at_cost(work: _Work, status: Status, rule: CostRule, terms: Terms) -> _Found:
    kind = own_type(status)
    assert kind is not None
    deciding = cost_deciding(terms, status, rule)
    section = "ambiguous" if status == Status.AMBIGUOUS else "ungrouped"
    work.note_rule("factor", "费用支付比例", "share of the cost", rule.factor, section, terms)
    return kind, deciding, work.cost * Fraction(rule.factor), None


def _by_rules(work: _Work, key: Key, terms: Terms, table: WeightTable) -> _Found | Issue:
    """The payment by the rules of the era, asked one by one."""
    cost = Fraction(work.cost, FEN_PER_YUAN)
    try:
        priced = lay_out(terms, table, key)
        amount = pay_by_lead(terms.rules, priced.case, replace(priced.given, cost=cost))
    except (SettlementError, WeightError) as error:
        return why_not(error, terms, table, key)
    standard_fen = _note_basis(work, amount, terms) if amount.basis else None
    if amount.points is not None:
        work.note("points", "点数", "points", decimal_text(amount.points, places=6))
    return *priced.naming(amount.kind), amount.exact * FEN_PER_YUAN, standard_fen


def _by_score(
    work: _Work, status: Status, table: WeightTable, policy: Policy, terms: Terms
) -> _Found | Issue:
    """The payment of a case of a DIP catalogue; it is whole fen, rounded from a rounded score."""
    case = work.facts
    kind = case.group_kind if status == Status.GROUPED else "ungrouped"
    facts = Facts(policy.insurance(case.insurance), _level(case, policy), case.hospital.strip())
    by_day = terms.dip is not None and terms.dip.kinds.of(kind).unit == "day"
    if by_day and (case.los_days or 0) <= 0:
        return needs("los")
    return price_case(
        terms,
        table,
        work.group_code,
        kind,
        facts,
        work.cost,
        work.note,
        adjustment=case.adjustment,
        days=case.los_days or 0,
    )


def _note_basis(work: _Work, amount: LeadAmount, terms: Terms) -> int:
    """Weight to thresholds as steps; returns the rounded standard in fen."""
    basis, rules = amount.basis, terms.rules
    assert basis is not None
    standard = basis.standard * basis.factor
    formula = STANDARD_FORMULAS.get(rules.standard, "")
    row = f"{terms.weight_table}: {work.group_code}"
    weight = decimal_text(basis.weight)
    work.note("weight", "权重", "relative weight", weight, terms.weight_table, parameter=row)
    for key, zh, en, value, section, own in (
        (
            "coefficient",
            "系数",
            "hospital coefficient",
            basis.coefficient,
            "hospital_coefficient",
            "",
        ),
        ("rate", "费率", "base rate", basis.rate, "base_rate", ""),
        ("point_value", "点值", "point value", basis.point_value, "point_value", ""),
        ("mean_cost", "次均费用", "mean cost", rules.mean_cost, "mean_cost", ""),
        ("standard", "支付标准", "standard", standard, "standard", formula),
    ):
        if value is not None:
            work.note_rule(key, zh, en, decimal_text(value), section, terms, formula=own)
    formula = rules.ratio_base.replace(" ", " x ")
    work.note("ratio_base_formula", "倍率基数公式", "ratio base formula", formula)
    base, ratio = decimal_text(basis.base), Fraction(work.cost, FEN_PER_YUAN) / basis.base
    work.note("ratio_base", "倍率基数", "ratio base", base, formula=rules.ratio_base)
    work.note("ratio", "倍率", "cost multiple", decimal_text(ratio), formula="x = C / ratio base")
    for key, zh, en, border in (
        ("high", "高倍率界限", "high limit", amount.high),
        ("low", "低倍率界限", "low limit", amount.low),
    ):
        if border is not None:
            text = _threshold(border, basis.base, ("ratio", "cost"))
            text_zh = _threshold(border, basis.base, ("倍率", "费用"))
            formula = formula_of(border.form)
            work.note_rule(
                key, zh, en, text, f"{key}_outlier", terms, value_zh=text_zh, formula=formula
            )
    return round_half_up(standard * FEN_PER_YUAN)


@dataclass(frozen=True, slots=True)
class _Shared:
    """Pooled fund's and patient's part in fen, and what is wrong with the bill."""

    fund: int | None = None
    patient: int | None = None
    issue: Issue | None = None
    notice: Issue | None = None


def _share(work: _Work, payable: int, terms: Terms, policy: Policy) -> _Shared:
    """Who bears the payment; the checks of the bill are those of a batch, on one row."""
    case, cost, rule = work.facts, work.cost, terms.fund
    bill = {"total_cost": case.total_cost_fen, "fund_basic": case.fund_basic_fen, **case.bill}
    columns = {
        name: np.array([MISSING_FEN if fen is None else fen], np.int64)
        for name, fen in bill.items()
    }
    marks, notices = Marks(1), Marks(1)
    mark_rows(columns, {name: np.array([day], np.int32) for name, day in case.days.items()}, marks)
    issue = marks.issues[0] if marks.issues else next(_bill_issues(case, rule, bill), None)
    if issue is not None:
        return _Shared(issue=issue)
    mark_bills(columns, np.array([is_strict(policy, terms)]), marks, notices)
    issue = marks.issues[0] if marks.issues else None
    notice = notices.issues[0] if notices.issues else None
    pool, other = case.fund_basic_fen, case.other_funds_fen or 0
    patient = None if pool is None else cost - pool - other
    if not rule.rule or pool is None:
        return _Shared(None, patient, issue, notice)
    fund = share_fen(rule, payable, cost, pool, {key: fen or 0 for key, fen in bill.items()})
    others = yuan(cost - pool)
    work.note(
        "others_part",
        "个人和其他基金已承担",
        "borne by patient and others",
        others,
        formula="C - pool",
    )
    formula = FUND_FORMULAS[rule.rule]
    work.note_rule(
        "fund", "统筹基金应付", "pooled fund's part", yuan(fund), "fund", terms, formula=formula
    )
    return _Shared(fund, patient, issue, notice)


def _bill_issues(
    case: CaseFacts, rule: FundRule, bill: Mapping[str, int | None]
) -> Iterator[Issue]:
    """What stands against a fund's part, in the order in which a batch asks."""
    pool, other, cost = case.fund_basic_fen, case.other_funds_fen or 0, case.total_cost_fen
    if rule.rule and pool is None:
        yield needs("fund_basic")
    if other < 0:
        yield negative("other_funds", other)
    if cost is not None and pool is not None and pool + other > cost:
        yield less_than_funds(cost - pool - other)
    for name in ASKED[rule.rule]:
        if bill.get(name) is None:
            yield needs(name)


def _threshold(border: Border, base: Fraction, words: tuple[str, str]) -> str:
    """`ratio < 0.4 -> L1 (cost < 2546.772)`; words: for ratio and cost."""
    ratio, cost = (f"{word} {border.operator}" for word in words)
    limit = decimal_text(border.k * base)
    return f"{ratio} {decimal_text(border.k)} -> {border.form} ({cost} {limit})"


def _shown(fen: Fraction) -> str:
    """Exact fen as yuan for the eye."""
    return decimal_text(fen / FEN_PER_YUAN)
