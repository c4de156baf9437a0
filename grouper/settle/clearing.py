"""What a year's clearing consists of: the hospitals' sums, the rules, the accounts, the identities.

The steps that fill the accounts stand in `year`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from grouper.money import apportion, round_half_up
from grouper.settle.bands import Bands, Shared
from grouper.settle.deposit import ScoreStep
from grouper.settle.statement import Check
from weights.rates import Basis, PointValue, Pool

#: what a unit of volume is worth: found from the year's pool, agreed before, or both
Method = Literal["floating", "fixed", "elastic"]
#: what happens when fixed rates pay more than the pool: all are scaled down, or nothing
TotalControl = Literal["none", "scale"]


NOT_SHARED = Shared((), 0, 0, 0)
NO_POOL = Pool(0, 0, 0)
NOTHING = Fraction(0)


@dataclass(frozen=True, slots=True)
class HospitalYear:
    """What the year of one hospital brings to the clearing of one fund; amounts in fen.

    cases: its lists, special ones included. volume: weight or points of all but these (w).
    patient_fen, other_fen: what patients and other funds paid for the latter; accrued_fen: what the
    months accrued for them (M6 + M8 + M8b). special_fen: approved for special cases; recorded_fen:
    the pooled fund as the lists of all cases have it (P). deposit_fen: sum of M11 (Q); audit_fen:
    all deductions of the year (K); paid_fen: sum of M15; offset_fen: sum of M13; advance_fen:
    advance still outstanding.
    base_volume: of an elastic method, the volume that is paid the fixed rate.
    """

    code: str
    volume: Fraction
    cases: int = 0
    patient_fen: int = 0
    other_fen: int = 0
    accrued_fen: int = 0
    special_fen: int = 0
    recorded_fen: int = 0
    deposit_fen: int = 0
    audit_fen: int = 0
    paid_fen: int = 0
    offset_fen: int = 0
    advance_fen: int = 0
    score: Fraction | None = None
    base_volume: Fraction | None = None


@dataclass(frozen=True, slots=True)
class YearRules:
    """What an area decided for a year and fund; amounts in fen.

    rate_fen: of a fixed or elastic method, fen per unit of volume; None under a fixed method: what
    the months accrued stands. base_share: of an elastic method, the share of a hospital's volume
    that is its base where it has no agreed base volume. unscored: the share of the deposit that a
    hospital without a score gets back (None: a score is needed).
    redistribute_withheld: deposits kept back go to all hospitals by their entitlement. joint: of a
    floating method, what was found over several funds together (joint.joint_values).
    """

    budget_fen: int
    reserve_ratio: Fraction
    bands: Bands
    scores: tuple[ScoreStep, ...]
    deductions_fen: Mapping[str, int] = field(default_factory=dict)
    method: Method = "floating"
    basis: Basis = "total"
    total_control: TotalControl = "none"
    rate_fen: Fraction | None = None
    base_share: Fraction | None = None
    unscored: Fraction | None = None
    redistribute_withheld: bool = False
    joint: PointValue | None = None


@dataclass(slots=True)
class Account:
    """One hospital on its way through the steps; `due_fen` is what is due at the moment.

    share_fen: its part of the numerator (of a total basis before patients and other funds).
    """

    given: HospitalYear
    due_fen: int = 0
    share_fen: int = 0
    entitled_fen: int = 0
    full_fen: int = 0
    shared: Shared = NOT_SHARED
    final_fen: int = 0
    factor: Fraction = NOTHING
    returned_fen: int = 0
    redistributed_fen: int = 0
    payable_fen: int = 0
    clearing_fen: int = 0
    cash_fen: int = 0

    @property
    def overspent(self) -> bool:
        """Whether more was recorded than the hospital is entitled to."""
        return self.given.recorded_fen > self.full_fen

    @property
    def withheld_fen(self) -> int:
        """The part of the deposit that is not given back."""
        return self.given.deposit_fen - self.returned_fen

    @property
    def before_fen(self) -> int:
        """What the months paid, advances that were offset included (V)."""
        return self.given.paid_fen + self.given.offset_fen


@dataclass(slots=True)
class Clearing:
    """The clearing of one fund: its accounts by hospital, and the sums of the area in fen.

    unit_yuan: what a unit of volume is worth, exact (None where no one rate holds).
    scaled_from_fen: the sum of entitlements before they were scaled to the pool.
    needed_fen: what the bands let the fund bear of overspend, before the reserve limits it.
    splits: name -> total and parts of every split by largest remainder.
    """

    rules: YearRules
    accounts: dict[str, Account]
    pool: Pool = NO_POOL
    numerator_fen: int = 0
    unit_yuan: Fraction | None = None
    by_remainder: int | None = None
    scaled_from_fen: int | None = None
    needed_fen: int = 0
    available_fen: int = 0
    area_gap_fen: int = 0
    splits: dict[str, tuple[int, int]] = field(default_factory=dict)

    def total(self, name: str) -> int:
        """The sum of an amount over all accounts, by its name."""
        return sum(getattr(one, name) for one in self.accounts.values())

    def given(self, name: str) -> int:
        """The sum of what the hospitals bring, by its name."""
        return sum(getattr(one.given, name) for one in self.accounts.values())

    @property
    def volume(self) -> Fraction:
        """All weight or points."""
        return sum((one.given.volume for one in self.accounts.values()), Fraction(0))

    @property
    def surplus_fen(self) -> int:
        """What returns to the fund because bands do not let hospitals keep all of a surplus."""
        return sum(a.full_fen - a.final_fen for a in self.accounts.values() if not a.overspent)

    @property
    def compensation_fen(self) -> int:
        """What the fund bears of overspend."""
        return sum(a.final_fen - a.full_fen for a in self.accounts.values() if a.overspent)

    @property
    def unused_fen(self) -> int:
        """What the budget for payment by group leaves over; below zero: a deficit."""
        return self.area_gap_fen

    def split(self, name: str, total_fen: int, shares: Sequence[Fraction | int]) -> list[int]:
        """`apportion` over the accounts, noted for identity I4."""
        parts = apportion(total_fen, shares, list(self.accounts))
        self.splits[name] = (total_fen, sum(parts))
        return parts


def identities(made: Clearing) -> tuple[Check, ...]:
    """I1 to I4, and the sums of the reconciliation table; all must hold to the fen."""
    accounts = made.accounts.values()
    pool_fen, reserve = made.pool.pool_fen, made.pool.reserve_fen
    entitled, special = made.total("entitled_fen"), made.given("special_fen")
    deductions = sum(made.rules.deductions_fen.values())
    left, right = balance(made)
    checks = [
        Check("I2", left, right),
        Check("Y12", made.area_gap_fen, right - made.total("final_fen")),
        Check("E = A + special", made.total("full_fen"), entitled + special),
        Check("Y4", made.rules.budget_fen, pool_fen + reserve + special + deductions),
        Check("Y8", made.compensation_fen, min(made.needed_fen, made.available_fen)),
    ]
    # the whole pool is handed out wherever the rate is found from it
    if "entitlement" in made.splits or "growth" in made.splits:
        checks.append(Check("I1", entitled, pool_fen))
    for account in accounts:
        checks += _own_checks(account)
    checks += [Check(f"I4 {name}", *sums) for name, sums in made.splits.items()]
    return tuple(checks)


def _own_checks(account: Account) -> list[Check]:
    """What must hold within one hospital."""
    given, code = account.given, account.given.code
    kept = given.recorded_fen + account.shared.kept_fen
    returned = round_half_up(given.deposit_fen * account.factor)
    due = account.final_fen + account.returned_fen + account.redistributed_fen
    own = [
        Check(f"I3 {code}", account.payable_fen, account.before_fen + account.clearing_fen),
        Check(f"Y9 {code}", account.returned_fen, returned),
        Check(f"Y10 {code}", account.payable_fen + given.audit_fen + given.deposit_fen, due),
        Check(f"Y11 {code}", account.cash_fen + given.advance_fen, account.clearing_fen),
    ]
    # what the fund bears of overspend is checked over all: it may have been scaled
    return own if account.overspent else [*own, Check(f"Y7 {code}", account.final_fen, kept)]


def balance(made: Clearing) -> tuple[int, int]:
    """Both sides of I2: where the money went, and where it came from."""
    reserve, pool_fen = made.pool.reserve_fen, made.pool.pool_fen
    left_over = reserve + pool_fen - made.total("entitled_fen") - made.compensation_fen
    left = made.total("final_fen") + made.surplus_fen + left_over
    return left, pool_fen + made.given("special_fen") + reserve
