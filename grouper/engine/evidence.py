"""Why a condition is true or false of a record: the parts that decided, as data.

A part is a flag, a membership or a comparison, with its own value and what it was seen in:

    {"test": "main_dx in MDCE_dx", "result": true, "of": "main_dx", "list": "MDCE_dx",
     "codes": ["J18.900"]}
    {"test": "mcc", "result": true, "flag": "mcc", "codes": ["J96.000"]}
    {"test": "weight < 1500", "result": false, "values": {"weight": 1600}, "found": []}

`found` lists the codes that `sites()` and `hits()` counted, by list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from grouper.engine.reference import Complicating, Facts, holds, term_value
from grouper.scheme.condition import (
    And,
    Codes,
    Compare,
    Condition,
    Constant,
    Field,
    Flag,
    Hits,
    Member,
    Not,
    Or,
    Sites,
    Term,
    to_text,
)

Part = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One record's facts and complications, ready to account for conditions."""

    facts: Facts
    complications: Sequence[Complicating]

    def parts(self, condition: Condition) -> list[Part]:
        """The parts that made a condition what it is, in the order written, each once.

        Of a true `and` and a false `or` all operands count, of the others those that decided.
        """
        found: dict[str, Part] = {}
        for atom in self._deciding(condition):
            found.setdefault(to_text(atom), self.part(atom))
        return list(found.values())

    def _deciding(self, condition: Condition) -> Iterator[Flag | Member | Compare]:
        match condition:
            case Flag() | Member() | Compare():
                yield condition
            case Not(operand=inner):
                yield from self._deciding(inner)
            case And(operands=operands) | Or(operands=operands):
                value = holds(condition, self.facts)
                for operand in operands:
                    if holds(operand, self.facts) == value:
                        yield from self._deciding(operand)
            case Constant():
                pass

    def part(self, atom: Flag | Member | Compare) -> Part:
        """One flag, membership or comparison with its value and what it was seen in."""
        part: Part = {"test": to_text(atom), "result": holds(atom, self.facts)}
        match atom:
            case Flag(name=flag):
                counting = (
                    c.code for c in self.complications if c.level == flag and not c.excluded
                )
                return part | {"flag": flag, "codes": list(dict.fromkeys(counting))}
            case Member(codes=codes, list_name=name):
                return part | {"of": codes, "list": name, "codes": self.codes_in(codes, name)}
            case Compare(terms=terms):
                return part | {"values": self._values(terms), "found": self._found(terms)}

    def codes_in(self, codes: Codes, name: str) -> list[str]:
        """The record's codes of one kind and place that a list holds, each once."""
        holding = self.facts.holding[codes[-2:]]
        inside = (code for code in self.facts.codes[codes] if name in holding.get(code, ()))
        return list(dict.fromkeys(inside))

    def _values(self, terms: Sequence[Term]) -> dict[str, int | float | None]:
        values: dict[str, int | float | None] = {}
        for term in terms:
            match term:
                case Field(name=name):
                    values[name] = plain_number(self.facts.numbers[name])
                case Sites():
                    values["sites"] = plain_number(term_value(term, self.facts))
                case Hits(codes=codes, list_name=name):
                    values[f"hits({codes}, {name})"] = plain_number(term_value(term, self.facts))
        return values

    def _found(self, terms: Sequence[Term]) -> list[Part]:
        asked: list[tuple[Codes, str]] = []
        for term in terms:
            match term:
                case Sites(lists=lists):
                    asked += [("any_dx", name) for name in lists]
                case Hits(codes=codes, list_name=name):
                    asked.append((codes, name))
        counted = ((of, name, self.codes_in(of, name)) for of, name in dict.fromkeys(asked))
        return [{"of": of, "list": name, "codes": codes} for of, name, codes in counted if codes]


def plain_number(value: Decimal | int | None) -> int | float | None:
    """A number as JSON writes it: whole ones without a point."""
    if value is None or isinstance(value, int):
        return value
    return int(value) if value == value.to_integral_value() else float(value)
