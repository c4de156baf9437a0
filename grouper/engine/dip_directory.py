"""From all keys that cases have to the groups of a catalogue, and the group of every key.

Keys with cases enough are core groups; what is left goes where the catalogue itself sends it: the
rules that group cases decide here too, so that the cases of the history, grouped by the catalogue
that was built of them, are the cases it was built of. Source: 医保办发〔2024〕9号 as restated in
the technical specification of 3.0 (draft, 2026); what they leave open is named below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from grouper.engine.dip import DipGrouper
from grouper.engine.dip_reference import DipReference
from grouper.engine.dip_ties import TieFigures
from grouper.records.batch import MISSING, CaseBatch, CodeColumn
from grouper.scheme.dip import CLASSES, KINDS, Catalogue, CatalogueRow
from grouper.scheme.dip_keys import (
    Key,
    blank_row,
    category,
    chapter_rows,
    comprehensive_rows,
    core_row,
    key_of,
)
from grouper.scheme.dip_preset import ENDS, Layers, Preset

#: ties that only the worth of groups decides: there is none yet
_BY_WORTH = ("nearest_cost", "highest_score")

_Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DirectoryChoices:
    """What is chosen about the groups of a catalogue.

    threshold: cases that a core group needs (临界值); comprehensive: those of a comprehensive or
    default group; related_gain: by how much more than the main operation without them related
    operations must cost to make a group of their own, None = they always do; rest: where cases
    beside all groups go (`chapter`, `blank`), in order; without: codes of groups that must not be;
    listed: keys of a wider directory, the national one, for which `listed_threshold` holds.
    """

    threshold: int = 15
    comprehensive: int = 15
    related_gain: Fraction | None = Fraction(1, 10)
    rest: tuple[str, ...] = ("chapter", "blank")
    without: frozenset[str] = frozenset()
    listed: frozenset[Key] = frozenset()
    listed_threshold: int | None = None

    def least(self, key: Key) -> int:
        """The cases that the core group of a key needs."""
        if self.listed_threshold is None or key not in self.listed:
            return self.threshold
        return self.listed_threshold


@dataclass(frozen=True, eq=False)
class Directory:
    """The groups, and where every key went.

    rows: in order of kind and code; row: (k,) int64, position of the group of each key, -1 = none;
    exact: (k,) whether the group is of this very key; classes: of each row, that of a core group is
    the class of its main operation; preset: the rules that were used.
    """

    rows: tuple[CatalogueRow, ...]
    classes: tuple[str, ...]
    row: _Ints
    exact: NDArray[np.bool_]
    preset: Preset


def threshold_of_share(cases: _Ints, share: Fraction) -> int:
    """The highest threshold at which keys that reach it cover a share of all cases.

    cases: (k,) of each key.
    """
    falling = np.sort(cases)[::-1]
    covered = np.cumsum(falling, dtype=np.int64)
    needed = share * int(covered[-1])
    at = int(np.searchsorted(covered, -(-needed.numerator // needed.denominator)))
    return int(falling[min(at, len(falling) - 1)])


def building_preset(preset: Preset, rest: Sequence[str]) -> Preset:
    """A region's rules without what asks for cost or score; rows without end are taken by code."""
    tie = tuple(step for step in preset.tie if step not in _BY_WORTH)
    if not tie or tie[-1] not in ENDS:
        tie = (*tie, "code")
    return replace(preset, tie=tie, fallback=tuple(rest))


def build_directory(
    keys: Sequence[Key],
    cases: _Ints,
    fen: _Ints,
    choices: DirectoryChoices,
    preset: Preset,
    classes: Mapping[str, str],
    layers: Layers,
) -> Directory:
    """The groups that a history makes.

    keys: (k,) distinct, sorted; cases, fen: (k,) cases and total cost of each; preset: which core
    group a case joins that has none of its own; classes: of operations.
    """
    rules = building_preset(preset, choices.rest)
    core = _core_keys(keys, cases.tolist(), fen.tolist(), choices)
    rows = _rows(core, keys, choices)
    work = _Work(keys, cases, rows, rules, classes, layers)
    work.drop_below("core", [choices.least(key_of(row)) for row in rows if row.kind == "core"])
    for kind, least in (
        ("comprehensive", choices.comprehensive),
        ("default", choices.comprehensive),
        ("blank", 1),
    ):
        work.drop_below(kind, least)
    return work.directory()


