"""What settlement needs of a batch: canonical codes, eras, and which rows cannot be priced.

Texts are resolved once a spelling, not once a row; rows follow by index.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from grouper.dated import from_day_number
from grouper.engine.groups import Groups, Status
from grouper.errors import Issue
from grouper.money import yuan
from grouper.policy.model import Policy
from grouper.records import textcolumn
from grouper.records.batch import MISSING, MISSING_FEN, CaseBatch
from grouper.settle.place import Place, place_in, unknown_place

Ids = NDArray[np.int64]
D = TypeVar("D", np.int32, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """A column of codes: row i has `codes[ids[i]]`; position 0 is "" (missing or unknown)."""

    ids: Ids
    codes: tuple[str, ...]


class Marks:
    """Why rows have no price: the first reason found stays."""

    def __init__(self, rows: int) -> None:
        self.number = np.zeros(rows, np.uint32)
        self.issues: list[Issue] = []
        self._numbers: dict[str, int] = {}

    def mark(self, rows: NDArray[np.bool_], issue: Issue) -> None:
        """Give an issue to the rows that have none yet."""
        rows = rows & (self.number == 0)
        if rows.any():
            self.number[rows] = self._add(issue)

    def mark_each(self, ids: Ids, issues: Sequence[Issue | None]) -> None:
        """Give row i `issues[ids[i]]`, if there is one and the row has none yet."""
        numbers = np.array([0 if one is None else self._add(one) for one in issues], np.uint32)
        if len(numbers):
            self.number = np.where(self.number == 0, numbers[ids], self.number)

    def mark_values(
        self, rows: NDArray[np.bool_], values: Ids, issue: Callable[[int], Issue]
    ) -> None:
        """Give each of the rows that have none yet the issue of its value."""
        rows = rows & (self.number == 0)
        if rows.any():
            found, ids = np.unique(values[rows], return_inverse=True)
            numbers = [self._add(issue(value)) for value in found.tolist()]
            self.number[rows] = np.array(numbers, np.uint32)[ids]

    def _add(self, issue: Issue) -> int:
        """The number of an issue, the same for equal ones."""
        number = self._numbers.setdefault(repr(issue), len(self.issues) + 1)
        if number > len(self.issues):
            self.issues.append(issue)
        return number

    def used(self, place: Callable[[int], str]) -> tuple[NDArray[np.uint32], tuple[Issue, ...]]:
        """The numbers and issues, without the issues no row kept.

        place: where a row stands; an issue gets that of its first row.
        """
        present, first = np.unique(self.number, return_index=True)
        kept = present > 0
        present, first = present[kept], first[kept]
        again = np.zeros(len(self.issues) + 1, np.uint32)
        again[present] = np.arange(1, len(present) + 1)
        issues = []
        for number, row in zip(present.tolist(), first.tolist(), strict=True):
            issues.append(at_row(self.issues[number - 1], place(row)))
        return again[self.number], tuple(issues)


def at_row(issue: Issue, place: str) -> Issue:
    """The issue with the place of a row before what it is about."""
    return replace(issue, where=" ".join(filter(None, (place, issue.where)))) if place else issue


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """n cases as settlement sees them; `era` is the position in policy.terms, -1 where none.

    bill: the amounts of the bill the source has, by field, total cost and pooled fund among them;
    days: the dates it has, by field.
    """

    era: Ids
    group_id: Ids
    insurance: Texts
    level: Texts
    hospital: Texts
    place: NDArray[np.uint8]
    los: NDArray[np.int32]
    leave: NDArray[np.uint8]
    age: NDArray[np.int32]
    status: NDArray[np.uint8]
    total_fen: NDArray[np.int64]
    pool_fen: NDArray[np.int64]
    other_fen: NDArray[np.int64]
    bill: Mapping[str, NDArray[np.int64]]
    days: Mapping[str, NDArray[np.int32]]


def read_facts(
    batch: CaseBatch,
    groups: Groups,
    tables: Collection[str],
    policy: Policy,
    marks: Marks,
) -> Facts:
    """The facts of a batch; rows that cannot be priced get their reason in `marks`.

    tables: ids of the weight tables at hand.
    """
    rows = len(batch)
    status = groups.status
    marks.mark(status == Status.REJECTED, Issue("ST212"))
    days = _column(batch.discharge_date, rows, MISSING)
    era = policy.era(days)
    if not policy.is_undated:
        marks.mark(days == MISSING, needs("discharge_date"))
    _mark_eras(era, days, groups, tables, policy, marks)
    total = _column(batch.total_cost_fen, rows, MISSING_FEN)
    marks.mark(total == MISSING_FEN, needs("total_cost"))
    marks.mark_values(total < 0, total, lambda fen: negative("total_cost", fen))
    marks.mark(total == 0, Issue("ST211"))
    in_a_hospital = np.full(rows, not policy.is_undated)
    hospital = _texts(batch.hospital, rows, str.strip, "hospital", in_a_hospital, policy, marks)
    insurance = _texts(batch.insurance, rows, policy.insurance, "insurance", None, policy, marks)
    needs_level = (status == Status.GROUPED) & bool(policy.area.levels)
    levels = _levels(batch, rows, hospital, policy)
    level = _texts(levels, rows, policy.level, "hospital_level", needs_level, policy, marks)
    other = _column(batch.other_funds_fen, rows, MISSING_FEN)
    pool = _column(batch.fund_basic_fen, rows, MISSING_FEN)
    return Facts(
        era=era,
        group_id=groups.group_id.astype(np.int64),
        insurance=insurance,
        level=level,
        hospital=hospital,
        place=_places(batch, rows, policy, marks),
        los=batch.los_days,
        leave=batch.discharge_disposition,
        age=batch.age_years,
        status=status,
        total_fen=total,
        pool_fen=pool,
        # payers leave the cell empty where they paid nothing, and the sum of others' parts
        # (total - pooled fund) does not depend on it
        other_fen=np.where(other == MISSING_FEN, 0, other),
        bill={"total_cost": total, "fund_basic": pool, **batch.bill},
        days=dates(batch),
    )


def factorize(values: Sequence[str] | pa.Array) -> tuple[Ids, list[str]]:
    """Ids into the distinct texts of a column, and these texts; null counts as empty."""
    if isinstance(values, textcolumn.Texts):
        # already coded; one text may be there twice, where two cells say the same
        texts = list(dict.fromkeys(values.values))
        number = {text: at for at, text in enumerate(texts)}
        place = np.array([number[text] for text in values.values], np.int64)
        return place[values.which], texts
    if isinstance(values, textcolumn.ArrowTexts):
        column = values.array
    else:
        column = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    coded = column.cast(pa.string()).fill_null("").dictionary_encode()
    return coded.indices.to_numpy().astype(np.int64), coded.dictionary.to_pylist()


def _texts(
    values: Sequence[str],
    rows: int,
    resolve: Callable[[str], str],
    field: str,
    needed: NDArray[np.bool_] | None,
    policy: Policy,
    marks: Marks,
) -> Texts:
    """A text column as canonical codes; rows without one are marked ST103, unknown ones ST105.

    needed: rows that must have one (None: all).
    """
    if len(values) != rows:
        values = [""] * rows
    ids, texts = factorize(values)
    known = [resolve(text) for text in texts]
    codes = ("", *dict.fromkeys(code for code in known if code))
    position = {code: number for number, code in enumerate(codes)}
    reasons = [
        None if code else policy.unknown(field, text.strip()) if text.strip() else needs(field)
        for text, code in zip(texts, known, strict=True)
    ]
    # one more reason, "none", for the rows that need no such code
    which = ids if needed is None else np.where(needed, ids, len(texts))
    marks.mark_each(which, [*reasons, None])
    place = np.array([position[code] for code in known], np.int64)
    return Texts(place[ids] if rows else ids, codes)


def _places(batch: CaseBatch, rows: int, policy: Policy, marks: Marks) -> NDArray[np.uint8]:
    """The place of each case; ST105 where the area of insurance cannot be told."""
    if len(batch.area_insured) != rows:
        return np.zeros(rows, np.uint8)
    ids, texts = factorize(batch.area_insured)
    found = [place_in(policy.area, text) for text in texts]
    marks.mark_each(
        ids, [unknown_place(t) if p is None else None for t, p in zip(texts, found, strict=True)]
    )
    places = [Place.LOCAL if place is None else place for place in found]
    return np.array(places, np.uint8)[ids]


def _levels(
    batch: CaseBatch, rows: int, hospital: Texts, policy: Policy
) -> Sequence[str] | pa.Array:
    """The level of each record, where it is empty that of its hospital in the area's list."""
    listed = [policy.hospital(code) for code in hospital.codes]
    by_hospital = pa.array([one.level if one else "" for one in listed], pa.string())
    fallback = by_hospital.take(pa.array(hospital.ids))
    if len(batch.hospital_level) != rows:
        return fallback
    ids, texts = factorize(batch.hospital_level)
    if not any(not text.strip() for text in texts):
        return batch.hospital_level
    own = pa.array([text if text.strip() else None for text in texts], pa.string())
    filled: pa.Array = pa.compute.coalesce(own.take(pa.array(ids)), fallback)
    return filled


