"""One policy file: its dated values, and the eras between the days on which one changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TypeVar, cast

from grouper.dated import Dated, Span, lowest
from grouper.errors import Issue
from grouper.policy import schema
from grouper.policy.area import checked
from grouper.policy.case_rules import rules_in_lead_form
from grouper.policy.dip import DipRules
from grouper.policy.lead_rules import CaseRule, ClassRule, parse_case_rules, parse_class_rules
from grouper.policy.model import (
    Area,
    CostRule,
    FundRule,
    KeyedValues,
    OutlierRule,
    StandardRule,
    Terms,
)
from grouper.policy.parameter_files import own_entries
from grouper.policy.parameters import Entry, Parameters
from grouper.policy.sections import Sections
from grouper.policy.variant import Changes

T = TypeVar("T")

#: keys of the head of a file that a payment rests on
_HEAD = ("scheme", "weight_table")


@dataclass(frozen=True, slots=True)
class Edition:
    """One policy file: its days and its dated values (None: the area has no such rule)."""

    file: schema.PolicyFile
    path: Path
    span: Span
    base_rate: Dated[KeyedValues] | None
    point_value: Dated[KeyedValues] | None
    mean_cost: Dated[Decimal] | None
    coefficient: Dated[KeyedValues] | None
    standard: Dated[StandardRule]
    low: Dated[OutlierRule] | None
    high: Dated[OutlierRule] | None
    class_rules: Dated[tuple[ClassRule, ...]] | None
    before_rules: Dated[tuple[CaseRule, ...]] | None
    within_rules: Dated[tuple[CaseRule, ...]] | None
    dip: Dated[DipRules] | None
    ambiguous: Dated[CostRule] | None
    ungrouped: Dated[CostRule] | None
    fund: Dated[FundRule]
    deposit: Dated[Decimal] | None
    own: Mapping[str, tuple[Entry, ...]]

    @property
    def parts(self) -> tuple[Dated[object], ...]:
        """The dated values there are."""
        values = (
            self.base_rate,
            self.point_value,
            self.mean_cost,
            self.coefficient,
            self.standard,
            self.low,
            self.high,
            self.class_rules,
            self.before_rules,
            self.within_rules,
            self.dip,
            self.ambiguous,
            self.ungrouped,
            self.fund,
            self.deposit,
        )
        return tuple(cast(Dated[object], value) for value in values if value is not None)


def read_edition(
    path: Path, area: Area, issues: list[Issue], changes: Changes | None = None
) -> Edition | None:
    """A policy file; None, and the issues said, when it cannot be used."""
    file = checked(schema.PolicyFile, path, issues, changes)
    if file is None:
        return None
    span = Span(file.valid_from, file.valid_to)
    read = Sections(path, span, area)
    coefficient, low, high = file.hospital_coefficient, file.low_outlier, file.high_outlier
    ambiguous, ungrouped = file.ambiguous, file.ungrouped
    deposit = file.deposit
    insurances = [one.code for one in area.insurances]
    own, wrong = own_entries(file.parameters, span, area.id, path, insurances)
    read.issues.extend(wrong)
    if deposit is not None:
        if "deposit" in file.parameters:
            read.twice("parameters.deposit")
        own |= {"deposit": read.deposit_entries(deposit)}

    standard = read.standard(file.standard)

    def rules(
        key: str, section: schema.RulesSection | None, parse: Callable[[str], tuple[T, ...]]
    ) -> Dated[tuple[T, ...]] | None:
        return read.rules(key, section, parse) if section else None

    edition = Edition(
        file=file,
        path=path,
        span=span,
        base_rate=read.keyed("base_rate", file.base_rate) if file.base_rate else None,
        point_value=read.keyed("point_value", file.point_value) if file.point_value else None,
        mean_cost=read.mean_cost(file.mean_cost) if file.mean_cost else None,
        coefficient=read.keyed("hospital_coefficient", coefficient) if coefficient else None,
        standard=standard,
        low=read.outlier("low_outlier", low) if low else None,
        high=read.outlier("high_outlier", high) if high else None,
        class_rules=rules("class_rules", file.class_rules, parse_class_rules),
        before_rules=rules("before_rules", file.before_rules, parse_case_rules),
        within_rules=rules("within_rules", file.within_rules, parse_case_rules),
        dip=read.dip(file.dip, standard) if file.dip else None,
        ambiguous=read.cost("ambiguous", ambiguous) if ambiguous else None,
        ungrouped=read.cost("ungrouped", ungrouped) if ungrouped else None,
        fund=read.fund(file.fund),
        deposit=read.deposit(deposit) if deposit else None,
        own=own,
    )
    for key, value, needed in (
        ("base_rate", edition.base_rate, "needs_rate"),
        ("point_value", edition.point_value, "needs_point_value"),
        ("mean_cost", edition.mean_cost, "needs_mean_cost"),
        ("hospital_coefficient", edition.coefficient, "needs_coefficient"),
    ):
        if value is None and any(getattr(one.value, needed) for one in edition.standard.versions):
            read.lacks(key)
    issues.extend(read.issues)
    return None if read.issues else edition


def terms_of(edition: Edition, parameters: Parameters, origin: str) -> list[Terms]:
    """The edition cut at every day on which something changes."""
    changes = {day for part in edition.parts for day in part.borders()}
    changes |= parameters.changes("deposit")
    starts = sorted({day for day in changes if edition.span.covers(day)} | {edition.span.start})
    ends = [*starts[1:], edition.span.end]
    return [
        _era(edition, parameters, origin, Span(day, end))
        for day, end in zip(starts, ends, strict=True)
    ]


def _era(edition: Edition, parameters: Parameters, origin: str, span: Span) -> Terms:
    """What holds on the days of a span, inside which nothing changes."""
    day, file = span.start, edition.file

    def on(part: Dated[T] | None) -> T | None:
        return None if part is None else part.at(day)

    base_rate = on(edition.base_rate) or KeyedValues((), {})
    point_value, mean_cost = on(edition.point_value), on(edition.mean_cost)
    coefficient, standard = on(edition.coefficient), edition.standard.at(day)
    low, high = on(edition.low), on(edition.high)
    rules = rules_in_lead_form(
        origin,
        standard=standard,
        base_rate=base_rate,
        point_value=point_value,
        mean_cost=mean_cost,
        coefficient=coefficient,
        low=low,
        high=high,
        class_rules=on(edition.class_rules) or (),
        before_rules=on(edition.before_rules) or (),
        within_rules=on(edition.within_rules) or (),
        confidence=lowest(part.confidence for part in edition.parts),
        where=str(edition.path),
    )
    deposit = parameters.at("deposit", day)
    told = [("deposit", deposit.source, deposit.confidence)]
    told += [(key, file.source, file.confidence) for key in _HEAD]
    told += [(part.key, part.source, part.confidence) for part in edition.parts]
    return Terms(
        span=span,
        scheme_id=file.scheme,
        weight_table=file.weight_table,
        base_rate=base_rate,
        coefficient=coefficient,
        standard=standard,
        low=low,
        high=high,
        ambiguous=on(edition.ambiguous),
        ungrouped=on(edition.ungrouped),
        fund=edition.fund.at(day),
        deposit_rate=parameters.number("deposit", day),
        sources={key: source for key, source, _ in told},
        point_value=point_value,
        mean_cost=mean_cost,
        rules=rules,
        marks={key: mark for key, _, mark in told},
        dip=on(edition.dip),
    )