def _core_keys(
    keys: Sequence[Key], cases: Sequence[int], fen: Sequence[int], choices: DirectoryChoices
) -> list[Key]:
    """The keys that may make core groups."""
    found = []
    for (dx, main), members in groupby(range(len(keys)), key=lambda at: keys[at][:2]):
        pair = list(members)
        single = choices.least(Key(dx, main))
        stand = [at for at in pair if keys[at].related and cases[at] >= choices.least(keys[at])]
        left = sorted({*pair} - {*stand})
        n, cost = sum(cases[at] for at in left), sum(fen[at] for at in left)
        if choices.related_gain is not None and n >= single:
            # 医保办发〔2024〕9号: related operations make a group at a tenth of extra cost
            needed = (1 + choices.related_gain) * Fraction(cost, n)
            stand = [at for at in stand if fen[at] >= needed * cases[at]]
        found += [keys[at] for at in stand]
        if sum(cases[at] for at in pair) - sum(cases[at] for at in stand) >= single:
            found.append(Key(dx, main))
    return found


def _rows(
    core: Sequence[Key], keys: Sequence[Key], choices: DirectoryChoices
) -> list[CatalogueRow]:
    """Every group that may be, in the order of the catalogue."""
    rows = [core_row(key) for key in core]
    rows += comprehensive_rows(dict.fromkeys(category(key.dx) for key in keys))
    if "chapter" in choices.rest:
        rows += chapter_rows()
    if "blank" in choices.rest:
        rows.append(blank_row())
    rows = [row for row in rows if row.code not in choices.without]
    return sorted(rows, key=lambda row: (KINDS.index(row.kind), row.code))


class _Work:
    """Rows that are still in, and the row of every key."""

    def __init__(
        self,
        keys: Sequence[Key],
        cases: _Ints,
        rows: Sequence[CatalogueRow],
        preset: Preset,
        classes: Mapping[str, str],
        layers: Layers,
    ) -> None:
        self.keys, self.cases, self.rows = keys, cases, rows
        self.preset, self.classes, self.layers = preset, classes, layers
        self.alive = np.ones(len(rows), bool)
        self.row = self._grouped(np.arange(len(keys)))

    def drop_below(self, kind: str, least: int | Sequence[int]) -> None:
        """Drop groups of a kind with too few cases, and send their cases on, until none is left.

        least: for all of the kind, or for each. Where core groups come first, a row that goes
        changes nothing for cases of other rows: a step for ties keeps the best, and which is best
        does not depend on one that was not. Else every case is asked again.
        """
        of_kind = np.array([row.kind == kind for row in self.rows], bool)
        needed = np.zeros(len(self.rows), np.int64)
        needed[of_kind] = least
        apart = self.preset.core_vs_comp == "core_first"
        while True:
            weak = self.alive & of_kind & (self._counts() < needed)
            if not weak.any():
                return
            self.alive &= ~weak
            gone = (self.row >= 0) & weak[self.row]
            moved = np.flatnonzero(gone) if apart else np.arange(len(self.keys))
            self.row[moved] = self._grouped(moved)

    def directory(self) -> Directory:
        """The rows that stayed."""
        number = np.append(np.cumsum(self.alive) - 1, -1)
        row = number[self.row]
        rows = tuple(row for row, used in zip(self.rows, self.alive, strict=True) if used)
        own = [key_of(one) if one.kind == "core" else None for one in rows] + [None]
        exact = [own[at] == key for key, at in zip(self.keys, row.tolist(), strict=True)]
        classes = tuple(row.cls or self._class(row) for row in rows)
        return Directory(rows, classes, row, np.array(exact, bool), self.preset)

    def _class(self, row: CatalogueRow) -> str:
        if not row.main:
            return CLASSES[0]
        named = self.classes.get(row.main[0][0], self.preset.unlisted_class)
        return self.preset.interventional if named == "interventional" else named

    def _counts(self) -> _Ints:
        counts = np.zeros(len(self.rows), np.int64)
        taken = self.row >= 0
        np.add.at(counts, self.row[taken], self.cases[taken])
        return counts

    def _grouped(self, which: _Ints) -> _Ints:
        """The row of some keys among those that are in, -1 where none takes them."""
        if not len(which):
            return np.zeros(0, np.int64)
        alive = np.flatnonzero(self.alive)
        rows = tuple(self.rows[at] for at in alive.tolist())
        catalogue = Catalogue("", "", "", "", "constructed", rows)
        reference = DipReference(catalogue, self.preset, self.classes, self.layers, TieFigures())
        batch = _batch([self.keys[at] for at in which.tolist()])
        row = DipGrouper.of(reference).group(batch).row
        return np.append(alive, -1)[row]


def _batch(keys: Sequence[Key]) -> CaseBatch:
    """One case of every key."""
    n = len(keys)
    bytes_, numbers = np.zeros(n, np.uint8), np.full(n, MISSING, np.int32)
    return CaseBatch(
        dx=CodeColumn.from_lists([(key.dx,) for key in keys]),
        px=CodeColumn.from_lists([(key.main, *key.related) if key.main else () for key in keys]),
        sex=bytes_,
        age_years=numbers,
        age_days=numbers,
        admission_weight=numbers,
        los_days=numbers,
        icu_hours=numbers,
        discharge_disposition=bytes_,
        reject=np.zeros(n, np.uint16),
    )
