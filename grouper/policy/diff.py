"""What changed between two policies: areas, or days of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from grouper.errors import PolicyError
from grouper.policy.describe import Line, parameter_lines, terms_lines
from grouper.policy.model import Policy, Terms

#: a value differs; the same value has another source or mark; only one side has it
Kind = Literal["value", "source", "left", "right"]


@dataclass(frozen=True, slots=True)
class Change:
    """One rule that is not the same on both sides; "" and "-" where a side lacks it."""

    key: str
    kind: Kind
    left: str
    right: str
    left_source: str
    right_source: str
    left_confidence: str
    right_confidence: str


def terms_on(policy: Policy, day: date | None) -> Terms:
    """What holds on a day, without a day the newest. Raises PolicyError PO113."""
    if day is None:
        return policy.terms[-1]
    terms = policy.find_terms(day)
    if terms is None:
        params = {**policy.nothing_on(day).params, "area": policy.area.id}
        raise PolicyError("PO113", policy.area.id, **params)
    return terms


def all_lines(policy: Policy, day: date | None) -> list[Line]:
    """Every rule and parameter in force on a day (without one: of the newest rules)."""
    terms = terms_on(policy, day)
    lines = [one for one in terms_lines(terms) if one.key != "deposit"]
    return [*lines, *parameter_lines(policy, day or terms.span.start)]


def compare(left: Iterable[Line], right: Iterable[Line]) -> list[Change]:
    """The rules that differ, in the order of the left side, then those only the right side has."""
    ours, theirs = dict(_split(left)), dict(_split(right))
    changes = []
    for key in dict.fromkeys([*ours, *theirs]):
        one, other = ours.get(key), theirs.get(key)
        kind = _kind(one, other)
        if kind is not None:
            changes.append(
                Change(
                    key,
                    kind,
                    one.value if one else "",
                    other.value if other else "",
                    one.source if one else "",
                    other.source if other else "",
                    one.confidence if one else "",
                    other.confidence if other else "",
                )
            )
    return changes


def _kind(one: Line | None, other: Line | None) -> Kind | None:
    if one is None or other is None:
        return "right" if one is None else "left"
    if one.value != other.value:
        return "value"
    same = (one.source, one.confidence) == (other.source, other.confidence)
    return None if same else "source"


def _split(lines: Iterable[Line]) -> Iterator[tuple[str, Line]]:
    """Lines by key; one with several numbers becomes a line a number."""
    for line in lines:
        if not line.parts:
            yield line.key, line
        for part, number in line.parts:
            key = f"{line.key}[{part}]"
            yield key, Line(key, number, line.source, line.confidence, line.span)
