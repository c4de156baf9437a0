"""The identities of a bill, exact in fen: of one list, and of many as columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grouper.records.batch import MISSING_FEN
from grouper.records.derive import OTHER_FUNDS

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class BillParts:
    """The sums of a settlement list (结算清单), in fen.

    class_a_fen to class_c_fen: items 甲, 乙, 丙 of the catalogue. own: paid in full by the patient;
    over: above a price limit; pre: paid first on class 乙; copay: the patient's share of the
    segments; over_cap: above the yearly cap of the pool. categories: fees by kind (床位, 诊察 ...).
    """

    total_fen: int
    class_a_fen: int
    class_b_fen: int
    class_c_fen: int
    own_fen: int
    over_fen: int
    pre_fen: int
    in_scope_fen: int
    deductible_fen: int
    copay_fen: int
    over_cap_fen: int
    pool_fen: int
    catastrophic_fen: int
    assistance_fen: int
    other_fen: int
    account_fen: int
    cash_fen: int
    categories_fen: Sequence[int]


@dataclass(frozen=True, slots=True)
class Broken:
    """An identity that does not hold: what stands there and what it should sum to, in fen."""

    id: str
    stated_fen: int
    sum_fen: int

    @property
    def difference_fen(self) -> int:
        """Stated less sum."""
        return self.stated_fen - self.sum_fen


def broken_identities(bill: BillParts) -> list[Broken]:
    """B1 to B5, those that do not hold; all are asked, so that each is known."""
    return [
        Broken(name, stated, sum_) for name, stated, sum_ in _identities(bill) if stated != sum_
    ]


def _identities(bill: BillParts) -> Iterator[tuple[str, int, int]]:
    yield "B1", bill.total_fen, bill.class_a_fen + bill.class_b_fen + bill.class_c_fen
    scope = bill.total_fen - bill.own_fen - bill.over_fen - bill.pre_fen
    yield "B2", bill.in_scope_fen, scope
    funds = bill.pool_fen + bill.catastrophic_fen + bill.assistance_fen + bill.other_fen
    yield "B3", bill.total_fen, funds + bill.account_fen + bill.cash_fen
    patient = bill.deductible_fen + bill.copay_fen + bill.over_cap_fen
    yield "B4", bill.pool_fen, bill.in_scope_fen - patient
    yield "B5", bill.total_fen, sum(bill.categories_fen)


@dataclass(frozen=True, slots=True)
class Identity:
    """An identity by the fields of records: stated = sum of `adds` - sum of `takes`.

    It is asked of sources that have every field of `needs`, and of rows that state `stated` and at
    least one of these; what else is empty is nothing.
    """

    id: str
    code: str
    stated: str
    adds: tuple[str, ...]
    takes: tuple[str, ...]
    needs: tuple[str, ...]


_CLASSES = ("class_a_cost", "class_b_cost", "class_c_cost")
_OUTSIDE = ("own_cost", "over_limit_cost", "pre_self_cost")
_OWN_PART = ("deductible", "copay", "over_cap")
_PATIENT = ("account_paid", "account_family_paid", "cash_paid")
#: the fourteen kinds of fees of a settlement list
CATEGORIES = tuple(f"item_{number:02}" for number in range(1, 15))

#: B1 to B5 (settlement.md 2)
IDENTITIES = (
    Identity("B1", "ST201", "total_cost", _CLASSES, (), _CLASSES),
    Identity("B2", "ST202", "in_scope_cost", ("total_cost",), _OUTSIDE, _OUTSIDE),
    Identity(
        "B3", "ST203", "total_cost", ("fund_basic", *OTHER_FUNDS, *_PATIENT), (), ("cash_paid",)
    ),
    Identity("B4", "ST204", "fund_basic", ("in_scope_cost",), _OWN_PART, _OWN_PART),
    Identity("B5", "ST205", "total_cost", CATEGORIES, (), CATEGORIES),
)


def differences(bill: Mapping[str, Ints]) -> Iterator[tuple[Identity, Ints]]:
    """For each identity that can be asked of a source: stated less sum of every row, 0 = it holds.

    bill: the columns there are, MISSING_FEN where a cell is empty.
    """
    for one in IDENTITIES:
        if not {one.stated, *one.needs} <= bill.keys():
            continue
        stated = bill[one.stated]
        asked = (stated != MISSING_FEN) & np.any(
            [bill[name] != MISSING_FEN for name in one.needs], axis=0
        )
        total = np.zeros(len(stated), np.int64)
        for sign, names in ((1, one.adds), (-1, one.takes)):
            for name in names:
                if name in bill:
                    total += sign * np.where(bill[name] == MISSING_FEN, 0, bill[name])
        yield one, np.where(asked, stated - total, 0)
