"""Steps Y1 and Y3 from a book: what its ledger says of the lists of a year, corrections included.

The ledger keeps payments, not weights: the volume of a list is what it is paid / the base rate of
its day (year_volume).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pyarrow as pa

from grouper.errors import SettlementError
from grouper.money import FEN_PER_YUAN
from grouper.policy.model import Policy
from grouper.settle.ledger import LineKind
from grouper.settle.special import Application
from grouper.settle.year_lists import Applied, Key, Name, Sums, YearLists, shown
from grouper.settle.year_special import Candidate, Decision

_SUMMED = ("total_fen", "payment_fen", "patient_fen", "other_fen", "pool_fen", "fund_fen")


def lists_of_ledger(ledger: pa.Table, policy: Policy, year: int) -> YearLists:
    """The lists of a year as they stand in the months closed so far, by month of discharge."""
    lists = YearLists(year)
    inside = _of_year(ledger, year)
    plain = inside.filter(pa.compute.equal(inside["special"], 0))
    for row in _grouped(plain, ["hospital", "insurance", "place", "discharge"]):
        key, day = (row["hospital"], row["insurance"], row["place"]), row["discharge"]
        months = lists.months.setdefault(key, {})
        months.setdefault(day.isoformat()[:7], Sums()).add(_sums(row, key, day, policy))
        lists.discharges[key[0]] += row["lists"]
    special = inside.filter(pa.compute.not_equal(inside["special"], 0))
    by = ["hospital", "insurance", "place", "discharge", "list"]
    for row in _grouped(special, by):
        key, name = (
            (row["hospital"], row["insurance"], row["place"]),
            (row["hospital"], row["list"]),
        )
        sums = _sums(row, key, row["discharge"], policy)
        application = Application(shown(name), sums.total, sums.payable, sums.recorded)
        month = row["discharge"].isoformat()[:7]
        lists.applied[name] = Applied(key, month, sums, Candidate(key[0], application))
        lists.discharges[key[0]] += row["lists"]
    return lists


def decisions_of_ledger(ledger: pa.Table, year: int) -> Mapping[Name, Decision]:
    """What the months decided on special cases: the amount that stands is the one approved."""
    inside = _of_year(ledger, year)
    decided = pa.array([LineKind.APPROVED.value, LineKind.REFUSED.value])
    touched = pa.compute.or_(
        pa.compute.not_equal(inside["special"], 0), pa.compute.is_in(inside["line"], decided)
    )
    accrued: dict[Name, int] = {}
    kinds: dict[Name, str] = {}
    for row in inside.filter(touched).to_pylist():
        name = (row["hospital"], row["list"])
        accrued[name] = accrued.get(name, 0) + row["accrued_fen"]
        if row["line"] in decided.to_pylist():
            kinds[name] = row["line"]
    return {
        name: Decision(
            shown(name),
            passed=kind == LineKind.APPROVED.value,
            amount_fen=accrued[name],
        )
        for name, kind in sorted(kinds.items())
    }


def _of_year(ledger: pa.Table, year: int) -> pa.Table:
    days = ledger["discharge"]
    first, end = (pa.scalar(date(one, 1, 1), pa.date32()) for one in (year, year + 1))
    within = pa.compute.and_(pa.compute.greater_equal(days, first), pa.compute.less(days, end))
    return ledger.filter(within)


def _grouped(ledger: pa.Table, by: list[str]) -> list[dict[str, Any]]:
    """The sums of a ledger by some columns; `lists`: how many lists, corrections not counted."""
    kinds = pa.array([kind.value for kind in (LineKind.ACCEPTED, LineKind.LATE)])
    entered = pa.compute.is_in(ledger["line"], kinds).cast(pa.int64())
    table = ledger.append_column("lists", entered)
    sums = [(name, "sum") for name in (*_SUMMED, "lists")]
    made = (
        table.group_by(by, use_threads=False)
        .aggregate(sums)
        .sort_by([(name, "ascending") for name in by])
    )
    names = [name.removesuffix("_sum") for name in made.column_names]
    rows: list[dict[str, Any]] = made.rename_columns(names).to_pylist()
    return rows


def _sums(row: Mapping[str, Any], key: Key, day: date, policy: Policy) -> Sums:
    amounts = {name: int(row[name]) for name in (*_SUMMED, "lists")}
    volume = Fraction(amounts["payment_fen"]) / (Fraction(_rate(policy, key, day)) * FEN_PER_YUAN)
    return Sums(
        cases=amounts["lists"],
        volume=volume,
        total=amounts["total_fen"],
        payable=amounts["payment_fen"],
        patient=amounts["patient_fen"],
        other=amounts["other_fen"],
        recorded=amounts["pool_fen"],
        accrued=amounts["fund_fen"],
    )


def _rate(policy: Policy, key: Key, day: date) -> Decimal:
    hospital, insurance, _ = key
    listed = policy.hospital(hospital)
    level = listed.level if listed else ""
    terms = policy.terms_at(day)
    # the volume of a DIP year is in scores: what is paid / the point value
    by_score = terms.dip is not None and terms.point_value is not None
    values, name = (
        (terms.point_value, "point_value") if by_score else (terms.base_rate, "base_rate")
    )
    rate = None if values is None else values.find(insurance, level, hospital)
    if rate is None:
        what = f"{name} ({insurance}, {level})"
        raise SettlementError("ST101", what, key=what, date=day.isoformat())
    return rate
