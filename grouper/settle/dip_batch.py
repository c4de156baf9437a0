"""Scores and payments of many DIP cases: every cell priced once, cases placed by integer cuts.

A case score is rounded to the area's decimals and then turned into fen: two roundings, as the rules
have them. Both are made on integers, the same as dip_single makes on fractions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from grouper.errors import Issue, WeightError
from grouper.money import multiply_half_up
from grouper.policy.dip import KindRule
from grouper.policy.model import Allow, Policy, Terms, require_verified
from grouper.records.batch import MISSING, MISSING_FEN, CaseBatch
from grouper.settle.amounts import Amounts, CaseType, DecidingRule
from grouper.settle.batch import Facts, Ids, Marks, needs, read_facts
from grouper.settle.case import CasePricing, check_fit, settled_amounts
from grouper.settle.cuts import Bound, Branch, CompiledCell, Cuts, Ramp
from grouper.settle.dip_cell import DipCell, Line, Worth, price_dip_cell
from grouper.settle.dip_groups import KIND_NAMES, UNGROUPED, DipCases
from grouper.settle.pricing import by_cell
from weights.table import Facts as RowFacts
from weights.table import WeightTable

#: band -> type of its cases
BAND_TYPES = {
    "low": CaseType.LOW_OUTLIER,
    "extreme": CaseType.HIGH_OUTLIER,
    "high": CaseType.HIGH_OUTLIER,
}


def settle_dip_batch(
    batch: CaseBatch,
    cases: DipCases,
    table: WeightTable,
    policy: Policy,
    *,
    allow: Allow = "verified",
) -> Amounts:
    """Score and pay every case of a batch; row i of the result is case i, none is dropped.

    A case that cannot be paid has type UNPRICED and an issue. Raises SettlementError ST109 when
    catalogue, table and policy do not belong together, or the policy is none for DIP; PolicyError
    PO112 for unverified values; ValueError for lengths that differ.
    """
    if len(cases) != len(batch):
        raise ValueError(f"{len(batch)} cases but {len(cases)} groups")
    groups = cases.groups
    check_fit(groups.scheme_id, table, policy, scheme_status="regional")
    confidence = require_verified(policy, table.confidence, allow=allow)
    marks = Marks(len(batch))
    facts = read_facts(batch, groups, {table.id}, policy, marks)
    pricer = _Pricer(cases, facts, table, policy)
    cell_of, compiled = by_cell(*pricer.axes(batch, marks), pricer.price, marks)
    pricing = CasePricing(facts, policy, marks)
    score = _fill(pricing, cell_of, pricer.cells, compiled, facts.total_fen)
    _lift(score, cell_of, pricer.cells, _decimals(policy))
    amounts = settled_amounts(
        batch, groups, table, policy, pricing, cell_of, compiled, confidence=confidence
    )
    return replace(amounts, score=score, score_decimals=_decimals(policy))


def _decimals(policy: Policy) -> int:
    """The finest score of all eras, so that scores of different eras add up."""
    return max((one.dip.score_decimals for one in policy.terms if one.dip), default=0)


class _Pricer:
    """Prices the cells of a batch; `cells` are those that have a price, in their order."""

    def __init__(self, cases: DipCases, facts: Facts, table: WeightTable, policy: Policy) -> None:
        self._cases = cases
        self._facts = facts
        self._policy = policy
        self._texts = (facts.insurance, facts.level, facts.hospital)
        self._table_by_hospital = any(row.hospital for row in table.facts)
        self._worth = lru_cache(maxsize=1 << 16)(partial(worth_of, table))
        self.cells: list[DipCell] = []

    def axes(self, batch: CaseBatch, marks: Marks) -> tuple[list[NDArray[np.integer]], list[int]]:
        """What makes a cell: era, group, kind, insurance, level, hospital, adjustment, days."""
        cases, facts, policy = self._cases, self._facts, self._policy
        rules = [terms.dip.kinds if terms.dip else None for terms in policy.terms]
        by_day = np.array(
            [
                any(own is not None and own.of(name).unit == "day" for own in rules)
                for name in KIND_NAMES
            ]
        )
        days = np.where(by_day[cases.kind], _days(batch), 0)
        marks.mark(by_day[cases.kind] & (days <= 0), needs("los"))
        days = np.maximum(days, 0)
        keyed = [
            values
            for terms in policy.terms
            for values in (terms.coefficient, terms.point_value)
            if values is not None
        ]
        by_hospital = any("hospital" in values.by for values in keyed) or self._table_by_hospital
        hospital = facts.hospital.ids if by_hospital else np.zeros(len(cases), np.int64)
        axes: list[NDArray[np.integer]] = [
            facts.era,
            facts.group_id,
            cases.kind,
            facts.insurance.ids,
            facts.level.ids,
            hospital,
            cases.adjustment,
            days,
        ]
        sizes = [
            len(policy.terms),
            len(cases.groups.codes.drg),
            len(KIND_NAMES),
            *(len(text.codes) for text in self._texts),
            len(cases.adjustments),
            int(days.max(initial=0)) + 1,
        ]
        return axes, sizes

    def price(self, key: tuple[int, ...], row: int) -> CompiledCell | Issue:
        """The price of a cell, or why it has none."""
        era, group, kind, insurance, level, hospital, adjustment, days = key
        terms = self._policy.terms[era]
        facts = RowFacts(
            *(
                text.codes[at]
                for text, at in zip(self._texts, (insurance, level, hospital), strict=True)
            )
        )
        found = price_dip(
            terms,
            self._worth,
            "" if kind == UNGROUPED else self._cases.groups.codes.drg[group],
            KIND_NAMES[kind],
            facts,
            adjustment=self._cases.adjustments[adjustment],
            days=days,
        )
        if isinstance(found, Issue):
            return found
        self.cells.append(found)
        return _compiled(found, terms, KIND_NAMES[kind])


def _days(batch: CaseBatch) -> NDArray[np.int64]:
    days = batch.los_days
    known = days if len(days) == len(batch) else np.full(len(batch), MISSING, np.int32)
    return known.astype(np.int64)


def price_dip(
    terms: Terms,
    worth_by: Callable[[str, str, RowFacts], Worth],
    group: str,
    kind: str,
    facts: RowFacts,
    *,
    adjustment: str = "",
    days: int = 1,
) -> DipCell | Issue:
    """The price of a cell by the terms of its era; group "" and kind `ungrouped`: no group.

    worth_by: what the score table prints for a group, its kind and facts (worth_of).

    Issues: ST109 where the terms are none of DIP, ST101 no point value or coefficient, ST213 no
    rule for cases without group, ST148 an adjustment that is no number above 0, ST141, ST142,
    ST145, WT112.
    """
    rules = terms.dip
    if rules is None:
        return Issue("ST109", str(terms.span), {"left": "DIP", "right": terms.scheme_id})
    found = (facts.insurance, facts.level, facts.hospital)
    value = None if terms.point_value is None else terms.point_value.find(*found)
    if value is None:
        return terms.lacking("point_value", facts.insurance, facts.level, facts.hospital)
    rule = _kind_rule(terms, kind)
    if isinstance(rule, Issue):
        return rule
    coefficient = _coefficient(terms, rule, facts)
    if coefficient is None:
        return terms.lacking("hospital_coefficient", facts.insurance, facts.level, facts.hospital)
    factor = _adjustment(adjustment)
    if factor is None:
        return Issue("ST148", group, {"value": adjustment})
    try:
        worth = worth_by(group, kind, facts)
    except WeightError as error:
        return error.issues[0]
    return price_dip_cell(
        rules, rule, worth, coefficient=coefficient, point_value=value, adjustment=factor, days=days
    )


def worth_of(table: WeightTable, group: str, kind: str, facts: RowFacts) -> Worth:
    """What the score table prints for a group. Raises WeightError WT112."""
    if not group:
        return Worth("", kind, None)
    score, mean, own = (
        table.find(column, group, facts) for column in ("points", "mean_cost", "coefficient")
    )
    return Worth(group, kind, score, mean, own)


def _kind_rule(terms: Terms, kind: str) -> KindRule | Issue:
    assert terms.dip is not None
    if kind != "ungrouped":
        return terms.dip.kinds.of(kind)
    if terms.dip.kinds.ungrouped is not None:
        return terms.dip.kinds.ungrouped
    if terms.ungrouped is None:
        return Issue("ST213", str(terms.span), {"kind": "ungrouped"})
    return KindRule(form="cost", factor=terms.ungrouped.factor)


def _coefficient(terms: Terms, rule: KindRule, facts: RowFacts) -> Decimal | None:
    """The hospital's coefficient, 1 where the kind of group does not ask for it."""
    asked = rule.coefficient == "hospital" and rule.form == "standard"
    if not asked or terms.coefficient is None:
        return Decimal(1)
    return terms.coefficient.find(facts.insurance, facts.level, facts.hospital)


