"""What each case is paid: inlier, low and high outlier, ambiguous and ungrouped cases.

What an inlier is paid depends only on its cell (group, hospital level, insurance, era): every
cell is priced once, exactly, and its cases take the amount by index. Only outliers are computed
row by row. Each payment is rounded once, half up, to the fen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from grouper.engine.groups import Groups, Status
from grouper.errors import Issue, SettlementError
from grouper.money import multiply_half_up, round_half_up
from grouper.policy.model import Allow, CostRule, Policy, Terms, require_verified
from grouper.records.batch import MISSING_FEN, CaseBatch
from grouper.settle.amounts import Amounts, CaseType, DecidingRule
from grouper.settle.batch import Facts, Ids, Marks, read_facts
from grouper.settle.cell import Cell, Threshold, price_cell
from grouper.settle.fund import fund_a
from weights.table import WeightTable

SchemeStatus = Literal["national", "regional", "draft"]

_INT64 = np.iinfo(np.int64)


def settle_batch(
    batch: CaseBatch,
    groups: Groups,
    table: WeightTable,
    policy: Policy,
    *,
    scheme_status: SchemeStatus,
    allow: Allow = "verified",
) -> Amounts:
    """Price every case of a batch; row i of the result is case i, none is dropped.

    groups: the result of grouping this batch. scheme_status: that of the scheme it was grouped
    with. allow: `unverified` to settle with values that nobody has verified.
    A case that cannot be priced has case type UNPRICED and an issue; a priced case whose bill
    does not add up keeps its payment, and has an issue too.
    Raises SettlementError ST311 for a draft scheme, ST109 when scheme, table and policy do not
    belong together, PolicyError PO112 for unverified values; ValueError for lengths that differ.
    """
    if len(groups) != len(batch):
        raise ValueError(f"{len(batch)} cases but {len(groups)} groups")
    check_fit(groups.scheme_id, table, policy, scheme_status=scheme_status)
    confidence = require_verified(policy, table.confidence, allow=allow)
    marks = Marks(len(batch))
    facts = read_facts(batch, groups, table, policy, marks)
    cell_of, cells = _cells(facts, groups.codes.drg, table, policy, marks)
    pricing = _Pricing(facts, policy, marks)
    pricing.price_grouped(cell_of, cells)
    pricing.price_at_cost(Status.AMBIGUOUS, CaseType.AMBIGUOUS, "ambiguous")
    pricing.price_at_cost(Status.UNGROUPED, CaseType.UNGROUPED, "ungrouped")
    pricing.share()
    issue, issues = marks.used()
    return Amounts(
        case_type=pricing.case_type,
        place=facts.place,
        standard_fen=pricing.standard,
        payable_fen=pricing.payable,
        fund_fen=pricing.fund,
        total_fen=facts.total_fen,
        pool_fen=facts.pool_fen,
        other_fen=facts.other_fen,
        patient_fen=pricing.patient,
        difference_fen=_difference(pricing.payable, facts.total_fen),
        rule=pricing.rule,
        issue=issue,
        cell=np.where(pricing.case_type == CaseType.UNPRICED, -1, cell_of).astype(np.int32),
        rules=tuple(pricing.rules),
        issues=issues,
        cells=tuple(cells),
        area_id=policy.area.id,
        weight_table=table.id,
        scheme_id=groups.scheme_id,
        confidence=confidence,
        is_demo=policy.is_demo,
    )


def check_fit(
    scheme_id: str, table: WeightTable, policy: Policy, *, scheme_status: SchemeStatus
) -> None:
    """Whether scheme, weight table and policy belong together at all.

    Raises SettlementError ST311 for a draft scheme, ST109 when the table prices other groups or
    no part of the policy uses this scheme and table.
    """
    if scheme_status == "draft":
        raise SettlementError("ST311", scheme=scheme_id)
    if table.scheme_id != scheme_id:
        raise SettlementError("ST109", left=scheme_id, right=f"{table.id} ({table.scheme_id})")
    used = {(terms.scheme_id, terms.weight_table) for terms in policy.terms}
    if (scheme_id, table.id) not in used:
        right = "; ".join(sorted(f"{scheme} + {name}" for scheme, name in used))
        raise SettlementError("ST109", left=f"{scheme_id} + {table.id}", right=right)


def _cells(
    facts: Facts, drg: Sequence[str], table: WeightTable, policy: Policy, marks: Marks
) -> tuple[Ids, list[Cell]]:
    """For each row the position of its cell (-1: none), and the priced cells."""
    axes = [facts.era, facts.group_id, facts.insurance.ids, facts.level.ids]
    sizes = [len(policy.terms), len(drg), len(facts.insurance.codes), len(facts.level.codes)]
    if _by_hospital(policy, table):
        axes.append(facts.hospital.ids)
        sizes.append(len(facts.hospital.codes))
    rows = np.flatnonzero((facts.status == Status.GROUPED) & (marks.number == 0))
    position = np.full(len(facts.era), -1, np.int64)
    if not len(rows):
        return position, []
    keys = np.ravel_multi_index([axis[rows] for axis in axes], sizes)
    distinct, inverse = np.unique(keys, return_inverse=True)
    priced = [
        price_cell(
            policy.terms[era],
            table,
            drg[group],
            facts.insurance.codes[insurance],
            facts.level.codes[level],
            facts.hospital.codes[rest[0]] if rest else "",
        )
        for era, group, insurance, level, *rest in zip(
            *(axis.tolist() for axis in np.unravel_index(distinct, sizes)), strict=True
        )
    ]
    cells = [one for one in priced if isinstance(one, Cell)]
    reasons = np.full(len(position), len(priced), np.int64)
    reasons[rows] = inverse
    marks.mark_each(reasons, [*(one if isinstance(one, Issue) else None for one in priced), None])
    fine = np.array([isinstance(one, Cell) for one in priced])
    position[rows] = np.where(fine, np.cumsum(fine) - 1, -1)[inverse]
    return position, cells


def _by_hospital(policy: Policy, table: WeightTable) -> bool:
    """Whether hospitals of one level may have prices of their own."""
    keyed = [terms.base_rate for terms in policy.terms]
    keyed += [terms.coefficient for terms in policy.terms if terms.coefficient is not None]
    by_policy = any("hospital" in values.by for values in keyed)
    return by_policy or any(facts.hospital for facts in table.facts)


class _Pricing:
    """The columns of Amounts while they are filled, part by part."""

    def __init__(self, facts: Facts, policy: Policy, marks: Marks) -> None:
        rows = len(facts.era)
        self._facts = facts
        self._policy = policy
        self._marks = marks
        self.case_type = np.zeros(rows, np.uint8)
        self.standard = np.full(rows, MISSING_FEN, np.int64)
        self.payable = np.full(rows, MISSING_FEN, np.int64)
        self.fund = np.full(rows, MISSING_FEN, np.int64)
        self.patient = np.full(rows, MISSING_FEN, np.int64)
        self.rule = np.zeros(rows, np.uint16)
        self.rules: list[DecidingRule] = []

    def price_grouped(self, cell_of: Ids, cells: Sequence[Cell]) -> None:
        """Inliers by index from their cell, outliers one by one."""
        rows = np.flatnonzero(cell_of >= 0)
        if not len(rows):
            return
        own = cell_of[rows]
        cost = self._facts.total_fen[rows]
        self.standard[rows] = np.array([cell.standard_fen for cell in cells], np.int64)[own]
        low_limit = _limits([cell.low.limit_fen if cell.low else -1 for cell in cells])
        high_limit = _limits([cell.high.limit_fen if cell.high else _INT64.max for cell in cells])
        low = cost <= low_limit[own]
        high = ~low & (cost >= high_limit[own])
        self.payable[rows] = self.standard[rows]
        self.case_type[rows] = np.where(
            low, CaseType.LOW_OUTLIER, np.where(high, CaseType.HIGH_OUTLIER, CaseType.INLIER)
        )
        self._price_outliers(rows[low], [cell.low for cell in cells], cell_of, cells)
        self._price_outliers(rows[high], [cell.high for cell in cells], cell_of, cells)
        for kind, taken in (
            (CaseType.INLIER, rows[~(low | high)]),
            (CaseType.LOW_OUTLIER, rows[low]),
            (CaseType.HIGH_OUTLIER, rows[high]),
        ):
            self._decide(taken, kind)

    def _price_outliers(
        self,
        rows: Ids,
        thresholds: Sequence[Threshold | None],
        cell_of: Ids,
        cells: Sequence[Cell],
    ) -> None:
        """Each outlier by the rule of its cell, exact, then rounded."""
        paid = []
        costs = self._facts.total_fen[rows].tolist()
        for own, cost in zip(cell_of[rows].tolist(), costs, strict=True):
            threshold = thresholds[own]
            assert threshold is not None
            paid.append(round_half_up(cells[own].outlier_fen(threshold, cost)))
        self.payable[rows] = np.array(paid, np.int64)

    def price_at_cost(
        self, status: Status, kind: CaseType, name: Literal["ambiguous", "ungrouped"]
    ) -> None:
        """Cases outside the groups: a share of their cost, by the era's rule."""
        rows = (self._facts.status == status) & (self._marks.number == 0)
        for era, terms in enumerate(self._policy.terms):
            taken = np.flatnonzero(rows & (self._facts.era == era))
            rule: CostRule | None = getattr(terms, name)
            if not len(taken):
                continue
            if rule is None:
                missing = np.zeros(len(rows), np.bool_)
                missing[taken] = True
                self._marks.mark(missing, Issue("ST213", str(terms.span), {"kind": name}))
                continue
            self.payable[taken] = multiply_half_up(self._facts.total_fen[taken], rule.factor)
            self.case_type[taken] = kind
            self._decide(taken, kind)

    def share(self) -> None:
        """The pooled fund's part of each payment, and the patient's part of the bill.

        Fund rule A: the payment less what patient and other funds already bear (cost - pool).
        """
        facts, marks = self._facts, self._marks
        priced = self.case_type != CaseType.UNPRICED
        marks.mark(priced & (facts.pool_fen == MISSING_FEN), _needs_pool())
        marks.mark(facts.pool_fen < 0, Issue("ST207", "", {"field": "fund_basic"}))
        marks.mark(facts.other_fen < 0, Issue("ST207", "", {"field": "other_funds"}))
        # pool <= total - other says the same as pool + other <= total and cannot overflow
        marks.mark(facts.pool_fen > facts.total_fen - facts.other_fen, Issue("ST203"))
        whole = priced & (marks.number == 0)
        others = facts.total_fen - facts.pool_fen
        cut = np.array([terms.fund.negative == "zero" for terms in self._policy.terms])
        fund = fund_a(self.payable, facts.total_fen, facts.pool_fen)
        fund = np.where(cut[facts.era] & (fund < 0), 0, fund) if len(cut) else fund
        self.fund = np.where(whole, fund, MISSING_FEN)
        self.patient = np.where(whole, others - facts.other_fen, MISSING_FEN)

    def _decide(self, rows: Ids, kind: CaseType) -> None:
        """Note for rows of one type which rule of their era decided."""
        for era in np.unique(self._facts.era[rows]).tolist():
            self.rules.append(deciding_rule(self._policy.terms[era], kind))
            self.rule[rows[self._facts.era[rows] == era]] = len(self.rules)


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


def _limits(limits: Sequence[int]) -> NDArray[np.int64]:
    """Borders among whole fen; one beyond int64 can be met by no cost and is cut to its end."""
    return np.array([max(-1, min(limit, _INT64.max)) for limit in limits], np.int64)


def _difference(payable: NDArray[np.int64], total: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(payable == MISSING_FEN, MISSING_FEN, payable - total)


def _needs_pool() -> Issue:
    return Issue("ST103", "", {"field": "fund_basic"})
