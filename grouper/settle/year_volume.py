"""The volume (weight or points) that the cases of a year stand for when its pool is shared out.

A case that is paid its standard counts its weight, with the hospital's coefficient where the
standard takes it. Outliers and cases outside the groups count what they are paid / the base rate
of their day, as point methods turn amounts into points: so a year's volume is in one unit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from grouper.errors import SettlementError
from grouper.money import FEN_PER_YUAN, round_half_up, total
from grouper.policy.model import Policy
from grouper.records.batch import MISSING_FEN, CaseBatch
from grouper.settle.amounts import Amounts, CaseType
from grouper.settle.batch import factorize

Rows = NDArray[np.int64]


class Volumes:
    """Gives the volume of rows of a settled batch, exactly."""

    def __init__(self, batch: CaseBatch, amounts: Amounts, policy: Policy) -> None:
        self._batch = batch
        self._amounts = amounts
        self._policy = policy
        # all rows of a cell have one standard
        standards = np.full(len(amounts.cells), MISSING_FEN, np.int64)
        priced = amounts.cell >= 0
        standards[amounts.cell[priced]] = amounts.standard_fen[priced]
        self._of_cell = [
            _cell_volume(one.weight, one.coefficient, one.rate, standard_fen)
            for one, standard_fen in zip(amounts.cells, standards.tolist(), strict=True)
        ]
        known = np.array([volume is not None for volume in self._of_cell], np.bool_)
        cell = amounts.cell
        self._whole = (amounts.case_type == CaseType.INLIER) & (cell >= 0)
        if len(known):
            self._whole &= known[np.maximum(cell, 0)]

    def of(self, rows: Rows) -> Fraction:
        """The volume of some counted rows together; of DIP cases their score."""
        if self._amounts.score is not None:
            return self._amounts.total_score(rows)
        whole = self._whole[rows]
        volume = Fraction(0)
        for cell, count in Counter(self._amounts.cell[rows[whole]].tolist()).items():
            volume += count * (self._of_cell[cell] or 0)
        rest = rows[~whole]
        for rate, part in self._by_rate(rest):
            paid = total(self._amounts.payable_fen[part])
            volume += Fraction(paid) / (Fraction(rate) * FEN_PER_YUAN)
        return volume

    def _by_rate(self, rows: Rows) -> Iterator[tuple[Decimal, Rows]]:
        """Rows by their base rate: that of their cell, else of their era, insurance and level."""
        cell = self._amounts.cell[rows].astype(np.int64)
        rated = np.array([one.rate is not None for one in self._amounts.cells], np.bool_)
        with_rate = (cell >= 0) & rated[cell] if len(rated) else np.zeros(len(rows), np.bool_)
        for number, part in _split(cell[with_rate], rows[with_rate]):
            yield self._amounts.cells[number].rate or Decimal(0), part
        rest = rows[~with_rate]
        if not len(rest):
            return
        axes = [ids[rest] for ids, _ in self._columns]
        eras = self._policy.era(self._batch.discharge_date[rest])
        sizes = [len(self._policy.terms), *(max(len(texts), 1) for _, texts in self._columns)]
        for number, part in _split(np.ravel_multi_index((eras, *axes), sizes), rest):
            era, *places = (int(at) for at in np.unravel_index(number, sizes))
            names = [texts[at] for at, (_, texts) in zip(places, self._columns, strict=True)]
            yield self._rate(era, *names), part

    @cached_property
    def _columns(self) -> list[tuple[Rows, list[str]]]:
        """Insurance, hospital level and hospital of every row, as ids and texts."""
        batch = self._batch
        given = (batch.insurance, batch.hospital_level, batch.hospital)
        return [factorize(one if len(one) == len(batch) else [""] * len(batch)) for one in given]

    def _rate(self, era: int, insurance: str, level: str, hospital: str) -> Decimal:
        code = hospital.strip()
        listed = self._policy.hospital(code)
        text = level.strip() or (listed.level if listed else "")
        terms, kind = self._policy.terms[era], self._policy.insurance(insurance)
        rate = terms.base_rate.find(kind, self._policy.level(text), code)
        if rate is None:
            key = f"base_rate ({kind}, {text})"
            raise SettlementError("ST101", key, key=key, date=terms.span)
        return rate


def _split(numbers: Rows, rows: Rows) -> Iterator[tuple[int, Rows]]:
    """Rows by their number, in the order of the numbers."""
    if not len(rows):
        return
    order = np.argsort(numbers, kind="stable")
    distinct, starts = np.unique(numbers[order], return_index=True)
    parts = np.split(rows[order], starts[1:])
    yield from zip(distinct.tolist(), parts, strict=True)


def _cell_volume(
    weight: Decimal | None,
    coefficient: Decimal | None,
    rate: Decimal | None,
    standard_fen: int,
) -> Fraction | None:
    """Weight x coefficient or weight alone, whichever the standard of the cell takes."""
    if weight is None or rate is None or standard_fen == MISSING_FEN:
        return None
    for factor in (coefficient, Decimal(1)):
        if factor is None:
            continue
        volume = Fraction(weight) * Fraction(factor)
        if round_half_up(volume * Fraction(rate) * FEN_PER_YUAN) == standard_fen:
            return volume
    return Fraction(standard_fen) / (Fraction(rate) * FEN_PER_YUAN)
