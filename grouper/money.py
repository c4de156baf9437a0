"""The only door to money: fen in, fen out, one named rounding, nothing lost in a split.

At rest money is whole fen (`int`, int64 in arrays). Between, rates and products are exact
(`Decimal`, `Fraction`). Binary floats are refused: 0.1 + 0.2 is not 0.3 there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from grouper.errors import SettlementError

FEN_PER_YUAN = 100
Rounding = Literal["exact", "half_up"]

# fullmatch with ASCII digits: int() and Decimal() would also take "1_000", "１２" and "NaN"
_AMOUNT = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?|[+-]?\.[0-9]+", re.ASCII)
_INT64_MAX = 2**63 - 1


def to_fen(amount: str | int | Decimal | Fraction, *, rounding: Rounding = "exact") -> int:
    """Whole fen of an amount in yuan.

    More than two decimals is an error unless `rounding="half_up"` asks for rounding by name.
    Raises SettlementError ST112 (not an amount) or ST113 (more than two decimals); TypeError for
    a float, which cannot hold most amounts exactly.
    """
    fen = _exact(amount) * FEN_PER_YUAN
    if fen.denominator == 1:
        return fen.numerator
    if rounding == "half_up":
        return round_half_up(fen)
    raise SettlementError("ST113", amount=amount)


def _exact(amount: str | int | Decimal | Fraction) -> Fraction:
    if isinstance(amount, bool) or not isinstance(amount, str | int | Decimal | Fraction):
        raise TypeError(f"an amount is text, int, Decimal or Fraction, not {type(amount).__name__}")
    if isinstance(amount, str):
        text = amount.strip()
        if not _AMOUNT.fullmatch(text):
            raise SettlementError("ST112", amount=amount)
        return Fraction(Decimal(text))
    if isinstance(amount, Decimal) and not amount.is_finite():
        raise SettlementError("ST112", amount=amount)
    return Fraction(amount)


def yuan(fen: int) -> str:
    """An amount of fen as text in yuan with two decimals: 12345 -> "123.45"."""
    whole, rest = divmod(abs(int(fen)), FEN_PER_YUAN)
    return f"{'-' if fen < 0 else ''}{whole}.{rest:02d}"


def yuan_decimal(fen: int) -> Decimal:
    """An amount of fen as an exact Decimal in yuan with two decimals."""
    return Decimal(int(fen)).scaleb(-2)


def round_half_up(value: int | Decimal | Fraction) -> int:
    """The nearest integer, halves away from zero: 0.5 -> 1, -0.5 -> -1.

    The one rounding of this package (settlement rules name "half up"; negative amounts mirror
    positive ones, so that a correction cancels what it corrects).
    """
    exact = value if isinstance(value, Fraction) else Fraction(value)
    size = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return size if exact.numerator >= 0 else -size


def apportion(
    total_fen: int, shares: Sequence[int | Decimal | Fraction], keys: Sequence[str]
) -> list[int]:
    """Split a total by shares so that the parts sum to it exactly (largest remainder).

    total_fen: may be negative (its absolute value is split, then negated); shares: none negative;
    keys: one code a share. Everyone gets the whole fen of the exact part; the fen left over go one
    each to the largest remainders, on a tie to the larger share, then to the smaller code.
    Raises SettlementError ST302 when the shares sum to 0 and the total does not,
    ValueError for a negative share or lengths that differ.
    """
    exact = [Fraction(share) for share in shares]
    if len(exact) != len(keys):
        raise ValueError(f"{len(exact)} shares but {len(keys)} keys")
    if any(share < 0 for share in exact):
        raise ValueError("a share is negative")
    whole = sum(exact, Fraction(0))
    if whole == 0:
        if total_fen:
            raise SettlementError("ST302", total=yuan(total_fen))
        return [0] * len(exact)
    ideal = [abs(total_fen) * share / whole for share in exact]
    parts = [part.numerator // part.denominator for part in ideal]
    left = abs(total_fen) - sum(parts)
    first = sorted(range(len(exact)), key=lambda i: (parts[i] - ideal[i], -exact[i], keys[i]))
    for i in first[:left]:
        parts[i] += 1
    return parts if total_fen >= 0 else [-part for part in parts]


def units_by_remainder(total_fen: int, shares: Sequence[int | Decimal | Fraction]) -> int:
    """How many fen `apportion` gives away by remainder: what whole fen leave of the total."""
    exact = [Fraction(share) for share in shares]
    whole = sum(exact, Fraction(0))
    return abs(total_fen) - sum(abs(total_fen) * share // whole for share in exact) if whole else 0


def multiply_half_up(fen: NDArray[np.int64], factor: Decimal | Fraction) -> NDArray[np.int64]:
    """`round_half_up(fen * factor)` of each element, (n,) int64.

    Works in int64 while a bound on the largest element proves that nothing overflows; beyond the
    bound element by element in Python integers. Raises OverflowError if a result needs more.
    """
    exact = Fraction(factor)
    top, bottom = exact.numerator, exact.denominator
    largest = max(abs(int(fen.max(initial=0))), abs(int(fen.min(initial=0))))
    if 2 * largest * abs(top) + bottom > _INT64_MAX or 2 * bottom > _INT64_MAX:
        parts = [round_half_up(int(one) * exact) for one in fen.tolist()]
        return np.array(parts, np.int64).reshape(fen.shape)
    product = fen * np.int64(top)
    size = (2 * np.abs(product) + np.int64(bottom)) // np.int64(2 * bottom)
    rounded: NDArray[np.int64] = np.where(product < 0, -size, size)
    return rounded


def total(fen: NDArray[np.int64]) -> int:
    """The exact sum of an int64 array, also where int64 could not hold it."""
    largest = max(abs(int(fen.max(initial=0))), abs(int(fen.min(initial=0))))
    if largest * max(fen.size, 1) <= _INT64_MAX:
        return int(fen.sum(dtype=np.int64))
    return sum(fen.ravel().tolist())


def decimal_text(value: Fraction, *, places: int = 10) -> str:
    """A fraction for the eye: at most `places` decimals, half up, no trailing zeros."""
    digits = round_half_up(value * 10**places)
    text = f"{Decimal(digits).scaleb(-places):f}" if digits else "0"
    return text.rstrip("0").rstrip(".") if "." in text else text
