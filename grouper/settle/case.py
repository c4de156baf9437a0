"""What each case is paid: inlier, low and high outlier, by class or case rule, or by its cost.

What a case is paid depends on its cell (group, hospital level, insurance, era, and what else the
rules ask for) and its cost: every cell is compiled once, exactly, to cuts among whole fen
(cuts.py), and its cases take their amounts by integer arithmetic. Each payment is rounded once,
half up, to the fen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from grouper.dated import Confidence
from grouper.engine.groups import Groups, Status
from grouper.errors import Issue, Lang, SettlementError
from grouper.policy.lead_rules import Comparison
from grouper.policy.model import Allow, KeyedValues, Policy, require_verified
from grouper.records.batch import MISSING, MISSING_FEN, CaseBatch
from grouper.settle.amounts import Amounts, CaseType, Places, mark_text
from grouper.settle.batch import Facts, Ids, Marks, needs, negative, read_facts
from grouper.settle.cell import Key, compile_key
from grouper.settle.checks import is_strict, less_than_funds, mark_bills, mark_rows
from grouper.settle.cuts import CompiledCell
from grouper.settle.lead_cuts import asked, finest, needs_days
from grouper.settle.outliers import limit
from grouper.settle.pricing import Pricing, by_cell
from grouper.settle.share import ASKED, share_column
from weights.table import WeightTable

SchemeStatus = Literal["national", "regional", "draft"]

#: the group code by which rules speak of cases that no group takes
UNGROUPED_CODE = "0000"


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
    settler = Settler(
        table, policy, scheme_id=groups.scheme_id, scheme_status=scheme_status, allow=allow
    )
    return settler.settle(batch, groups)


class Settler:
    """Prices batches under one policy; the cells compiled for one batch serve the next.

    more: further weight tables that eras of the policy name. Raises what settle_batch raises.
    """

    def __init__(
        self,
        table: WeightTable,
        policy: Policy,
        *,
        scheme_id: str,
        scheme_status: SchemeStatus,
        allow: Allow = "verified",
        more: Sequence[WeightTable] = (),
    ) -> None:
        check_fit(scheme_id, table, policy, scheme_status=scheme_status)
        self.table = table
        self.policy = policy
        self.tables = {one.id: one for one in (table, *more)}
        marks = [one.confidence for one in self.tables.values()]
        self.confidence = require_verified(policy, *marks, allow=allow, tables=self.tables)
        self._by_hospital = any(_by_hospital(policy, one) for one in self.tables.values())
        self._asked = tuple(
            dict.fromkeys(one for terms in policy.terms for one in asked(terms.rules))
        )
        self.places = _places_of(policy, self.tables.values())
        self._cells: dict[object, CompiledCell | Issue] = {}

    def mark(self, lang: Lang = "en") -> str:
        """What every output must carry when the values are not verified; "" if they are."""
        return mark_text(self.confidence, is_demo=self.policy.is_demo, lang=lang)

    def settle(self, batch: CaseBatch, groups: Groups) -> Amounts:
        """The amounts of a batch, row for row."""
        if len(groups) != len(batch):
            raise ValueError(f"{len(batch)} cases but {len(groups)} groups")
        policy = self.policy
        marks = Marks(len(batch))
        facts = read_facts(batch, groups, self.tables, policy, marks)
        self._mark_days(facts, marks)
        cell_of, cells = self._by_cell(facts, groups, marks)
        pricing = CasePricing(facts, policy, marks)
        pricing.fill(cell_of, cells, facts.total_fen, facts.los.astype(np.int64))
        return settled_amounts(
            batch,
            groups,
            self.table,
            policy,
            pricing,
            cell_of,
            cells,
            confidence=self.confidence,
            places=self.places,
        )

    def _mark_days(self, facts: Facts, marks: Marks) -> None:
        """ST103 for cases without days of stay where a rule asks for them."""
        needed = np.array([needs_days(terms.rules) for terms in self.policy.terms], np.bool_)
        marks.mark((facts.los == MISSING) & needed[facts.era], needs("los"))

    def _by_cell(
        self, facts: Facts, groups: Groups, marks: Marks
    ) -> tuple[Ids, list[CompiledCell]]:
        """For each row the position of its cell (-1: none), and the cells."""
        codes = (*groups.codes.drg, *groups.codes.adrg, UNGROUPED_CODE)
        grouped, ambiguous = (facts.status == one for one in (Status.GROUPED, Status.AMBIGUOUS))
        group = np.where(
            grouped,
            facts.group_id,
            np.where(ambiguous, len(groups.codes.drg) + groups.rule_id, len(codes) - 1),
        )
        texts = [facts.insurance, facts.level]
        if self._by_hospital:
            texts.append(facts.hospital)
        met = _comparisons_met(self._asked, facts)
        axes: list[NDArray[np.integer]] = [
            facts.era,
            facts.status,
            group,
            met,
            *(text.ids for text in texts),
        ]
        sizes = [len(self.policy.terms), len(Status), len(codes), 1 << len(self._asked)]
        sizes += [len(text.codes) for text in texts]

        def price(key: tuple[int, ...], row: int) -> CompiledCell | Issue:
            era, status, group, met, *rest = key
            spelled = tuple(text.codes[one] for text, one in zip(texts, rest, strict=True))
            name = (era, status, codes[group], met, *spelled)
            if name not in self._cells:
                insurance, level, hospital = (*spelled, "") if len(spelled) == 2 else spelled
                age, leave = int(facts.age[row]), int(facts.leave[row])
                own = Key(
                    Status(status),
                    codes[group],
                    insurance,
                    level,
                    hospital,
                    los=int(facts.los[row]),
                    leave=str(leave) if leave else "",
                    age=None if age == MISSING else age,
                )
                terms = self.policy.terms[era]
                self._cells[name] = compile_key(terms, self.tables[terms.weight_table], own)
            return self._cells[name]

        return by_cell(axes, sizes, price, marks)


def settled_amounts(
    batch: CaseBatch,
    groups: Groups,
    table: WeightTable,
    policy: Policy,
    pricing: CasePricing,
    cell_of: Ids,
    cells: Sequence[CompiledCell],
    *,
    confidence: Confidence,
    places: Places | None = None,
) -> Amounts:
    """The amounts of priced rows: who bears them, and what is wrong with their bills."""
    facts, marks = pricing.facts, pricing.marks
    mark_rows(facts.bill, facts.days, marks)
    pricing.share()
    notices = Marks(len(batch))
    strict = np.array([is_strict(policy, terms) for terms in policy.terms], np.bool_)
    mark_bills(facts.bill, strict[facts.era], marks, notices)
    issue, issues = marks.used(partial(place_of_row, batch))
    notice, said = notices.used(partial(place_of_row, batch))
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
        places=places or Places(),
        notice=notice,
        notices=said,
    )


def _places_of(policy: Policy, tables: Iterable[WeightTable]) -> Places:
    """Decimals of weights, coefficients and rates in result columns, for any cases of a policy."""
    weight, coefficient, rate = 0, 0, 0
    for terms in policy.terms:
        factor, own, of_rules = finest(terms.rules)
        weight, rate = max(weight, factor), max(rate, of_rules, *_places(terms.base_rate))
        coefficient = max(coefficient, own)
        if terms.coefficient is not None:
            coefficient = max(coefficient, *_places(terms.coefficient))
    in_tables = [one.numbers for one in tables]
    if any(terms.rules.coef_source.startswith("table") for terms in policy.terms):
        coefficient = max(coefficient, *(one["coefficient"].decimals for one in in_tables))
    weight += max(one["weight"].decimals for one in in_tables)
    return Places(weight, coefficient, rate)


def _places(values: KeyedValues) -> tuple[int, ...]:
    """The decimals that numbers are written with; 0 among them."""
    exponents = (number.as_tuple().exponent for number in values.values.values())
    return (0, *(-one for one in exponents if isinstance(one, int)))


def _comparisons_met(comparisons: Sequence[Comparison], facts: Facts) -> Ids:
    """For each row which comparisons of days, discharge and age it meets, a bit each."""
    met = np.zeros(len(facts.era), np.int64)
    columns: dict[str, tuple[NDArray[np.integer], int]] = {
        "los": (facts.los, MISSING),
        "leave": (facts.leave, 0),
        "age": (facts.age, MISSING),
    }
    for bit, one in enumerate(comparisons):
        column, missing = columns[one.name]
        if one.operator == "=":
            holds = column == one.border
        else:
            border = limit(one.operator, one.border, Fraction(1))
            holds = column <= border if one.operator.startswith("<") else column >= border
        met |= (holds & (column != missing)).astype(np.int64) << bit
    return met


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


def _by_hospital(policy: Policy, table: WeightTable) -> bool:
    """Whether hospitals of one level may have prices of their own."""
    keyed = [terms.base_rate for terms in policy.terms]
    keyed += [terms.coefficient for terms in policy.terms if terms.coefficient is not None]
    by_policy = any("hospital" in values.by for values in keyed)
    return by_policy or any(facts.hospital for facts in table.facts)


class CasePricing(Pricing):
    """Prices by the terms of each era, and the pooled fund's part of them."""

    def __init__(self, facts: Facts, policy: Policy, marks: Marks) -> None:
        super().__init__(len(facts.era))
        self.facts = facts
        self.marks = marks
        self._policy = policy
        self.fund = np.full(len(facts.era), MISSING_FEN, np.int64)
        self.patient = np.full(len(facts.era), MISSING_FEN, np.int64)

    def share(self) -> None:
        """The pooled fund's part of each payment, and the patient's part of the bill."""
        facts, marks, policy = self.facts, self.marks, self._policy
        priced = self.case_type != CaseType.UNPRICED
        known = np.array([terms.fund.rule != "" for terms in policy.terms], np.bool_)[facts.era]
        marks.mark(priced & known & (facts.pool_fen == MISSING_FEN), needs("fund_basic"))
        marks.mark_values(facts.other_fen < 0, facts.other_fen, partial(negative, "other_funds"))
        # pool <= total - other says the same as pool + other <= total and cannot overflow
        rest = facts.total_fen - facts.other_fen - facts.pool_fen
        told = (facts.total_fen != MISSING_FEN) & (facts.pool_fen != MISSING_FEN)
        marks.mark_values(
            told & (facts.pool_fen > facts.total_fen - facts.other_fen), rest, less_than_funds
        )
        for era, terms in enumerate(policy.terms):
            for name in ASKED[terms.fund.rule]:
                lacking = facts.bill.get(name)
                rows = priced & (facts.era == era)
                marks.mark(
                    rows if lacking is None else rows & (lacking == MISSING_FEN), needs(name)
                )
        whole = priced & (marks.number == 0)
        self.patient = np.where(whole & told, rest, MISSING_FEN)
        for era, terms in enumerate(policy.terms):
            own = np.flatnonzero(whole & known & (facts.era == era))
            if len(own):
                bill = {name: facts.bill[name][own] for name in ASKED[terms.fund.rule]}
                self.fund[own] = share_column(
                    terms.fund, self.payable[own], facts.total_fen[own], facts.pool_fen[own], bill
                )


def place_of_row(batch: CaseBatch, row: int) -> str:
    """`file:row`, "" where the source has no name."""
    return f"{batch.source}:{int(batch.row[row])}" if batch.source and len(batch.row) else ""


def _difference(payable: NDArray[np.int64], total: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(payable == MISSING_FEN, MISSING_FEN, payable - total)
