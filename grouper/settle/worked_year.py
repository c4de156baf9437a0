"""Worked examples of the year's clearing, from totals and from cases through months."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

from grouper.money import FEN_PER_YUAN, round_half_up, yuan
from grouper.settle.clearing import (
    Account,
    Clearing,
    HospitalYear,
    Method,
    TotalControl,
    YearRules,
    balance,
)
from grouper.settle.month_lines import MonthEntries, close_month
from grouper.settle.worked_shares import read_bands, read_scores, slices_text
from grouper.settle.year import clear_year
from grouper.worked import Worked
from weights.inputs import Inputs
from weights.rates import Basis
from weights.record import places

_METHODS: tuple[Method, ...] = ("floating", "fixed", "elastic")
_BASES: tuple[Basis, ...] = ("fund", "total")
_CONTROLS: tuple[TotalControl, ...] = ("none", "scale")
#: lines of the months that enter the year as sums
_SUMMED = ("M9", "M11", "M13", "M15")
_RESERVE = "0.05"

W = TypeVar("W")


def calculate_year(inputs: Mapping[str, Any]) -> Worked:
    """The worked example of kind `year`: hospitals' totals -> what each gets at clearing.

    budget, reserve_ratio (0.05), other_deductions (0), method (floating, fixed, elastic), rate (of
    the last two), total_control (none, scale), basis (fund, total; default fund), base_share,
    redistribute_withheld, bands, manner, score_table, hospitals [{code, weight, recorded, special,
    deposit, audit, paid, advance_outstanding, score; patient, other, base_weight}].
    Raises WeightError WT120; SettlementError ST103, ST106, ST107, ST301, ST304.
    """
    read = Inputs(inputs)
    hospitals = read.named("hospitals", "code")
    rules = _rules(read, basis="fund")
    given = [
        HospitalYear(
            code=code,
            volume=_positive(one, "weight"),
            patient_fen=_fen(one, "patient"),
            other_fen=_fen(one, "other"),
            special_fen=_fen(one, "special"),
            recorded_fen=one.fen("recorded"),
            deposit_fen=_fen(one, "deposit"),
            audit_fen=_fen(one, "audit"),
            paid_fen=_fen(one, "paid"),
            advance_fen=_fen(one, "advance_outstanding"),
            score=_optional(one, "score"),
            base_volume=_optional(one, "base_weight"),
        )
        for code, one in hospitals.items()
    ]
    made = clear_year(given, rules)
    decimals = max((_decimals(one, "weight") for one in hospitals.values()), default=0)
    steps = _area_steps(made, decimals)
    for code in hospitals:
        account = made.accounts[code]
        steps[f"A_{code}"] = yuan(account.entitled_fen)
        steps[f"E_{code}"] = yuan(account.full_fen)
        steps[f"bands_{code}"] = _bands_text(account)
    left, right = balance(made)
    steps |= {"I2_left": yuan(left), "I2_right": yuan(right)}
    return Worked(_outputs(made, hospitals), steps)


@dataclass(slots=True)
class _Year:
    """One hospital's months while they are closed one after the other; amounts in fen."""

    deposit_rate: Fraction
    provisional_fen: Fraction
    advance_fen: int
    schedule_fen: int
    carry_fen: int = 0
    weight: Fraction = Fraction(0)
    patient_fen: int = 0
    other_fen: int = 0
    recorded_fen: int = 0
    special_fen: int = 0
    accrued_fen: int = 0
    lines: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_SUMMED, 0))


