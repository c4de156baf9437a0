"""Auxiliary types (辅助分型) as data: families of types, their conditions, the lists they name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from grouper.datafile import data_folder, read_toml
from grouper.errors import SchemeError

#: from, to (None = no end), both inside
Band = tuple[int, int | None]

_BANDS = ("days", "years", "icu_days", "cci")
_SHARES = ("treatment_from", "drugs_from", "cost_from")


@dataclass(frozen=True, slots=True)
class AuxiliaryType:
    """One type: every condition that is not None (or False) must hold.

    principal, other: names of lists; elsewhere: the other diagnosis is of another category;
    stay_from: days; cost_from: multiples of the mean cost of the group; treatment_from, drugs_from:
    shares of the total cost; days: of life; years: of age; within: types of the family severity.
    """

    family: str
    id: str
    title: str
    principal: str = ""
    other: str = ""
    elsewhere: bool = False
    stay_from: int | None = None
    death: bool = False
    cost_from: Fraction | None = None
    treatment_from: Fraction | None = None
    drugs_from: Fraction | None = None
    days: Band | None = None
    years: Band | None = None
    icu_days: Band | None = None
    cci: Band | None = None
    within: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trigger:
    """When a type counts: more cases than these, CV of the group from this, lowered by a share."""

    group_cases_above: int
    type_cases_above: int
    cv_reduction: Fraction
    cv_from: Fraction


@dataclass(frozen=True)
class AuxiliaryRules:
    """All types, in the order in which they are tried; where they come from.

    kinds: of groups whose cases are typed; lists: name -> codes and ranges; charlson: (codes,
    weight) of the comorbidity index, of which the longest code that fits counts; parts: part of the
    cost -> sets of fields; cost_from: the multiple that types ask for, None = none does.
    """

    title: str
    source: str
    confidence: str
    kinds: tuple[str, ...]
    trigger: Trigger
    lists: Mapping[str, tuple[str, ...]]
    charlson: tuple[tuple[tuple[str, ...], int], ...]
    types: tuple[AuxiliaryType, ...]
    parts: Mapping[str, tuple[tuple[str, ...], ...]]
    cost_from: Fraction | None

    @property
    def families(self) -> tuple[str, ...]:
        """The families, each once, in order."""
        return tuple(dict.fromkeys(one.family for one in self.types))

    def charlson_weight(self, code: str) -> int:
        """The weight of a diagnosis in the comorbidity index (upper case), 0 for none."""
        best = (0, 0)
        for keys, weight in self.charlson:
            for key in keys:
                low, _, high = key.partition("-")
                if low <= code[: len(low)] and code[: len(low)] <= (high or low):
                    best = max(best, (len(low), weight))
        return best[1]


def load_auxiliary(path: str | Path | None = None) -> AuxiliaryRules:
    """The rules that come with the program, or those in a file of the same form (`.toml`).

    Raises DataFileError for a file that cannot be read, SchemeError SE81 for what it must not say.
    """
    return _load(Path(path) if path else data_folder("dip", "auxiliary.toml"))


@lru_cache(maxsize=8)
def _load(path: Path) -> AuxiliaryRules:
    raw, where = read_toml(path), str(path)
    try:
        trigger = raw["trigger"]
        lists = {name: tuple(one["codes"]) for name, one in raw["lists"].items()}
        types = tuple(_type(one, lists, where) for one in raw["type"])
        return AuxiliaryRules(
            title=raw["title"],
            source=raw["source"],
            confidence=raw["confidence"],
            kinds=tuple(raw["kinds"]),
            trigger=Trigger(
                int(trigger["group_cases_above"]),
                int(trigger["type_cases_above"]),
                _exact(trigger["cv_reduction"]),
                _exact(trigger["cv_from"]),
            ),
            lists=lists,
            charlson=tuple((tuple(one["codes"]), one["weight"]) for one in raw["cci"]["weights"]),
            types=_in_order(types, where),
            parts={name: tuple(map(tuple, sets)) for name, sets in raw["parts"].items()},
            cost_from=_one_multiple(types, where),
        )
    except KeyError as error:
        raise SchemeError("SE81", where, text=f"{error.args[0]} = ?") from None


def _type(raw: Mapping[str, Any], lists: Mapping[str, object], where: str) -> AuxiliaryType:
    """One type, its conditions checked."""
    values = {("within" if key == "with" else key): value for key, value in raw.items()}
    known = {one.name for one in fields(AuxiliaryType)}
    for key, value in values.items():
        is_list = key in ("principal", "other")
        if key not in known or (is_list and value not in lists):
            raise SchemeError("SE81", where, text=f"{raw.get('id')}: {key} = {value}")
    try:
        for key in _BANDS:
            if key in values:
                low, high = (*values[key], None)[:2]
                values[key] = (int(low), None if high is None else int(high))
        for key in _SHARES:
            if key in values:
                values[key] = _exact(values[key])
        return AuxiliaryType(**{**values, "within": tuple(values.get("within", ()))})
    except (TypeError, ValueError, ArithmeticError):
        raise SchemeError("SE81", where, text=str(dict(raw))) from None


def _one_multiple(types: tuple[AuxiliaryType, ...], where: str) -> Fraction | None:
    """How many times the mean of its group a case must cost: the same for all types that ask."""
    asked = {one.cost_from for one in types} - {None}
    if len(asked) > 1:
        raise SchemeError("SE81", where, text=f"cost_from = {', '.join(map(str, asked))}")
    return next(iter(asked), None)


def _in_order(types: tuple[AuxiliaryType, ...], where: str) -> tuple[AuxiliaryType, ...]:
    """The types, if `with` names only types that stand before."""
    seen: set[str] = set()
    for one in types:
        unknown = {*one.within} - seen
        if unknown or one.id in seen:
            text = f"{one.id}: with = {', '.join(sorted(unknown)) or one.id}"
            raise SchemeError("SE81", where, text=text)
        seen.add(one.id)
    return types


def _exact(value: object) -> Fraction:
    return Fraction(Decimal(str(value)))
