"""Files of grouped cases → the history that weights are estimated from, part by part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from grouper.datafile import data_folder, read_tsv
from grouper.engine.groups import Status
from grouper.errors import WeightError
from grouper.records import values
from grouper.records.batch import MISSING
from grouper.records.cells import cells_of, plain_fen
from grouper.records.check import short
from grouper.records.layout import clean_header, layouts
from grouper.records.sources import Sources
from grouper.records.user import Column
from grouper.run.chunks import Part, open_feed
from grouper.run.results import words
from grouper.run.stream import Progress, default_threads, in_order
from weights.history import NO_COST, NO_YEAR, BadCosts, History, HistoryStream, adrg_of, history

#: rows of a part
_BATCH = 200_000
#: our column -> the field of the record dictionary that serves if no header of its own is there
_RECORD_FIELDS = {"cost": "total_cost", "hospital": "hospital", "date": "discharge_time"}
_NEEDED = ("group", "cost")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the columns of a history stand, by position; None = there is none.

    year is a number; date is a day of discharge, used if there is no year.
    """

    group: int | None = None
    cost: int | None = None
    adrg: int | None = None
    name: int | None = None
    year: int | None = None
    date: int | None = None
    hospital: int | None = None
    status: int | None = None


def find_columns(headers: Sequence[str], named: Mapping[str, str], where: str) -> Columns:
    """The columns of a table by the headers asked for, else by known ones.

    named: our column -> header as written. Raises WeightError WT132 for a needed column that is
    not there, or one asked for.
    """
    cleaned = [clean_header(header) for header in headers]
    found: dict[str, int] = {}
    for column in (one.name for one in fields(Columns)):
        known = [clean_header(named[column])] if column in named else known_headers(column)
        at = next((cleaned.index(header) for header in known if header in cleaned), None)
        if at is None and column in _RECORD_FIELDS and column not in named:
            at = _by_field(headers, _RECORD_FIELDS[column])
        if at is not None:
            found[column] = at
        elif column in named or column in _NEEDED:
            raise missing_column(column, headers, named.get(column, ""), where)
    return Columns(**found)


@cache
def _all_headers() -> Mapping[str, tuple[str, ...]]:
    table = read_tsv(data_folder("layouts", "history.tsv"), ["field", "header"])
    found: dict[str, tuple[str, ...]] = {}
    for column, header in zip(*table.cells, strict=True):
        found[column] = (*found.get(column, ()), clean_header(header))
    return found


def known_headers(column: str) -> tuple[str, ...]:
    """The headers, cleaned, under which a column of a history is known."""
    return _all_headers().get(column, ())


def _by_field(headers: Sequence[str], name: str) -> int | None:
    for layout in layouts().values():
        for at, header in enumerate(headers):
            if layout.field_of(header) == name:
                return at
    return None


def missing_column(column: str, headers: Sequence[str], asked: str, where: str) -> WeightError:
    """WT132 for a column that is not there, with the headers that resemble it."""
    from difflib import get_close_matches

    wanted = [clean_header(asked)] if asked else list(known_headers(column))
    names = {clean_header(header): header for header in headers}
    near = [names[one] for word in wanted[:5] for one in get_close_matches(word, names, 2, 0.5)]
    return WeightError(
        "WT132",
        where,
        field=column,
        option=f"--{column}-column",
        headers=", ".join(header.strip()[:30] for header in headers[:20]),
        near=", ".join(dict.fromkeys(near)) or "-",
    )


def read_history(
    paths: Sequence[Path],
    *,
    named: Mapping[str, str] | None = None,
    bad_costs: BadCosts = "refuse",
    encoding: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> History:
    """The history in some files of the same columns; rows without a group are counted.

    named: column (`group`, `cost`, `adrg`, `name`, `year`, `date`, `hospital`, `status`) -> its
    header, where it is not one that is known. A group of a four-letter code belongs to the ADRG of
    its first three unless there is a column of ADRGs. Raises what reading raises; WeightError WT132
    for a column that is not there, WT133 to WT137 for rows that cannot be, WT145 for rows without
    a year.
    """
    named = named or {}
    feed = open_feed(paths, mapping=dict(named) or None, encoding=encoding)
    columns = find_columns(feed.names, named, feed.label)

    def work(part: Part) -> tuple[History, int, float]:
        table = part.table()
        return _history(table, columns, bad_costs), len(table), part.progress

    stream, rows = HistoryStream(), 0
    parts: Iterator[Part] = feed.parts(_BATCH)
    with closing(in_order(parts, work, threads=threads or default_threads())) as done:
        for found, many, share in done:
            stream.add(found)
            rows += many
            if progress:
                progress(rows, share)
    return stream.result()


def _history(table: Sources, columns: Columns, bad_costs: BadCosts) -> History:
    """The history of a part."""
    assert columns.group is not None
    assert columns.cost is not None
    cells = cells_of(table.columns[columns.group])
    codes = [values.known_text(value) for value in cells.values]
    groups = sorted({*codes} - {""})
    rank = {code: k for k, code in enumerate(groups)}
    group = np.array([rank.get(code, -1) for code in codes], np.int64)[cells.index]
    fen = fen_of(table.columns[columns.cost])
    use, left_out = _usable(table, columns, group)
    rows = np.flatnonzero(use)
    group = group[rows]
    adrgs = _told(table, columns.adrg, groups, group, rows)
    names = _told(table, columns.name, groups, group, rows)
    hospitals, hospital = _hospitals(table, columns.hospital)
    cost_column = columns.cost
    return history(
        groups,
        group,
        fen[rows],
        adrgs=_one_adrg(groups, adrgs) if columns.adrg is not None else None,
        names=[min(told, default="") for told in names],
        year=_years(table, columns, rows),
        hospitals=hospitals,
        hospital=None if hospital is None else hospital[rows],
        left_out=left_out,
        bad_costs=bad_costs,
        where=lambda row: table.where(int(rows[row]), cost_column),
    )


def _usable(
    table: Sources, columns: Columns, group: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], dict[str, int]]:
    """Rows that are cases of a group, and how many are not, by reason.

    An ambiguous case has a code, but no group: rows with another status of ours than `grouped` do
    not count. Other words are not ours, and say nothing.
    """
    use = group >= 0
    if columns.status is not None:
        cells = cells_of(table.columns[columns.status])
        texts = [values.known_text(value) for value in cells.values]
        use &= ~np.array([text in _not_grouped() for text in texts])[cells.index]
    missing = int((~use).sum())
    return use, {"no_group": missing} if missing else {}


