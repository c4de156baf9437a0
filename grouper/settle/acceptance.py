"""Which lists of a file enter the open month: those accepted for it, and those that are late.

A list belongs to the month in which it was accepted, up to the claim day of the next month, and to
no month before its discharge. One that says no day of acceptance belongs to its month of discharge;
when that month is closed already, the list is late.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from grouper.dated import day_number, from_day_number
from grouper.errors import Issue
from grouper.records.batch import MISSING, CaseBatch
from grouper.settle.amounts import Amounts
from grouper.settle.batch import factorize
from grouper.settle.ledger import Rows, discharge_days, list_ids
from grouper.settle.month_rules import MonthRules, month_days

Mask = NDArray[np.bool_]

#: between hospital and list id: no code holds it
_BETWEEN = "\x1f"


@dataclass(frozen=True, slots=True, eq=False)
class Received:
    """What a file says of its lists beside the bill, (n,) each.

    accepted: day numbers, MISSING where the file does not say; special: applied for review.
    """

    accepted: NDArray[np.int32]
    special: Mask

    @classmethod
    def nothing(cls, rows: int) -> Received:
        """A file that says neither."""
        return cls(np.full(rows, MISSING, np.int32), np.zeros(rows, np.bool_))


@dataclass(frozen=True, slots=True, eq=False)
class Entering:
    """Rows of a batch by what becomes of them in the open month.

    in_time, late: counted lists; replacing: lists that corrections name as the new ones, by name;
    left_out: lists of the month without price or with a bill that does not add up. counts: how many
    rows went where, all of them together the rows of the batch.
    """

    in_time: Rows
    late: Rows
    left_out: Rows
    replacing: Mapping[tuple[str, str], int] = field(default_factory=dict)
    issues: tuple[Issue, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


def by_discharge(batch: CaseBatch, amounts: Amounts, month: str) -> Entering:
    """All lists discharged in the month, as a statement outside of a book takes them."""
    first, end = (day_number(day) for day in month_days(month))
    days = discharge_days(batch)
    inside = (days >= first) & (days < end)
    return Entering(
        in_time=np.flatnonzero(inside & amounts.counted),
        late=np.zeros(0, np.int64),
        left_out=np.flatnonzero(inside & ~amounts.counted),
        counts={
            "of_the_month": int(np.count_nonzero(inside & amounts.counted)),
            "not_counted": int(np.count_nonzero(inside & ~amounts.counted)),
            "other_months": int(np.count_nonzero(~inside)),
        },
    )


def by_acceptance(
    batch: CaseBatch,
    amounts: Amounts,
    received: Received,
    booked: pa.Table,
    rules: MonthRules,
    *,
    first: str,
    replacing: Sequence[tuple[str, str]] = (),
) -> Entering:
    """The lists of a batch that enter the month of `rules` in a book.

    booked: the ledger of the months closed so far; first: the first of them (the month itself where
    there is none): what belongs to a month before it was settled elsewhere. replacing: (hospital,
    list id) of lists that stand for corrected ones. A list without id (ST103), one accepted before
    its discharge (ST208) and a second acceptance of one (ST206) are left out with an issue; a late
    list enters with one (ST209).
    """
    names, accepted = list_names(batch), received.accepted
    fresh, now, after = _placed(discharge_days(batch), accepted, rules, first)
    known, changed = _known(names, batch, received, booked)
    wanted = pa.array([_name(*one) for one in replacing], pa.string())
    stands_for = np.asarray(pa.compute.is_in(names, wanted)) & amounts.counted & ~known
    counted = fresh & amounts.counted & ~stands_for
    nameless = np.asarray(pa.compute.equal(list_ids(batch), ""))
    backwards = (accepted != MISSING) & (accepted < discharge_days(batch))
    taken = counted & ~nameless & ~known & ~(backwards & now)
    again = counted & known & (now | changed) & ~nameless
    again |= _repeated(names, taken) | _repeated(names, stands_for)
    taken, stands_for = taken & ~again, stands_for & ~again
    parts = {
        "in_time": taken & ~after,
        "late": taken & after,
        "replacing": stands_for,
        "not_counted": fresh & ~amounts.counted & now,
        "without_id": counted & nameless & now,
        "out_of_order": counted & backwards & ~known & ~nameless & now,
        "second_acceptance": again,
        "accepted_before": counted & known & ~again & ~nameless,
    }
    parts["other_months"] = ~np.logical_or.reduce(list(parts.values()))
    return Entering(
        in_time=np.flatnonzero(parts["in_time"]),
        late=np.flatnonzero(parts["late"]),
        left_out=np.flatnonzero(parts["not_counted"]),
        replacing={_split(names[row].as_py()): row for row in _rows(stands_for)},
        issues=tuple(_issues(batch, names, accepted, rules.month, parts)),
        counts={name: int(np.count_nonzero(rows)) for name, rows in parts.items()},
    )


def _placed(
    days: NDArray[np.int32], accepted: NDArray[np.int32], rules: MonthRules, first: str
) -> tuple[Mask, Mask, Mask]:
    """Rows of the book so far, those of the open month, and those discharged before it."""
    opened, open_month = _months(
        np.array([day_number(month_days(month)[0]) for month in (first, rules.month)], np.int32)
    )
    dated = days != MISSING
    discharged = np.where(dated, _months(days), open_month + 1)
    own = np.maximum(discharged, _claimed(accepted, rules.claim_day))
    fresh = dated & (own >= opened) & (own <= open_month)
    return fresh, own == open_month, discharged < open_month


def _issues(
    batch: CaseBatch,
    names: pa.Array,
    accepted: NDArray[np.int32],
    month: str,
    parts: Mapping[str, Mask],
) -> Iterator[Issue]:
    """What is said of rows that cannot enter, and of those that enter late."""
    for row in _rows(parts["without_id"]):
        yield Issue("ST103", row_place(batch, row), {"field": "list"})
    for row in _rows(parts["out_of_order"]):
        yield _backwards(batch, accepted, row)
    for row in _rows(parts["second_acceptance"]):
        yield _second(batch, names, row)
    for row in _rows(parts["late"]):
        yield _late(batch, names, accepted, month, row)


def list_names(batch: CaseBatch) -> pa.Array:
    """Hospital and list id of every row as one text."""
    rows = len(batch)
    ids, texts = factorize(batch.hospital if len(batch.hospital) == rows else [""] * rows)
    hospital = pa.array([text.strip() for text in texts], pa.string()).take(pa.array(ids))
    return pa.compute.binary_join_element_wise(hospital, list_ids(batch), _BETWEEN)


def rows_named(
    batch: CaseBatch, wanted: Iterable[tuple[str, str]]
) -> Mapping[tuple[str, str], list[int]]:
    """The rows of some lists, by hospital and id; those that are not there are no key."""
    asked = pa.array(sorted({_name(*one) for one in wanted}), pa.string())
    found: dict[tuple[str, str], list[int]] = {}
    if not len(asked):
        return found
    names = list_names(batch)
    for row in pa.compute.indices_nonzero(pa.compute.is_in(names, asked)).to_pylist():
        found.setdefault(_split(names[row].as_py()), []).append(row)
    return found


def row_place(batch: CaseBatch, row: int) -> str:
    """`file:row` of a row of a batch."""
    number = int(batch.row[row]) if len(batch.row) else row + 1
    return f"{batch.source}:{number}" if batch.source else str(number)


def _known(
    names: pa.Array, batch: CaseBatch, received: Received, booked: pa.Table
) -> tuple[Mask, Mask]:
    """Which rows are in the ledger, and which of them say something else than it does."""
    rows = len(batch)
    known = np.zeros(rows, np.bool_)
    if not len(booked) or not rows:
        return known, known.copy()
    there = pa.compute.binary_join_element_wise(booked["hospital"], booked["list"], _BETWEEN)
    # the first line of a list is its acceptance; what corrections did is no business of the file
    at = pa.compute.index_in(names, there.combine_chunks())
    position = at.fill_null(-1).to_numpy().astype(np.int64)
    known = position >= 0
    changed = np.zeros(rows, np.bool_)
    first = booked.take(pa.array(position[known]))
    where = np.flatnonzero(known)
    for column, values in (
        ("total_fen", batch.total_cost_fen),
        ("pool_fen", batch.fund_basic_fen),
    ):
        if len(values) == rows:
            changed[where] |= values[where] != first[column].to_numpy()
    theirs = first["accepted"].cast(pa.int32()).fill_null(MISSING).to_numpy()
    ours = received.accepted[where]
    changed[where] |= (ours != theirs) & (ours != MISSING) & (theirs != MISSING)
    return known, changed


def _repeated(names: pa.Array, among: Mask) -> Mask:
    """Rows whose list stands in an earlier row of those in question already."""
    rows = np.flatnonzero(among)
    coded = names.take(pa.array(rows)).dictionary_encode().indices.to_numpy()
    _, firsts = np.unique(coded, return_index=True)
    repeated = np.zeros(len(among), np.bool_)
    repeated[rows] = True
    repeated[rows[firsts]] = False
    return repeated


def _months(days: NDArray[np.int32]) -> NDArray[np.int64]:
    """Months since 1970 of some day numbers."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _claimed(accepted: NDArray[np.int32], claim_day: int) -> NDArray[np.int64]:
    """The month for which a list accepted on a day is claimed; the earliest where none is known."""
    known = np.where(accepted == MISSING, 0, accepted).astype(np.int32)
    months = _months(known)
    starts = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    before = known - starts < claim_day
    return np.where(accepted == MISSING, np.iinfo(np.int64).min, months - before)


