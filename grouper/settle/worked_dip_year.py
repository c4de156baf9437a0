"""Worked examples of the DIP year, of its special cases and of scores from history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any, cast

import numpy as np

from grouper.money import FEN_PER_YUAN, decimal_text, round_half_up, yuan
from grouper.settle.dip_point_value import (
    YEAR_WEIGHTS,
    PointValue,
    PointValueRule,
    budget_point_value,
    pay_ratio,
    rounded,
    settlement_point_value,
)
from grouper.settle.dip_special import Candidate, Pool, Round, settle_special
from grouper.settle.dip_year import HospitalYear, Sharing, clear_hospital
from grouper.settle.special import quota
from grouper.worked import Worked
from weights.auxiliary import Sums, Triggers, auxiliary_group
from weights.inputs import Inputs
from weights.mixture import YearMean, year_parts
from weights.record import places, root_places
from weights.trim import Costs

#: groups of fewer cases keep all their costs
_TRIMMED_FROM = 20
#: means and deviations of an example are made whole in these parts of a yuan
_PARTS = 10**6
#: every type shown, whatever it does to the spread
_ALL = Triggers(group_cases_above=0, type_cases_above=0, cv_reduction=Fraction(-10))


def calculate_dip_year(inputs: Mapping[str, Any]) -> Worked:
    """The worked example of kind `dip_year`: one insurance's point value, shares and clearing.

    budget (the fund for DIP); hospitals [{hospital, score, total_cost, recorded_fund, assessment
    (1), deduction (0), prepaid (0)}]; method (`floating`; `fixed`, `elastic` with base_share need
    point_value), spend (`rounded`; or `remainder`), decimals (6); sharing {floor, bear, up_to};
    budget_point_value {year_total_cost, year_total_score, weights}. Raises WeightError WT120;
    SettlementError ST103, ST143, ST144, ST301.
    """
    read = Inputs(inputs)
    hospitals = read.named("hospitals", "hospital")
    rule = _rule(read)
    recorded = sum(one.fen("recorded_fund") for one in hospitals.values())
    cost = sum(one.fen("total_cost") for one in hospitals.values())
    ratio = pay_ratio(recorded, cost)
    found = settlement_point_value(
        None if read.values.get("budget") is None else read.fen("budget"),
        {code: one.number("score") for code, one in hospitals.items()},
        ratio=rounded(ratio, rule.decimals),
        rule=rule,
        budget_value=None if "point_value" not in inputs else read.number("point_value"),
    )
    outputs: dict[str, object] = {
        "total_score": places(found.total_score, 4),
        "total_cost": yuan(cost),
        "recorded_fund": yuan(recorded),
        "pay_ratio": places(found.pay_ratio, rule.decimals),
        "settlement_point_value": places(found.value, rule.decimals),
        "hospitals": {
            code: _hospital(_clear(one, found.shares[code], read), one)
            for code, one in hospitals.items()
        },
        "identities": {
            "sum_share_of_budget": yuan(sum(found.shares.values())),
            "budget_minus_sum": yuan(found.left_fen),
            "bound": _bound(found, rule, len(hospitals)),
        },
    }
    if inputs.get("budget_point_value") is not None:
        outputs["budget_point_value"] = _budget_value(read.object_of("budget_point_value"), rule)
    steps: dict[str, object] = {
        "pay_ratio_unrounded": decimal_text(ratio),
        "point_value_unrounded": decimal_text(found.exact),
    }
    if found.growth is not None:
        steps["growth_point_value"] = places(found.growth, rule.decimals)
    return Worked(outputs, steps)


def _rule(read: Inputs) -> PointValueRule:
    method, spend = read.values.get("method", "floating"), read.values.get("spend", "rounded")
    if method not in ("fixed", "floating", "elastic"):
        raise read.wrong("method")
    if spend not in ("remainder", "rounded"):
        raise read.wrong("spend")
    share = read.number("base_share", "1")
    if not 0 <= share <= 1:
        raise read.wrong("base_share")
    return PointValueRule(
        cast(Any, method),
        cast(Any, spend),
        read.whole("decimals", "6"),
        Decimal(share.numerator) / share.denominator,
    )


def _clear(one: Inputs, share_fen: int, read: Inputs) -> HospitalYear:
    usual, told = Sharing(), read.object_of("sharing")
    sharing = Sharing(
        told.number("floor", decimal_text(usual.floor)),
        told.number("bear", decimal_text(usual.bear)),
        told.number("up_to", decimal_text(usual.up_to)),
    )
    return clear_hospital(
        share_fen,
        recorded_fen=one.fen("recorded_fund"),
        assessment=one.number("assessment", "1"),
        deduction_fen=one.fen("deduction") if "deduction" in one.values else 0,
        prepaid_fen=one.fen("prepaid") if "prepaid" in one.values else 0,
        sharing=sharing,
    )


def _hospital(year: HospitalYear, one: Inputs) -> dict[str, object]:
    return {
        "score": places(one.number("score"), 4),
        "share_of_budget": yuan(year.share_fen),
        "payable": yuan(year.payable_fen),
        "use_rate": None if year.use_rate is None else places(year.use_rate, 6),
        "final": yuan(year.final_fen),
        "clearing": yuan(year.clearing_fen),
    }


def _bound(found: PointValue, rule: PointValueRule, hospitals: int) -> str:
    """How far rounded shares can lie from the budget."""
    half = Fraction(1, 2 * 10**rule.decimals)
    most = Fraction(hospitals, 200) + half * found.total_score * found.pay_ratio
    text = f"0.005*n + 0.5e-{rule.decimals}*total_score*pay_ratio = {places(most, 2)}"
    return f"|budget - sum| <= {text}"


def _budget_value(read: Inputs, rule: PointValueRule) -> dict[str, object]:
    costs, scores = _numbers(read, "year_total_cost"), _numbers(read, "year_total_score")
    weights = _year_weights(read)
    if not len(costs) == len(scores) == len(weights):
        raise read.wrong("year_total_score")
    value = budget_point_value([c * FEN_PER_YUAN for c in costs], scores, weights=weights)
    volume = sum(weights)
    cost = sum((w * c for w, c in zip(weights, costs, strict=True)), Fraction(0)) / volume
    score = sum((w * s for w, s in zip(weights, scores, strict=True)), Fraction(0)) / volume
    return {
        "weighted_cost": places(cost, 2),
        "weighted_score": places(score, 4),
        "budget_point_value": places(value, rule.decimals),
    }


def _numbers(read: Inputs, key: str) -> list[Fraction]:
    found = read.values.get(key)
    if not isinstance(found, list):
        raise read.wrong(key)
    row = Inputs({str(at): one for at, one in enumerate(found)}, f"{read.place}.{key}")
    return [row.number(at) for at in row.values]


def _year_weights(read: Inputs) -> tuple[int, ...]:
    """`1:2:7`, oldest first; the usual ones if left out."""
    text = read.values.get("weights")
    if text is None:
        return YEAR_WEIGHTS
    parts = str(text).split(":")
    if not all(part.strip().isdecimal() for part in parts):
        raise read.wrong("weights")
    return tuple(int(part) for part in parts)


def calculate_dip_special(inputs: Mapping[str, Any]) -> Worked:
    """The worked example of kind `dip_special`: which special cases a year takes.

    budget, total_score (all cases), pay_ratio; discharges, rate (0.005); candidates [{id, total,
    score, approved}]; min_ratio (1). Outputs: whether it converged, accepted ids, the point value,
    the circle otherwise. Raises WeightError WT120; SettlementError ST301.
    """
    read = Inputs(inputs)
    discharges = read.number("discharges")
    if discharges.denominator != 1 or discharges < 0:
        raise read.wrong("discharges")
    ratio = read.number("pay_ratio")
    if not 0 < ratio <= 1:
        raise read.wrong("pay_ratio")
    candidates = [
        Candidate(code, one.fen("total"), one.number("score"), one.fen("approved") / ratio)
        for code, one in read.named("candidates", "id").items()
    ]
    found = settle_special(
        candidates,
        {"": Pool(read.fen("budget") / ratio, read.number("total_score"))},
        quota=quota(int(discharges), read.number("rate", "0.005")),
        min_ratio=read.number("min_ratio", "1"),
    )
    outputs: dict[str, object] = {"quota": found.quota, "converged": found.converged}
    if found.converged:
        outputs |= {
            "accepted": list(found.accepted),
            "point_value": places(found.point_fen[""] / FEN_PER_YUAN, 6),
        }
    else:
        outputs["cycle"] = [_round(one) for one in found.cycle]
    return Worked(outputs, {"rounds": [_round(one) for one in found.rounds]})


def _round(one: Round) -> dict[str, object]:
    value = places(one.point_fen[""] / FEN_PER_YUAN, 6)
    return {"point_value": value, "accepted": list(one.accepted)}


def calculate_dip_score(inputs: Mapping[str, Any]) -> Worked:
    """The worked example of kind `dip_score`: a score from years, trimming, auxiliary types.

    group_years, all_years [[cases, mean]], oldest first, weights (1:2:7), scale (1000); trim
    {costs, low, high}; types {name: {n, mean, sd}}; cases {type: {score, K}}. Raises WeightError
    WT120, SettlementError ST301.
    """
    read = Inputs(inputs)
    weights = _year_weights(read)
    group, every = (_years(read, key, len(weights)) for key in ("group_years", "all_years"))
    outputs: dict[str, object] = {}
    manners: tuple[tuple[str, YearMean], ...] = (("mean_of_means", "years"), ("pooled", "cases"))
    for name, manner in manners:
        own, whole = (_mean(years, weights, manner) for years in (group, every))
        score = own / whole * read.number("scale", "1000")
        outputs[name] = {"m": places(own, 4), "M": places(whole, 4), "score": places(score, 4)}
    if inputs.get("trim") is not None:
        outputs["trim"] = _trim(read.object_of("trim"))
    if inputs.get("types") is not None:
        outputs["auxiliary"] = _auxiliary(read)
    return Worked(outputs)


_Years = list[tuple[int, Fraction]]


def _years(read: Inputs, key: str, n: int) -> _Years:
    """Cases and mean cost of each year; some year has cases and a cost."""
    found = read.values.get(key)
    if not isinstance(found, list) or len(found) != n:
        raise read.wrong(key)
    made = []
    for at, one in enumerate(found):
        if not isinstance(one, list) or len(one) != 2:
            raise read.wrong(key)
        row = Inputs({"cases": one[0], "mean": one[1]}, f"{read.place}.{key}[{at}]")
        cases = row.number("cases")
        if cases.denominator != 1 or cases < 0:
            raise row.wrong("cases")
        made.append((int(cases), row.number("mean")))
    if not any(cases > 0 and mean > 0 for cases, mean in made):
        raise read.wrong(key)
    return made


def _mean(years: _Years, weights: tuple[int, ...], manner: YearMean) -> Fraction:
    """The mean over the years, by the function that estimates scores from history."""
    parts = year_parts([n for n, _ in years], [Fraction(w) for w in weights], manner)
    return sum((part * mean for part, (_, mean) in zip(parts, years, strict=True)), Fraction(0))


def _trim(read: Inputs) -> dict[str, object]:
    costs = sorted(round_half_up(one * FEN_PER_YUAN) for one in _numbers(read, "costs"))
    if not costs or costs[0] <= 0:
        raise read.wrong("costs")
    ones = np.ones(len(costs), np.uint32)
    found = Costs(np.array(costs, np.int64), ones, len(costs), sum(costs))
    low, high = (read.number(key, usual) for key, usual in (("low", "0.025"), ("high", "0.975")))
    first, last = found.quantile(low), found.quantile(high)
    kept = [cost for cost in costs if first <= cost <= last]
    before, after = _sums(costs), _sums(kept if len(costs) >= _TRIMMED_FROM else costs)
    return {
        "p025": places(first / FEN_PER_YUAN, 4),
        "p975": places(last / FEN_PER_YUAN, 4),
        "kept": after.cases,
        "mean_before": places(before.mean / FEN_PER_YUAN, 4),
        "cv_before": root_places(before.spread / before.cases / before.mean**2, 6),
        "mean_after": places(after.mean / FEN_PER_YUAN, 4),
        "cv_after": root_places(after.spread / after.cases / after.mean**2, 6),
    }


def _sums(costs: Sequence[int]) -> Sums:
    return Sums(len(costs), sum(costs), sum(cost * cost for cost in costs))


def _auxiliary(read: Inputs) -> dict[str, object]:
    types = read.object_of("types")
    cells: dict[tuple[str, ...], Sums] = {
        (name,): _type_sums(types.object_of(name)) for name in types.values
    }
    families = dict.fromkeys(types.values, "")
    found = auxiliary_group("", cells, families, _ALL)
    if found is None:
        raise read.wrong("types")
    triggers = {one.type: one.trigger for one in found.types}
    outputs: dict[str, object] = {
        "types": {name: {"trigger": places(triggers[name], 4)} for name in types.values},
        "group_mean": places(found.mean_fen / _PARTS, 4),
        "cv_before": root_places(found.cv_squared_before, 6),
        "cv_within": root_places(found.cv_squared_after, 6),
        "reduction": _reduction(found.cv_squared_before, found.cv_squared_after),
        "applies": auxiliary_group("", cells, families, Triggers()) is not None,
    }
    told = read.object_of("cases")
    for name in told.values:
        if name not in triggers:
            raise told.wrong(name)
        case = told.object_of(name)
        coefficient = rounded(triggers[name], 4)
        score = case.number("score") * case.number("K", "1") * coefficient
        outputs[f"{name}_case"] = {
            "coefficient": places(coefficient, 4),
            "case_score": places(score, 4),
        }
    return outputs


def _type_sums(one: Inputs) -> Sums:
    """Cases of a type by their number, mean and population deviation."""
    n, mean, sd = one.whole("n"), one.number("mean") * _PARTS, one.number("sd") * _PARTS
    if n == 0 or mean <= 0 or mean.denominator != 1 or sd.denominator != 1:
        raise one.wrong("n" if n == 0 else "mean")
    return Sums(n, n * int(mean), n * (int(sd) ** 2 + int(mean) ** 2))


def _reduction(before: Fraction, after: Fraction) -> str:
    """1 - CV after / CV before; a root, so as decimals of ample precision."""
    if not before:
        return places(Fraction(0), 6)
    square = after / before
    with localcontext() as context:
        context.prec = 50
        root = (Decimal(square.numerator) / square.denominator).sqrt()
        return places(1 - Fraction(root), 6)
