"""From the payment of a case to what the pooled fund (统筹基金) pays: the conventions by name.

A, B, C, D are forms of one case, P1 and P2 of a hospital's points (formulas and confidence:
docs/reference/payment.md). Amounts stand in one unit, fen or yuan; nothing is rounded here.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

#: whole fen: one case, or a column of cases; exact amounts before rounding
Amount = TypeVar("Amount", int, Fraction, NDArray[np.int64])


def fund_a(payment: Amount, cost: Amount, pool: Amount) -> Amount:
    """The fund pays the payment less what patient and other funds already bear (cost - pool).

    pool: the pooled fund's part as computed item by item. May be negative.
    """
    return payment - (cost - pool)


def fund_b(payment: Fraction, cost: Fraction, pool: Fraction) -> Fraction:
    """The fund pays its share of the case: pool / cost of the payment."""
    return payment * pool / cost


def fund_c(
    payment: Fraction,
    self_paid: Fraction,
    first_self: Fraction,
    deductible: Fraction,
    ratio: Fraction,
) -> Fraction:
    """The policy ratio of the payment less full self-pay, first self-pay and deductible."""
    return max(Fraction(0), payment - self_paid - first_self - deductible) * ratio


def fund_d(payment: Fraction, deductible: Fraction, ratio: Fraction) -> Fraction:
    """The patient is charged on the standard too: deductible, then 1 - ratio of the rest."""
    return max(Fraction(0), payment - deductible) * ratio


def point_value_p1(budget: Fraction, total_points: Fraction) -> Fraction:
    """The value of a point on the fund: budget / points of all hospitals."""
    return budget / total_points


def point_value_p2(budget: Fraction, others: Fraction, total_points: Fraction) -> Fraction:
    """The value of a point on total cost: budget and what all others paid, by all points."""
    return (budget + others) / total_points
