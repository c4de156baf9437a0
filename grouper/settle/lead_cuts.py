"""The rules of a lead for one cell, compiled to straight lines between cuts (cuts.py).

lead.py prices one case with its cost in hand; here the cost is left open. What else the rules ask
of a case (days, discharge, age) belongs to the key of the cell: `asked` tells what that is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

from grouper.money import FEN_PER_YUAN, round_half_up
from grouper.policy.lead_rules import (
    CaseRule,
    Choice,
    ClassRule,
    Comparison,
    LeadCase,
    parse_schedule,
)
from grouper.policy.leads import Lead
from grouper.settle.amounts import CaseType, DecidingRule
from grouper.settle.cuts import Bound, Branch, CompiledCell, Ramp, ramp
from grouper.settle.lead import (
    Basis,
    Given,
    actions_of,
    basis_of,
    border_of,
    needs_no_price,
    pay_as,
    pay_high,
    pay_low,
    score_basis,
)

#: head of a kind (LeadAmount.kind) -> type of the case, section of a policy that says so
_KINDS = {
    "NORM": (CaseType.INLIER, "standard"),
    "LOW": (CaseType.LOW_OUTLIER, "low_outlier"),
    "HIGH": (CaseType.HIGH_OUTLIER, "high_outlier"),
    "class": (CaseType.CLASS_RULE, "class_rules"),
    "before": (CaseType.CASE_RULE, "before_rules"),
    "within": (CaseType.CASE_RULE, "within_rules"),
    "b0": (CaseType.LOW_OUTLIER, "standard"),
    "b1": (CaseType.LOW_OUTLIER, "standard"),
    "b2": (CaseType.INLIER, "standard"),
    "b3": (CaseType.HIGH_OUTLIER, "standard"),
    "b4": (CaseType.HIGH_OUTLIER, "standard"),
}
#: what a class is paid by the day
_PER_DIEM = "D1"


def asked(lead: Lead) -> tuple[Comparison, ...]:
    """The comparisons of days, discharge and age by which cases of one cell are paid apart."""
    found = [one for rule in (*lead.before_rules, *lead.within_rules) for one in rule.comparisons]
    schedules = [side.k for side in (lead.low, lead.high) if side]
    schedules += [side.deducted for side in (lead.low, lead.high) if side and side.deducted]
    schedules += [lead.coef_default] if lead.coef_default else []
    found += [one for each in schedules for step in each.steps for one in step.comparisons]
    for rule in lead.class_rules:
        for fact in rule.facts:
            if fact.fact == "age":
                found.append(Comparison("age", fact.operator, Fraction(fact.words[0])))
    return tuple(dict.fromkeys(one for one in found if one.name not in ("w", "x")))


@dataclass(frozen=True, slots=True)
class Naming:
    """How payments by some rules are called in results.

    sources: section -> where it is written down; without them it is the row of the lead.
    own: the type of cases in no group, whatever rule pays for them.
    """

    lead: Lead
    sources: Mapping[str, str] | None = None
    own: CaseType | None = None

    def __call__(self, kind: str) -> tuple[CaseType, DecidingRule]:
        """Type and rule of a payment of a kind (LeadAmount.kind)."""
        head, _, rule = kind.partition(":")
        found, section = _KINDS[head]
        if self.own is not None:
            found = self.own
        side = {"LOW": self.lead.low, "HIGH": self.lead.high}.get(head)
        if side is not None:
            rule = side.form
        source = self.lead.where if self.sources is None else self.sources.get(section, "")
        return found, DecidingRule(rule or (self.lead.standard if head == "NORM" else head), source)


def needs_days(lead: Lead) -> bool:
    """Whether a case of a lead cannot be priced without its days of stay."""
    by_the_day = any(one.target == "pay" and one.value == _PER_DIEM for one in lead.class_rules)
    return by_the_day or any(one.name == "los" for one in asked(lead))


def compile_lead(
    lead: Lead, case: LeadCase, given: Given, naming: Naming | None = None
) -> CompiledCell:
    """The branches of one cell, in the order in which the one-case path asks them.

    case: one of the cell; given: its cost is not looked at.
    Raises SettlementError ST121 for a number that nobody gives.
    """
    naming = naming or Naming(lead)
    actions = actions_of(lead, case)
    payment = actions["pay"].value if "pay" in actions else ""
    if lead.method == "score" and not payment:
        maker = _Maker(lead, case, given, score_basis(lead, case, given, actions), naming)
        return maker.cell(maker.bands())
    basis = None if needs_no_price(payment) else basis_of(lead, case, given, actions)
    if basis is not None:
        case = replace(case, weight=basis.weight)
    maker = _Maker(lead, case, given, basis, naming)
    branches = [*maker.rules("before", lead.before_rules)]
    if payment:
        branches.append(maker.by_rule(f"class:{payment}", payment))
    else:
        branches += maker.outliers(actions)
        branches += maker.rules("within", lead.within_rules)
        branches.append(maker.normal())
    return maker.cell(branches)


@dataclass(frozen=True)
class _Maker:
    """Makes the branches of one cell; `basis` None where a class is paid from its cost alone."""

    lead: Lead
    case: LeadCase
    given: Given
    basis: Basis | None
    naming: Naming

    @property
    def priced(self) -> Basis:
        assert self.basis is not None, "no area pays a standard to a group that it pays by cost"
        return self.basis

    def cell(self, branches: Iterable[Branch]) -> CompiledCell:
        basis = self.basis
        if basis is None:
            return CompiledCell.of(branches)
        return CompiledCell.of(
            branches,
            weight=_decimal(basis.weight),
            coefficient=_decimal(basis.coefficient),
            rate=None if basis.rate is None else _decimal(basis.rate),
            standard_fen=round_half_up(basis.standard * basis.factor * FEN_PER_YUAN),
        )

    def normal(self) -> Branch:
        standard = self.priced.standard * self.priced.factor
        return self._branch("NORM", Ramp(Fraction(0), standard))

    def outliers(self, actions: Mapping[str, ClassRule]) -> Iterator[Branch]:
        lead, basis = self.lead, self.priced
        low, high = (
            border_of(one, self.case, actions, i) for i, one in enumerate((lead.low, lead.high))
        )
        if low:
            yield self._branch(
                "LOW", ramp(lambda cost: pay_low(low.form, cost, basis)), [(low.operator, low.k)]
            )
        if high:
            line = ramp(lambda cost: pay_high(high, cost, basis) * basis.factor)
            yield self._branch("HIGH", line, [(high.operator, high.k)])

    def rules(self, name: str, rules: Sequence[CaseRule]) -> Iterator[Branch]:
        """The rules whose facts the cell meets, with their comparisons of the ratio left open."""
        for rule in rules:
            ratios = [one for one in rule.comparisons if one.name == "x"]
            facts = [one for one in rule.comparisons if one.name != "x"]
            # a class that is paid from its cost alone has no ratio
            if all(one.holds(self.case) for one in facts) and not (ratios and self.basis is None):
                tests = [(one.operator, one.border) for one in ratios]
                yield self.by_rule(f"{name}:{rule.text}", rule.payment, tests)

    def by_rule(
        self, kind: str, payment: str, tests: Sequence[tuple[str, Fraction]] = ()
    ) -> Branch:
        if payment == _PER_DIEM:
            a_day = pay_as(payment, replace(self.case, los=1), self.given, self.basis)
            return self._branch(kind, Ramp(a_day, Fraction(0)), tests, by_days=True)

        def paid(cost: Fraction) -> Fraction:
            return pay_as(payment, self.case, replace(self.given, cost=cost), self.basis)

        return self._branch(kind, ramp(paid), tests)

    def bands(self) -> Iterator[Branch]:
        """B2: by the ratio of the cost to 3 s c; the lowest band pays the cost."""
        basis = self.priced
        amount = basis.plain * basis.factor
        yield self._branch("b0", Ramp(Fraction(1), Fraction(0)), [("<=", Fraction(2, 5))])
        slope = amount / basis.base
        yield self._branch("b1", Ramp(slope, Fraction(0)), [("<", Fraction(4, 5))])
        yield self._branch("b2", Ramp(Fraction(0), amount), [("<=", Fraction(7, 5))])
        over = Ramp(slope, -Fraction(2, 5) * amount)
        yield self._branch("b3", over, [("<=", Fraction(5, 2))])
        yield self._branch("b4", Ramp(Fraction(0), Fraction(21, 10) * amount))

    def _branch(
        self,
        kind: str,
        line: Ramp,
        tests: Sequence[tuple[str, Fraction]] = (),
        *,
        by_days: bool = False,
    ) -> Branch:
        """A branch from a line in yuan and comparisons of the ratio."""
        case_type, rule = self.naming(kind)
        # a fen of cost is worth as much as a yuan; a day is not
        slope = line.slope * FEN_PER_YUAN if by_days else line.slope
        return Branch(
            case_type,
            rule,
            Ramp(slope, line.start * FEN_PER_YUAN),
            tuple(Bound(op, k * self.priced.base * FEN_PER_YUAN) for op, k in tests),
            by_days,
        )


#: the last digit of a number that is shown, not paid by
_SHOWN = Decimal("1e-10")


def _decimal(value: Fraction) -> Decimal:
    """A product of published decimals as a decimal; what is none, half up to ten decimals."""
    with localcontext() as context:
        context.prec = 60
        exact = Decimal(value.numerator) / Decimal(value.denominator)
        return exact if Fraction(exact) == value else exact.quantize(_SHOWN, ROUND_HALF_UP)


def finest(lead: Lead) -> tuple[int, int, int]:
    """Decimals that the rules can bring to a weight, a coefficient and a rate."""
    factors = {"weight": 0, "coef": 0, "rate": 0}
    for rule in lead.class_rules:
        if rule.target in factors and rule.operator == "*=":
            steps = parse_schedule(rule.value).steps
            most = max(decimals_of(step.value) for step in steps)
            factors[rule.target] = max(factors[rule.target], most)
    coefs = [*lead.coefs.values(), *(step.value for step in _steps_of(lead))]
    coefficient = max(map(decimals_of, coefs), default=0)
    rate = max(map(decimals_of, lead.rates.values()), default=0)
    return factors["weight"], coefficient + factors["coef"], rate + factors["rate"]


def _steps_of(lead: Lead) -> Iterator[Choice]:
    """The steps that give a coefficient outright: defaults and caps."""
    if lead.coef_default:
        yield from lead.coef_default.steps
    for rule in lead.class_rules:
        if rule.target == "coef" and rule.operator == "<=":
            yield from parse_schedule(rule.value).steps


def decimals_of(value: Fraction | Decimal) -> int:
    """How many decimals a decimal number needs."""
    exponent = _decimal(Fraction(value)).normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0
