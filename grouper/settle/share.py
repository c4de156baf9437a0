"""The pooled fund's part of each payment, by the convention of the area (payment.md 7).

A and P2 take what patient and other funds already bear (cost - pool) off the payment; with P1 the
point value is one of the fund alone, the payment is its part. B, C and D ask for more of the bill.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from grouper.money import multiply_half_up, round_half_up
from grouper.policy.model import FundRule
from grouper.settle.fund import fund_a, fund_b, fund_c, fund_d

Ints = NDArray[np.int64]

#: what of the bill a convention asks for beside cost and pooled fund
ASKED: Mapping[str, Sequence[str]] = {
    "": (),
    "A": (),
    "B": (),
    "C": ("own_cost", "pre_self_cost", "deductible"),
    "D": ("deductible",),
    "P1": (),
    "P2": (),
}
#: below it twice a product of two stays inside int64
_ROOT = 2 * 10**9


def share_fen(rule: FundRule, payment: int, cost: int, pool: int, bill: Mapping[str, int]) -> int:
    """The fund's part of one payment, in fen, rounded half up; exact on fractions before.

    bill: the amounts of ASKED.
    """
    paid, ratio = Fraction(payment), Fraction(rule.ratio)
    parts = {name: Fraction(bill[name]) for name in ASKED[rule.rule]}
    exact = {
        "A": lambda: fund_a(paid, Fraction(cost), Fraction(pool)),
        "B": lambda: fund_b(paid, Fraction(cost), Fraction(pool)),
        "C": lambda: fund_c(
            paid, parts["own_cost"], parts["pre_self_cost"], parts["deductible"], ratio
        ),
        "D": lambda: fund_d(paid, parts["deductible"], ratio),
        "P1": lambda: paid,
        "P2": lambda: fund_a(paid, Fraction(cost), Fraction(pool)),
    }[rule.rule]()
    fen = round_half_up(exact)
    return max(fen, 0) if rule.negative == "zero" else fen


def share_column(
    rule: FundRule, payment: Ints, cost: Ints, pool: Ints, bill: Mapping[str, Ints]
) -> Ints:
    """The same for many cases of one era, by integer arithmetic."""
    if rule.rule == "P1":
        fen = payment.copy()
    elif rule.rule == "B":
        fen = _proportional(payment, cost, pool)
    elif rule.rule in ("C", "D"):
        taken = sum((bill[name] for name in ASKED[rule.rule]), np.zeros(len(payment), np.int64))
        fen = multiply_half_up(np.maximum(payment - taken, 0), rule.ratio)
    else:
        fen = fund_a(payment, cost, pool)
    return np.maximum(fen, 0) if rule.negative == "zero" else fen


def _proportional(payment: Ints, cost: Ints, pool: Ints) -> Ints:
    """Payment x pool / cost, half up and away from zero."""
    fits = (np.abs(payment) < _ROOT) & (np.abs(pool) < _ROOT) & (cost < _ROOT)
    product = np.where(fits, payment * pool, 0)
    half = 2 * np.abs(product) + cost
    fen: Ints = np.sign(product) * (half // (2 * cost))
    for row in np.flatnonzero(~fits).tolist():
        fen[row] = round_half_up(fund_b(*(Fraction(int(c[row])) for c in (payment, cost, pool))))
    return fen
