"""From a budget and the expected work to what one unit of it is paid: rates, points, coefficients.

Money comes and goes as whole fen; weights, coefficients and points are exact (Decimal, Fraction).
Every amount is rounded once, half up, where docs/reference/money.md names it.
Source: 医保发〔2025〕18号 arts. 13-17; 按病种付费医疗保障经办管理规程（2025版） arts. 12-19.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from grouper.errors import SettlementError
from grouper.money import apportion, round_half_up, yuan

#: `fund`: the budget of the fund is divided; `total`: the whole medical cost it stands for
Basis = Literal["fund", "total"]
Exact = Decimal | Fraction | int


@dataclass(frozen=True, slots=True)
class Pool:
    """What is left of a budget for payment by group, in fen: budget - reserve - deductions."""

    budget_fen: int
    reserve_fen: int
    deductions_fen: int

    @property
    def pool_fen(self) -> int:
        """The amount to be paid out."""
        return self.budget_fen - self.reserve_fen - self.deductions_fen


@dataclass(frozen=True, slots=True)
class LevelRate:
    """One hospital level: its coefficient after normalising, exact, and its rate in fen."""

    coefficient: Fraction
    rate_fen: int


@dataclass(frozen=True, slots=True)
class Share:
    """What one hospital gets for its points, in fen.

    gross: its part of the numerator; net: without what patients and other funds have paid.
    """

    gross_fen: int
    net_fen: int


@dataclass(frozen=True, slots=True)
class PointValue:
    """The value of a point in yuan, exact, and what every hospital gets; the parts sum to the pool.

    by_remainder: how many fen went to hospitals by largest remainder.
    """

    numerator_fen: int
    total_points: Fraction
    value: Fraction
    shares: Mapping[str, Share]
    by_remainder: int


def pool(budget_fen: int, reserve_ratio: Exact, deductions_fen: Sequence[int] = ()) -> Pool:
    """The pool of a budget; the reserve (调剂金) is rounded half up.

    Raises SettlementError ST106 for a ratio outside 0 to 1, ST301 when nothing is left.
    """
    ratio = Fraction(reserve_ratio)
    if not 0 <= ratio <= 1:
        raise SettlementError("ST106", "reserve_ratio", key="reserve_ratio", value=reserve_ratio)
    made = Pool(budget_fen, round_half_up(budget_fen * ratio), sum(deductions_fen))
    if made.pool_fen <= 0:
        raise SettlementError("ST301", detail=f"pool {yuan(made.pool_fen)}")
    return made


def total_cost_fen(pool_fen: int, fund_share: Exact) -> int:
    """The medical cost a pool stands for: pool / share of the fund in the cost, half up.

    Raises SettlementError ST106 for a share that is not above 0 and at most 1.
    """
    share = Fraction(fund_share)
    if not 0 < share <= 1:
        raise SettlementError("ST106", "fund_share", key="fund_share", value=fund_share)
    return round_half_up(pool_fen / share)


def base_rate(amount_fen: int, weight: Exact) -> Fraction:
    """Fen per weight 1, exact: an amount (pool or total cost) / the expected total weight.

    `round_half_up` gives the base rate. Raises SettlementError ST301 for nothing to divide.
    """
    if amount_fen <= 0 or weight <= 0:
        raise SettlementError("ST301", detail=f"{yuan(amount_fen)} / {weight}")
    return Fraction(amount_fen) / Fraction(weight)


def joint_rate(parts: Sequence[tuple[int, Exact]]) -> Fraction:
    """One rate for several insurances: the sum of their amounts / the sum of their weights."""
    return base_rate(sum(fen for fen, _ in parts), sum(Fraction(weight) for _, weight in parts))


def normaliser(values: Sequence[tuple[Exact, Exact]], *, total: Exact | None = None) -> Fraction:
    """The factor that keeps the total: sum of volumes / sum of coefficient x volume.

    values: (coefficient, volume) of each hospital or level; volume is weight or points; total:
    what is to be kept, if not the sum of volumes. Raises SettlementError ST301 for no volume, or
    for a coefficient or volume below 0.
    """
    for coefficient, part in values:
        if coefficient < 0 or part < 0:
            raise SettlementError("ST301", detail=f"{coefficient} x {part}")
    pairs = [(Fraction(coefficient), Fraction(part)) for coefficient, part in values]
    volume = sum((part for _, part in pairs), Fraction(0)) if total is None else Fraction(total)
    weighted = sum((coefficient * part for coefficient, part in pairs), Fraction(0))
    if volume <= 0 or weighted <= 0:
        raise SettlementError("ST301", detail=f"{volume} / {weighted}")
    return volume / weighted


def level_rates(
    rate_fen: int, levels: Mapping[str, tuple[Exact, Exact]], *, weight: Exact | None = None
) -> dict[str, LevelRate]:
    """A rate for each level, so that the levels together cost what the base rate alone would.

    rate_fen: the base rate; levels: level -> (raw coefficient, expected weight); weight: the
    expected weight of all (default: the sum). Each rate is rounded half up to the fen, from the
    unrounded coefficient.
    """
    factor = normaliser(list(levels.values()), total=weight)
    exact = {level: Fraction(raw) * factor for level, (raw, _) in levels.items()}
    return {
        level: LevelRate(coefficient, round_half_up(rate_fen * coefficient))
        for level, coefficient in exact.items()
    }


def base_points(group_mean_fen: Exact, area_mean_fen: Exact, *, per: int = 100) -> Fraction:
    """Base points (基准点数) of a group: mean cost of the group / that of the area x 100 (or 1000).

    Raises SettlementError ST301 for an area without cost.
    """
    if area_mean_fen <= 0:
        raise SettlementError("ST301", detail=f"{group_mean_fen} / {area_mean_fen}")
    return Fraction(group_mean_fen) / Fraction(area_mean_fen) * per


def point_value(
    pool_fen: int, points: Mapping[str, Exact], *, others_fen: Mapping[str, int] | None = None
) -> PointValue:
    """The value of a point, and what each hospital gets for its points.

    points: hospital -> points, coefficients included. others_fen: hospital -> what patients and
    other funds have paid; given, the value rests on the total cost (they enter the numerator and
    are taken off again), else on the fund alone. The fen are split by largest remainder. Raises
    SettlementError ST301 for no money, no points or negative ones, ST304 when a hospital's
    patients have paid more than its part.
    """
    paid = others_fen or {}
    numerator = pool_fen + sum(paid.values())
    total = sum((Fraction(part) for part in points.values()), Fraction(0))
    for key, part in points.items():
        if part < 0:
            raise SettlementError("ST301", key, detail=f"{key}: {part}")
    if pool_fen <= 0 or total <= 0:
        raise SettlementError("ST301", detail=f"{yuan(pool_fen)} / {total}")
    keys = list(points)
    parts = apportion(numerator, [Fraction(points[key]) for key in keys], keys)
    shares = {
        key: Share(part, part - paid.get(key, 0)) for key, part in zip(keys, parts, strict=True)
    }
    for key, share in shares.items():
        if share.net_fen < 0:
            raise SettlementError("ST304", key, hospital=key, amount=yuan(share.net_fen))
    whole = sum(numerator * Fraction(part) // total for part in points.values())
    return PointValue(
        numerator_fen=numerator,
        total_points=total,
        value=Fraction(numerator, 100) / total,
        shares=shares,
        by_remainder=numerator - whole,
    )


def hospital_coefficients(
    costs_fen: Mapping[str, int],
    volumes: Mapping[str, Exact],
    *,
    decimals: int | None = None,
    normalise: Literal["none", "volume"] = "none",
) -> dict[str, Fraction]:
    """Coefficients from cost ratios: a hospital's cost per unit of volume / that of all together.

    costs_fen, volumes: hospital -> cost of its cases, and their weight or base points. decimals
    rounds half up. normalise="volume" then multiplies all by one factor, so that the sum of
    coefficient x volume is the sum of volumes: the points handed out stay what they were.
    Raises SettlementError ST301 for a hospital (or an area) without cost or volume.
    """
    for key, volume in volumes.items():
        if volume <= 0 or costs_fen[key] <= 0:
            raise SettlementError("ST301", key, detail=f"{yuan(costs_fen[key])} / {volume}")
    mean = base_rate(sum(costs_fen.values()), sum(Fraction(v) for v in volumes.values()))
    found = {key: costs_fen[key] / Fraction(volume) / mean for key, volume in volumes.items()}
    if decimals is not None:
        step = 10**decimals
        found = {key: Fraction(round_half_up(value * step), step) for key, value in found.items()}
    if normalise == "volume":
        factor = normaliser([(found[key], volumes[key]) for key in found])
        found = {key: value * factor for key, value in found.items()}
    return found
