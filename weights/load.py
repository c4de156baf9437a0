"""Weight tables in normal form: table.toml says what a table is, weights.tsv holds its rows.

The normal form has the columns of `COLUMNS`, of which only `group` must be there. Files of any
other shape are brought into it by a column map (weights.convert).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from grouper.datafile import Table, data_homes, read_toml, read_tsv
from grouper.errors import Issue, WeightError
from weights.head import FORMAT, head_issues, head_of
from weights.table import (
    ADJUSTED,
    BASIC_GROUP,
    COLUMNS,
    NO_VALUE,
    NUMBERS,
    YES,
    Facts,
    Head,
    Numbers,
    WeightTable,
)
from weights.words import data_folder, insurance_code

HEAD_FILE = "table.toml"
ROWS_FILE = "weights.tsv"

_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?", re.ASCII)
#: below 2**63 in units, with room for two decimals more
_LARGEST = 2**63

Where = Callable[[int, str], str]


def table_ids() -> tuple[str, ...]:
    """The ids of the tables that come with the package."""
    return tuple(sorted(_found(data_folder())))


def installed_ids() -> tuple[str, ...]:
    """The ids of the tables in the user's data folders."""
    return tuple(sorted({name for home in data_homes() for name in _found(home / "weights")}))


def folders() -> dict[str, Path]:
    """The folder of every table that can be found, by its id; those of the package go first."""
    found: dict[str, Path] = {}
    for place in (data_folder(), *(home / "weights" for home in data_homes())):
        for name, folder in _found(place).items():
            found.setdefault(name, folder)
    return found


def load(name: str | Path) -> WeightTable:
    """The table of an id (embedded or installed), or of a folder with table.toml and weights.tsv.

    Raises WeightError WT105 when there is no such table, WT102 to WT110 with every defect found;
    DataFileError when a file cannot be read.
    """
    folder = folder_of(name)
    head = read_head(folder)
    table: Table = read_tsv(folder / ROWS_FILE)
    columns = dict(zip(table.columns, table.cells, strict=True))
    return from_columns(head, columns, where=table.where)


def read_head(name: str | Path) -> Head:
    """What a table says about itself, without its rows. Raises as `load` does."""
    path = folder_of(name) / HEAD_FILE
    raw = read_toml(path)
    form = raw.pop("format", None)
    issues = head_issues(raw, str(path))
    if form != FORMAT:
        problem = "missing" if form is None else "wrong"
        issues.append(Issue("WT106", f"{path}: format", {"key": "format", "problem": problem}))
    if issues:
        raise WeightError.of(issues)
    return head_of(raw)


def find(*, area: str, day: date, scheme_id: str = "") -> WeightTable:
    """The one table of an area in force on a day (of one scheme, if it is named).

    area: its code or its name. Raises WeightError WT109 (no such area), WT107 (none or several).
    """
    heads = in_force(area=area, day=day, scheme_id=scheme_id)
    if len(heads) > 1:
        found = ", ".join(f"{head.id} {head.span}" for head in heads)
        raise WeightError("WT107", area=area, date=day.isoformat(), found=found, near="-")
    return load(heads[0].id)


def in_force(*, area: str, day: date, scheme_id: str = "") -> list[Head]:
    """The heads of the tables of an area in force on a day, at least one.

    Raises WeightError WT109, or WT107 naming the table whose days are nearest.
    """
    every = [read_head(folder) for folder in folders().values()]
    own = [
        head
        for head in every
        if area in (head.area, head.area_name) and scheme_id in ("", head.scheme_id)
    ]
    if not own:
        known = dict.fromkeys(f"{head.area} {head.area_name}".strip() for head in every)
        raise WeightError("WT109", area=area, scheme=scheme_id or "*", known=", ".join(known))
    fitting = [head for head in own if head.span.covers(day)]
    if not fitting:
        near = min(own, key=lambda head: _days_away(head, day))
        shown = f"{near.id} {near.span}"
        raise WeightError("WT107", area=area, date=day.isoformat(), found="-", near=shown)
    return fitting


def from_columns(
    head: Head,
    columns: Mapping[str, Sequence[str]],
    *,
    where: Where = lambda row, column: f"row {row + 1}:{column}",
) -> WeightTable:
    """A table from columns of text, named as in `COLUMNS`; `group` must be there.

    where: names the place of a cell in messages. Raises WeightError with every defect found:
    WT102 duplicate rows, WT103 unreadable cells, WT104 columns, WT110 negative weights.
    """
    issues = list(_header_issues(head, columns))
    if issues:
        raise WeightError.of(issues)
    rows = len(columns["group"])
    cells = {
        name: [text.strip() for text in columns[name]] if name in columns else [""] * rows
        for name in COLUMNS
    }
    cells["insurance"] = [insurance_code(text) for text in cells["insurance"]]
    facts = tuple(
        Facts(*parts)
        for parts in zip(
            *(cells[key] for key in ("insurance", "level", "hospital", "condition")), strict=True
        )
    )
    places = _Places(where)
    numbers = {name: _numbers(cells[name], name, places) for name in NUMBERS}
    if head.standard_rounding == "exact" and numbers["standard"].decimals > 2:
        _refuse_parts_of_fen(cells["standard"], places)
    groups = tuple(cells["group"])
    issues = [*_key_issues(groups, facts, places), *places.issues]
    if issues:
        raise WeightError.of(issues)
    by_group: dict[str, list[int]] = {}
    for row, group in enumerate(groups):
        by_group.setdefault(group, []).append(row)
    return WeightTable(
        head=head,
        groups=groups,
        names=tuple(cells["name"]),
        facts=facts,
        classes=tuple(cells["class"]),
        numbers=numbers,
        payment_standard_fen=_fen(numbers["standard"]),
        mean_cost_fen=_fen(numbers["mean_cost"]),
        flags=_flags(cells["flag"], BASIC_GROUP) | _flags(cells["adjusted"], ADJUSTED),
        places=tuple(where(row, "group") for row in range(rows)),
        _rows={group: tuple(found) for group, found in by_group.items()},
    )


