"""Files of discharges -> the keys of a DIP catalogue with the cost and year of every case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from grouper.errors import RunError
from grouper.records.assemble import Use, assemble
from grouper.records.batch import MISSING, MISSING_FEN, CaseBatch, CodeColumn
from grouper.records.cells import cells_of
from grouper.records.check import Findings
from grouper.records.layout import clean_header
from grouper.records.read import Cleaning
from grouper.records.user import Column
from grouper.run.chunks import Part, open_feed, reading_of
from grouper.run.dip_types import TypePair, shares_of, type_pairs
from grouper.run.history import known_headers, missing_column, year_of_cell
from grouper.run.stream import Progress, default_threads, in_order
from grouper.scheme.dip_auxiliary import AuxiliaryRules
from grouper.scheme.dip_keys import Key, is_known, subcategory
from grouper.scheme.dip_operations import operation
from weights.history import MAX_COST_FEN, NO_YEAR

#: rows of a part
_BATCH = 200_000

_Ints = NDArray[np.int64]
_Value = TypeVar("_Value", Key, TypePair)
#: key, cost, year, stay and types of the cases of a part
_Columns = tuple[
    NDArray[np.uint32], _Ints, NDArray[np.int16], NDArray[np.int32], NDArray[np.uint32]
]


@dataclass(frozen=True, slots=True)
class Reading:
    """How inputs are read, and which cases count.

    excluded_ops: operations left out before anything else; years: those that count, () = all;
    year_header: the column of years, "" = a known header, else the day of discharge; auxiliary:
    the rules by which cases are typed besides, None = they are not.
    """

    layout: str | None = None
    mapping: Mapping[str, object] | None = None
    cleaning: Cleaning = "standard"
    encoding: str | None = None
    excluded_ops: frozenset[str] = frozenset()
    years: tuple[int, ...] = ()
    year_header: str = ""
    auxiliary: AuxiliaryRules | None = None


@dataclass(frozen=True, eq=False)
class KeyedCases:
    """Cases by key; the same whatever the order of the rows.

    keys: distinct, sorted; key: (n,) uint32, position of the key of each case; fen: (n,) int64
    total cost; year: (n,) int16, of discharge, `NO_YEAR` where no case has a day; los: (n,) int32,
    days of the stay, `MISSING` where not known; rows: all rows of the inputs; dropped: those that
    are no cases, by reason; pairs: distinct auxiliary types, sorted; pair: (n,) uint32, position of
    those of each case, empty where cases are not typed.
    """

    keys: tuple[Key, ...]
    key: NDArray[np.uint32]
    fen: _Ints
    year: NDArray[np.int16]
    los: NDArray[np.int32]
    rows: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    pairs: tuple[TypePair, ...] = ()
    pair: NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, np.uint32))

    def of_keys(self) -> tuple[_Ints, _Ints]:
        """Cases and total cost in fen of each key, (k,) each."""
        cases = np.bincount(self.key, minlength=len(self.keys)).astype(np.int64)
        order = np.argsort(self.key, kind="stable")
        starts = np.cumsum(cases) - cases
        fen = np.add.reduceat(self.fen[order], starts) if len(order) else np.zeros(0, np.int64)
        return cases, fen

    def of_years(self) -> dict[int, tuple[int, int]]:
        """Year -> cases and total cost in fen."""
        found = {}
        for year in np.unique(self.year).tolist():
            rows = self.year == year
            found[year] = int(rows.sum()), int(self.fen[rows].sum())
        return found


def read_keys(
    paths: Sequence[Path],
    reading: Reading,
    *,
    batch: int = _BATCH,
    threads: int | None = None,
    progress: Progress | None = None,
) -> KeyedCases:
    """The cases of some files by their keys, part by part: 17 bytes a case stay in memory.

    Raises what reading raises; RecordError RE12 without a column of costs; RunError RN145 when no
    row is a case.
    """
    feed = open_feed(paths, mapping=reading.mapping, encoding=reading.encoding)
    columns = reading_of(
        feed,
        layout=reading.layout,
        mapping=reading.mapping,
        cleaning=reading.cleaning,
        needs=("dx", "total_cost"),
    )
    year_at = _year_column(feed.names, reading.year_header, feed.label)
    is_dated = "discharge_time" in columns.found
    as_is = reading.cleaning == "as_is"

    def work(part: Part) -> tuple[KeyedCases, float]:
        use: Use = "settle" if as_is else "group"
        table = part.table()
        records = assemble(table, columns, Findings(), as_is=as_is, part=True, use=use)
        year = None
        if year_at is not None:
            year = _told_years(table.columns[year_at])
        elif is_dated:
            year = _years(records)
        cases, rows = keyed_cases(records, year, reading)
        if reading.auxiliary is not None:
            by_field = {name: table.columns[at] for name, at in columns.scalars.items()}
            shares = shares_of(by_field, len(table), reading.auxiliary)
            pairs, pair = type_pairs(records, reading.auxiliary, shares)
            cases = replace(cases, pairs=tuple(pairs), pair=pair[rows].astype(np.uint32))
        return cases, part.progress

    gathered, rows = _Gathered(), 0
    workers = threads or default_threads()
    with closing(in_order(feed.parts(batch), work, threads=workers)) as done:
        for part, share in done:
            gathered.add(part)
            rows += part.rows
            if progress:
                progress(rows, share)
    found = gathered.result()
    if not len(found.key):
        listed = ", ".join(f"{reason} {n}" for reason, n in found.dropped.items()) or "-"
        raise RunError("RN145", rows=found.rows, dropped=listed)
    return found


class _Gathered:
    """Parts under common numbers of keys."""

    def __init__(self) -> None:
        self.keys: dict[Key, int] = {}
        self.pairs: dict[TypePair, int] = {}
        self.parts: list[_Columns] = []
        self.rows = 0
        self.dropped: Counter[str] = Counter()

    def add(self, part: KeyedCases) -> None:
        key, pair = _numbered(part.keys, self.keys), _numbered(part.pairs, self.pairs)
        columns = (key[part.key], part.fen, part.year, part.los, pair[part.pair])
        self.parts.append(columns)
        self.rows += part.rows
        self.dropped.update(part.dropped)

    def result(self) -> KeyedCases:
        """All cases; keys in their own order, not in that in which they came."""
        keys, key_rank = _ranked(self.keys)
        pairs, pair_rank = _ranked(self.pairs)
        key, fen, year, los, pair = map(np.concatenate, zip(*self.parts, strict=True))
        dropped = dict(sorted(self.dropped.items()))
        return KeyedCases(
            keys, key_rank[key], fen, year, los, self.rows, dropped, pairs, pair_rank[pair]
        )


def _numbered(values: Sequence[_Value], numbers: dict[_Value, int]) -> NDArray[np.uint32]:
    """The number of each value; a new one gets the next."""
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], np.uint32)


def _ranked(numbers: Mapping[_Value, int]) -> tuple[tuple[_Value, ...], NDArray[np.uint32]]:
    """Values in their own order, and the place there of each number."""
    ordered = sorted(numbers)
    rank = np.empty(len(ordered), np.uint32)
    rank[[numbers[value] for value in ordered]] = np.arange(len(ordered), dtype=np.uint32)
    return tuple(ordered), rank


def keyed_cases(
    batch: CaseBatch, year: NDArray[np.int16] | None, reading: Reading
) -> tuple[KeyedCases, _Ints]:
    """The usable cases of a batch by key, why the others are none, and which rows they are.

    year: (n,) of each case, None where the inputs have neither years nor days. A row that is no
    case has one reason.
    """
    n = len(batch)
    reason = batch.reject.astype(np.int64)
    names = ["", *batch.reject_codes]
    heads, dx_texts = _heads(batch.dx)
    usable = np.append([is_known(text) for text in dx_texts], False).astype(bool)
    is_dated = year is not None
    year = np.full(n, NO_YEAR, np.int16) if year is None else year
    cost = batch.total_cost_fen
    for name, rows in (
        ("dx_missing", heads < 0),
        ("dx_unknown", ~usable[heads]),
        ("cost_missing", cost == MISSING_FEN),
        ("cost_not_positive", cost <= 0),
        ("cost_beyond_measure", cost > MAX_COST_FEN),
        ("no_year", np.full(n, is_dated) & (year == NO_YEAR)),
        ("other_year", np.full(n, bool(reading.years)) & ~np.isin(year, reading.years)),
    ):
        reason[(reason == 0) & rows] = len(names)
        names.append(name)
    rows = np.flatnonzero(reason == 0)
    keys, key = _keys(heads[rows], dx_texts, batch.px, rows, reading.excluded_ops)
    often = np.bincount(reason, minlength=len(names)).tolist()
    dropped = {names[at]: count for at, count in enumerate(often) if at and count}
    los = batch.los_days[rows]
    return KeyedCases(keys, key, cost[rows], year[rows], los, n, dropped), rows


def _year_column(headers: Sequence[str], named: str, where: str) -> int | None:
    """The column of years, if there is one. Raises WeightError WT132 for one asked for."""
    cleaned = [clean_header(header) for header in headers]
    for header in (clean_header(named),) if named else known_headers("year"):
        if header in cleaned:
            return cleaned.index(header)
    if named:
        raise missing_column("year", headers, named, where)
    return None


def _told_years(column: Column) -> NDArray[np.int16]:
    cells = cells_of(column)
    return np.array([year_of_cell(value) for value in cells.values], np.int16)[cells.index]


def _years(batch: CaseBatch) -> NDArray[np.int16]:
    day = batch.discharge_date
    years = day.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    return np.where(day == MISSING, NO_YEAR, years).astype(np.int16)


def _heads(dx: CodeColumn) -> tuple[_Ints, list[str]]:
    """The subcategory of each principal diagnosis, by number (-1 = none), and their texts."""
    heads = np.full(len(dx), -1, np.int64)
    rows = np.flatnonzero(np.diff(dx.offsets))
    spellings, at = np.unique(dx.index[dx.offsets[rows]], return_inverse=True)
    texts = [subcategory(dx.texts[one]) for one in spellings.tolist()]
    distinct = sorted({*texts} - {""})
    rank = {text: number for number, text in enumerate(distinct)}
    heads[rows] = np.array([rank.get(text, -1) for text in texts], np.int64)[at]
    return heads, distinct


def _keys(
    heads: _Ints,
    dx_texts: Sequence[str],
    px: CodeColumn,
    rows: _Ints,
    excluded: frozenset[str],
) -> tuple[tuple[Key, ...], NDArray[np.uint32]]:
    """The distinct keys of some rows and which each row has.

    A key is spelled out step by step, diagnosis, main operation and each further one in order: a
    step numbers the distinct pairs of what came before and what comes next.
    """
    owner, op, op_texts = _operations(px, rows, excluded)
    many = len(op_texts) + 1
    first = np.searchsorted(owner, np.arange(len(rows) + 1))
    has = np.flatnonzero(np.diff(first))
    main = np.zeros(len(rows), np.int64)
    main[has] = op[first[has]] + 1
    pairs, node = np.unique(heads * many + main, return_inverse=True)
    keys = [
        Key(dx_texts[pair // many], op_texts[pair % many - 1] if pair % many else "")
        for pair in pairs.tolist()
    ]
    # the other operations of each row, each once, in the order of their codes
    is_main = np.zeros(len(op), bool)
    is_main[first[has]] = True
    other = np.unique((owner * many + op)[~is_main & (op + 1 != main[owner])])
    owner, op = other // many, other % many
    start = np.searchsorted(owner, np.arange(len(rows) + 1))
    left = np.diff(start)
    for step in range(int(left.max(initial=0))):
        has = np.flatnonzero(left > step)
        pairs, at = np.unique(node[has] * many + op[start[has] + step], return_inverse=True)
        more = [
            keys[pair // many]._replace(
                related=(*keys[pair // many].related, op_texts[pair % many])
            )
            for pair in pairs.tolist()
        ]
        node[has] = at + len(keys)
        keys += more
    used, key = np.unique(node, return_inverse=True)
    return tuple(keys[at] for at in used.tolist()), key.astype(np.uint32)


def _operations(
    px: CodeColumn, rows: _Ints, excluded: frozenset[str]
) -> tuple[_Ints, _Ints, list[str]]:
    """Row (by position in `rows`) and number of every operation that counts; codes by number."""
    counts = np.diff(px.offsets)[rows].astype(np.int64)
    owner = np.repeat(np.arange(len(rows)), counts)
    ends = np.cumsum(counts)
    within = np.arange(len(owner)) - np.repeat(ends - counts, counts)
    index = px.index[np.repeat(px.offsets[rows].astype(np.int64), counts) + within]
    spellings, at = np.unique(index, return_inverse=True)
    codes = [operation(px.texts[one]) for one in spellings.tolist()]
    distinct = sorted({*codes} - {""} - excluded)
    rank = {code: number for number, code in enumerate(distinct)}
    number = np.array([rank.get(code, -1) for code in codes], np.int64)[at]
    counted = number >= 0
    return owner[counted], number[counted], distinct
