"""The year's clearing (年度清算) of one fund: steps Y4 to Y12 over the hospitals' sums.

Everything before (which lists count, which special cases pass, what volume remains) has been
done; here stand amounts and volumes alone, weights or points alike. The order of the steps is
`STEPS`: each takes the amount that is due at that moment and leaves the next one.
Source: 医保发〔2025〕18号 arts. 16, 23, 27-29; 按病种付费医疗保障经办管理规程（2025版） arts. 12,
24-27 and 32-35.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from grouper.errors import SettlementError
from grouper.money import decimal_text, round_half_up
from grouper.settle.bands import share_out
from grouper.settle.clearing import Account, Clearing, HospitalYear, YearRules, identities
from grouper.settle.deposit import ScoreStep, returned_share
from grouper.settle.entitlement import entitle
from grouper.settle.statement import Check
from weights.rates import pool

BEST_SCORE = 100

Step = Callable[[Clearing], None]


def form_pool(clearing: Clearing) -> None:
    """Y4: G = B - round(B x reserve) - deductions - special cases.

    Raises SettlementError ST106 for the reserve, ST301 when nothing is left.
    """
    rules = clearing.rules
    taken = [*rules.deductions_fen.values(), clearing.given("special_fen")]
    clearing.pool = pool(rules.budget_fen, rules.reserve_ratio, taken)


def add_special(clearing: Clearing) -> None:
    """Y6: E = A + what was approved for special cases."""
    for account in clearing.accounts.values():
        account.due_fen += account.given.special_fen
        account.full_fen = account.due_fen


def apply_bands(clearing: Clearing) -> None:
    """Y7: surplus kept, overspend shared."""
    for account in clearing.accounts.values():
        account.shared = share_out(
            account.due_fen, account.given.recorded_fen, clearing.rules.bands
        )
        account.due_fen = account.shared.final_fen


def cover_overspend(clearing: Clearing) -> None:
    """Y8: what the fund bears comes from reserve + (G - sum of A); if short, all are scaled."""
    accounts = list(clearing.accounts.values())
    borne = [one.shared.borne_fen for one in accounts]
    clearing.needed_fen = sum(borne)
    left = clearing.pool.pool_fen - clearing.total("entitled_fen")
    clearing.available_fen = max(clearing.pool.reserve_fen + left, 0)
    if clearing.needed_fen > clearing.available_fen:
        parts = clearing.split("compensation", clearing.available_fen, borne)
        for account, need, part in zip(accounts, borne, parts, strict=True):
            account.due_fen -= need - part
    for account in accounts:
        account.final_fen = account.due_fen


def return_deposits(clearing: Clearing) -> None:
    """Y9: the deposit by the quality score. Raises SettlementError ST103 for a missing score."""
    rules = clearing.rules
    for code, account in clearing.accounts.items():
        score = account.given.score
        if score is not None:
            account.factor = _factor(score, rules.scores)
        elif rules.unscored is not None:
            account.factor = rules.unscored
        elif account.given.deposit_fen:
            raise SettlementError("ST103", code, field="score")
        account.returned_fen = round_half_up(account.given.deposit_fen * account.factor)
    if rules.redistribute_withheld and clearing.total("withheld_fen"):
        shares = [max(one.full_fen, 0) for one in clearing.accounts.values()]
        parts = clearing.split("withheld", clearing.total("withheld_fen"), shares)
        for account, part in zip(clearing.accounts.values(), parts, strict=True):
            account.redistributed_fen = part


def _factor(score: Fraction, steps: Sequence[ScoreStep]) -> Fraction:
    if not 0 <= score <= BEST_SCORE:
        raise SettlementError("ST106", "score", key="score", value=decimal_text(score))
    return returned_share(score, steps)


def take_off_fines(clearing: Clearing) -> None:
    """Y10: U = F - audit deductions - deposit kept back (+ what is redistributed)."""
    for account in clearing.accounts.values():
        account.due_fen -= account.given.audit_fen + account.withheld_fen
        account.due_fen += account.redistributed_fen
        account.payable_fen = account.due_fen


def clear(clearing: Clearing) -> None:
    """Y11: Z = U - what the months paid; the advance still outstanding comes off the cash."""
    for account in clearing.accounts.values():
        account.clearing_fen = account.due_fen - account.before_fen
        account.cash_fen = account.clearing_fen - account.given.advance_fen


def close_area(clearing: Clearing) -> None:
    """Y12: what G + special cases + reserve leave after all that is final; a deficit is below 0."""
    made = clearing.pool
    limit = made.pool_fen + clearing.given("special_fen") + made.reserve_fen
    clearing.area_gap_fen = limit - clearing.total("final_fen")


#: the order is the rule: audits have left the volume before Y5, fines come off at Y10 only
STEPS: tuple[tuple[str, Step], ...] = (
    ("Y4", form_pool),
    ("Y5", entitle),
    ("Y6", add_special),
    ("Y7", apply_bands),
    ("Y8", cover_overspend),
    ("Y9", return_deposits),
    ("Y10", take_off_fines),
    ("Y11", clear),
    ("Y12", close_area),
)


def clear_year(
    hospitals: Sequence[HospitalYear],
    rules: YearRules,
    *,
    steps: Sequence[tuple[str, Step]] = STEPS,
) -> Clearing:
    """The clearing of one fund; its accounts are in the order of the hospitals' codes.

    Raises SettlementError ST301 (no pool, no volume), ST304, ST103 (a score or base volume),
    ST106, and ST307 when an identity fails, which is a defect: nothing of it may be used. A code
    that stands twice is a ValueError.
    """
    made = _run(hospitals, rules, steps)
    checks = identities(made)
    again = _run(hospitals[::-1], rules, steps)
    # I5: the same lists give the same accounts, whatever their order
    checks = (*checks, Check("I5", 0, int(again.accounts != made.accounts)))
    for check in checks:
        if not check.holds:
            raise SettlementError("ST307", check=check.name, left=check.left, right=check.right)
    return made


def _run(
    hospitals: Sequence[HospitalYear], rules: YearRules, steps: Sequence[tuple[str, Step]]
) -> Clearing:
    accounts = {one.code: Account(one) for one in sorted(hospitals, key=lambda one: one.code)}
    if len(accounts) != len(hospitals):
        raise ValueError("a hospital stands twice")
    clearing = Clearing(rules, accounts)
    for _, step in steps:
        step(clearing)
    return clearing
