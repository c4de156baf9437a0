"""Steps Y1 and Y3: the lists of a year become sums by hospital, insurance and place.

A list counts that was discharged in the year and stands in the frozen files. The sums are small
and add up over any split of the lists, so that a year of millions of rows needs no second reading.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from grouper.dated import day_number
from grouper.money import total
from grouper.policy.model import Policy
from grouper.records.batch import MISSING, MISSING_FEN, CaseBatch
from grouper.settle.acceptance import list_names, rows_named
from grouper.settle.amounts import Amounts
from grouper.settle.batch import factorize
from grouper.settle.ledger import discharge_days, list_ids
from grouper.settle.place import Place
from grouper.settle.special import Application
from grouper.settle.year_special import Candidate
from grouper.settle.year_volume import Volumes

#: hospital, insurance, place
Key = tuple[str, str, str]
#: hospital and id of a list
Name = tuple[str, str]


@dataclass(slots=True)
class Sums:
    """Sums over some lists; amounts in fen.

    volume: weight with coefficient, as the standard takes it; a case that is not paid its standard
    counts as what it is paid / the base rate of its day. recorded: the pooled fund as the lists
    have it; accrued: the fund's part by the rules.
    """

    cases: int = 0
    volume: Fraction = Fraction(0)
    total: int = 0
    payable: int = 0
    patient: int = 0
    other: int = 0
    recorded: int = 0
    accrued: int = 0

    def add(self, more: Sums, *, sign: int = 1) -> None:
        """Add other sums, or take them off."""
        self.cases += sign * more.cases
        self.volume += sign * more.volume
        self.total += sign * more.total
        self.payable += sign * more.payable
        self.patient += sign * more.patient
        self.other += sign * more.other
        self.recorded += sign * more.recorded
        self.accrued += sign * more.accrued


@dataclass(frozen=True, slots=True)
class Applied:
    """A list that applied for special review: its own sums, its month, its standard in fen."""

    key: Key
    month: str
    sums: Sums
    candidate: Candidate


@dataclass(slots=True)
class YearLists:
    """The lists of a year: sums by key and month, those that applied one by one.

    months holds all lists but those that applied. discharges counts every list of the year by
    hospital, not_counted those without a price or with a bill that does not add up, by code.
    after_freeze: lists of the year that were accepted too late.
    """

    year: int
    months: dict[Key, dict[str, Sums]] = field(default_factory=dict)
    applied: dict[Name, Applied] = field(default_factory=dict)
    discharges: Counter[str] = field(default_factory=Counter)
    not_counted: Counter[str] = field(default_factory=Counter)
    after_freeze: int = 0

    def merge(self, more: YearLists) -> None:
        """Add the lists of another part of the same year."""
        for key, months in more.months.items():
            own = self.months.setdefault(key, {})
            for month, sums in months.items():
                own.setdefault(month, Sums()).add(sums)
        self.applied |= more.applied
        self.discharges += more.discharges
        self.not_counted += more.not_counted
        self.after_freeze += more.after_freeze

    def keys(self) -> list[Key]:
        """Every hospital, insurance and place with a list, in order."""
        return sorted({*self.months, *(one.key for one in self.applied.values())})

    def applied_by_key(self) -> dict[Key, list[Applied]]:
        """The lists that applied, by hospital, insurance and place, in the order of their ids."""
        found: dict[Key, list[Applied]] = {}
        for _, one in sorted(self.applied.items()):
            found.setdefault(one.key, []).append(one)
        return found

    def sums_of(self, key: Key, month: str) -> Sums:
        """The lists of a key and month but those that applied."""
        return self.months.get(key, {}).get(month, Sums())

    def sums(self, key: Key) -> Sums:
        """The lists of a key but those that applied."""
        made = Sums()
        for sums in self.months.get(key, {}).values():
            made.add(sums)
        return made


def year_lists(
    batch: CaseBatch,
    amounts: Amounts,
    policy: Policy,
    *,
    year: int,
    applied: Set[Name] = frozenset(),
    frozen: NDArray[np.bool_] | None = None,
) -> YearLists:
    """The lists of a batch that were discharged in a year.

    applied: hospital and id of the lists of special review. frozen: (n,) lists accepted by the
    freeze date (None: all). A list that stands twice counts once (ST206); one without a day of
    discharge is in `not_counted`.
    """
    lists = YearLists(year)
    days = discharge_days(batch)
    first, end = day_number(date(year, 1, 1)), day_number(date(year + 1, 1, 1))
    inside = (days >= first) & (days < end)
    if frozen is not None:
        lists.after_freeze = int(np.count_nonzero(inside & ~frozen))
        inside &= frozen
    twice = _repeated(batch, inside)
    if twice.any():
        lists.not_counted["ST206"] += int(np.count_nonzero(twice))
        inside &= ~twice
    hospital, hospitals = _column(batch.hospital, len(batch))
    counts = np.bincount(hospital[inside], minlength=len(hospitals)).tolist()
    for text, n in zip(hospitals, counts, strict=True):
        if n:
            lists.discharges[text.strip()] += n
    # a list without a day of discharge may be one of this year
    left_out = amounts.issue[(inside | (days == MISSING)) & ~amounts.counted]
    lists.not_counted.update(amounts.issues[number - 1].code for number in left_out.tolist())
    counted = inside & amounts.counted
    volumes = Volumes(batch, amounts, policy)
    for name, rows in sorted(rows_named(batch, applied).items()):
        for row in rows:
            if counted[row]:
                lists.applied[name] = _applied(batch, amounts, policy, volumes, name, row)
                counted[row] = False
    for key, month, part in _keyed(batch, policy, amounts, np.flatnonzero(counted)):
        lists.months.setdefault(key, {})[month] = _sum(part, amounts, volumes)
    return lists


def _repeated(batch: CaseBatch, inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows whose list stands in an earlier row already; lists without id are never the same."""
    repeated = np.zeros(len(batch), np.bool_)
    named = np.asarray(pa.compute.not_equal(list_ids(batch), ""))
    rows = np.flatnonzero(inside & named)
    if len(rows):
        coded = list_names(batch).take(pa.array(rows)).dictionary_encode().indices.to_numpy()
        _, firsts = np.unique(coded, return_index=True)
        repeated[rows] = True
        repeated[rows[firsts]] = False
    return repeated


