"""A cell: the cases that differ in nothing but their cost, and what they are paid.

The rules of every era stand in the form of the leads (Terms.rules); here the numbers of area and
weight table are put beside them, for one case and for a batch alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from grouper.dated import Span
from grouper.engine.groups import Status
from grouper.errors import Issue, SettlementError, WeightError
from grouper.money import FEN_PER_YUAN
from grouper.policy.lead_rules import LeadCase
from grouper.policy.leads import Lead, label_columns
from grouper.policy.model import CostRule, Terms
from grouper.settle.amounts import CaseType, DecidingRule
from grouper.settle.cuts import Branch, CompiledCell, Ramp
from grouper.settle.lead import Given
from grouper.settle.lead_cuts import Naming, compile_lead
from weights.table import Facts, WeightTable
from weights.words import insurance_code

#: what lacks in a lead -> the section of a policy that would give it
_SECTIONS = {"rate": "base_rate", "coef": "hospital_coefficient"}


@dataclass(frozen=True, slots=True)
class Key:
    """What makes a cell. `group`: its code, for an ambiguous or ungrouped case that of its rule.

    los, leave, age: of one case of the cell; the others meet the same comparisons of the rules.
    """

    status: Status
    group: str
    insurance: str
    level: str
    hospital: str
    los: int | None = None
    leave: str = ""
    age: int | None = None


@dataclass(frozen=True, slots=True)
class Priced:
    """A case before its rules: the facts they ask for, and the numbers of table and area."""

    case: LeadCase
    given: Given
    naming: Naming


def own_type(status: Status) -> CaseType | None:
    """The type of cases outside the groups."""
    return {Status.AMBIGUOUS: CaseType.AMBIGUOUS, Status.UNGROUPED: CaseType.UNGROUPED}.get(status)


def cost_rule(terms: Terms, status: Status) -> CostRule | None:
    """The share of its cost that a case outside the groups is paid."""
    if status == Status.GROUPED:
        return None
    return terms.ambiguous if status == Status.AMBIGUOUS else terms.ungrouped


def cost_deciding(terms: Terms, status: Status, rule: CostRule) -> DecidingRule:
    """The rule of a case outside the groups, and its source."""
    section = "ambiguous" if status == Status.AMBIGUOUS else "ungrouped"
    return DecidingRule(rule.rule, terms.sources[section])


def lay_out(terms: Terms, table: WeightTable, key: Key) -> Priced:
    """The facts and numbers of a case. Raises WeightError WT112 for rows that contradict."""
    rules = terms.rules
    # leads speak of insurances by word, tables by code
    facts = Facts(insurance_code(key.insurance), key.level, key.hospital)

    def of_table(column: str) -> Fraction | None:
        return _fraction(table.find(column, key.group, facts))

    weight = of_table("weight")
    coefficient = terms.coefficient
    asked = (key.insurance, key.level, key.hospital)
    rate, value = terms.base_rate.find(*asked), None
    if terms.point_value is not None:
        value = terms.point_value.find(*asked)
    points = rules.points is not None or rules.standard == "S5"
    case = LeadCase(
        group=key.group,
        level=key.level,
        insurance=key.insurance,
        hospital=key.hospital,
        weight=weight or None,  # some tables print 0 where there is none
        los=1 if key.los is None else key.los,
        leave=key.leave,
        age=key.age,
        labels=_labels(rules, table, key.group, facts) if rules.class_rules else None,
    )
    given = Given(
        cost=Fraction(0),
        coef=None if coefficient is None else _fraction(coefficient.find(*asked)),
        group_coef=of_table("coefficient") if rules.coef_source.startswith("table") else None,
        rate=_fraction(rate) if rate is not None or points else of_table("rate"),
        point_value=_fraction(value)
        if value is not None or not points
        else of_table("point_value"),
        mean_cost=_fraction(terms.mean_cost),
        group_mean=_group_mean(rules, table, key.group, facts),
        score=of_table("points") if rules.standard == "S6" else None,
    )
    return Priced(case, given, Naming(rules, terms.sources, own_type(key.status)))


def compile_key(terms: Terms, table: WeightTable, key: Key) -> CompiledCell | Issue:
    """The cell of a key, or why it has none.

    WT101 the table lacks the group, WT108 it has no weight for it, WT112 its rows contradict each
    other; ST101 no rate or coefficient for such a case in this era; ST213 no rule for cases outside
    the groups.
    """
    rule = cost_rule(terms, key.status)
    if rule is not None:
        kind = own_type(key.status)
        assert kind is not None
        line = Ramp(Fraction(rule.factor), Fraction(0))
        return CompiledCell.of([Branch(kind, cost_deciding(terms, key.status, rule), line)])
    try:
        priced = lay_out(terms, table, key)
        return compile_lead(terms.rules, priced.case, priced.given, priced.naming)
    except (SettlementError, WeightError) as error:
        return why_not(error, terms, table, key)


def why_not(
    error: SettlementError | WeightError, terms: Terms, table: WeightTable, key: Key
) -> Issue:
    """The issue of a case that cannot be priced."""
    issue = error.issues[0]
    kind = own_type(key.status)
    if kind is not None:
        return Issue("ST213", str(terms.span), {"kind": kind.word("en")})
    if issue.code != "ST121":
        return issue
    lacking = str(issue.params["key"])
    if lacking == "weight":
        return table.no_weight(key.group)
    if terms.span == Span(date.min):  # a lead has no dates to name
        return issue
    return terms.lacking(_SECTIONS.get(lacking, lacking), key.insurance, key.level, key.hospital)


def _group_mean(rules: Lead, table: WeightTable, group: str, facts: Facts) -> Fraction | None:
    """The published standard of a group, yuan, else its mean cost, where the rules ask for one."""
    if "G" not in rules.ratio_base and not any(one.value == "G" for one in rules.class_rules):
        return None
    standard = table.standard_fen(
        group, insurance=facts.insurance, level=facts.level, hospital=facts.hospital
    )
    if standard is not None:
        return Fraction(standard, FEN_PER_YUAN)
    return _fraction(table.find("mean_cost", group, facts))


def _labels(rules: Lead, table: WeightTable, group: str, facts: Facts) -> Mapping[str, str]:
    """The texts of a group, also under the headers by which the rules name its columns."""
    labels = table.labels(group, facts)
    for rule in rules.class_rules:
        words = rule.words if rule.test in ("any", "flag") else ()
        for word in (*words, *(w for fact in rule.facts if fact.fact == "any" for w in fact.words)):
            column = label_columns().get(word)
            if column in labels:
                labels[word] = labels[column]
    return labels


def _fraction(value: Decimal | None) -> Fraction | None:
    return None if value is None else Fraction(value)
