"""Worked examples of shares: bands of surplus and overspend, splits by largest remainder."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from grouper.money import apportion, round_half_up, units_by_remainder, yuan
from grouper.settle.bands import Bands, Manner, Shared, make_bands, share_out
from grouper.settle.deposit import ScoreStep
from grouper.settle.worked_month import score_steps
from grouper.worked import Worked
from weights.inputs import Inputs
from weights.record import places

#: what applies where an example (or an area) has no table of its own; ours, not official
USUAL_BANDS = {
    "surplus": [["0.15", "1"], ["0.30", "0.5"], [None, "0"]],
    "overspend": [["0.10", "0.5"], ["0.20", "0.25"], [None, "0"]],
}
USUAL_SCORES = [["90", "1"], ["60", "score"], ["0", "0"]]
_MANNERS: tuple[Manner, ...] = ("bands", "cliff", "keep_all", "no_share")


def calculate_band(inputs: Mapping[str, Any]) -> Worked:
    """The worked example of kind `band`: what an entitlement becomes beside what was recorded.

    entitlement, recorded, bands {surplus, overspend: [[upper share of the entitlement or null,
    rate]]}, manner (bands, cliff, keep_all, no_share; default bands).
    Raises WeightError WT120; SettlementError ST106, ST107.
    """
    read = Inputs(inputs)
    entitled, recorded = read.fen("entitlement"), read.fen("recorded")
    found = share_out(entitled, recorded, read_bands(read))
    outputs = {
        "kept": yuan(found.kept_fen),
        "fund_bears": yuan(found.borne_fen),
        "final": yuan(found.final_fen),
    }
    steps: dict[str, object] = dict(slices_text(found))
    if entitled:
        steps["ratio"] = f"{places(Fraction(recorded * 100, entitled), 4)}%"
    return Worked(outputs, steps)


def calculate_remainder(inputs: Mapping[str, Any]) -> Worked:
    """The worked example of kind `remainder`: a total split by shares, every fen given away.

    total in yuan, hospitals [{code, share}]. Raises WeightError WT120; SettlementError ST302.
    """
    read = Inputs(inputs)
    shares = {code: one.number("share") for code, one in read.named("hospitals", "code").items()}
    if any(share < 0 for share in shares.values()):
        raise read.wrong("hospitals")
    total, parts = read.fen("total"), list(shares.values())
    found = apportion(total, parts, list(shares))
    outputs = {code: yuan(part) for code, part in zip(shares, found, strict=True)}
    return Worked(outputs, {"units": units_by_remainder(total, parts)})


def read_bands(read: Inputs, key: str = "bands") -> Bands:
    """The band table of an example, or the usual one."""
    given = read.object_of(key) if read.values.get(key) is not None else Inputs(USUAL_BANDS)
    manner = read.values.get("manner", "bands")
    if manner not in _MANNERS:
        raise read.wrong("manner")
    return make_bands(
        [(_border(one), one.number("1")) for one in _rows(given, "surplus")],
        [(_border(one), one.number("1")) for one in _rows(given, "overspend")],
        manner=manner,
    )


def read_scores(read: Inputs) -> tuple[ScoreStep, ...]:
    """The score table of an example ([lowest score, factor or "score"]), or the usual one."""
    key = "score_table"
    given = read if read.values.get(key) is not None else Inputs({key: USUAL_SCORES})
    return tuple(score_steps(given, key))


def slices_text(found: Shared) -> dict[str, str]:
    """The slices of a difference, each shown to the fen."""
    return {
        f"slice{number}": yuan(round_half_up(one)) for number, one in enumerate(found.slices, 1)
    }


def _rows(read: Inputs, key: str) -> list[Inputs]:
    """The pairs of a table, as inputs that name their place."""
    rows = read.values.get(key)
    if not isinstance(rows, list) or not all(isinstance(r, list) and len(r) == 2 for r in rows):
        raise read.wrong(key)
    return [
        Inputs({"0": row[0], "1": row[1]}, f"{read.place}.{key}[{at}]")
        for at, row in enumerate(rows)
    ]


def _border(one: Inputs) -> Fraction | None:
    return None if one.values["0"] is None else one.number("0")