def folder_of(name: str | Path) -> Path:
    """The folder of a table by id or path. Raises WeightError WT105."""
    known = folders()
    if isinstance(name, str) and name in known:
        return known[name]
    if (Path(name) / HEAD_FILE).is_file():
        return Path(name)
    raise WeightError("WT105", table=name, known=", ".join(known))


def _found(place: Path) -> dict[str, Path]:
    return {path.parent.name: path.parent for path in sorted(place.glob(f"*/{HEAD_FILE}"))}


def _days_away(head: Head, day: date) -> int:
    """How many days lie between a day and the nearest day of a table."""
    if day < head.span.start:
        return (head.span.start - day).days
    return 0 if head.span.end is None else max((day - head.span.end).days + 1, 0)


def _header_issues(head: Head, columns: Mapping[str, Sequence[str]]) -> list[Issue]:
    unknown = [name for name in columns if name not in COLUMNS]
    absent = [] if "group" in columns else ["group"]
    issues = [Issue("WT104", head.id, {"column": name, "problem": "unknown"}) for name in unknown]
    issues += [Issue("WT104", head.id, {"column": name, "problem": "missing"}) for name in absent]
    return issues


class _Places:
    """Collects what is wrong, each with the cell it stands in."""

    def __init__(self, where: Where) -> None:
        self.issues: list[Issue] = []
        self.at = where

    def wrong(self, row: int, column: str, text: str) -> None:
        self.issues.append(Issue("WT103", self.at(row, column), {"column": column, "text": text}))


def _numbers(texts: Sequence[str], column: str, places: _Places) -> Numbers:
    """Exact decimals of a column as int64 at the finest scale the column uses."""
    read = [_NUMBER.fullmatch(text) for text in texts]
    decimals = max((len(found[3] or "") for found in read if found), default=0)
    units = np.full(len(texts), NO_VALUE, np.int64)
    printed = np.array([len(found[3] or "") if found else 0 for found in read], np.uint8)
    for row, (text, found) in enumerate(zip(texts, read, strict=True)):
        if not text:
            continue
        number = int(found[2] + (found[3] or "").ljust(decimals, "0")) if found else _LARGEST
        if found and found[1] and column == "weight":
            places.issues.append(Issue("WT110", places.at(row, column), {"text": text}))
        elif number >= _LARGEST or (found and found[1]):
            places.wrong(row, column, text)
        else:
            units[row] = number
    return Numbers(units, decimals, printed)


def _refuse_parts_of_fen(texts: Sequence[str], places: _Places) -> None:
    """Standards finer than a fen need a rounding by name (standard_rounding)."""
    for row, text in enumerate(texts):
        if len(text.partition(".")[2].rstrip("0")) > 2:
            places.wrong(row, "standard", text)


def _fen(amounts: Numbers) -> NDArray[np.int64]:
    """Yuan as fen, parts of a fen rounded half up; NO_VALUE stays."""
    units, decimals = amounts.units, amounts.decimals
    if decimals > 2:
        step = 10 ** (decimals - 2)
        whole, rest = np.divmod(units, step)
        fen = whole + (2 * rest >= step)
    else:
        fen = units * 10 ** (2 - decimals)
    return np.where(units == NO_VALUE, NO_VALUE, fen)


def _flags(texts: Sequence[str], bit: int) -> NDArray[np.uint8]:
    return np.array([bit * (text == YES) for text in texts], np.uint8)


def _key_issues(groups: Sequence[str], facts: Sequence[Facts], places: _Places) -> list[Issue]:
    """Rows without a group, and rows that say the same thing twice."""
    issues = [
        Issue("WT103", places.at(row, "group"), {"column": "group", "text": ""})
        for row, group in enumerate(groups)
        if not group
    ]
    first: dict[tuple[str, Facts], int] = {}
    for row, key in enumerate(zip(groups, facts, strict=True)):
        if key[0] and first.setdefault(key, row) != row:
            other = places.at(first[key], "group")
            issues.append(
                Issue("WT102", places.at(row, "group"), {"group": key[0], "other": other})
            )
    return issues
