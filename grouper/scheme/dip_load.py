"""Sheets of a bureau's catalogue -> Published, or every reason why it cannot be used, at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields, replace

from grouper.errors import Issue, SchemeError
from grouper.scheme.dip import Catalogue, CatalogueHead, CatalogueRow, Figures, Published
from grouper.scheme.dip_dialect import Dialect, official_workbook
from grouper.scheme.dip_headers import official, recognized
from grouper.scheme.dip_lint import check_catalogue
from grouper.scheme.dip_map import Short
from grouper.scheme.dip_reading import Reading
from grouper.scheme.dip_rows import read_rows
from grouper.sheet import Grid


def load_catalogue(
    grids: Sequence[Grid],
    *,
    digest: str,
    dialect: Dialect | None = None,
    short: Short = "repaired",
) -> Published:
    """The catalogue in the sheets of a file.

    Sheets of several known forms (目录, 中间结果) are put together: the first form gives the rows,
    the others further rows and missing figures. dialect: the one form that counts; short: `kept`
    where codes that are none are no mistakes. Raises SchemeError with every error (SE51 to SE58,
    SE74, SE75).
    """
    readings = recognized(grids, dialect)
    if short == "kept":
        for reading in readings:
            reading.dialect = replace(reading.dialect, short=short)
    found, issues = read_sheets(readings, digest)
    if found.catalogue.is_layered:
        found = _by_number(found)
    return checked(found, issues)


def load_official(grids: Sequence[Grid], *, digest: str) -> Published:
    """The catalogue in the official workbook of version 3.0. Raises SchemeError, also SE73."""
    book = official_workbook()
    found, issues = read_sheets(official(grids), digest)
    found = _by_number(found)
    catalogue = replace(
        found.catalogue,
        title=book.title,
        head=replace(found.catalogue.head, source=book.document),
    )
    counts = Counter(row.layer for row in catalogue.rows)
    for layer, n in book.counts.items():
        if counts[layer] != n:
            params = {"problem": layer, "text": counts[layer], "published": n}
            issues.append(Issue("SW77", catalogue.file, params))
    return checked(replace(found, catalogue=catalogue), issues)


def _by_number(found: Published) -> Published:
    """The groups of layers by their number: the lowest goes first, wherever its row stands.

    Rows that no layer has, the local ones, follow as they stand.
    """
    pairs = sorted(
        zip(found.catalogue.rows, found.figures, strict=True), key=lambda pair: _number(pair[0])
    )
    catalogue = replace(found.catalogue, rows=tuple(row for row, _ in pairs))
    return Published(catalogue, tuple(figures for _, figures in pairs))


def _number(row: CatalogueRow) -> tuple[bool, int]:
    """The number that version 3.0 gives a group, through all layers; local rows behind them."""
    digits = row.code.rpartition("-")[2]
    return not row.layer, int(digits) if row.layer and digits.isdecimal() else 0


def read_sheets(readings: Sequence[Reading], digest: str) -> tuple[Published, list[Issue]]:
    """The rows of all sheets as one catalogue, unchecked, and what is wrong with single cells."""
    for reading in readings:
        read_rows(reading)
    rows, figures, repeated = _joined(readings)
    file, first = readings[0].grid.file, readings[0].dialect
    name = file.rpartition(".")[0] or file
    catalogue = Catalogue(
        id=name,
        title=first.title or name,
        file=file,
        digest=digest,
        confidence=first.confidence,
        rows=tuple(rows),
        excluded_dx=frozenset().union(*(one.excluded_dx for one in readings)),
        excluded_ops={k: v for one in readings for k, v in one.excluded_ops.items()},
        primary=frozenset().union(*(one.primary for one in readings)),
        resistant_dx=frozenset().union(*(one.resistant_dx for one in readings)),
        head=CatalogueHead(scores="none" if _is_unscored(readings) else first.scores),
    )
    issues = [issue for one in readings for issue in one.issues] + repeated
    return Published(catalogue, figures), issues


def _is_unscored(readings: Sequence[Reading]) -> bool:
    """Whether rows of layers have no score at all: the national scheme leaves them to areas."""
    return any(row.layer for one in readings for row in one.rows) and not any(
        printed.score is not None for one in readings for printed in one.figures
    )


def checked(published: Published, found: Sequence[Issue] = ()) -> Published:
    """A catalogue with its warnings. Raises SchemeError with every error."""
    issues = [*found, *check_catalogue(published)]
    errors = [issue for issue in issues if issue.severity == "error"]
    if errors:
        raise SchemeError.of(errors)
    return replace(published, catalogue=replace(published.catalogue, issues=tuple(issues)))


def _joined(
    readings: Sequence[Reading],
) -> tuple[list[CatalogueRow], tuple[Figures, ...], list[Issue]]:
    """The rows of all sheets, one a code.

    A code twice in a sheet, or in two of the official workbook, is an error (SE53); another score
    in another sheet a warning (SW75), the first counts.
    """
    found: dict[str, CatalogueRow] = {}
    figures: dict[str, Figures] = {}
    issues = []
    seen: dict[tuple[str, str], str] = {}
    for number, reading in enumerate(readings):
        apart = "" if reading.dialect.part else str(number)
        for row, printed in zip(reading.rows, reading.figures, strict=True):
            if (apart, row.code) in seen:
                params = {"code": row.code, "other": seen[apart, row.code]}
                issues.append(Issue("SE53", row.where, params))
                continue
            seen[apart, row.code] = row.where
            found.setdefault(row.code, row)
            known = figures.get(row.code, Figures())
            figures[row.code] = _filled(known, printed)
            if None not in (known.score, printed.score) and known.score != printed.score:
                scores = {"score": printed.score, "other": known.score}
                issues.append(Issue("SW75", row.where, {"code": row.code, **scores}))
    return list(found.values()), tuple(figures.values()), issues


def _filled(known: Figures, more: Figures) -> Figures:
    """Figures with those of another sheet where there are none."""
    names = [one.name for one in fields(Figures) if getattr(known, one.name) is None]
    return replace(known, **{name: getattr(more, name) for name in names})