def calculate_year_full(inputs: Mapping[str, Any]) -> Worked:
    """The worked example of kind `year_full`: cases -> months -> clearing, on the total basis.

    Beside the keys of `year`: provisional_rate, deposit_rate (0.05), hospitals [{code, score,
    advance, advance_schedule, year_end_audit, months: [{cases: [{id, total, pool, other, weight,
    special, approved}], late: [the same], corrections: [{old_accrued, new_accrued}], audit:
    [{amount}]}]}]. A special case without `approved` is paid as grouped at clearing. Raises as
    `year`.
    """
    read = Inputs(inputs)
    hospitals = read.named("hospitals", "code")
    rules = _rules(read, basis="total")
    steps: dict[str, object] = {}
    given, decimals = [], 0
    for code, one in hospitals.items():
        year = _Year(
            deposit_rate=read.number("deposit_rate", "0.05"),
            provisional_fen=read.number("provisional_rate") * FEN_PER_YUAN,
            advance_fen=_fen(one, "advance"),
            schedule_fen=_fen(one, "advance_schedule"),
        )
        for number, month in enumerate(one.list_of("months"), 1):
            cases = month.list_of("cases")
            weighed = [*cases, *_listed(month, "late")]
            decimals = max([decimals, *(_decimals(case, "weight") for case in weighed)])
            steps[f"{code}_m{number}"] = _close(year, month, cases)
        given.append(
            HospitalYear(
                code=code,
                volume=year.weight,
                patient_fen=year.patient_fen,
                other_fen=year.other_fen,
                accrued_fen=year.accrued_fen,
                special_fen=year.special_fen,
                recorded_fen=year.recorded_fen,
                deposit_fen=year.lines["M11"],
                audit_fen=year.lines["M9"] + _fen(one, "year_end_audit"),
                paid_fen=year.lines["M15"],
                offset_fen=year.lines["M13"],
                advance_fen=year.advance_fen,
                score=_optional(one, "score"),
                base_volume=_optional(one, "base_weight"),
            )
        )
    made = clear_year(given, rules)
    steps |= _area_steps(made, decimals)
    if made.numerator_fen:
        steps["numerator"] = yuan(made.numerator_fen)
    steps |= {f"year_{code}": _year_text(made.accounts[code], decimals) for code in hospitals}
    outputs = _outputs(made, hospitals) | {"sum_A": yuan(made.total("entitled_fen"))}
    if made.unit_yuan is not None:
        outputs["final_rate"] = steps["final_rate"] = places(made.unit_yuan, 4)
    return Worked(outputs, steps)


def _close(year: _Year, month: Inputs, cases: list[Inputs]) -> dict[str, str]:
    """Close one month of a hospital; its lines as text."""
    special = sum(case.fen("pool") for case in cases if _is_special(case))
    standard, accrued, recorded = _plain(year, cases)
    _, late_accrued, _ = _plain(year, _listed(month, "late"))
    for case in cases:
        if _is_special(case):
            _decide(year, case)
    corrections = sum(
        one.fen("new_accrued") - one.fen("old_accrued") for one in _listed(month, "corrections")
    )
    entries = MonthEntries(
        special=special,
        corrections=corrections,
        late=late_accrued,
        audit=sum(one.fen("amount") for one in _listed(month, "audit")),
        carry_in=year.carry_fen,
        advance_schedule=year.schedule_fen,
        advance_outstanding=year.advance_fen,
    )
    lines = close_month(accrued, year.deposit_rate, entries)
    year.advance_fen -= lines["M13"]
    year.carry_fen = lines["M16"]
    year.accrued_fen += lines["M6"] + lines["M8"] + lines["M8b"]
    for line in _SUMMED:
        year.lines[line] += lines[line]
    shown = {"M3": standard, **lines}
    return {name: yuan(shown[name.split("_")[0]]) for name in _MONTH_STEPS} | {
        "advance_left": yuan(year.advance_fen),
        "diff_vs_recorded": yuan(accrued - recorded),
    }


def _plain(year: _Year, cases: list[Inputs]) -> tuple[int, int, int]:
    """Standard, accrual and recorded pool of the cases that are not special; all enter the year."""
    standard = accrued = recorded = 0
    for case in cases:
        if _is_special(case):
            continue
        total, pool, weight = case.fen("total"), case.fen("pool"), _positive(case, "weight")
        price = round_half_up(weight * year.provisional_fen)
        standard += price
        accrued += price - (total - pool)
        recorded += pool
        _count(year, case)
    return standard, accrued, recorded


def _decide(year: _Year, case: Inputs) -> None:
    """A special case: paid as approved, or as grouped when nothing is."""
    if case.values.get("approved") is None:
        _count(year, case)
        return
    year.special_fen += case.fen("approved")
    year.recorded_fen += case.fen("pool")


def _count(year: _Year, case: Inputs) -> None:
    """What a case paid by its group brings to the year."""
    total, pool, other = case.fen("total"), case.fen("pool"), _fen(case, "other")
    year.weight += _positive(case, "weight")
    year.patient_fen += total - pool - other
    year.other_fen += other
    year.recorded_fen += pool


def _is_special(case: Inputs) -> bool:
    return case.values.get("special") in (True, "true", "yes", "1", 1, "是")


def _listed(month: Inputs, key: str) -> list[Inputs]:
    """A list of a month that may be left out."""
    return [] if month.values.get(key) is None else month.list_of(key)


