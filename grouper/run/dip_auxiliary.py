"""Auxiliary types of a history and their coefficients; the table of them, written and read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from grouper.datafile import read_tsv
from grouper.engine.dip import DipGroups
from grouper.engine.dip_auxiliary import AuxiliaryTable, GroupTypes, TypeWorth
from grouper.errors import Lang, WeightError
from grouper.records.batch import MISSING_FEN, CaseBatch
from grouper.records.user import Column, UserTable
from grouper.run.dip_build import Built
from grouper.run.dip_history import KeyedCases
from grouper.run.dip_types import TypePair, Types, shares_of, type_pairs
from grouper.scheme.dip_auxiliary import AuxiliaryRules
from weights.auxiliary import AuxiliaryGroup, Sums, Triggers, auxiliary_group
from weights.history import NO_YEAR
from weights.record import places, root_places

_COLUMNS = (
    "code", "type", "title", "trigger", "coefficient", "cases", "fitting_cases", "group_cases",
    "group_mean_cost", "cv_before", "cv_after",
)  # fmt: skip
_NEEDED = ("code", "type", "trigger", "coefficient", "group_mean_cost")
#: a square of a cost is summed in two halves of so many bits
_HALF = 20

#: a cost that no case has, and what a case of a group without a type gets
_NEVER = np.iinfo(np.int64).max
_NO_TYPE = TypeWorth("", Decimal(1), Decimal(1))

_Ints = NDArray[np.int64]


def auxiliary_groups(
    cases: KeyedCases, built: Built, rules: AuxiliaryRules
) -> list[AuxiliaryGroup]:
    """The groups in which types are triggered, by the cases of the last year, untrimmed."""
    rows = _last_year(cases, built, rules)
    group, fen = built.group[rows].astype(np.int64), cases.fen[rows]
    families = {one.id: one.family for one in rules.types}
    asked = rules.trigger
    triggers = Triggers(
        asked.group_cases_above, asked.type_cases_above, asked.cv_reduction, asked.cv_from
    )
    cell = group * len(cases.pairs) + cases.pair[rows]
    cell = 2 * cell + _dear(group, fen, rules.cost_from)
    found: dict[int, dict[tuple[str, ...], Sums]] = defaultdict(lambda: defaultdict(Sums))
    for at, sums in _cells(cell, fen):
        number, pair = divmod(at // 2, len(cases.pairs))
        types = cases.pairs[pair].dear if at % 2 else cases.pairs[pair].ordinary
        found[number][types] += sums
    groups = (
        auxiliary_group(built.directory.rows[number].code, found[number], families, triggers)
        for number in sorted(found)
    )
    return [one for one in groups if one is not None]


def _last_year(cases: KeyedCases, built: Built, rules: AuxiliaryRules) -> _Ints:
    """The cases of groups whose cases are typed, of the last year where there are years."""
    typed = np.array([row.kind in rules.kinds for row in built.directory.rows], bool)
    last = max((year for year in built.years if year != NO_YEAR), default=NO_YEAR)
    return np.flatnonzero((built.group >= 0) & typed[built.group] & (cases.year == last))


def _dear(group: _Ints, fen: _Ints, multiple: Fraction | None) -> _Ints:
    """1 for cases that cost at least so many times the mean of their group, else 0."""
    if multiple is None or not len(group):
        return np.zeros(len(group), np.int64)
    least = np.zeros(int(group.max()) + 1, np.int64)
    for at, sums in _cells(group, fen):
        needed = multiple * sums.mean
        least[at] = -(-needed.numerator // needed.denominator)
    return (fen >= least[group]).astype(np.int64)


def _cells(cell: _Ints, fen: _Ints) -> Iterator[tuple[int, Sums]]:
    """The sums of the costs of each cell, exact."""
    if not len(cell):
        return
    order = np.argsort(cell, kind="stable")
    cell, fen = cell[order], fen[order]
    starts = np.flatnonzero(np.concatenate([[True], cell[1:] != cell[:-1]]))
    counts = np.diff(np.append(starts, len(cell)))
    high, low = fen >> _HALF, fen & ((1 << _HALF) - 1)
    sums = (np.add.reduceat(part, starts) for part in (fen, high * high, high * low, low * low))
    columns = (one.tolist() for one in (cell[starts], counts, *sums))
    for at, n, total, hh, hl, ll in zip(*columns, strict=True):
        yield at, Sums(n, total, (hh << 2 * _HALF) + (hl << (_HALF + 1)) + ll)


def auxiliary_table(groups: Sequence[AuxiliaryGroup], rules: AuxiliaryRules) -> bytes:
    """The coefficients as a table: one line a group and type."""
    titles = {one.id: one.title for one in rules.types}
    lines: list[Sequence[str]] = [_COLUMNS]
    lines += [
        (
            group.code,
            one.type,
            titles[one.type],
            places(one.trigger, 6),
            places(one.adjustment, 4),
            str(one.cases),
            str(one.fitting),
            str(group.cases),
            places(group.mean_fen / 100, 6),
            root_places(group.cv_squared_before, 6),
            root_places(group.cv_squared_after, 6),
        )
        for group in groups
        for one in group.types
    ]
    return "".join("\t".join(line) + "\n" for line in lines).encode()


def read_auxiliary(path: Path, rules: AuxiliaryRules) -> AuxiliaryTable:
    """A table of coefficients, as `dip build` writes it; further columns do no harm.

    Raises DataFileError for a file that is no such table, WeightError WT151 for an unknown type or
    a number that makes no sense.
    """
    table = read_tsv(path)
    for name in _NEEDED:
        if name not in table.columns:
            raise WeightError("WT151", f"{path}:1", text=name, known=", ".join(_NEEDED))
    known = {one.id for one in rules.types}
    worths: dict[str, list[TypeWorth]] = defaultdict(list)
    means: dict[str, Fraction] = {}
    for row in table:
        trigger, coefficient, mean = (_positive(row[name]) for name in _NEEDED[2:])
        if row["type"] not in known or trigger is None or coefficient is None or mean is None:
            text = " ".join(row[name] for name in _NEEDED)
            raise WeightError("WT151", row.where("type"), text=text, known=", ".join(sorted(known)))
        worths[row["code"]].append(TypeWorth(row["type"], trigger, coefficient))
        means[row["code"]] = Fraction(mean) * 100
    groups = {code: GroupTypes(means[code], tuple(types)) for code, types in worths.items()}
    return AuxiliaryTable(rules, groups)


@dataclass(frozen=True)
class Typing:
    """Types the cases of DIP groups by a table of coefficients."""

    table: AuxiliaryTable
    lang: Lang
    names: tuple[str, ...] = ("auxiliary_type", "auxiliary_coefficient")

    def columns(
        self, batch: CaseBatch, groups: DipGroups, by_field: Mapping[str, Column]
    ) -> list[tuple[str, pa.Array]]:
        """The type that counts for every row and its one coefficient.

        A case of a group that no type of its group fits has the coefficient 1; rows without a
        group have none.
        """
        worths, at = self._worths(batch, groups, by_field)
        titles = {one.id: one.title for one in self.table.rules.types}
        named = [None if one is None or one is _NO_TYPE else one.type for one in worths]
        if self.lang == "zh":
            named = [None if one is None else titles[one] for one in named]
        coefficients = [None if one is None else one.coefficient for one in worths]
        index, exact = pa.array(at), pa.decimal128(20, self.table.decimals)
        texts = pa.array(named, pa.string()), pa.array(coefficients, exact)
        return [(name, each.take(index)) for name, each in zip(self.names, texts, strict=True)]

    def types_of_row(
        self, batch: CaseBatch, code: str, by_field: Mapping[str, Column], at: int
    ) -> Types:
        """The types that fit one case of a batch, were it of a group."""
        pairs, pair = self._pairs(batch, by_field)
        found, least = pairs[int(pair[at])], self.table.dear_from(code)
        is_dear = least is not None and bool(_costs(batch)[at] >= least)
        return found.dear if is_dear else found.ordinary

    def _pairs(
        self, batch: CaseBatch, by_field: Mapping[str, Column]
    ) -> tuple[list[TypePair], _Ints]:
        shares = shares_of(by_field, len(batch), self.table.rules)
        return type_pairs(batch, self.table.rules, shares)

    def _worths(
        self, batch: CaseBatch, groups: DipGroups, by_field: Mapping[str, Column]
    ) -> tuple[list[TypeWorth | None], _Ints]:
        """What distinct rows get (None = no group), and which of these each row is."""
        rows, row = groups.catalogue.rows, groups.row.astype(np.int64)
        pairs, pair = self._pairs(batch, by_field)
        least = [self.table.dear_from(one.code) or _NEVER for one in rows]
        is_dear = _costs(batch) >= np.array([*least, _NEVER], np.int64)[row]
        cell = np.where(row < 0, -1, 2 * (row * len(pairs) + pair) + is_dear)
        cells, at = np.unique(cell, return_inverse=True)
        worths: list[TypeWorth | None] = []
        for one in cells.tolist():
            if one < 0:
                worths.append(None)
                continue
            of, which = divmod(one // 2, len(pairs))
            types = pairs[which].dear if one % 2 else pairs[which].ordinary
            worths.append(self.table.chosen(rows[of].code, types) or _NO_TYPE)
        return worths, at


def _costs(batch: CaseBatch) -> _Ints:
    """The cost of every case; `MISSING_FEN`, below every cost, where it is not known."""
    known = len(batch.total_cost_fen) == len(batch)
    return batch.total_cost_fen if known else np.full(len(batch), MISSING_FEN, np.int64)


def fields_of(user: UserTable) -> dict[str, Column]:
    """The columns of a user's table, by the field as which they were read."""
    both = zip(user.names, user.columns, strict=True)
    return {user.fields[name]: column for name, column in both if name in user.fields}


def _positive(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except ArithmeticError:
        return None
    return number if number.is_finite() and number > 0 else None