def _adjustment(text: str) -> Decimal | None:
    """An auxiliary coefficient as files write it, 1 where there is none."""
    if not text.strip():
        return Decimal(1)
    whole, _, part = text.strip().partition(".")
    if not (whole + part).isdecimal() or not text.isascii():
        return None
    value = Decimal(text.strip())
    return value if value > 0 else None


def rule_of(cell: DipCell, terms: Terms, kind: str, band: str) -> tuple[CaseType, DecidingRule]:
    """Type and deciding rule of the cases of a band; `normal`: those without deviation."""
    source = terms.sources["dip"]
    border = {"low": cell.low, "high": cell.high, "extreme": cell.extreme}.get(band)
    if border is not None:
        return BAND_TYPES[band], DecidingRule(f"{band} {border.band.form}", source)
    if kind == "ungrouped":
        return CaseType.UNGROUPED, DecidingRule("ungrouped", terms.sources.get("ungrouped", source))
    return CaseType.INLIER, DecidingRule(kind, terms.sources["standard"])


def _compiled(cell: DipCell, terms: Terms, kind: str) -> CompiledCell:
    """The cell's branches, whose lines give score units in place of fen."""
    branches = []
    for band, border in (("low", cell.low), ("extreme", cell.extreme), ("high", cell.high)):
        if border is not None:
            test = Bound(border.band.operator, border.edge_fen)
            line = Ramp(border.line.slope, border.line.intercept)
            branches.append(Branch(*rule_of(cell, terms, kind, band), line, (test,)))
    normal = Ramp(cell.normal.slope, cell.normal.intercept)
    branches.append(Branch(*rule_of(cell, terms, kind, "normal"), normal))
    return CompiledCell.of(
        branches,
        weight=cell.score or None,
        coefficient=_decimal(cell.coefficient),
        rate=cell.point_value,
        standard_fen=None if kind == "ungrouped" else cell.standard_fen,
    )


