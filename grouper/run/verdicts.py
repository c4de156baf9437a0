"""A file of results read for reconciliation: keys, facts, groups and prices, row for row.

Our result files and payers' files alike: what a column is called is data (payer_columns.tsv); what
is no column of results is read as the records' own fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from grouper.datafile import data_folder, read_tsv
from grouper.errors import RunError
from grouper.records.assemble import assemble
from grouper.records.batch import MISSING, CaseBatch
from grouper.records.check import Findings
from grouper.records.fields import result_columns, spellings
from grouper.records.layout import (
    ColumnMap,
    choose,
    clean_header,
    layouts,
    read_headers,
    refuse_duplicates,
)
from grouper.records.mapfile import apply_map
from grouper.records.raw import Raw
from grouper.records.read import Cleaning, MapSource, header_score, read_source
from grouper.records.sources import Sources, join
from grouper.records.texts import text_column
from grouper.records.user import Column
from grouper.records.values import EPOCH, bare_amount, day, known_text, number_of
from grouper.run.keys import Key, clean_key, join_key
from grouper.run.results import words
from grouper.sheet import half_width

Status = Literal["grouped", "ambiguous", "ungrouped", "rejected"]
#: what a price is made of, in the order in which it is made
PRICES = ("weight", "points", "coefficient", "base_rate", "point_value", "standard", "payment")
#: fields that name a case, in the order in which they are tried for `--key id`
KEYS = ("id", "settlement_id", "encounter_id", "record_no", "stay_no")


@dataclass(frozen=True, slots=True)
class GroupCode:
    """A result as written in a file; codes are "" where there is none."""

    status: Status
    mdc: str = ""
    adrg: str = ""
    drg: str = ""


#: a code at the beginning of a cell, a name after it or brackets around it
_CODE = re.compile(r"\W*([A-Z0-9]+)")


@lru_cache(maxsize=1 << 14)
def group_code(text: str, status: str = "") -> GroupCode:
    """What a cell of group codes says: `BR11`, `BQY`, `0000`, nothing, `BR11-脑梗死`.

    A CHS-DRG code is the letter of its MDC, two places for the ADRG and one for the refinement;
    payers write 0000 (or 000P and the like) for a case without group.
    """
    found = _CODE.match(half_width(known_text(text)).upper())
    code = found[1] if found else ""
    if status == "rejected":
        return GroupCode("rejected")
    if not code or code.startswith("00") or not code.strip("0"):
        return GroupCode("ungrouped")
    if code.endswith("QY") and len(code) <= 3:
        return GroupCode("ambiguous", code[:-2], code, code)
    return GroupCode("grouped", code[0], code[:3], code)


@dataclass(frozen=True)
class Results:
    """One file: n rows in its order; columns that it does not have are absent from the mappings.

    groups: (n,) or empty; prices: name of PRICES -> texts; reasons: why a row has its group.
    """

    name: str
    table: Sources
    reading: ColumnMap
    batch: CaseBatch
    keys: tuple[Key, ...]
    groups: tuple[GroupCode, ...]
    names: tuple[str, ...]
    reasons: tuple[str, ...]
    prices: Mapping[str, tuple[str, ...]]
    total_lines: int = 0
    merged_lines: int = 0

    def __len__(self) -> int:
        return len(self.keys)

    def where(self, row: int) -> str:
        """The place of a row."""
        return self.table.where(row)

    def number(self, name: str, row: int) -> Decimal | None:
        """A number of a price column; None where none is written."""
        column = self.prices.get(name)
        return None if column is None else amount_of(column[row])


@lru_cache(maxsize=1 << 16)
def amount_of(text: str) -> Decimal | None:
    """The number in a cell of a price; None where none is written."""
    return number_of(bare_amount(text))


def read_results(
    path: Path,
    key: str,
    *,
    layout: str | None = None,
    mapping: MapSource | None = None,
    cleaning: Cleaning = "standard",
    encoding: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> Results:
    """A file of results.

    key: names of fields or headers, joined by `,`; columns: our name of a result column -> header,
    for files that call it otherwise. Lines of totals are left out; lines of one case for several
    cost departments become one. Raises RunError: RN131 no key column, RN134 a column that is not
    there, RN137 several of one kind; what reading raises.
    """
    score = header_score(mapping)

    def headers_known(headers: Sequence[str]) -> int:
        found = sum(clean_header(header) in _columns() for header in headers if header)
        return score(headers) + found

    raw = read_source(path, headers_known, encoding, Findings())
    reading = _reading(raw, layout, mapping)
    places = _places(raw, columns or {})
    keys = _keys(raw, reading, key)
    keep, totals, merged = _cases(raw, places, keys)
    table = join([raw])
    if len(keep) < len(raw):
        table = _kept(table, keep)
        keys = [keys[row] for row in keep]
    batch = assemble(table, reading, Findings(), as_is=cleaning == "as_is", part=True)
    texts = {name: tuple(_texts(table.columns[at])) for name, at in places.items()}
    status = [_status(text) for text in texts.get("status", ("",) * len(table))]
    codes = texts.get("drg")
    groups = () if codes is None else tuple(map(group_code, codes, status))
    return Results(
        path.name,
        table,
        reading,
        batch,
        tuple(keys),
        groups,
        texts.get("drg_name", ()),
        texts.get("reason", ()),
        {name: texts[name] for name in PRICES if name in texts},
        totals,
        merged,
    )


@cache
def _columns() -> dict[str, str]:
    """Cleaned header -> our name of the result column."""
    table = read_tsv(data_folder("layouts", "payer_columns.tsv"))
    return {
        clean_header(header): name
        for header, name in zip(table.column("header"), table.column("column"), strict=True)
    }


def _reading(raw: Raw, layout: str | None, mapping: MapSource | None) -> ColumnMap:
    """What the columns are as fields of records; a file of results need not have any."""
    if mapping is not None:
        return apply_map(mapping, raw.names, raw.name)
    if layout is not None:
        return choose(raw.names, raw.name, layout=layout)
    refuse_duplicates(raw.names, raw.name)
    readings = (read_headers(each, raw.names) for each in layouts().values())
    return max(readings, key=lambda reading: len(reading.fields))


def _places(raw: Raw, asked: Mapping[str, str]) -> dict[str, int]:
    """Our name of a result column -> its position.

    Of several the one is taken that bears the title our own results have: hospitals keep the
    payer's group beside ours. Raises RunError RN134, RN137.
    """
    cleaned = [clean_header(header) for header in raw.names]
    found: dict[str, list[int]] = {}
    for at, header in enumerate(cleaned):
        if header in _columns():
            found.setdefault(_columns()[header], []).append(at)
    for name, header in asked.items():
        if name not in set(_columns().values()) or clean_header(header) not in cleaned:
            raise RunError("RN134", raw.name, column=name, header=header)
        found[name] = [cleaned.index(clean_header(header))]
    for name, places in found.items():
        own = [at for at in places if cleaned[at] in _own_titles()]
        found[name] = own if len(places) > 1 and own else places
        if len(found[name]) > 1:
            headers = ", ".join(raw.names[at] for at in found[name])
            raise RunError("RN137", raw.name, column=name, headers=headers)
    return {name: places[0] for name, places in found.items()}


@cache
def _own_titles() -> frozenset[str]:
    """The titles of our own results, in both languages."""
    columns = result_columns()
    titles = (column.header(lang) for column in columns.values() for lang in ("zh", "en"))
    return frozenset(map(clean_header, titles))


def _keys(raw: Raw, reading: ColumnMap, key: str) -> list[Key]:
    """The key of each row, of one column or of several; a date counts without its time of day."""
    places = [_key_column(raw, reading, part) for part in key.split(",")]
    if len(places) == 1:
        return [clean_key(text) for text in _texts(raw.columns[places[0]])]
    dates = {reading.scalars.get(name) for name in ("admit_time", "discharge_time")}
    parts = [
        [
            _day_text(cell) if place in dates else clean_key(cell).text
            for cell in _texts(raw.columns[place])
        ]
        for place in places
    ]
    return [Key(join_key(cells)) if all(cells) else Key("") for cells in zip(*parts, strict=True)]


def _day_text(cell: str) -> str:
    """A date in ISO form, however it is written; a text that is none as it stands."""
    days = day(cell).number
    return clean_key(cell).text if days == MISSING else (EPOCH + timedelta(days)).isoformat()


def _key_column(raw: Raw, reading: ColumnMap, name: str) -> int:
    cleaned = [clean_header(header) for header in raw.names]
    if clean_header(name) in cleaned:
        return cleaned.index(clean_header(name))
    # the field itself, or for `id` the only column that names cases
    wanted = KEYS if name == "id" else (name,)
    found = [reading.scalars[each] for each in wanted if each in reading.scalars]
    if name == "id" and "id" in reading.scalars:
        found = found[:1]
    if len(found) != 1:
        shown = ", ".join(raw.names[at] for at in found) or "-"
        headers = ", ".join(header.strip()[:30] for header in raw.names[:20])
        raise RunError("RN131", raw.name, key=name, found=shown, headers=headers)
    return found[0]


def _cases(raw: Raw, places: Mapping[str, int], keys: Sequence[Key]) -> tuple[list[int], int, int]:
    """The rows that are cases, how many lines are totals, how many repeat a case."""
    total_words = set(spellings("total_line"))
    first = [_texts(column) for column in raw.columns[:3]]
    is_total = [
        any(cells[row].strip().upper() in total_words for cells in first)
        or key.text.upper() in total_words
        for row, key in enumerate(keys)
    ]
    # one line a case and cost department: the case is the same, only the department differs
    by_department = "cost_dept" in places
    drg = _texts(raw.columns[places["drg"]]) if "drg" in places else [""] * len(raw)
    seen: set[tuple[str, str]] = set()
    keep: list[int] = []
    merged = 0
    for row, key in enumerate(keys):
        if is_total[row]:
            continue
        if by_department and key.text:
            case = (key.text, drg[row])
            if case in seen:
                merged += 1
                continue
            seen.add(case)
        keep.append(row)
    return keep, sum(is_total), merged


def _kept(table: Sources, rows: Sequence[int]) -> Sources:
    """Some rows of a table of one file."""
    at = np.array(rows, np.int64)
    numbers: NDArray[np.int64] = table.numbers[at]
    columns: list[Column] = []
    for column in table.columns:
        columns.append(
            [column[row] for row in rows] if isinstance(column, list) else column.take(at)
        )
    new = {row: place for place, row in enumerate(rows)}
    faults = {new[row]: fault for row, fault in table.faults.items() if row in new}
    raw = replace(table.raws[0], numbers=numbers, columns=tuple(columns), faults=faults)
    return Sources((raw,), table.names, tuple(columns), table.form, (0,), numbers, faults)


def _texts(column: Column) -> list[str]:
    found: list[str] = text_column(column).to_pylist()
    return found


def _status(text: str) -> str:
    """A status word of either language, "" for none."""
    return _status_words().get(text.strip(), "")


@cache
def _status_words() -> dict[str, str]:
    return {
        spelled: word for lang in ("zh", "en") for word, spelled in words(lang)["status"].items()
    }
