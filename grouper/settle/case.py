"""What each case is paid: inlier, low and high outlier, ambiguous and ungrouped cases.

What a case is paid depends on its cell (group, hospital level, insurance, era) and its cost: every
cell is compiled once, exactly, to cuts among whole fen (cuts.py), and its cases take their amounts
by integer arithmetic. Each payment is rounded once, half up, to the fen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from grouper.engine.groups import Groups, Status
from grouper.errors import Issue, SettlementError
from grouper.policy.model import Allow, Policy, require_verified
from grouper.records.batch import MISSING_FEN, CaseBatch
from grouper.settle.amounts import Amounts, CaseType
from grouper.settle.batch import Facts, Ids, Marks, read_facts
from grouper.settle.cell import CompiledCell, compile_cell, cost_cell, price_cell
from grouper.settle.fund import fund_a
from grouper.settle.pricing import Pricing, by_cell
from weights.table import WeightTable

SchemeStatus = Literal["national", "regional", "draft"]


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
    pricing.fill(cell_of, cells, facts.total_fen, facts.total_fen)
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
        cell=cell_of.astype(np.int32),
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
) -> tuple[Ids, list[CompiledCell]]:
    """For each row the position of its cell (-1: none), and the cells."""
    grouped = facts.status == Status.GROUPED
    axes: list[NDArray[np.integer]] = [
        facts.era,
        facts.status,
        np.where(grouped, facts.group_id, 0),
    ]
    sizes = [len(policy.terms), len(Status), len(drg)]
    texts = [facts.insurance, facts.level]
    if _by_hospital(policy, table):
        texts.append(facts.hospital)
    # cases outside the groups are paid a share of their cost, whoever they are
    axes += [np.where(grouped, text.ids, 0) for text in texts]
    sizes += [len(text.codes) for text in texts]

    def price(key: tuple[int, ...]) -> CompiledCell | Issue:
        era, status, group, *rest = key
        terms = policy.terms[era]
        if status != Status.GROUPED:
            return cost_cell(terms, Status(status))
        codes = [text.codes[one] for text, one in zip(texts, rest, strict=True)]
        insurance, level, hospital = (*codes, "") if len(codes) == 2 else codes
        cell = price_cell(terms, table, drg[group], insurance, level, hospital)
        return cell if isinstance(cell, Issue) else compile_cell(cell, terms)

    return by_cell(axes, sizes, price, marks)


def _by_hospital(policy: Policy, table: WeightTable) -> bool:
    """Whether hospitals of one level may have prices of their own."""
    keyed = [terms.base_rate for terms in policy.terms]
    keyed += [terms.coefficient for terms in policy.terms if terms.coefficient is not None]
    by_policy = any("hospital" in values.by for values in keyed)
    return by_policy or any(facts.hospital for facts in table.facts)


class _Pricing(Pricing):
    """Prices by the terms of each era, and the pooled fund's part of them."""

    def __init__(self, facts: Facts, policy: Policy, marks: Marks) -> None:
        super().__init__(len(facts.era))
        self._facts = facts
        self._policy = policy
        self._marks = marks
        self.fund = np.full(len(facts.era), MISSING_FEN, np.int64)
        self.patient = np.full(len(facts.era), MISSING_FEN, np.int64)

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


def _difference(payable: NDArray[np.int64], total: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(payable == MISSING_FEN, MISSING_FEN, payable - total)


def _needs_pool() -> Issue:
    return Issue("ST103", "", {"field": "fund_basic"})