@lru_cache(maxsize=1 << 12)
def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / value.denominator


def _fill(
    pricing: CasePricing,
    cell_of: Ids,
    cells: Sequence[DipCell],
    compiled: Sequence[CompiledCell],
    cost: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Type, rule, standard and payment of every case with a cell; returns the scores."""
    pricing.fill(cell_of, compiled, cost, cost)
    # the lines of the cells are scores: what was filled in as payment is one
    score = pricing.payable
    pricing.payable = np.full(len(score), MISSING_FEN, np.int64)
    rows = np.flatnonzero(cell_of >= 0)
    if not len(rows):
        return score
    own = cell_of[rows]
    factors = [cell.point_fen / 10**cell.decimals for cell in cells]
    ids = {factor: number for number, factor in enumerate(dict.fromkeys(factors))}
    which = np.array([ids[factor] for factor in factors], np.int64)[own]
    for factor, number in ids.items():
        taken = rows[which == number]
        pricing.payable[taken] = multiply_half_up(score[taken], factor)
    _pay_costs(pricing, rows, own, cells, compiled, cost)
    return score


def _pay_costs(
    pricing: CasePricing,
    rows: Ids,
    own: Ids,
    cells: Sequence[DipCell],
    compiled: Sequence[CompiledCell],
    cost: NDArray[np.int64],
) -> None:
    """Cases that are paid (a share of) their cost are paid it to the fen, not by their score."""
    at_cost = [any(line.at_cost is not None for line in _lines(cell)) for cell in cells]
    if not any(at_cost):
        return
    # only the cells that have such a line are laid out again, with what their cost brings
    place = np.cumsum(at_cost) - 1
    some = np.array(at_cost, np.bool_)[own]
    rows, own = rows[some], place[own[some]]
    pairs = zip(cells, compiled, at_cost, strict=True)
    paid = Cuts([_at_cost(cell, one) for cell, one, has in pairs if has])
    branch = paid.find(own, cost[rows])
    asked = np.array([one.pay.slope > 0 for one in paid.branches], np.bool_)[branch]
    taken = rows[asked]
    pricing.payable[taken] = paid.pay(branch[asked], cost[taken])


def _lines(cell: DipCell) -> list[Line]:
    """The lines of a cell in the order of its branches."""
    borders = [one for one in (cell.low, cell.extreme, cell.high) if one is not None]
    return [*(border.line for border in borders), cell.normal]


def _at_cost(cell: DipCell, compiled: CompiledCell) -> CompiledCell:
    branches = [
        Branch(one.case_type, one.rule, Ramp(line.at_cost or Fraction(0), Fraction(0)), one.tests)
        for one, line in zip(compiled.branches, _lines(cell), strict=True)
    ]
    return CompiledCell.of(branches)


def _lift(score: NDArray[np.int64], cell_of: Ids, cells: Sequence[DipCell], decimals: int) -> None:
    """Scores of eras with fewer decimals, in the units of the finest; in place."""
    rows = np.flatnonzero(cell_of >= 0)
    lift = np.array([10 ** (decimals - cell.decimals) for cell in cells], np.int64)
    if len(rows):
        score[rows] *= lift[cell_of[rows]]
