"""The price of a cell: what all cases of one group, hospital level, insurance and era share."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial

from grouper.engine.groups import Status
from grouper.errors import Issue, WeightError
from grouper.money import FEN_PER_YUAN, round_half_up
from grouper.policy.model import CostRule, OutlierRule, Terms
from grouper.settle.amounts import CaseType, DecidingRule
from grouper.settle.cuts import Bound, Branch, Ramp, ramp
from grouper.settle.outliers import HIGH_OUTLIERS, LOW_OUTLIERS, RATIO_BASES, STANDARDS
from weights.table import WeightTable


@dataclass(frozen=True, slots=True)
class Threshold:
    """The border of an outlier rule in one cell: cost `operator` k x base."""

    rule: str
    operator: str
    k: Fraction


@dataclass(frozen=True, slots=True)
class Cell:
    """What an inlier of the cell is paid, and from which cost on it is none.

    standard and base are exact fen before rounding; standard_fen is the standard rounded half up.
    """

    weight: Decimal
    coefficient: Decimal
    rate: Decimal
    standard: Fraction
    base: Fraction
    standard_fen: int
    low: Threshold | None
    high: Threshold | None

    def outlier_fen(self, threshold: Threshold, cost_fen: int | Fraction) -> Fraction:
        """The exact payment of an outlier by its rule, in fen before rounding."""
        table = LOW_OUTLIERS if threshold is self.low else HIGH_OUTLIERS
        return table[threshold.rule](Fraction(cost_fen), self.standard, self.base, threshold.k)


@dataclass(frozen=True, slots=True)
class CompiledCell:
    """A cell as its cases are priced: what is told of it, and its branches in their order.

    None = the payment of the cell does not rest on such a number; standard_fen: rounded half up.
    """

    weight: Decimal | None
    coefficient: Decimal | None
    rate: Decimal | None
    standard_fen: int | None
    branches: tuple[Branch, ...]


def compile_cell(cell: Cell, terms: Terms) -> CompiledCell:
    """The branches of a cell: low outlier, high outlier, inlier, in the order they are asked."""
    branches = []
    for threshold, kind in (
        (cell.low, CaseType.LOW_OUTLIER),
        (cell.high, CaseType.HIGH_OUTLIER),
    ):
        if threshold is not None:
            test = Bound(threshold.operator, threshold.k * cell.base)
            line = ramp(partial(cell.outlier_fen, threshold))
            branches.append(Branch(kind, deciding_rule(terms, kind), line, (test,)))
    inlier = Ramp(Fraction(0), cell.standard)
    rule = deciding_rule(terms, CaseType.INLIER)
    branches.append(Branch(CaseType.INLIER, rule, inlier))
    return CompiledCell(
        cell.weight, cell.coefficient, cell.rate, cell.standard_fen, tuple(branches)
    )


def cost_cell(terms: Terms, status: Status) -> CompiledCell | Issue:
    """Cases outside the groups: a share of their cost; ST213 where the area has no such rule."""
    ambiguous = status == Status.AMBIGUOUS
    kind = CaseType.AMBIGUOUS if ambiguous else CaseType.UNGROUPED
    rule: CostRule | None = terms.ambiguous if ambiguous else terms.ungrouped
    if rule is None:
        return Issue("ST213", str(terms.span), {"kind": kind.word("en")})
    line = Ramp(Fraction(rule.factor), Fraction(0))
    return CompiledCell(None, None, None, None, (Branch(kind, deciding_rule(terms, kind), line),))


def deciding_rule(terms: Terms, kind: CaseType) -> DecidingRule:
    """The rule by which cases of a type are paid in an era, and its source."""
    section, rule = {
        CaseType.INLIER: ("standard", terms.standard),
        CaseType.LOW_OUTLIER: ("low_outlier", terms.low),
        CaseType.HIGH_OUTLIER: ("high_outlier", terms.high),
        CaseType.AMBIGUOUS: ("ambiguous", terms.ambiguous),
        CaseType.UNGROUPED: ("ungrouped", terms.ungrouped),
    }[kind]
    assert rule is not None
    return DecidingRule(rule.rule, terms.sources[section])


def price_cell(
    terms: Terms, table: WeightTable, group_code: str, insurance: str, level: str, hospital: str
) -> Cell | Issue:
    """The price of a cell, or the issue why it has none.

    WT101 the table lacks the group, WT108 it has no weight for it, WT112 its rows contradict each
    other; ST101 no rate or coefficient for such a case in this era.
    """
    try:
        weight = table.weight(group_code, insurance=insurance, level=level, hospital=hospital)
        coefficient = _coefficient(terms, table, group_code, insurance, level, hospital)
    except WeightError as error:
        return error.issues[0]
    rate = terms.base_rate.find(insurance, level, hospital)
    if rate is None:
        return _lacking("base_rate", terms, insurance, level)
    if coefficient is None:
        return _lacking("hospital_coefficient", terms, insurance, level)
    factors = (Fraction(weight), Fraction(rate) * FEN_PER_YUAN, Fraction(coefficient))
    standard = STANDARDS[terms.standard.rule](*factors)
    base = RATIO_BASES[terms.standard.ratio_base](*factors)
    return Cell(
        weight=weight,
        coefficient=coefficient,
        rate=rate,
        standard=standard,
        base=base,
        standard_fen=round_half_up(standard),
        low=_threshold(terms.low, weight, insurance, level),
        high=_threshold(terms.high, weight, insurance, level),
    )


def _coefficient(
    terms: Terms, table: WeightTable, group_code: str, insurance: str, level: str, hospital: str
) -> Decimal | None:
    """The coefficient of the policy, or of the weight table where the policy says so.

    None where neither has one. Raises WeightError WT112.
    """
    if terms.coefficient is None:
        return Decimal(1)
    if terms.coefficient.in_table:
        own = table.coefficient(group_code, insurance=insurance, level=level, hospital=hospital)
        if own is not None:
            return own
    return terms.coefficient.find(insurance, level, hospital)


def _threshold(
    rule: OutlierRule | None, weight: Decimal, insurance: str, level: str
) -> Threshold | None:
    if rule is None:
        return None
    k = Fraction(rule.multiple(weight, insurance, level))
    return Threshold(rule.rule, rule.operator, k)


def _lacking(key: str, terms: Terms, insurance: str, level: str) -> Issue:
    what = f"{key} ({insurance}, {level})"
    return Issue("ST101", what, {"key": what, "date": terms.span})