def _mark_eras(
    era: Ids,
    days: NDArray[np.int32],
    groups: Groups,
    tables: Collection[str],
    policy: Policy,
    marks: Marks,
) -> None:
    """Days without policy (ST101), and eras that ask for another scheme or table (ST109)."""
    without = np.unique(days[(era < 0) & (days != MISSING)])
    for day in without.tolist():
        marks.mark(days == day, policy.nothing_on(from_day_number(day)))
    reasons: list[Issue | None] = []
    for terms in policy.terms:
        own = terms.weight_table
        held = own if own in tables else next(iter(tables))
        pairs = ((groups.scheme_id, terms.scheme_id), (held, own))
        wrong = next(((left, right) for left, right in pairs if left != right), None)
        params = {} if wrong is None else {"left": wrong[0], "right": wrong[1]}
        reasons.append(Issue("ST109", str(terms.span), params) if wrong else None)
    marks.mark_each(era, [*reasons, None])


def _column(values: NDArray[D], rows: int, missing: int) -> NDArray[D]:
    """A column of the batch, all missing if the batch does not have it."""
    return values if len(values) == rows else np.full(rows, missing, values.dtype)


def dates(batch: CaseBatch) -> dict[str, NDArray[np.int32]]:
    """The dates a batch has, days since 1970 by field."""
    columns = {
        "admit_time": batch.admission_date,
        "discharge_time": batch.discharge_date,
        "settle_date": batch.settlement_date,
    }
    return {name: column for name, column in columns.items() if len(column) == len(batch)}


def negative(field: str, fen: int) -> Issue:
    """ST207 for an amount that only a correction can have."""
    return Issue("ST207", "", {"field": f"{field} = {yuan(fen)}"})


def needs(field: str) -> Issue:
    """ST103 for a field without which there is no price."""
    return Issue("ST103", "", {"field": field})
