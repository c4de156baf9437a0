"""The auxiliary types (辅助分型) of cases: one of each family at most, by the rules as data.

Columns at a time; what depends on codes is asked once a spelling. A type that asks how dear a case
is beside its group needs the mean cost of the group; cases then have two answers, one for either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from grouper.records.batch import MISSING, MISSING_FEN, THOUSANDTHS, CaseBatch
from grouper.scheme.dip import dx_key, fits
from grouper.scheme.dip_auxiliary import AuxiliaryRules, AuxiliaryType, Band
from grouper.scheme.dip_keys import category

#: discharge disposition of the dead (离院方式 5)
_DEAD = 5
_HOURS = 24 * THOUSANDTHS

_Mask = NDArray[np.bool_]
_Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """What cases cost by part, (n,) int64 fen: treatment without surgery, all drugs.

    `MISSING_FEN` where it is not known: then no type that asks for it fits.
    """

    treatment_fen: _Ints
    drugs_fen: _Ints


def unknown_shares(n: int) -> Shares:
    """Nothing known about the parts of n costs."""
    missing = np.full(n, MISSING_FEN, np.int64)
    return Shares(missing, missing)


def types_of(
    batch: CaseBatch, rules: AuxiliaryRules, shares: Shares, dear: _Mask
) -> NDArray[np.uint8]:
    """The type of every case in every family: (n, families), 1 + position in the rules, 0 = none.

    dear: (n,) whether a case costs at least as many times the mean of its group as types ask for.
    """
    facts = _Facts(batch, rules, shares, dear)
    found = np.zeros((len(batch), len(rules.families)), np.uint8)
    for number, one in enumerate(rules.types, 1):
        column = found[:, rules.families.index(one.family)]
        open_ = column == 0
        open_ &= facts.meet(one, found)
        column[open_] = number
    return found


class _Facts:
    """What is known about the cases of a batch, as far as types ask for it."""

    def __init__(
        self, batch: CaseBatch, rules: AuxiliaryRules, shares: Shares, dear: _Mask
    ) -> None:
        self.batch, self.rules, self.shares, self.dear = batch, rules, shares, dear
        self.n = len(batch)
        offsets = batch.dx.offsets.astype(np.int64)
        spellings, self.index = np.unique(batch.dx.index, return_inverse=True)
        self.codes = [dx_key(batch.dx.texts[one]) for one in spellings.tolist()]
        self.owner = np.repeat(np.arange(self.n), np.diff(offsets))
        filled = np.flatnonzero(np.diff(offsets))
        self.head = np.full(self.n, -1, np.int64)
        self.head[filled] = offsets[filled]
        self.is_other = np.ones(len(self.index), bool)
        self.is_other[offsets[filled]] = False
        categories = sorted({category(code) for code in self.codes})
        rank = {text: number for number, text in enumerate(categories)}
        self.category = np.array([rank[category(code)] for code in self.codes], np.int64)

    def meet(self, one: AuxiliaryType, found: NDArray[np.uint8]) -> _Mask:
        """The cases that meet every condition of a type."""
        batch, met = self.batch, np.ones(self.n, bool)
        if one.principal:
            met &= self._principal_in(one.principal)
        if one.death:
            met &= batch.discharge_disposition == _DEAD
        if one.stay_from is not None:
            met &= batch.los_days >= one.stay_from
        if one.cost_from is not None:
            met &= self.dear
        if one.treatment_from is not None:
            met &= self._share(self.shares.treatment_fen, one.treatment_from)
        if one.drugs_from is not None:
            met &= self._share(self.shares.drugs_fen, one.drugs_from)
        if one.other:
            met &= self._other_in(one.other, elsewhere=one.elsewhere)
        if one.days is not None:
            met &= (batch.age_years <= 0) & _inside(batch.age_days, one.days)
        if one.years is not None:
            met &= _inside(batch.age_years, one.years)
        if one.icu_days is not None:
            met &= _inside(self._icu_days(), one.icu_days)
        if one.cci is not None:
            met &= _inside(self._charlson(), one.cci)
        if one.within:
            ids = [each.id for each in self.rules.types]
            numbers = [ids.index(name) + 1 for name in one.within]
            met &= np.isin(found[:, self.rules.families.index("severity")], numbers)
        return met

    def _in_list(self, name: str) -> _Mask:
        """Whether each distinct code is in a list."""
        keys = self.rules.lists[name]
        return np.array([fits(keys, code) for code in self.codes], bool)

    def _principal_in(self, name: str) -> _Mask:
        met = np.zeros(self.n, bool)
        has = np.flatnonzero(self.head >= 0)
        met[has] = self._in_list(name)[self.index[self.head[has]]]
        return met

    def _other_in(self, name: str, *, elsewhere: bool) -> _Mask:
        """Whether one of the other diagnoses is in a list."""
        counted = self.is_other & self._in_list(name)[self.index]
        if elsewhere:
            own = self.category[self.index[self.head[self.owner]]]
            counted &= self.category[self.index] != own
        met = np.zeros(self.n, bool)
        met[self.owner[counted]] = True
        return met

    def _share(self, part: _Ints, share: Fraction) -> _Mask:
        """Whether a part is at least that share of the total cost, in whole fen."""
        cost = self.batch.total_cost_fen
        known = (part != MISSING_FEN) & (cost != MISSING_FEN) & (cost > 0)
        top, bottom = share.numerator, share.denominator
        met: _Mask = known & (np.where(known, part, 0) * bottom >= np.where(known, cost, 0) * top)
        return met

    def _icu_days(self) -> _Ints:
        """Days in intensive care, a day begun counted whole; `MISSING` where it is not known."""
        hours = self.batch.icu_hours.astype(np.int64)
        return np.where(hours == MISSING, MISSING, -(-hours // _HOURS))

    def _charlson(self) -> _Ints:
        """The comorbidity index: of each category the heaviest other diagnosis, summed."""
        weight = np.array([self.rules.charlson_weight(code) for code in self.codes], np.int64)
        counted = np.flatnonzero(self.is_other & (weight[self.index] > 0))
        owner, index = self.owner[counted], self.index[counted]
        many = int(self.category.max(initial=0)) + 1
        cells, at = np.unique(owner * many + self.category[index], return_inverse=True)
        heaviest = np.zeros(len(cells), np.int64)
        np.maximum.at(heaviest, at, weight[index])
        total = np.zeros(self.n, np.int64)
        np.add.at(total, cells // many, heaviest)
        return total


def _inside(values: NDArray[np.integer], band: Band) -> _Mask:
    low, high = band
    met: _Mask = (values != MISSING) & (values >= low)
    return met if high is None else met & (values <= high)


def described(numbers: Sequence[int], rules: AuxiliaryRules) -> tuple[str, ...]:
    """The ids of some types, 0 left out."""
    return tuple(rules.types[number - 1].id for number in numbers if number)
