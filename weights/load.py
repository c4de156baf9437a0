"""Weight tables from folders and rows: table.toml says what it is, a table file holds the rows.

The normal form has the columns of `COLUMNS`, of which only `group` must be there. A file with
other headers is read through the `[columns]` map of its table.toml (ours = "theirs").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from grouper.datafile import read_toml, read_tsv
from grouper.dated import CONFIDENCES, Confidence, Span
from grouper.errors import GrouperError, Issue, WeightError
from grouper.money import Rounding, to_fen
from weights.table import ADJUSTED, BASIC_GROUP, NO_VALUE, Head, Numbers, WeightTable

COLUMNS = (
    "group",
    "name",
    "insurance",
    "level",
    "weight",
    "points",
    "coefficient",
    "class",
    "flag",
    "standard",
    "adjusted",
    "mean_cost",
    "ref_stay",
)

_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)
_YES = "是"
#: table.toml: key -> (type, must it be there)
_KEYS: Mapping[str, tuple[type, bool]] = {
    "format": (int, True),
    "id": (str, True),
    "title": (str, True),
    "title_en": (str, True),
    "scheme": (str, True),
    "area": (str, True),
    "valid_from": (date, True),
    "valid_to": (date, False),
    "source": (str, True),
    "confidence": (str, True),
    "base_rate": (Decimal, False),
    "file": (str, False),
    "columns": (dict, False),
    "no_weight": (list, False),
    "standard_rounding": (str, False),
}

Where = Callable[[int, str], str]


def table_ids() -> tuple[str, ...]:
    """The ids of the tables that come with the package."""
    return tuple(sorted(path.parent.name for path in _data().glob("*/table.toml")))


def load(name: str | Path) -> WeightTable:
    """The table of an embedded id, or of a folder with table.toml and its table file.

    Raises WeightError WT105 when there is no such table, WT102 to WT106 with every defect found;
    DataFileError when a file cannot be read.
    """
    folder = _folder(name)
    head = read_head(folder)
    table = read_tsv(folder / head.file)
    columns = dict(zip(table.columns, table.cells, strict=True))
    return from_columns(head, columns, where=table.where)


def read_head(name: str | Path) -> Head:
    """What a table says about itself, without its rows. Raises as `load` does."""
    path = _folder(name) / "table.toml"
    raw = read_toml(path)
    issues = list(_head_issues(raw, str(path)))
    if issues:
        raise WeightError.of(issues)
    return Head(
        id=raw["id"],
        title=raw["title"],
        title_en=raw["title_en"],
        scheme_id=raw["scheme"],
        area=raw["area"],
        span=Span(raw["valid_from"], raw.get("valid_to")),
        source=raw["source"],
        confidence=cast(Confidence, raw["confidence"]),
        base_rate=raw.get("base_rate"),
        file=raw.get("file", "weights.tsv"),
        columns=raw.get("columns", {}),
        no_weight=frozenset(raw.get("no_weight", ())),
        standard_rounding=raw.get("standard_rounding", "exact"),
    )


def find(*, area: str, day: date, scheme_id: str = "") -> WeightTable:
    """The one embedded table of an area in force on a day (of one scheme, if it is named).

    Raises WeightError WT107 when there is none or more than one.
    """
    heads = [read_head(name) for name in table_ids()]
    fitting = [
        head.id
        for head in heads
        if head.area == area and head.span.covers(day) and scheme_id in ("", head.scheme_id)
    ]
    if len(fitting) != 1:
        found = ", ".join(fitting) or "-"
        raise WeightError("WT107", area=area, date=day.isoformat(), found=found)
    return load(fitting[0])


def from_columns(
    head: Head,
    columns: Mapping[str, Sequence[str]],
    *,
    where: Where = lambda row, column: f"row {row + 1}:{column}",
) -> WeightTable:
    """A table from columns of text under their own headers; `head.columns` maps them to ours.

    where: names the place of a cell in messages. Raises WeightError with every defect found.
    """
    headers, issues = _headers(head, columns)
    if issues:
        raise WeightError.of(issues)
    rows = len(columns[headers["group"]])
    cells = {ours: [text.strip() for text in columns[header]] for ours, header in headers.items()}
    cells = {ours: cells.get(ours, [""] * rows) for ours in COLUMNS}
    cells["weight"] = ["" if text in head.no_weight else text for text in cells["weight"]]
    keys = list(zip(cells["group"], cells["insurance"], cells["level"], strict=True))
    places = _Places(headers, where)
    numbers = {
        name: _numbers(cells[name], name, places)
        for name in ("weight", "points", "coefficient", "ref_stay")
    }
    rounding = cast(Rounding, head.standard_rounding)
    standard = _fen(cells["standard"], "standard", rounding, places)
    mean_cost = _fen(cells["mean_cost"], "mean_cost", "half_up", places)
    flags = np.array([BASIC_GROUP * (text == _YES) for text in cells["flag"]], np.uint8)
    flags |= np.array([ADJUSTED * (text == _YES) for text in cells["adjusted"]], np.uint8)
    issues = [*_key_issues(keys, places), *places.issues]
    if issues:
        raise WeightError.of(issues)
    return WeightTable(
        head=head,
        groups=tuple(cells["group"]),
        names=tuple(cells["name"]),
        insurances=tuple(cells["insurance"]),
        levels=tuple(cells["level"]),
        classes=tuple(cells["class"]),
        weights=numbers["weight"],
        points=numbers["points"],
        coefficients=numbers["coefficient"],
        mean_los=numbers["ref_stay"],
        payment_standard_fen=standard,
        mean_cost_fen=mean_cost,
        flags=flags,
        _rows={key: row for row, key in enumerate(keys)},
        _known=frozenset(cells["group"]),
    )


@cache
def _data() -> Path:
    from importlib.resources import files

    return Path(str(files("weights"))).joinpath("data")


def _folder(name: str | Path) -> Path:
    if isinstance(name, str) and name in table_ids():
        return _data() / name
    if (Path(name) / "table.toml").is_file():
        return Path(name)
    raise WeightError("WT105", table=name, known=", ".join(table_ids()))


def _head_issues(raw: Mapping[str, Any], path: str) -> list[Issue]:
    issues = [
        Issue("WT106", f"{path}: {key}", {"key": key, "problem": "unknown"})
        for key in raw
        if key not in _KEYS
    ]
    for key, (kind, needed) in _KEYS.items():
        if key not in raw:
            if needed:
                issues.append(Issue("WT106", f"{path}: {key}", {"key": key, "problem": "missing"}))
        elif type(raw[key]) is not kind or raw[key] == "":
            issues.append(Issue("WT106", f"{path}: {key}", {"key": key, "problem": "wrong"}))
    allowed = {
        "format": (1,),
        "confidence": CONFIDENCES,
        "standard_rounding": ("exact", "half_up"),
    }
    issues += [
        Issue("WT106", f"{path}: {key}", {"key": key, "problem": "wrong"})
        for key, values in allowed.items()
        if key in raw and raw[key] not in values
    ]
    return issues


def _headers(
    head: Head, columns: Mapping[str, Sequence[str]]
) -> tuple[dict[str, str], list[Issue]]:
    """Our column -> the header it stands under; what is unknown or lacks."""
    wanted = head.columns or {name: name for name in columns}
    unknown = [ours for ours in wanted if ours not in COLUMNS]
    absent = [header for header in wanted.values() if header not in columns]
    absent += [] if "group" in wanted else ["group"]
    issues = [Issue("WT104", head.id, {"column": name, "problem": "unknown"}) for name in unknown]
    issues += [Issue("WT104", head.id, {"column": name, "problem": "missing"}) for name in absent]
    return dict(wanted), issues


class _Places:
    """Collects what is wrong, each with the cell it stands in."""

    def __init__(self, headers: Mapping[str, str], where: Where) -> None:
        self.issues: list[Issue] = []
        self._headers = headers
        self._where = where

    def at(self, row: int, column: str) -> str:
        return self._where(row, self._headers.get(column, column))

    def wrong(self, row: int, column: str, text: str) -> None:
        self.issues.append(Issue("WT103", self.at(row, column), {"column": column, "text": text}))


def _numbers(texts: Sequence[str], column: str, places: _Places) -> Numbers:
    """Exact decimals of a column as int64 at the finest scale the column uses."""
    fine = [text for text in texts if _NUMBER.fullmatch(text)]
    decimals = max((len(text.partition(".")[2]) for text in fine), default=0)
    units = np.full(len(texts), NO_VALUE, np.int64)
    for row, text in enumerate(texts):
        if not text:
            continue
        whole, _, part = text.partition(".")
        number = int(whole + part.ljust(decimals, "0")) if _NUMBER.fullmatch(text) else 2**63
        if number >= 2**63:
            places.wrong(row, column, text)
        else:
            units[row] = number
    return Numbers(units, decimals)


def _fen(
    texts: Sequence[str], column: str, rounding: Rounding, places: _Places
) -> NDArray[np.int64]:
    fen = np.full(len(texts), NO_VALUE, np.int64)
    for row, text in enumerate(texts):
        if not text:
            continue
        try:
            fen[row] = to_fen(text, rounding=rounding)
        except (GrouperError, OverflowError):
            places.wrong(row, column, text)
    return fen


def _key_issues(keys: Sequence[tuple[str, str, str]], places: _Places) -> list[Issue]:
    """Rows without a group, and rows that say the same thing twice."""
    issues = [
        Issue("WT103", places.at(row, "group"), {"column": "group", "text": ""})
        for row, key in enumerate(keys)
        if not key[0]
    ]
    first: dict[tuple[str, str, str], int] = {}
    for row, key in enumerate(keys):
        if first.setdefault(key, row) != row:
            other = places.at(first[key], "group")
            issues.append(
                Issue("WT102", places.at(row, "group"), {"group": key[0], "other": other})
            )
    return issues
