"""What one group is worth on a day: the most specific row of the one table in force.

Nothing is ever taken from another year, nor from rows that are about another level or insurance:
where no row fits, the error names the nearest one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal
from difflib import SequenceMatcher

from grouper.errors import WeightError
from weights.load import in_force, load
from weights.table import ADJUSTED, BASIC_GROUP, NUMBERS, Facts, WeightTable
from weights.words import insurance_code

#: what makes a row a price
PRICES = ("weight", "points", "standard")


@dataclass(frozen=True, slots=True)
class Worth:
    """The values of a group for some facts, each from the most specific row that has it.

    numbers: column of NUMBERS -> value, where there is one; `rows`: the rows that hold for these
    facts, the most specific first; `others`: the other rows of the group.
    """

    table: WeightTable
    group: str
    name: str
    facts: Facts
    numbers: dict[str, Decimal]
    class_text: str
    is_basic: bool
    is_adjusted: bool
    rows: tuple[int, ...]
    others: tuple[int, ...]


def lookup(
    group: str,
    *,
    area: str,
    day: date,
    facts: Facts = Facts(),  # noqa: B008  (a frozen value)
    scheme_id: str = "",
) -> Worth:
    """What a group is worth in an area on a day of discharge.

    Raises WeightError: WT109 no such area, WT107 no table on that day or several that have the
    group, WT101 no such group, WT111 no row for the facts, WT112 rows that contradict each other.
    """
    found: list[Worth] = []
    errors: list[WeightError] = []
    for head in in_force(area=area, day=day, scheme_id=scheme_id):
        try:
            found.append(worth(load(head.id), group, facts))
        except WeightError as error:
            errors.append(error)
    if not found:
        raise max(errors, key=lambda error: error.issues[0].code != "WT101")
    if len(found) > 1:
        names = ", ".join(one.table.id for one in found)
        raise WeightError("WT107", area=area, date=day.isoformat(), found=names, near="-")
    return found[0]


def worth(table: WeightTable, group: str, facts: Facts) -> Worth:
    """What a group is worth by one table. Raises WeightError WT101, WT111, WT112.

    An insurance may be told by its usual name.
    """
    facts = replace(facts, insurance=insurance_code(facts.insurance))
    every = table.rows_of(group)
    if not every:
        raise WeightError.of([table.no_weight(group)])
    rows = table.fitting(group, facts)
    numbers = {name: table.find(name, group, facts) for name in NUMBERS}
    priced = any(numbers[name] is not None for name in PRICES)
    could_be = any(_has(table, name, row) for row in every for name in PRICES)
    if not rows or (could_be and not priced) or _is_unknown_level(table, every, facts.level):
        near = "; ".join(_near_rows(table, every, facts))
        raise WeightError("WT111", table.id, group=group, table=table.id, facts=facts, near=near)
    flags = 0
    for row in rows:
        flags |= int(table.flags[row])
    return Worth(
        table=table,
        group=group,
        name=next((table.names[row] for row in every if table.names[row]), ""),
        facts=facts,
        numbers={name: value for name, value in numbers.items() if value is not None},
        class_text=next((table.classes[row] for row in rows if table.classes[row]), ""),
        is_basic=bool(flags & BASIC_GROUP),
        is_adjusted=bool(flags & ADJUSTED),
        rows=tuple(rows),
        others=tuple(row for row in every if row not in rows),
    )


def _is_unknown_level(table: WeightTable, rows: Sequence[int], level: str) -> bool:
    """Whether a level is none of the table's; without a list those count that the group names.

    A row for all levels is no answer then: the coefficient of the level would be missing.
    """
    known = table.head.levels or [table.facts[row].level for row in rows if table.facts[row].level]
    return bool(level and known) and level not in known


def _near_rows(table: WeightTable, rows: Sequence[int], facts: Facts) -> list[str]:
    """The rows that differ least from what was asked for, each with its place."""

    def differences(row: int) -> float:
        pairs = [(getattr(table.facts[row], f.name), getattr(facts, f.name)) for f in fields(Facts)]
        return sum(1 - SequenceMatcher(None, own, asked).ratio() for own, asked in pairs)

    priced = [
        row for row in rows if any(_has(table, name, row) for name in (*PRICES, "coefficient"))
    ]
    nearest = sorted(priced or rows, key=differences)
    return [f"{table.facts[row]} ({table.places[row]})" for row in nearest[:3]]


def _has(table: WeightTable, name: str, row: int) -> bool:
    return table.numbers[name].decimal(row) is not None
