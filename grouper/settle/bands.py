"""Surplus kept and overspend shared (结余留用、超支分担): bands over what was due and recorded.

By 按病种付费医疗保障经办管理规程（2025版） arts. 32-33 a region sets bands and shares itself.
Nothing here knows whether weights, points or scores stood behind the entitlement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from grouper.errors import SettlementError
from grouper.money import round_half_up

#: `bands`: each slice at its own rate, like a tax scale; `cliff`: the whole amount at the rate of
#: the band it ends in; `keep_all`: the entitlement is final; `no_share`: overspend is not shared
Manner = Literal["bands", "cliff", "keep_all", "no_share"]


@dataclass(frozen=True, slots=True)
class Band:
    """A band up to a share of the entitlement (None: open) and the rate of its slice."""

    up_to: Fraction | None
    rate: Fraction


@dataclass(frozen=True, slots=True)
class Bands:
    """The table of an area: what hospitals keep of a surplus, what the fund bears of overspend."""

    surplus: tuple[Band, ...]
    overspend: tuple[Band, ...]
    manner: Manner = "bands"


@dataclass(frozen=True, slots=True)
class Shared:
    """What a hospital's entitlement becomes, in fen.

    slices: the exact part of the difference in each band; kept and borne are rounded half up.
    """

    slices: tuple[Fraction, ...]
    kept_fen: int
    borne_fen: int
    final_fen: int


def make_bands(
    surplus: Sequence[tuple[Fraction | None, Fraction]],
    overspend: Sequence[tuple[Fraction | None, Fraction]],
    *,
    manner: Manner = "bands",
) -> Bands:
    """A checked table; each list holds (upper share of the entitlement or None, rate).

    Raises SettlementError ST107 for borders that do not rise or a last band that is not open,
    ST106 for a rate outside 0 to 1.
    """
    return Bands(_checked("surplus", surplus), _checked("overspend", overspend), manner)


def _checked(name: str, rows: Sequence[tuple[Fraction | None, Fraction]]) -> tuple[Band, ...]:
    reached = Fraction(0)
    for up_to, _ in rows[:-1]:
        if up_to is None or up_to <= reached:
            raise SettlementError("ST107", name, key=name)
        reached = up_to
    if not rows or rows[-1][0] is not None:
        raise SettlementError("ST107", name, key=name)
    for _, rate in rows:
        if not 0 <= rate <= 1:
            raise SettlementError("ST106", name, key=name, value=rate)
    return tuple(Band(up_to, rate) for up_to, rate in rows)


def share_out(entitled_fen: int, recorded_fen: int, bands: Bands) -> Shared:
    """What is final for a hospital that was entitled to one amount and recorded another.

    At or below the entitlement P <= E: F = P + what is kept of E - P; above: F = E + what the
    fund bears of P - E. Borders are shares of E; one rounding, half up, of the sum over slices.
    """
    saved = entitled_fen - recorded_fen
    table = bands.surplus if saved >= 0 else bands.overspend
    slices = _slices(abs(saved), entitled_fen, table)
    part = _part(slices, table, bands.manner)
    if saved >= 0:
        kept = saved if bands.manner == "keep_all" else round_half_up(part)
        return Shared(slices, kept, 0, recorded_fen + kept)
    borne = 0 if bands.manner in ("keep_all", "no_share") else round_half_up(part)
    return Shared(slices, 0, borne, entitled_fen + borne)


def _slices(amount: int, entitled: int, table: Sequence[Band]) -> tuple[Fraction, ...]:
    """The amount cut at the borders of the bands; an entitlement below zero has no borders."""
    whole = Fraction(max(entitled, 0))
    found = []
    reached = Fraction(0)
    for band in table:
        border = Fraction(amount) if band.up_to is None else band.up_to * whole
        end = min(Fraction(amount), border)
        found.append(max(end - reached, Fraction(0)))
        reached = max(end, reached)
    return tuple(found)


def _part(slices: Sequence[Fraction], table: Sequence[Band], manner: Manner) -> Fraction:
    """The sum of rate x slice, or the whole at the rate of the last band it reaches."""
    if manner == "cliff":
        reached = max((at for at, one in enumerate(slices) if one), default=0)
        return table[reached].rate * sum(slices, Fraction(0))
    pairs = zip(slices, table, strict=True)
    return sum((band.rate * one for one, band in pairs), Fraction(0))
