"""Worked examples of the month, of an advance and of the deposit, by the functions that settle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from grouper.errors import SettlementError
from grouper.money import round_half_up, yuan
from grouper.settle.advance import FundState, advance
from grouper.settle.deposit import ScoreStep, returned_share
from grouper.settle.month_lines import (
    CaseSums,
    Keeping,
    MonthEntries,
    allowed_deduction,
    close_month,
)
from grouper.worked import Worked
from weights.inputs import Inputs

#: line -> its key in an example
_STEPS = {
    "M1": "M1_cases",
    "M2": "M2_total",
    "M3": "M3_standard",
    "M4": "M4_patient",
    "M5": "M5_other_funds",
    "M6": "M6_accrued",
    "M7": "M7_special",
    "M8": "M8_corrections",
    "M8b": "M8b_late",
    "M9": "M9_audit",
    "M10": "M10_base",
}
_OUTPUTS = {
    "M11": "M11_deposit",
    "M12": "M12_payable",
    "M13": "M13_offset",
    "M14": "M14_carry_in",
    "M15": "M15_paid",
    "M16": "M16_carry_out",
}
_DEFICITS = ("deficit", "deficit_last_year", "deficit_forecast")
_YES = (True, "true", "yes", "1", 1, "是")


def calculate_month(inputs: Mapping[str, Any]) -> Worked:
    """The worked example of kind `month`: lines M1 to M16 of one hospital.

    deposit_rate (or monthly_rate: the share of M10 that is paid), cases [{id, total, pool, other,
    standard, special}], and where there are any late [the same], corrections [{old_accrued,
    new_accrued}], audit [{amount, list}], carry_in, advance_outstanding, advance_schedule;
    basis: `total` (default) or `fund`. A deduction that names the id of a list is cut to what is
    left of its accrual. Raises WeightError WT120, SettlementError ST203, ST207.
    """
    read = Inputs(inputs)
    by_fund = inputs.get("basis", "total") == "fund"
    if inputs.get("basis", "total") not in ("total", "fund"):
        raise read.wrong("basis")
    cases, late = _lists(read, "cases"), _lists(read, "late")
    plain = [one for one in cases if not _is_special(one)]
    sums = _sums(cases, plain, by_fund=by_fund)
    entries = MonthEntries(
        special=sum(one.fen("pool") for one in cases if _is_special(one)),
        corrections=sum(
            one.fen("new_accrued") - one.fen("old_accrued")
            for one in _optional(read, "corrections")
        ),
        late=_sums(late, late, by_fund=by_fund).accrued,
        audit=_deductions(read, [*cases, *late], by_fund=by_fund),
        carry_in=_amount(read, "carry_in"),
        advance_schedule=_not_negative(read, "advance_schedule"),
        advance_outstanding=_not_negative(read, "advance_outstanding"),
    )
    if entries.carry_in > 0:
        raise read.wrong("carry_in")
    keeping: Keeping = "monthly_rate" if inputs.get("monthly_rate") is not None else "deposit"
    key = {"monthly_rate": "monthly_rate", "deposit": "deposit_rate"}[keeping]
    rate = read.number(key)
    if not 0 <= rate <= 1:
        raise read.wrong(key)
    lines = {**sums.lines(), **close_month(sums.accrued, rate, entries, keeping=keeping)}
    shown = {line: yuan(fen) for line, fen in lines.items()}
    outputs: dict[str, object] = {name: shown[line] for line, name in _OUTPUTS.items()}
    outputs["advance_left"] = yuan(entries.advance_outstanding - lines["M13"])
    outputs["diff_vs_recorded"] = yuan(sums.against_recorded)
    steps: dict[str, object] = {name: shown[line] for line, name in _STEPS.items()}
    return Worked(outputs, steps | {"M1_cases": sums.cases})


def calculate_advance(inputs: Mapping[str, Any]) -> Worked:
    """The worked example of kind `advance`: an advance to a hospital.

    prior_year_pool, months (1), grade_coef (1), years (1), balance and year_spend of the fund,
    min_months, deficit (false; also deficit_last_year, deficit_forecast).
    Raises WeightError WT120, SettlementError ST301.
    """
    read = Inputs(inputs)
    years = read.whole("years", "1")
    if not 1 <= years <= 3:
        raise read.wrong("years")
    deficit = any(inputs.get(key) in _YES for key in _DEFICITS)
    fund = FundState(read.fen("balance"), read.fen("year_spend"), deficit)
    made = advance(
        _not_negative(read, "prior_year_pool"),
        fund,
        min_months=read.number("min_months"),
        months=read.number("months", "1"),
        grade=read.number("grade_coef", "1"),
        years=years,
    )
    steps: dict[str, object] = {
        "monthly_average": yuan(round_half_up(made.monthly_average)),
        "balance_months": _four(fund.balance_months),
    }
    return Worked({"advance": yuan(made.fen), "status": made.status}, steps)


def calculate_deposit(inputs: Mapping[str, Any]) -> Worked:
    """The worked example of kind `deposit`: what comes back of a deposit.

    deposit, score, table [[lowest score, factor or "score"]]. Raises WeightError WT120,
    SettlementError ST107.
    """
    read = Inputs(inputs)
    deposit = _not_negative(read, "deposit")
    share = returned_share(read.number("score"), score_steps(read, "table"))
    returned = round_half_up(deposit * share)
    outputs = {"returned": yuan(returned), "withheld": yuan(deposit - returned)}
    return Worked(outputs, {"factor": _four(share)})


def score_steps(read: Inputs, key: str) -> list[ScoreStep]:
    """A table of scores: [[lowest score, factor or "score"]], the highest first."""
    table = read.values.get(key)
    if not isinstance(table, list) or not table:
        raise read.wrong(key)
    steps = []
    for at, row in enumerate(table):
        if not isinstance(row, list) or len(row) != 2:
            raise read.wrong(key)
        cells = Inputs({"score": row[0], "factor": row[1]}, f"{read.place}.{key}[{at}]")
        factor = None if row[1] == "score" else cells.number("factor")
        steps.append(ScoreStep(cells.number("score"), factor))
    return steps


def _optional(read: Inputs, key: str) -> list[Inputs]:
    return [] if read.values.get(key) is None else read.list_of(key)


def _lists(read: Inputs, key: str) -> list[Inputs]:
    """The lists of an example, their amounts not negative and adding up."""
    found = _optional(read, key)
    for one in found:
        for amount in ("total", "pool", "other", "standard"):
            if amount in one.values:
                _not_negative(one, amount)
        if one.fen("pool") + _amount(one, "other") > one.fen("total"):
            lacking = one.fen("total") - one.fen("pool") - _amount(one, "other")
            raise SettlementError("ST203", f"{one.place}.total", difference=yuan(lacking))
    return found


def _is_special(one: Inputs) -> bool:
    return one.values.get("special") in _YES


def _patient(one: Inputs) -> int:
    return one.fen("total") - one.fen("pool") - _amount(one, "other")


def _sums(cases: Sequence[Inputs], plain: Sequence[Inputs], *, by_fund: bool) -> CaseSums:
    standard = sum(one.fen("standard") for one in plain)
    patient = sum(_patient(one) for one in plain)
    other = sum(_amount(one, "other") for one in plain)
    return CaseSums(
        cases=len(cases),
        total=sum(one.fen("total") for one in cases),
        standard=standard,
        patient=patient,
        other=other,
        # on the fund basis the standard is the fund's alone: nothing is taken off it
        cut=patient + other if by_fund else 0,
        pool=sum(one.fen("pool") for one in plain),
    )


def _deductions(read: Inputs, lists: Sequence[Inputs], *, by_fund: bool) -> int:
    """All audit deductions; those of a list that the example names never exceed its accrual."""
    accrual = {
        one.code("id"): one.fen("pool")
        if _is_special(one)
        else _sums([one], [one], by_fund=by_fund).accrued
        for one in lists
        if "id" in one.values
    }
    taken: dict[str, int] = {}
    total = 0
    for one in _optional(read, "audit"):
        asked = _not_negative(one, "amount")
        name = str(one.values.get("list", ""))
        if name in accrual:
            asked = allowed_deduction(asked, accrual[name], taken.get(name, 0))
            taken[name] = taken.get(name, 0) + asked
        total += asked
    return total


def _amount(read: Inputs, key: str) -> int:
    """An amount that may be left out: zero then."""
    return 0 if read.values.get(key) is None else read.fen(key)


def _not_negative(read: Inputs, key: str) -> int:
    found = _amount(read, key)
    if found < 0:
        raise SettlementError("ST207", f"{read.place}.{key}", field="amount")
    return found


def _four(value: Fraction) -> str:
    """Four decimals, half up, zeros kept."""
    digits = round_half_up(value * 10_000)
    whole, rest = divmod(abs(digits), 10_000)
    return f"{'-' if digits < 0 else ''}{whole}.{rest:04d}"
