"""Published amounts against the ones their weights or points give, exactly.

Source of the formulas: payment standard = weight x rate x coefficient, or points x coefficient x
point value (docs/reference/money.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np

from weights.table import ADJUSTED, NO_VALUE, Facts, Proof, WeightTable

#: letter of a formula -> column of the table
_FACTORS = {"w": "weight", "r": "rate", "c": "coefficient", "p": "points", "v": "point_value"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A printed amount in yuan, the one computed, and how far they may lie apart."""

    row: int
    printed: Decimal
    computed: Fraction
    allowed: Fraction

    @property
    def holds(self) -> bool:
        """Whether the printed amount follows from the weight."""
        return abs(Fraction(self.printed) - self.computed) <= self.allowed


def compare_amounts(table: WeightTable, proof: Proof) -> Iterator[Comparison]:
    """Every row that prints an amount and has all factors; amounts set by hand are left out."""
    amounts = table.numbers[proof.column]
    for row in range(len(table)):
        group, facts = table.groups[row], table.facts[row]
        printed = amounts.decimal(row)
        if printed is None or _is_set_by_hand(table, row):
            continue
        computed = amount(table, group, facts, proof.formula)
        if computed is None:
            continue
        per_unit = _per_unit(table, group, facts, proof.formula)
        allowed = (
            Fraction(proof.within)
            + Fraction(proof.within_weight) * per_unit
            + Fraction(proof.within_relative) * computed
        )
        yield Comparison(row, printed, computed, allowed)


def adjusted_amounts(table: WeightTable, proof: Proof) -> int:
    """How many printed amounts were set by hand and follow from nothing."""
    amounts = table.numbers[proof.column].units
    rows = np.flatnonzero(amounts != NO_VALUE).tolist()
    return sum(_is_set_by_hand(table, row) for row in rows)


def _is_set_by_hand(table: WeightTable, row: int) -> bool:
    """Whether a row is marked so, or a wider one of its group that holds for it as well."""
    rows = table.fitting(table.groups[row], table.facts[row])
    return any(table.flags[one] & ADJUSTED for one in rows)


def amount(table: WeightTable, group: str, facts: Facts, formula: str) -> Fraction | None:
    """The amount in yuan a formula gives, before rounding; None where a factor is missing.

    A coefficient that is not printed counts as 1; rate and point value may be the table's own.
    """
    product = Fraction(1)
    for letter in formula.split():
        factor = _factor(table, _FACTORS[letter], group, facts)
        if factor is None:
            return None
        product *= Fraction(factor)
    return product


def usual_formula(table: WeightTable, group: str, facts: Facts) -> str:
    """The formula by which a table prices a group: by weight, by points, or "" if by neither.

    By neither also where the group has coefficients, but none for these facts.
    """
    coefficients = table.numbers["coefficient"].units
    printed = any(coefficients[row] != NO_VALUE for row in table.rows_of(group))
    if printed and table.find("coefficient", group, facts) is None:
        return ""
    for formula, names in (("w r c", ("weight", "rate")), ("p v c", ("points", "point_value"))):
        if all(_factor(table, name, group, facts) is not None for name in names):
            return formula
    return ""


def _per_unit(table: WeightTable, group: str, facts: Facts, formula: str) -> Fraction:
    """What one unit of weight (or one point) is worth."""
    rest = " ".join(letter for letter in formula.split() if letter not in "wp")
    return amount(table, group, facts, rest) or Fraction(0)


def _factor(table: WeightTable, name: str, group: str, facts: Facts) -> Decimal | None:
    own = table.find(name, group, facts)
    if own is not None:
        return own
    defaults = {
        "coefficient": Decimal(1),
        "rate": table.head.base_rate,
        "point_value": table.head.point_value,
    }
    return defaults.get(name)
