"""From budget and scores to what a point is worth, and what every hospital gets (点值).

Money is whole fen; scores, ratios and point values are exact. Source of the formulas: the draft of
the DIP 3.0 technical specification (2026); 医保发〔2025〕18号 art. 16 leaves the method open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from grouper.errors import SettlementError
from grouper.money import FEN_PER_YUAN, round_half_up, yuan
from weights.rates import point_value

Exact = Decimal | Fraction | int
#: weights of three years, oldest first
YEAR_WEIGHTS = (1, 2, 7)


@dataclass(frozen=True, slots=True)
class PointValueRule:
    """How the point value of the year is formed, and how the money is handed out by it.

    method: `fixed` the budget point value stays; `floating` money / scores; `elastic` a base volume
    (`base_share` of the year's score) at the budget point value, the growth at a floating one.
    spend: `remainder` the fund is split by scores to the fen; `rounded` every share is score x
    point value x pay ratio with `decimals` each, and what rounding leaves stays in the fund.
    """

    method: Literal["fixed", "floating", "elastic"] = "floating"
    spend: Literal["remainder", "rounded"] = "remainder"
    decimals: int = 6
    base_share: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class PointValue:
    """The value of a point and the parts of a fund it hands out.

    value: yuan a point, as used (rounded where the area rounds it); exact: before rounding; growth:
    that of the growth under `elastic`; pay_ratio: the fund's share of the cost; shares: hospital ->
    fen; left_fen: fund - shares: 0 where the fund is spent by largest remainder, a rest of rounding
    under `rounded`, what a fixed value leaves (or lacks, below 0) else.
    """

    insurance: str
    fund_fen: int
    total_score: Fraction
    pay_ratio: Fraction
    value: Fraction
    exact: Fraction
    shares: Mapping[str, int]
    left_fen: int
    growth: Fraction | None = None


def budget_point_value(
    costs_fen: Sequence[Exact],
    scores: Sequence[Exact],
    *,
    weights: Sequence[int] = YEAR_WEIGHTS,
) -> Fraction:
    """Yuan a point from past years, oldest first: weighted cost / weighted score.

    Raises SettlementError ST301 for no cost or no score.
    """
    cost = sum((w * Fraction(c) for w, c in zip(weights, costs_fen, strict=True)), Fraction(0))
    score = sum((w * Fraction(s) for w, s in zip(weights, scores, strict=True)), Fraction(0))
    if cost <= 0 or score <= 0:
        raise SettlementError("ST301", detail=f"{cost} / {score}")
    return cost / FEN_PER_YUAN / score


def pay_ratio(recorded_fen: int, cost_fen: int) -> Fraction:
    """The recorded fund's share of the cost of all DIP cases.

    Raises SettlementError ST301 without cost or without fund.
    """
    if cost_fen <= 0 or recorded_fen <= 0:
        raise SettlementError("ST301", detail=f"{yuan(recorded_fen)} / {yuan(cost_fen)}")
    return Fraction(recorded_fen, cost_fen)


def rounded(value: Fraction, decimals: int) -> Fraction:
    """A value with some decimals, half up."""
    return Fraction(round_half_up(value * 10**decimals), 10**decimals)


def settlement_point_value(
    fund_fen: int | None,
    scores: Mapping[str, Exact],
    *,
    ratio: Fraction,
    rule: PointValueRule,
    insurance: str = "",
    budget_value: Exact | None = None,
) -> PointValue:
    """The point value of a closed year and the share of every hospital, by the area's rule.

    fund_fen: the insurance's fund for DIP, None = not given; scores: hospital -> score of the year,
    special cases taken out; ratio: the fund's share of the cost; budget_value: yuan a point at the
    beginning of the year, needed for `fixed` and `elastic`. Raises SettlementError ST143 without a
    fund, ST144 without any score, ST301 for a fund of nothing or less, or one that a fixed base
    volume already uses up.
    """
    total = sum((Fraction(score) for score in scores.values()), Fraction(0))
    if fund_fen is None:
        raise SettlementError("ST143", insurance, insurance=insurance)
    if total <= 0:
        raise SettlementError("ST144", insurance, insurance=insurance, fund=yuan(fund_fen))
    if fund_fen <= 0 or ratio <= 0:
        raise SettlementError("ST301", insurance, detail=f"{yuan(fund_fen)} / {total}")
    start = None if budget_value is None else Fraction(budget_value)
    if rule.method != "floating" and start is None:
        raise SettlementError("ST103", insurance, field="budget_point_value")
    growth: Fraction | None = None
    if rule.method == "fixed":
        assert start is not None
        exact = start
    elif rule.method == "elastic":
        assert start is not None
        base = total * Fraction(rule.base_share)
        growth = growth_point_value(fund_fen, base, total - base, ratio=ratio, value=start)
        exact = (base * start + (total - base) * (growth or 0)) / total
    else:
        exact = fund_fen / ratio / FEN_PER_YUAN / total
    value = rounded(exact, rule.decimals)
    shares = _shares(fund_fen, scores, value, ratio, rule)
    return PointValue(
        insurance=insurance,
        fund_fen=fund_fen,
        total_score=total,
        pay_ratio=ratio,
        value=value,
        exact=exact,
        shares=shares,
        left_fen=fund_fen - sum(shares.values()),
        growth=growth,
    )


def growth_point_value(
    fund_fen: int, base_score: Exact, growth_score: Exact, *, ratio: Fraction, value: Exact
) -> Fraction | None:
    """Yuan a point of the growth: what the base volume at its fixed value leaves / growth score.

    None without growth. Raises SettlementError ST301 when the base volume uses up the fund.
    """
    left = fund_fen / ratio / FEN_PER_YUAN - Fraction(base_score) * Fraction(value)
    if growth_score == 0:
        return None
    if left <= 0:
        detail = f"{yuan(fund_fen)} / {ratio} - {base_score} x {value}"
        raise SettlementError("ST301", detail=detail)
    return left / Fraction(growth_score)


def _shares(
    fund_fen: int,
    scores: Mapping[str, Exact],
    value: Fraction,
    ratio: Fraction,
    rule: PointValueRule,
) -> dict[str, int]:
    # an elastic value spends the whole fund too, unless there is no growth to spend it on
    spends = rule.method == "floating" or (rule.method == "elastic" and rule.base_share < 1)
    if spends and rule.spend == "remainder":
        return {code: one.gross_fen for code, one in point_value(fund_fen, scores).shares.items()}
    used = rounded(ratio, rule.decimals)
    return {
        code: round_half_up(Fraction(score) * value * used * FEN_PER_YUAN)
        for code, score in scores.items()
    }
