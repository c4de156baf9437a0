"""The payment of a case by a lead: class rules, then before, low, high, within, normal.

Everything is exact (Fraction, yuan); the one rounding is half up to the fen at the end. By points
the amounts are formed on the mean cost and turned into money by `factor` = points per weight x
point value / mean cost, so that one formula serves money and points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from grouper.errors import SettlementError
from grouper.money import FEN_PER_YUAN, round_half_up
from grouper.policy.lead_rules import ClassRule, LeadCase, compare, function, number, parse_schedule
from grouper.policy.leads import Lead, Outlier, keyed
from grouper.settle.outliers import HIGH_OUTLIERS, PLAIN_OUTLIERS

TEN_THOUSAND = 10000  # 万元
#: B2 compares the cost with so many yuan a point of the score
_SCORE_PER_BASE = 3


@dataclass(frozen=True, slots=True)
class Given:
    """The numbers that tables and area give for a case; None: take the lead's own, if it has one.

    cost: yuan. coef: of the hospital's level; group_coef: of the group at level or hospital;
    adjust: a factor on the coefficient. rate: yuan per weight 1; point_value: yuan per point;
    mean_cost: yuan per weight 1; group_mean: published standard of the group, yuan; score: points.
    """

    cost: Fraction
    coef: Fraction | None = None
    group_coef: Fraction | None = None
    adjust: Fraction | None = None
    rate: Fraction | None = None
    point_value: Fraction | None = None
    mean_cost: Fraction | None = None
    group_mean: Fraction | None = None
    score: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Basis:
    """What a case is measured and paid on, exact.

    plain: weight x rate (or x mean cost) in yuan; standard: with coefficient; base: what the cost
    is divided by; factor: from these amounts to money; point_value: None where nothing is paid by
    points; point: points per weight 1 (D1).
    """

    weight: Fraction
    coefficient: Fraction
    plain: Fraction
    standard: Fraction
    base: Fraction
    factor: Fraction = Fraction(1)
    rate: Fraction | None = None
    point_value: Fraction | None = None
    point: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class Border:
    """The border of an outlier rule for a case: ratio `operator` k, paid by `form`."""

    operator: str
    k: Fraction
    form: str
    deducted: Fraction

    def reached(self, cost: Fraction, base: Fraction) -> bool:
        """Whether the cost stands in the relation, by multiplication, never a rounded ratio."""
        return compare(cost, self.operator, self.k * base)


@dataclass(frozen=True, slots=True)
class LeadAmount:
    """What a case is paid by a lead, and the way there.

    kind: NORM, LOW, HIGH, `class:`, `before:` or `within:` and the rule, b0 to b4 (bands of B2).
    exact: yuan before rounding. basis, low, high: None where a class rule pays without them.
    """

    kind: str
    exact: Fraction
    basis: Basis | None = None
    low: Border | None = None
    high: Border | None = None

    @property
    def fen(self) -> int:
        """The payment, rounded half up to the fen."""
        return round_half_up(self.exact * FEN_PER_YUAN)

    @property
    def points(self) -> Fraction | None:
        """The points of the case, None where nothing is paid by points."""
        if self.basis is None or self.basis.point_value is None:
            return None
        return self.exact / self.basis.point_value


def pay_by_lead(lead: Lead, case: LeadCase, given: Given) -> LeadAmount:
    """The payment of a case. Raises SettlementError ST121 for a number that nobody gives."""
    actions = actions_of(lead, case)
    payment = actions["pay"].value if "pay" in actions else ""
    if lead.method == "score" and not payment:
        return _score_bands(lead, case, given, actions)
    basis = None if needs_no_price(payment) else basis_of(lead, case, given, actions)
    low, high = None, None
    if basis is not None:
        case = replace(case, weight=basis.weight)
        low, high = (
            border_of(one, case, actions, i) for i, one in enumerate((lead.low, lead.high))
        )
    ratio = given.cost / basis.base if basis else None

    def paid(kind: str, exact: Fraction) -> LeadAmount:
        return LeadAmount(kind, exact, basis, low, high)

    for rule in lead.before_rules:
        if rule.holds(case, ratio):
            return paid(f"before:{rule.text}", pay_as(rule.payment, case, given, basis))
    if payment:
        return paid(f"class:{payment}", pay_as(payment, case, given, basis))
    assert basis is not None
    if low and low.reached(given.cost, basis.base):
        return paid("LOW", pay_low(low.form, given.cost, basis))
    if high and high.reached(given.cost, basis.base):
        return paid("HIGH", pay_high(high, given.cost, basis) * basis.factor)
    for rule in lead.within_rules:
        if rule.holds(case, ratio):
            return paid(f"within:{rule.text}", pay_as(rule.payment, case, given, basis))
    return paid("NORM", basis.standard * basis.factor)


def needs_no_price(payment: str) -> bool:
    """Whether a class is paid from its cost alone, whatever the tables say of the group."""
    return payment == "L1" or payment.endswith("C")


def actions_of(lead: Lead, case: LeadCase) -> Mapping[str, ClassRule]:
    """For each quantity the first class rule that is meant for the case."""
    found: dict[str, ClassRule] = {}
    for rule in lead.class_rules:
        if rule.target not in found and rule.holds(case):
            found[rule.target] = rule
    return found


def _lacking(lead: Lead, key: str, case: LeadCase) -> SettlementError:
    return SettlementError(
        "ST121", lead.area, key=key, area=lead.area, level=case.level, insurance=case.insurance
    )


def _known(value: Fraction | None, lead: Lead, key: str, case: LeadCase) -> Fraction:
    if value is None:
        raise _lacking(lead, key, case)
    return value


def basis_of(lead: Lead, case: LeadCase, given: Given, actions: Mapping[str, ClassRule]) -> Basis:
    """What the case is measured and paid on. Raises SettlementError ST121."""
    weight = _known(case.weight, lead, "weight", case)
    if "weight" in actions:
        weight *= number(actions["weight"].value)
    basis = _priced(lead, case, given, actions, weight)
    if "points" in actions:
        basis = replace(basis, factor=basis.factor * number(actions["points"].value))
    fixed = _by_group(actions, "group", case)
    if fixed:
        # the city's own mean cost of the group, from which its weight was rounded
        basis = replace(basis, base=number(fixed[1]), plain=number(fixed[1]))
    amount = _fixed_standard(lead, case, given, actions)
    return basis if amount is None else replace(basis, standard=amount, base=amount)


def _by_group(
    actions: Mapping[str, ClassRule], target: str, case: LeadCase
) -> tuple[str, ...] | None:
    """The numbers a rule `target=GROUP:a/b|...` gives for the group of the case."""
    if target not in actions:
        return None
    entries = (piece.partition(":") for piece in actions[target].value.split("|"))
    return next((tuple(v.split("/")) for code, _, v in entries if code == case.group), None)


def _fixed_standard(
    lead: Lead, case: LeadCase, given: Given, actions: Mapping[str, ClassRule]
) -> Fraction | None:
    if "S" not in actions:
        return None
    if actions["S"].value == "G":
        return _known(given.group_mean or None, lead, "group_mean", case)
    found = _by_group(actions, "S", case)
    return number(found[0]) if found else None


def _priced(
    lead: Lead, case: LeadCase, given: Given, actions: Mapping[str, ClassRule], weight: Fraction
) -> Basis:
    """The basis by the standard of the lead, before fixed amounts."""
    if lead.standard in ("S1", "S2", "S5"):
        return _by_rate(lead, case, given, actions, weight)
    value = _value(lead, case, given) if lead.points else None
    if lead.standard == "S4":
        mean = _known(given.group_mean or None, lead, "group_mean", case)
        factor = Fraction(1) if value is None else value
        return Basis(weight, Fraction(1), mean, mean, mean, factor, point_value=value)
    assert lead.points is not None
    assert value is not None
    coefficient = _coefficient(lead, case, given, actions)
    fixed = _by_group(actions, "group", case)
    if fixed:
        weight, coefficient = number(fixed[0]), Fraction(1)
    if lead.ratio_base == "G":
        plain = _known(given.group_mean, lead, "group_mean", case)
    elif "v" in lead.ratio_base.split():
        plain = weight * value * lead.points
    else:
        area_mean = lead.mean_cost if given.mean_cost is None else given.mean_cost
        plain = weight * _known(area_mean, lead, "mean_cost", case)
    if not plain:
        raise _lacking(lead, "mean_cost", case)
    standard = plain * coefficient
    base = standard if "c" in lead.ratio_base.split() else plain
    if not base:
        raise _lacking(lead, "coef", case)
    factor = weight * value * lead.points / plain
    point = Fraction(lead.points)
    return Basis(weight, coefficient, plain, standard, base, factor, point_value=value, point=point)


def _by_rate(
    lead: Lead, case: LeadCase, given: Given, actions: Mapping[str, ClassRule], weight: Fraction
) -> Basis:
    if lead.standard == "S5":
        rate = _value(lead, case, given) * TEN_THOUSAND
    else:
        rate = _rate(lead, case, given, actions)
    coefficient = Fraction(1)
    if lead.standard != "S1":
        coefficient = _coefficient(lead, case, given, actions)
    plain = weight * rate
    standard = plain * coefficient
    base = standard if "c" in lead.ratio_base.split() else plain
    if not base:
        raise _lacking(lead, "coef" if plain else "rate", case)
    shown = None if lead.standard == "S5" else rate
    return Basis(weight, coefficient, plain, standard, base, rate=shown)


def _rate(lead: Lead, case: LeadCase, given: Given, actions: Mapping[str, ClassRule]) -> Fraction:
    own = keyed(lead.rates, case.level, case.insurance)
    rate = own if given.rate is None else given.rate
    if "rate" not in actions:
        return _known(rate, lead, "rate", case)
    rule = actions["rate"]
    name, argument = function(rule.value)
    if name == "level":
        return _known(keyed(lead.rates, argument, case.insurance), lead, "rate", case)
    if name == "R0":
        return Fraction(round_half_up(_known(rate, lead, "rate", case) * number(argument)))
    if rule.operator == "*=":
        return _known(rate, lead, "rate", case) * number(rule.value)
    return number(rule.value)


def _value(lead: Lead, case: LeadCase, given: Given) -> Fraction:
    value = given.point_value
    if value is None:
        value = keyed(lead.point_values, case.level, case.insurance)
    return _known(value or None, lead, "point_value", case)


def _coefficient(
    lead: Lead, case: LeadCase, given: Given, actions: Mapping[str, ClassRule]
) -> Fraction:
    rule = actions.get("coef")
    if rule is not None and rule.operator == "=":
        name, argument = function(rule.value)
        if name == "level":
            return _known(keyed(lead.coefs, argument, case.insurance), lead, "coef", case)
        factor = rule.value.removesuffix("*adjust")
        return number(factor) * (_adjust(given) if factor != rule.value else 1)
    found = _plain_coefficient(lead, case, given)
    if rule is None:
        return found
    value = _known(parse_schedule(rule.value).value(case), lead, "coef", case)
    return min(found, value) if rule.operator == "<=" else found * value


def _adjust(given: Given) -> Fraction:
    return Fraction(1) if given.adjust is None else given.adjust


def _plain_coefficient(lead: Lead, case: LeadCase, given: Given) -> Fraction:
    """The coefficient before class rules, from the table, the level or the hospital."""
    source = lead.coef_source
    if source == "1":
        return Fraction(1)
    if source == "adjust":
        return _adjust(given)
    found = given.group_coef if source.startswith("table") else None
    if found is None:
        found = given.coef
    if found is None:
        found = keyed(lead.coefs, case.level, case.insurance)
    if found is None and lead.coef_default is not None:
        found = lead.coef_default.value(case)
    coefficient = _known(found, lead, "coef", case)
    return coefficient * _adjust(given) if "adjust" in source else coefficient


def border_of(
    rule: Outlier | None, case: LeadCase, actions: Mapping[str, ClassRule], side: int
) -> Border | None:
    """The border of an outlier rule for a case; side: 0 low, 1 high, its place in a `band`."""
    if rule is None or "outliers" in actions:
        return None
    k = rule.k.value(case)
    if "band" in actions:
        k = number(actions["band"].value.split("/")[side])
    assert k is not None, "the last step of a schedule fits every case"
    deducted = rule.deducted.value(case) if rule.deducted else k
    assert deducted is not None
    return Border(rule.operator, k, rule.form, deducted)


def _share(payment: str) -> Fraction:
    """The share in `0.8C` or `1.1S`; 1 in L1, S."""
    text = payment.rstrip("CS")
    return number(text) if text and text[0].isdigit() else Fraction(1)


def pay_as(payment: str, case: LeadCase, given: Given, basis: Basis | None) -> Fraction:
    """A payment of a class, before or within rule by its name."""
    if needs_no_price(payment):
        return _share(payment) * given.cost
    assert basis is not None, "no area pays a standard to a group that it pays by cost"
    if payment == "L2":
        return given.cost * basis.factor
    if payment == "D1":
        return basis.weight * case.los * basis.point * (basis.point_value or 1)
    if payment == "B4":
        return (given.cost + Fraction(1, 5) * basis.plain) * basis.factor
    return _share(payment) * basis.standard * basis.factor


def pay_low(form: str, cost: Fraction, basis: Basis) -> Fraction:
    """What a low outlier is paid, exact yuan."""
    if form in ("L1", "L5"):
        return cost
    points = cost * basis.factor
    return points * basis.coefficient if form == "L3" else points


def pay_high(border: Border, cost: Fraction, basis: Basis) -> Fraction:
    """What a high outlier is paid, before the factor that turns points into money."""
    name = border.form.removesuffix("k")
    if name in PLAIN_OUTLIERS:
        return PLAIN_OUTLIERS[name](cost, basis.standard, basis.plain, border.deducted)
    return HIGH_OUTLIERS[name](cost, basis.standard, basis.base, border.k)


def score_basis(
    lead: Lead, case: LeadCase, given: Given, actions: Mapping[str, ClassRule]
) -> Basis:
    """B2: the score s c of a case, what its cost is divided by, and the rate."""
    coefficient = _coefficient(lead, case, given, actions)
    score = _known(given.score, lead, "score", case) * coefficient
    rate = _rate(lead, case, given, actions)
    if not score or not rate:
        raise _lacking(lead, "rate" if score else "score", case)
    base = _SCORE_PER_BASE * score
    factor = number(actions["points"].value) if "points" in actions else Fraction(1)
    weight = case.weight or Fraction(1)
    return Basis(weight, coefficient, score, score, base, factor * rate, rate, rate)


def _score_bands(
    lead: Lead, case: LeadCase, given: Given, actions: Mapping[str, ClassRule]
) -> LeadAmount:
    """B2: the score s c of a case by its ratio, times the rate; the lowest band pays the cost."""
    basis = score_basis(lead, case, given, actions)
    ratio = given.cost / basis.base
    if ratio <= Fraction(2, 5):
        return LeadAmount("b0", given.cost, basis)
    bands = (
        ("b1", ratio < Fraction(4, 5), ratio),
        ("b2", ratio <= Fraction(7, 5), Fraction(1)),
        ("b3", ratio <= Fraction(5, 2), ratio - Fraction(2, 5)),
        ("b4", True, Fraction(21, 10)),
    )
    kind, share = next((kind, share) for kind, holds, share in bands if holds)
    return LeadAmount(kind, share * basis.plain * basis.factor, basis)
