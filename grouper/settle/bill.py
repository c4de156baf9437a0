"""The identities of a bill, exact in fen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


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
