"""One rate for several insurances (option `joint_rate`): their pools over all their volume.

What each hospital is entitled to is found once over all funds, by largest remainder, so that the
entitlements of all funds together are their pools to the fen. Reserve, bands and clearing stay
with each fund: insurances are booked apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from grouper.settle.clearing import HospitalYear, YearRules
from weights.rates import PointValue, point_value, pool


def joint_values(
    funds: Sequence[tuple[YearRules, Sequence[HospitalYear]]],
) -> list[PointValue]:
    """For each fund the one value of a unit, and the shares of its own hospitals.

    The first fund says whether the value rests on the total cost or on the fund. Raises
    SettlementError ST301, ST304, ST106.
    """
    whole, volumes, others = 0, {}, {}
    for number, (rules, hospitals) in enumerate(funds):
        special = sum(one.special_fen for one in hospitals)
        taken = [*rules.deductions_fen.values(), special]
        whole += pool(rules.budget_fen, rules.reserve_ratio, taken).pool_fen
        for one in hospitals:
            volumes[_name(one, number)] = one.volume
            others[_name(one, number)] = one.patient_fen + one.other_fen
    by_total = funds[0][0].basis == "total"
    found = point_value(whole, volumes, others_fen=others if by_total else None)
    made = []
    for number, (_, hospitals) in enumerate(funds):
        shares = {one.code: found.shares[_name(one, number)] for one in hospitals}
        made.append(
            PointValue(
                numerator_fen=sum(share.gross_fen for share in shares.values()),
                total_points=sum((one.volume for one in hospitals), Fraction(0)),
                value=found.value,
                shares=shares,
                by_remainder=found.by_remainder,
            )
        )
    return made


def _name(one: HospitalYear, number: int) -> str:
    """A hospital in one of the funds; ties go to the smaller code, then to the earlier fund."""
    return f"{one.code} {number:03d}"
