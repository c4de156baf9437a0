"""The one row that holds for a case: on a day, for an insurance, a level, a hospital, a group."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from grouper.errors import SettlementError
from grouper.policy.model import KeyedValues, OutlierRule, Policy, Step, Terms


@dataclass(frozen=True, slots=True)
class Picked:
    """What is in force for a case; None where the area has no such value.

    coefficient is None too where the weight table holds it. low, high: the steps of the schedule
    that such a case can meet, by its weight.
    """

    terms: Terms
    insurance: str
    level: str
    rate: Decimal | None
    point_value: Decimal | None
    coefficient: Decimal | None
    low: tuple[Step, ...]
    high: tuple[Step, ...]


def pick(
    policy: Policy,
    day: date,
    *,
    insurance: str,
    level: str,
    hospital: str = "",
    group: str = "",
) -> Picked:
    """The row for a case. Never takes another day's, level's or insurance's row instead.

    Raises SettlementError ST101 (nothing in force, or no value for the key) and ST105 (a spelling
    that is no code of the area), both with the nearest there is.
    """
    terms = policy.terms_at(day)
    ins, own = policy.insurance(insurance), policy.level(level)
    for field, text, code in (("insurance", insurance, ins), ("hospital_level", level, own)):
        if not code:
            raise SettlementError.of([policy.unknown(field, text)])
    key = (ins, own, hospital)
    standard = terms.standard
    rate = _value("base_rate", terms, terms.base_rate, key, needed=standard.needs_rate)
    value = _value("point_value", terms, terms.point_value, key, needed=standard.needs_point_value)
    in_table = terms.coefficient is not None and terms.coefficient.in_table
    coefficient = _value(
        "hospital_coefficient", terms, terms.coefficient, key,
        needed=standard.needs_coefficient and not in_table,
    )  # fmt: skip
    return Picked(
        terms, ins, own, rate, value, coefficient,
        low=_steps(terms.low, ins, own, group), high=_steps(terms.high, ins, own, group),
    )  # fmt: skip


def _value(
    name: str,
    terms: Terms,
    values: KeyedValues | None,
    key: tuple[str, str, str],
    *,
    needed: bool,
) -> Decimal | None:
    found = None if values is None else values.find(*key)
    if found is None and needed and values is not None:
        raise SettlementError.of([terms.lacking(name, *key)])
    return found


def _steps(rule: OutlierRule | None, insurance: str, level: str, group: str) -> tuple[Step, ...]:
    """The steps of a schedule that a case of unknown weight can meet, up to the first open one."""
    met: list[Step] = []
    for step in rule.steps if rule else ():
        fits = (step.insurance, step.level, step.group)
        if all(
            not own or own == of for own, of in zip(fits, (insurance, level, group), strict=True)
        ):
            met.append(step)
            if step.weight_up_to is None and step.weight_below is None:
                break
    return tuple(met)
