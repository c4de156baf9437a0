"""The inputs of worked examples: each value read exactly, or refused by its name (WT120)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from grouper.errors import GrouperError, WeightError
from grouper.money import to_fen


def objects_of(inputs: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    """A list of objects."""
    found = inputs.get(key)
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise wrong(key, found)
    return found


def code_of(one: Mapping[str, Any], key: str) -> str:
    """A code, text or whole number."""
    if not isinstance(one.get(key), str | int):
        raise wrong(key, one.get(key))
    return str(one[key])


def fen_of(values: Mapping[str, Any], key: str) -> int:
    """An amount of yuan in fen."""
    try:
        return to_fen(values[key])
    except (KeyError, GrouperError, TypeError):
        raise wrong(key, values.get(key)) from None


def number_of(values: Mapping[str, Any], key: str, default: str | None = None) -> Fraction:
    """A decimal number, exactly."""
    value = values.get(key, default)
    try:
        if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
            return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        pass
    raise wrong(key, value)


def wrong(key: str, value: object) -> WeightError:
    """What is said of an input that cannot be used (WT120)."""
    return WeightError("WT120", f"inputs.{key}", key=key, value=value)
