"""The advance (预付金, 周转金): whether the fund may pay one, and how much.

Size: 医保发〔2025〕18号 art. 26 and 经办管理规程 2025 art. 25, about one month; conditions:
医保办函〔2024〕101号, as reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from grouper.errors import SettlementError
from grouper.money import round_half_up, yuan

AdvanceStatus = Literal["granted", "blocked_balance_months", "blocked_deficit"]
_MONTHS = 12


@dataclass(frozen=True, slots=True)
class FundState:
    """How the pooled fund of an insurance stands, in fen.

    year_spend_fen: spending of the last twelve months. deficit: the last year closed with one, or
    one is forecast for this year.
    """

    balance_fen: int
    year_spend_fen: int
    deficit: bool = False

    @property
    def balance_months(self) -> Fraction:
        """How many months of spending the balance lasts. Raises SettlementError ST301."""
        if self.year_spend_fen <= 0:
            raise SettlementError("ST301", detail=f"year_spend = {yuan(self.year_spend_fen)}")
        return Fraction(self.balance_fen * _MONTHS, self.year_spend_fen)


@dataclass(frozen=True, slots=True)
class Advance:
    """What is granted, in fen, and why not more."""

    fen: int
    status: AdvanceStatus
    monthly_average: Fraction


def advance(
    spend_fen: int,
    fund: FundState,
    *,
    min_months: Fraction,
    months: Fraction = Fraction(1),
    grade: Fraction = Fraction(1),
    years: int = 1,
) -> Advance:
    """round(monthly mean x months x grade), or nothing while the fund does not allow it.

    spend_fen: the pooled fund's payments to the hospital over the last `years` years (1 to 3).
    min_months: how long the balance must last. grade: by assessment and credit of the hospital.
    """
    average = Fraction(spend_fen, _MONTHS * years)
    if fund.deficit:
        return Advance(0, "blocked_deficit", average)
    if fund.balance_months < min_months:
        return Advance(0, "blocked_balance_months", average)
    return Advance(round_half_up(average * months * grade), "granted", average)