@cache
def _not_grouped() -> frozenset[str]:
    """The words of results for cases that have no group."""
    others = [status.word for status in Status if status is not Status.GROUPED]
    return frozenset(words(lang)["status"][word] for lang in ("zh", "en") for word in others)


def fen_of(column: Column) -> NDArray[np.int64]:
    """The amount of every row in fen; NO_COST for what is no amount."""
    fen = plain_fen(column)
    if fen is not None:
        return fen
    cells = cells_of(column)
    return np.array([_amount(value) for value in cells.values], np.int64)[cells.index]


def _amount(cell: object) -> int:
    """An amount of any sign: the reader of records takes none below 0."""
    text = values.known_text(cell)
    sign = -1 if text.startswith(("-", "−", "－")) else 1
    found = values.money(text[1:] if sign < 0 else cell)
    return NO_COST if found.bad or not text else sign * found.number


def _told(
    table: Sources,
    column: int | None,
    groups: Sequence[str],
    group: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> list[set[str]]:
    """What a column says of each group."""
    told: list[set[str]] = [set() for _ in groups]
    if column is None:
        return told
    cells = cells_of(table.columns[column])
    pairs = np.unique(group * len(cells.values) + cells.index[rows])
    for pair in pairs.tolist():
        of, at = divmod(pair, len(cells.values))
        text = values.known_text(cells.values[at])
        if text:
            told[of].add(text)
    return told


def _one_adrg(groups: Sequence[str], told: Sequence[set[str]]) -> list[str]:
    for code, adrgs in zip(groups, told, strict=True):
        if len(adrgs) > 1:
            first, second = sorted(adrgs)[:2]
            raise WeightError("WT137", group=code, first=first, second=second)
    return [next(iter(adrgs), adrg_of(code)) for code, adrgs in zip(groups, told, strict=True)]


def _hospitals(table: Sources, column: int | None) -> tuple[list[str], NDArray[np.int64] | None]:
    """The hospitals of a part, and which of them each row is of, -1 where it is not said."""
    if column is None:
        return [], None
    cells = cells_of(table.columns[column])
    texts = [values.known_text(value) for value in cells.values]
    hospitals = sorted({*texts} - {""})
    rank = {text: k for k, text in enumerate(hospitals)}
    return hospitals, np.array([rank.get(text, -1) for text in texts], np.int64)[cells.index]


def _years(table: Sources, columns: Columns, rows: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """The year of every row; None where there is no column of years or days."""
    column = columns.date if columns.year is None else columns.year
    if column is None:
        return None
    cells = cells_of(table.columns[column])
    parse = _year_of_day if columns.year is None else year_of_cell
    years = np.array([parse(value) for value in cells.values], np.int64)[cells.index][rows]
    missing = years == NO_YEAR
    if missing.any():
        at = int(rows[int(missing.argmax())])
        text = short(cells.values[int(cells.index[at])])
        where = table.where(at, column)
        raise WeightError("WT145", where, count=int(missing.sum()), text=text)
    return years


def year_of_cell(cell: object) -> int:
    """A year of four digits, `NO_YEAR` for anything else."""
    text = values.known_text(cell).removesuffix("度").removesuffix("年")
    return int(text) if len(text) == 4 and text.isascii() and text.isdigit() else NO_YEAR


def _year_of_day(cell: object) -> int:
    day = values.day(cell).number
    return NO_YEAR if day == MISSING else _date_of(day)


def _date_of(day: int) -> int:
    return int(np.datetime64(day, "D").astype("datetime64[Y]").astype(int)) + 1970