_MONTH_STEPS = (
    "M3_standard",
    "M6_accrued",
    "M7_special",
    "M9_audit",
    "M10_base",
    "M11_deposit",
    "M12_payable",
    "M13_offset",
    "M14_carry_in",
    "M15_paid",
    "M16_carry_out",
)


def _rules(read: Inputs, *, basis: Basis) -> YearRules:
    method = _choice(read, "method", _METHODS, "floating")
    rate = _optional(read, "rate")
    if method == "elastic" and rate is None:
        raise read.wrong("rate")
    return YearRules(
        budget_fen=read.fen("budget"),
        reserve_ratio=read.number("reserve_ratio", _RESERVE),
        deductions_fen={"other": _fen(read, "other_deductions")},
        method=method,
        basis=_choice(read, "basis", _BASES, basis),
        total_control=_choice(read, "total_control", _CONTROLS, "none"),
        rate_fen=None if rate is None else rate * FEN_PER_YUAN,
        base_share=_optional(read, "base_share"),
        redistribute_withheld=read.values.get("redistribute_withheld") is True,
        bands=read_bands(read),
        scores=read_scores(read),
    )


def _area_steps(made: Clearing, decimals: int) -> dict[str, object]:
    steps: dict[str, object] = {
        "reserve": yuan(made.pool.reserve_fen),
        "pool": yuan(made.pool.pool_fen),
        "total_weight": places(made.volume, decimals),
    }
    if made.unit_yuan is not None:
        fixed = made.rules.method == "fixed"
        steps["rate"] = places(made.unit_yuan, 2 if fixed else 4)
    if made.scaled_from_fen is not None:
        steps["scaled_from"] = yuan(made.scaled_from_fen)
    if made.by_remainder is not None:
        steps["units"] = made.by_remainder
    if made.needed_fen > made.available_fen:
        steps["compensation_needed"] = yuan(made.needed_fen)
    return steps


def _bands_text(account: Account) -> dict[str, str]:
    return {
        **slices_text(account.shared),
        "kept": yuan(account.shared.kept_fen),
        "fund_bears": yuan(account.shared.borne_fen),
        "final": yuan(account.shared.final_fen),
    }


def _year_text(account: Account, decimals: int) -> dict[str, str]:
    given = account.given
    return {
        "weight": places(given.volume, decimals),
        "patient": yuan(given.patient_fen),
        "other": yuan(given.other_fen),
        "share_total": yuan(account.share_fen),
        "A": yuan(account.entitled_fen),
        "special": yuan(given.special_fen),
        "E": yuan(account.full_fen),
        "recorded": yuan(given.recorded_fen),
        "deposit": yuan(given.deposit_fen),
        "audit": yuan(given.audit_fen),
        "paid": yuan(account.before_fen),
        **_bands_text(account),
    }


def _outputs(made: Clearing, order: Mapping[str, Inputs]) -> dict[str, object]:
    outputs: dict[str, object] = {}
    for code in order:
        account = made.accounts[code]
        outputs |= {
            f"F_{code}": yuan(account.final_fen),
            f"deposit_returned_{code}": yuan(account.returned_fen),
            f"due_{code}": yuan(account.payable_fen),
            f"clearing_{code}": yuan(account.clearing_fen),
            f"cash_{code}": yuan(account.cash_fen),
        }
    return outputs | {
        "sum_final": yuan(made.total("final_fen")),
        "returned_surplus": yuan(made.surplus_fen),
        "compensation": yuan(made.compensation_fen),
        "area_gap": yuan(made.area_gap_fen),
    }


def _fen(read: Inputs, key: str) -> int:
    """An amount that may be left out."""
    return read.fen(key) if read.values.get(key) is not None else 0


def _optional(read: Inputs, key: str) -> Fraction | None:
    return None if read.values.get(key) is None else read.number(key)


def _positive(read: Inputs, key: str) -> Fraction:
    value = read.number(key)
    if value < 0:
        raise read.wrong(key)
    return value


def _choice(read: Inputs, key: str, known: tuple[W, ...], default: W) -> W:
    value = default if read.values.get(key) is None else read.values[key]
    for one in known:
        if value == one:
            return one
    raise read.wrong(key)


def _decimals(read: Inputs, key: str) -> int:
    """How many decimals a number was given with."""
    if read.values.get(key) is None:
        return 0
    read.number(key)  # refuses what is none
    exponent = Decimal(str(read.values[key]).strip()).as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0
