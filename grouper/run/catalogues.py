"""Whatever a user names as a DIP catalogue: read, checked, keys and worth apart."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import cast

from grouper.dated import Confidence, Span
from grouper.engine.dip_ties import TieFigures
from grouper.errors import Issue, SchemeError
from grouper.records.grids import read_grids
from grouper.run.schemes import is_workbook
from grouper.scheme.dip import Catalogue, Published
from grouper.scheme.dip_load import load_catalogue
from grouper.scheme.workbook_layout import fold, sheet_titles
from grouper.sheet import read_bytes
from grouper.spreadsheet import open_workbook
from weights.load import from_columns
from weights.table import YES, Head, WeightTable

_TABLES = (".tsv", ".csv")


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


def is_catalogue(name_or_path: str | Path) -> bool:
    """Whether a scheme is named by a DIP catalogue: a table, or a workbook of no DRG scheme."""
    path = Path(name_or_path)
    if path.is_dir():
        return False
    if path.suffix.lower() in _TABLES:
        return True
    if not is_workbook(path) or not path.is_file():
        return False
    titles = open_workbook(read_bytes(path), path.name, suffix=path.suffix).sheet_names
    return not {fold(title).casefold() for title in titles} & sheet_titles()


def read_catalogue(path: str | Path) -> PricedCatalogue:
    """The catalogue in a file. Raises SchemeError (SE51 to SE58), DataFileError (DF130 to 135)."""
    return priced(_published(Path(path)))


def lint_catalogue(path: str | Path) -> list[Issue]:
    """Errors, or else warnings, of a catalogue. Raises DataFileError for a file without rows."""
    try:
        return list(_published(Path(path)).catalogue.issues)
    except SchemeError as error:
        return list(error.issues)


def priced(published: Published) -> PricedCatalogue:
    """A catalogue with its figures in a weight table of the same id."""
    return PricedCatalogue(published.catalogue, _table(published))


def _published(path: Path) -> Published:
    digest = hashlib.sha256(read_bytes(path)).hexdigest()
    return load_catalogue(read_grids(path), digest=digest)


def _table(published: Published) -> WeightTable:
    catalogue, figures = published.catalogue, published.figures
    rows = catalogue.rows
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
        area="",
        # a bare table does not say from when on it holds
        span=Span(date.min),
        source=catalogue.file,
        confidence=cast(Confidence, catalogue.confidence),
    )
    return from_columns(head, columns, where=lambda row, _: rows[row].where)


def _text(number: Decimal | None) -> str:
    return "" if number is None else format(number, "f")


def _column(table: WeightTable, name: str) -> tuple[Decimal | None, ...]:
    numbers = table.numbers[name]
    return tuple(numbers.decimal(row) for row in range(len(table)))