def _backwards(batch: CaseBatch, accepted: NDArray[np.int32], row: int) -> Issue:
    params = {
        "earlier": "discharge_time",
        "left": from_day_number(int(discharge_days(batch)[row])),
        "later": "declared_time",
        "right": from_day_number(int(accepted[row])),
    }
    return Issue("ST208", row_place(batch, row), params)


def _second(batch: CaseBatch, names: pa.Array, row: int) -> Issue:
    hospital, list_id = _split(names[row].as_py())
    return Issue("ST206", row_place(batch, row), {"list": list_id, "hospital": hospital})


def _late(
    batch: CaseBatch, names: pa.Array, accepted: NDArray[np.int32], month: str, row: int
) -> Issue:
    day = int(accepted[row])
    params = {
        "list": _split(names[row].as_py())[1],
        "accepted": month if day == MISSING else from_day_number(day).isoformat(),
        "discharge": from_day_number(int(discharge_days(batch)[row])).isoformat(),
        "month": month,
    }
    return Issue("ST209", row_place(batch, row), params)


def _name(hospital: str, list_id: str) -> str:
    return f"{hospital}{_BETWEEN}{list_id}"


def _split(name: str) -> tuple[str, str]:
    hospital, _, list_id = name.partition(_BETWEEN)
    return hospital, list_id


def _rows(mask: Mask) -> list[int]:
    found: list[int] = np.flatnonzero(mask).tolist()
    return found
