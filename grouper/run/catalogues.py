"""Whatever a user names as a DIP catalogue: read, checked, keys and worth apart."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal, cast

from grouper.dated import Confidence, Span
from grouper.engine.dip_ties import TieFigures
from grouper.errors import GrouperError, Issue, SchemeError
from grouper.records.grids import read_grids
from grouper.run.schemes import is_workbook
from grouper.scheme.dip import Catalogue, Published
from grouper.scheme.dip_dialect import Dialect, official_workbook
from grouper.scheme.dip_folder import (
    JSON_SUFFIXES,
    catalogue_folder,
    is_canonical,
    json_grid,
    load_folder,
    load_json,
)
from grouper.scheme.dip_headers import is_known_table, official_sheets
from grouper.scheme.dip_load import load_catalogue, load_official
from grouper.scheme.dip_map import Short
from grouper.scheme.source import HEAD as SCHEME_HEAD
from grouper.scheme.workbook_layout import fold, sheet_titles
from grouper.sheet import Grid, read_bytes
from grouper.spreadsheet import open_workbook
from weights.load import from_columns
from weights.table import YES, Head, WeightTable

_TABLES = (".tsv", ".csv", *JSON_SUFFIXES)
_WORKBOOKS = (".xlsx", ".xlsm", ".xls")


@dataclass(frozen=True)
class PricedCatalogue:
    """A catalogue and what its groups are worth.

    catalogue: the keys, all that grouping knows; table: scores as `points` (分值), mean costs,
    cases, cv and days of the groups, row i for row i of the catalogue.
    """

    catalogue: Catalogue
    table: WeightTable

    @property
    def scores(self) -> tuple[Decimal | None, ...]:
        """The score of every row, as printed."""
        return _column(self.table, "points")

    @property
    def tie_figures(self) -> TieFigures:
        """What steps for ties may ask for."""
        return TieFigures(self.scores, _column(self.table, "mean_cost"))


Kind = Literal["drg", "dip_workbook", "catalogue"]


def is_catalogue(name_or_path: str | Path) -> bool:
    """Whether a scheme is named by a DIP catalogue: a file, a folder, or an id that comes with us.

    Raises SchemeError SE76 for a workbook of which it cannot be told.
    """
    path = Path(name_or_path)
    if catalogue_folder(name_or_path) is not None:
        return True
    if path.is_dir():
        return _table_in(path) is not None
    if path.suffix.lower() in _TABLES:
        return True
    return is_workbook(path) and path.is_file() and kind_of_workbook(path) != "drg"


def _table_in(folder: Path) -> Path | None:
    """The one catalogue among the tables of a folder without a head; None where there is none.

    Raises SchemeError SE76 where there are several.
    """
    if (folder / SCHEME_HEAD).exists():
        return None
    tables = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in (*_TABLES, *_WORKBOOKS)]
    found = [path for path in tables if _is_known(path)]
    if len(found) > 1:
        raise SchemeError("SE76", str(folder), found=", ".join(path.name for path in found))
    return found[0] if found else None


def _is_known(path: Path) -> bool:
    """Whether a file is a catalogue in a known form, or the official workbook."""
    try:
        if is_workbook(path) and kind_of_workbook(path) == "dip_workbook":
            return True
        return any(map(is_known_table, _grids(path, read_bytes(path))))
    except GrouperError:
        return False


def _grids(path: Path, data: bytes) -> list[Grid]:
    return (
        [json_grid(data, path.name)] if path.suffix.lower() in JSON_SUFFIXES else read_grids(path)
    )


def kind_of_workbook(path: Path) -> Kind:
    """What the titles of its sheets say a workbook is; where no set is whole, their headers too.

    Raises SchemeError SE76 where they say two things.
    """
    titles = open_workbook(read_bytes(path), path.name, suffix=path.suffix).sheet_names
    drg = [title for title in titles if fold(title).casefold() in sheet_titles()]
    dip = list(official_sheets(titles).values())
    kinds: dict[Kind, list[str]] = {}
    if 2 * len(drg) >= len(sheet_titles()):
        kinds["drg"] = drg
    if len(dip) >= official_workbook().least:
        kinds["dip_workbook"] = dip
    if len(drg) < len(sheet_titles()) and len(dip) < len(official_workbook().sheets):
        known = [one.title for one in read_grids(path) if is_known_table(one)]
        kinds |= {"catalogue": known} if known else {}
    if len(kinds) > 1:
        found = "; ".join(f"{kind}: {', '.join(named)}" for kind, named in kinds.items())
        raise SchemeError("SE76", path.name, found=found)
    # of a workbook of no known kind the reader says best what is missing
    return next(iter(kinds), "drg" if drg else "catalogue")


def read_catalogue(
    name_or_path: str | Path, *, dialect: Dialect | None = None, short: Short = "repaired"
) -> PricedCatalogue:
    """The catalogue in a file or folder, or with an id; dialect: the form of its table.

    short: `kept` where a short operation of the table stands for all that begin with it.

    Raises SchemeError (SE51 to SE58, SE66 to SE77), DataFileError (DF130 to 135).
    """
    return priced(published(name_or_path, dialect=dialect, short=short))


def lint_catalogue(name_or_path: str | Path, *, dialect: Dialect | None = None) -> list[Issue]:
    """Errors, or else warnings, of a catalogue. Raises DataFileError for a file without rows."""
    try:
        return list(published(name_or_path, dialect=dialect).catalogue.issues)
    except SchemeError as error:
        return list(error.issues)


def published(
    name_or_path: str | Path, *, dialect: Dialect | None = None, short: Short = "repaired"
) -> Published:
    """A catalogue as it stands, keys and figures together; as `read_catalogue`."""
    folder = catalogue_folder(name_or_path)
    if folder is not None:
        return load_folder(folder)
    path = Path(name_or_path)
    if path.is_dir():
        path = _table_in(path) or path
    data = read_bytes(path)
    if path.suffix.lower() in JSON_SUFFIXES and dialect is None and is_canonical(data):
        return load_json(data, path.name)
    digest, grids = hashlib.sha256(data).hexdigest(), _grids(path, data)
    if dialect is None and is_workbook(path) and kind_of_workbook(path) == "dip_workbook":
        return load_official(grids, digest=digest)
    return load_catalogue(grids, digest=digest, dialect=dialect, short=short)


def priced(published: Published) -> PricedCatalogue:
    """A catalogue with its figures in a weight table of the same id."""
    return PricedCatalogue(published.catalogue, _table(published))


def _table(published: Published) -> WeightTable:
    catalogue, figures = published.catalogue, published.figures
    rows, about = catalogue.rows, catalogue.head
    columns: dict[str, Sequence[str]] = {
        "group": [row.code for row in rows],
        "name": [row.name for row in rows],
        "points": [_text(one.score) for one in figures],
        "coefficient": [_text(one.primary_coef) for one in figures],
        "flag": [YES if row.kind == "primary" else "" for row in rows],
        "mean_cost": [_text(one.mean_cost) for one in figures],
        "ref_stay": [_text(one.mean_los) for one in figures],
        "cases": ["" if one.cases is None else str(one.cases) for one in figures],
        "cv": [_text(one.cv) for one in figures],
    }
    head = Head(
        id=catalogue.id,
        title=catalogue.title,
        title_en=catalogue.title,
        scheme_id=catalogue.id,
        area=about.area,
        area_name=about.area_name,
        # a bare table does not say from when on it holds
        span=Span(about.valid_from or date.min, about.valid_to),
        source=about.source or catalogue.file,
        confidence=cast(Confidence, catalogue.confidence),
    )
    return from_columns(head, columns, where=lambda row, _: rows[row].where)


def _text(number: Decimal | None) -> str:
    return "" if number is None else format(number, "f")


def _column(table: WeightTable, name: str) -> tuple[Decimal | None, ...]:
    numbers = table.numbers[name]
    return tuple(numbers.decimal(row) for row in range(len(table)))
