"""Sheets of a bureau's catalogue -> Published, or every reason why it cannot be used, at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

from grouper.errors import Issue, SchemeError
from grouper.scheme.dip import Catalogue, CatalogueRow, Figures, Published
from grouper.scheme.dip_dialect import Dialect, clean_header, dialect_of, dialects
from grouper.scheme.dip_lint import check_catalogue
from grouper.scheme.dip_rows import Reading, read_rows
from grouper.sheet import Grid

#: rows in which the headers are looked for
_TOP = 10


def load_catalogue(grids: Sequence[Grid], *, digest: str) -> Published:
    """The catalogue in the sheets of a file.

    Sheets of several known forms (目录, 中间结果) are put together: the first form gives the rows,
    the others further rows and missing figures. Raises SchemeError with every error (SE51 to SE58).
    """
    readings = _recognized(grids)
    for reading in readings:
        read_rows(reading)
    rows, figures, repeated = _joined(readings)
    file = grids[0].file
    first = readings[0].dialect
    catalogue = Catalogue(
        id=file.rpartition(".")[0] or file,
        title=first.title,
        file=file,
        digest=digest,
        confidence=first.confidence,
        rows=tuple(rows),
        excluded_dx=frozenset().union(*(one.excluded_dx for one in readings)),
        excluded_ops={k: v for one in readings for k, v in one.excluded_ops.items()},
        primary=frozenset().union(*(one.primary for one in readings)),
    )
    found = [issue for one in readings for issue in one.issues] + repeated
    found += check_catalogue(Published(catalogue, figures), scores=first.scores)
    errors = [issue for issue in found if issue.severity == "error"]
    if errors:
        raise SchemeError.of(errors)
    return Published(replace(catalogue, issues=tuple(found)), figures)


def _recognized(grids: Sequence[Grid]) -> list[Reading]:
    """The sheets of a known form, those that say most of operations first."""
    found: list[Reading] = []
    for grid in grids:
        for top, cells in enumerate(grid.rows[:_TOP]):
            # of equal headers the first counts
            headers = {clean_header(text): at for at, text in reversed(list(enumerate(cells)))}
            dialect = dialect_of(headers)
            if dialect is not None:
                found.append(Reading(grid, dialect, _columns(dialect, headers), top))
                break
    if not found:
        file = grids[0].file if grids else ""
        shown = next((row for grid in grids for row in grid.rows), ())
        known = "; ".join(f"{one.id} ({', '.join(one.requires)})" for one in dialects())
        raise SchemeError("SE51", file, headers=", ".join(shown[:_TOP]), known=known)
    return sorted(found, key=lambda one: "main_ops" not in one.columns)


def _columns(dialect: Dialect, headers: Mapping[str, int]) -> dict[str, int]:
    wanted = {**dialect.columns, **{f"={s.score}": (s.score,) for s in dialect.splits}}
    wanted |= {f"only:{name}": (name,) for name in dialect.only}
    found = {}
    for name, texts in wanted.items():
        at = next((headers[h] for text in texts if (h := clean_header(text)) in headers), None)
        if at is not None:
            found[name] = at
    return found


def _joined(
    readings: Sequence[Reading],
) -> tuple[list[CatalogueRow], tuple[Figures, ...], list[Issue]]:
    """The rows of all sheets, one a code; within a sheet a repeated code is an error (SE53)."""
    found: dict[str, CatalogueRow] = {}
    figures: dict[str, Figures] = {}
    issues = []
    for reading in readings:
        seen: dict[str, str] = {}
        for row, printed in zip(reading.rows, reading.figures, strict=True):
            if row.code in seen:
                params = {"code": row.code, "other": seen[row.code]}
                issues.append(Issue("SE53", row.where, params))
                continue
            seen[row.code] = row.where
            found.setdefault(row.code, row)
            figures[row.code] = _filled(figures.get(row.code, Figures()), printed)
    return list(found.values()), tuple(figures.values()), issues


def _filled(known: Figures, more: Figures) -> Figures:
    """Figures with those of another sheet where there are none."""
    names = [one.name for one in fields(Figures) if getattr(known, one.name) is None]
    return replace(known, **{name: getattr(more, name) for name in names})
