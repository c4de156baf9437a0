"""The rules by name: payment standards, ratio bases, and what an outlier is paid.

Every function is exact and takes money in one unit (fen or yuan) as Fractions; rounding is left
to the end of the chain. Names and formulas: docs/reference/money.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

#: (cost, standard, ratio base, multiple) -> payment
OutlierFunction = Callable[[Fraction, Fraction, Fraction, Fraction], Fraction]
#: (weight, rate, coefficient) -> amount
StandardFunction = Callable[[Fraction, Fraction, Fraction], Fraction]


def s1(weight: Fraction, rate: Fraction, coefficient: Fraction) -> Fraction:
    """Weight x rate."""
    return weight * rate


def s2(weight: Fraction, rate: Fraction, coefficient: Fraction) -> Fraction:
    """Weight x rate x hospital coefficient."""
    return weight * rate * coefficient


def l1(cost: Fraction, standard: Fraction, base: Fraction, k: Fraction) -> Fraction:
    """The cost itself."""
    return cost


def h0(cost: Fraction, standard: Fraction, base: Fraction, k: Fraction) -> Fraction:
    """The standard, nothing more."""
    return standard


def h1(cost: Fraction, standard: Fraction, base: Fraction, k: Fraction) -> Fraction:
    """The cost itself."""
    return cost


def h3(cost: Fraction, standard: Fraction, base: Fraction, k: Fraction) -> Fraction:
    """The standard and the cost beyond k standards."""
    return standard + (cost - k * standard)


def h5(cost: Fraction, standard: Fraction, base: Fraction, k: Fraction) -> Fraction:
    """The standard and 70 percent of the excess over k times the base."""
    return standard * (1 + Fraction(7, 10) * (cost / base - k))


def h7(cost: Fraction, standard: Fraction, base: Fraction, k: Fraction) -> Fraction:
    """1.7 standards and half of the excess over k times the base."""
    return standard * (Fraction(17, 10) + Fraction(1, 2) * (cost / base - k))


def h8(cost: Fraction, standard: Fraction, base: Fraction, k: Fraction) -> Fraction:
    """The cost less one standard, whatever k is."""
    return cost - standard


def h2(cost: Fraction, standard: Fraction, plain: Fraction, k: Fraction) -> Fraction:
    """The standard and the cost beyond k times the plain amount."""
    return standard + (cost - k * plain)


def h4(cost: Fraction, standard: Fraction, plain: Fraction, k: Fraction) -> Fraction:
    """The coefficient (standard / plain) times the cost less k - 1 plain amounts."""
    return standard / plain * (cost - (k - 1) * plain)


STANDARDS: Mapping[str, StandardFunction] = {"S1": s1, "S2": s2}
RATIO_BASES: Mapping[str, StandardFunction] = {"w r": s1, "w r c": s2}
LOW_OUTLIERS: Mapping[str, OutlierFunction] = {"L1": l1}
HIGH_OUTLIERS: Mapping[str, OutlierFunction] = {
    "H0": h0,
    "H1": h1,
    "H3": h3,
    "H5": h5,
    "H7": h7,
    "H8": h8,
}
#: their third argument is the amount without coefficient: weight x rate, or x mean cost
PLAIN_OUTLIERS: Mapping[str, OutlierFunction] = {"H2": h2, "H4": h4}


def stands(cost: int, operator: str, k: Fraction, base: Fraction) -> bool:
    """Whether cost stands in `operator` to k times base, compared exactly by cross product."""
    product = k * base
    left, right = cost * product.denominator, product.numerator
    if operator == "<":
        return left < right
    if operator == "<=":
        return left <= right
    return left > right if operator == ">" else left >= right


def limit(operator: str, k: Fraction, base: Fraction) -> int:
    """The border of the same test among whole fen.

    For `<` and `<=` the largest cost that stands in the relation, for `>` and `>=` the smallest:
    a whole number compares with it as with the exact product, without fractions.
    """
    product = k * base
    floor = product.numerator // product.denominator
    ceiling = -(-product.numerator // product.denominator)
    return {"<": ceiling - 1, "<=": floor, ">": floor + 1, ">=": ceiling}[operator]
