"""What made-up discharges cost and who paid: whole fen, every bill adds up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Fen = NDArray[np.int64]

#: spread of the costs of a group: standard deviation of their logarithm
_SPREAD = 0.42
#: shares of a bill outside the policy scope, in per mille: own-paid, over limits, first own part
_OUTSIDE = {"own_cost": (20, 140), "over_limit_cost": (0, 12), "pre_self_cost": (20, 90)}
#: what the basic fund pays of the scope above the deductible, in per mille: employees, residents
_RATIO = {"310": 870, "390": 700}
_DEDUCTIBLE = {"三级": 90_000, "二级": 60_000, "一级": 30_000}


@dataclass(frozen=True)
class Bill:
    """Columns of fen, all of length n; the parts of each bill sum to its total."""

    columns: dict[str, Fen]


def costs(rng: np.random.Generator, mean_fen: Fen, level_factor: NDArray[np.float64]) -> Fen:
    """A cost for each case: lognormal around the mean of its group, a few far above it."""
    noise = np.exp(rng.normal(-(_SPREAD**2) / 2, _SPREAD, len(mean_fen)))
    noise[rng.random(len(noise)) < 0.012] *= 4
    drawn: Fen = np.maximum((mean_fen * level_factor * noise).astype(np.int64), 20_000)
    return drawn


def bills(rng: np.random.Generator, total: Fen, insurance: list[str], level: list[str]) -> Bill:
    """The parts of each bill: outside the scope, basic fund, other funds, account, cash.

    in scope = total - own - over limits - first own part; total = basic fund + catastrophic +
    assistance + account + cash, both exactly.
    """
    n = len(total)
    outside = {
        name: total * rng.integers(low, high, n) // 1000 for name, (low, high) in _OUTSIDE.items()
    }
    scope = total - sum(outside.values())
    deductible = np.minimum(scope, np.array([_DEDUCTIBLE.get(each, 60_000) for each in level]))
    ratio = np.array([_RATIO.get(each, 700) for each in insurance], np.int64)
    basic = (scope - deductible) * ratio // 1000
    own_share = scope - basic
    catastrophic = np.maximum(own_share - 1_500_000, 0) * 6 // 10
    assisted = rng.random(n) < 0.03
    assistance = np.where(assisted, (own_share - catastrophic) // 2, 0)
    rest = total - basic - catastrophic - assistance
    has_account = np.array([each == "310" for each in insurance])
    account = np.where(has_account, np.minimum(rest, rng.integers(0, 300_000, n)), 0)
    return Bill(
        {
            "total_cost": total,
            "in_scope_cost": scope,
            **outside,
            "deductible": deductible,
            "fund_basic": basic,
            "fund_catastrophic": catastrophic,
            "fund_assistance": assistance,
            "account_paid": account,
            "cash_paid": rest - account,
        }
    )