def _applied(
    batch: CaseBatch, amounts: Amounts, policy: Policy, volumes: Volumes, name: Name, row: int
) -> Applied:
    one = np.array([row])
    key, month, _ = next(_keyed(batch, policy, amounts, one))
    standard = int(amounts.standard_fen[row])
    if standard == MISSING_FEN:
        # outside the groups there is no standard: what the case is paid stands in its place
        standard = int(amounts.payable_fen[row])
    total_fen, recorded = int(amounts.total_fen[row]), int(amounts.pool_fen[row])
    application = Application(shown(name), total_fen, standard, recorded)
    return Applied(key, month, _sum(one, amounts, volumes), Candidate(key[0], application))


def shown(name: Name) -> str:
    """A list as results name it: hospital and id."""
    return " ".join(name)


def _column(values: object, rows: int) -> tuple[NDArray[np.int64], list[str]]:
    given: Any = values
    return factorize(given if len(given) == rows else [""] * rows)


def _keyed(
    batch: CaseBatch, policy: Policy, amounts: Amounts, rows: NDArray[np.int64]
) -> Iterator[tuple[Key, str, NDArray[np.int64]]]:
    """Rows by hospital, insurance, place and month of discharge, in the order of these."""
    if not len(rows):
        return
    hospital, hospitals = _column(batch.hospital, len(batch))
    insurance, insurances = _column(batch.insurance, len(batch))
    codes = [policy.insurance(text) or text.strip() for text in insurances]
    days = batch.discharge_date[rows].astype("datetime64[D]").astype("datetime64[M]")
    months, month = np.unique(days, return_inverse=True)
    axes = (hospital[rows], insurance[rows], amounts.place[rows].astype(np.int64), month)
    sizes = (len(hospitals), len(codes), len(Place), len(months))
    numbers = np.ravel_multi_index(axes, sizes)
    order = np.argsort(numbers, kind="stable")
    distinct, starts = np.unique(numbers[order], return_index=True)
    found = []
    for number, part in zip(distinct.tolist(), np.split(rows[order], starts[1:]), strict=True):
        one, two, three, four = (int(at) for at in np.unravel_index(number, sizes))
        key = (hospitals[one].strip(), codes[two], Place(three).key)
        found.append((key, str(months[four]), part))
    # spellings of one hospital or insurance are one key
    merged: dict[tuple[Key, str], list[NDArray[np.int64]]] = {}
    for key, name, part in found:
        merged.setdefault((key, name), []).append(part)
    for (key, name), parts in sorted(merged.items()):
        yield key, name, np.concatenate(parts)


def _sum(rows: NDArray[np.int64], amounts: Amounts, volumes: Volumes) -> Sums:
    return Sums(
        cases=len(rows),
        volume=volumes.of(rows),
        total=total(amounts.total_fen[rows]),
        payable=total(amounts.payable_fen[rows]),
        patient=total(amounts.patient_fen[rows]),
        other=total(amounts.other_fen[rows]),
        recorded=total(amounts.pool_fen[rows]),
        accrued=total(amounts.fund_fen[rows]),
    )
