"""The inputs of worked examples: each value read exactly, or refused by its place (WT120)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from grouper.errors import GrouperError, WeightError
from grouper.money import to_fen

# ASCII digits only: Fraction() would also take "1_000", "1/3", "１２" and exponents of any size
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
#: no budget and no weight needs more
_MOST_DIGITS = 60
#: amounts beyond are a slip, and no int64 holds them
_MOST_FEN = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Inputs:
    """The values of an example, or of one entry of its lists; null is a value left out.

    place: stands in messages.
    """

    values: Mapping[str, Any]
    place: str = "inputs"

    def object_of(self, key: str) -> Inputs:
        """An object, an empty one if it is left out."""
        found = self.values.get(key)
        if not isinstance(found, Mapping | None):
            raise self.wrong(key)
        return Inputs(found or {}, f"{self.place}.{key}")

    def list_of(self, key: str) -> list[Inputs]:
        """A list of objects."""
        found = self.values.get(key)
        if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
            raise self.wrong(key)
        return [Inputs(one, f"{self.place}.{key}[{at}]") for at, one in enumerate(found)]

    def named(self, key: str, by: str) -> dict[str, Inputs]:
        """A list of objects by a code that no two of them share."""
        found: dict[str, Inputs] = {}
        for one in self.list_of(key):
            # the last of two would silently stand for both
            if found.setdefault(one.code(by), one) is not one:
                raise one.wrong(by)
        return found

    def code(self, key: str) -> str:
        """A code, text or whole number."""
        value = self.values.get(key)
        if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
            raise self.wrong(key)
        return str(value)

    def fen(self, key: str) -> int:
        """An amount of yuan in fen."""
        try:
            found = to_fen(self.values[key])
        except (KeyError, GrouperError, TypeError):
            raise self.wrong(key) from None
        if abs(found) > _MOST_FEN:
            raise self.wrong(key)
        return found

    def number(self, key: str, default: str | None = None) -> Fraction:
        """A decimal number, exactly."""
        value = self.values.get(key)
        value = default if value is None else value
        if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
            text = str(value).strip()
            if len(text) <= _MOST_DIGITS and _NUMBER.fullmatch(text):
                return Fraction(text)
        raise self.wrong(key)

    def whole(self, key: str, default: str | None = None) -> int:
        """A small whole number: a count or a year."""
        found = self.number(key, default)
        if found.denominator != 1 or not 0 <= found < 10_000:
            raise self.wrong(key)
        return int(found)

    def wrong(self, key: str) -> WeightError:
        """What is said of a value that is missing, unusable, or there twice (WT120)."""
        value = self.values.get(key)
        shown = "-" if value is None else str(value)[:_MOST_DIGITS]
        return WeightError("WT120", f"{self.place}.{key}", key=key, value=shown)
