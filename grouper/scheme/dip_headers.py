"""Which rows of a sheet hold the headers, and which column holds which field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from grouper.errors import Issue, SchemeError
from grouper.scheme.dip import is_dx_key
from grouper.scheme.dip_dialect import (
    Dialect,
    Workbook,
    clean_header,
    column,
    dialects,
    is_form,
    official_workbook,
)
from grouper.scheme.dip_operations import is_operation, operation
from grouper.scheme.dip_reading import Reading, words
from grouper.sheet import Grid

#: rows in which headers are looked for
_TOP = 20
#: headers may take two rows: 主要诊断 above 编码 and 名称
_ROWS = (1, 2)
#: names that stand right of the codes they name
_NAMES = {
    "dx_key": "dx_name",
    "main_ops": "main_name",
    "related_ops": "related_name",
    "other_dx": "other_name",
}


def recognized(grids: Sequence[Grid], own: Dialect | None = None) -> list[Reading]:
    """The sheets of a known form, those that say most of operations first.

    own: the one form that counts, the user's own. Raises SchemeError SE51 if there is no sheet.
    """
    known = (own,) if own else dialects()
    found = [one for one in (_reading(grid, known) for grid in grids) if one is not None]
    if not found:
        file = grids[0].file if grids else ""
        shown = next((row for grid in grids for row in grid.rows), ())
        forms = "; ".join(f"{one.id} ({', '.join(_known_by(one))})" for one in known)
        raise SchemeError("SE51", file, headers=", ".join(shown[:10]), known=forms)
    return sorted(found, key=lambda one: "main_ops" not in one.columns)


def _known_by(dialect: Dialect) -> list[str]:
    return [*dialect.requires, *(dialect.columns[name][0] for name in dialect.needed)]


def is_known_table(grid: Grid) -> bool:
    """Whether a sheet is a catalogue in a form that comes with the program."""
    return _reading(grid, dialects()) is not None


def official_sheets(titles: Sequence[str]) -> dict[str, str]:
    """The sheets of the official workbook among some titles: id -> title, in official order."""
    by_id: dict[str, str] = {}
    for title in titles:
        sheet = official_workbook().sheet_of(title)
        if sheet is not None:
            by_id.setdefault(sheet.id, title)
    return {one.id: by_id[one.id] for one in official_workbook().sheets if one.id in by_id}


def official(grids: Sequence[Grid]) -> list[Reading]:
    """The ten sheets of the official workbook, in its order.

    Raises SchemeError (SE73) with every sheet and column that is missing.
    """
    book, by_title = official_workbook(), {grid.title: grid for grid in grids}
    titles = official_sheets(list(by_title))
    found: list[Reading] = []
    issues: list[Issue] = []
    for sheet in book.sheets:
        grid = by_title.get(titles.get(sheet.id, ""))
        reading = _reading(grid, (sheet,)) if grid is not None else None
        if reading is None:
            issues.append(_missing(book, sheet, grid, list(by_title), grids[0].file))
        else:
            found.append(reading)
    if issues:
        raise SchemeError.of(issues)
    return found


def _missing(
    book: Workbook, sheet: Dialect, grid: Grid | None, titles: Sequence[str], file: str
) -> Issue:
    if grid is None:
        params = {"problem": "sheet", "text": sheet.part, "found": ", ".join(titles)}
        return Issue("SE73", file, params)
    best = max(_header_rows(grid), key=lambda one: len(_columns(sheet, one[1])), default=((0,), {}))
    lacking = [name for name in sheet.needed if column(sheet.columns[name], best[1]) is None]
    wanted = "; ".join(sheet.columns[name][0] for name in lacking)
    params = {"problem": "column", "text": wanted, "found": ", ".join(best[1]) or "-"}
    return Issue("SE73", f"{grid.file}:{grid.title}", params)


def _reading(grid: Grid, known: Sequence[Dialect]) -> Reading | None:
    for rows, headers in _header_rows(grid):
        dialect = next((one for one in known if is_form(one, headers)), None)
        if dialect is not None:
            rows = (*rows, *_second_rows(grid, rows[-1] + 1))
            return Reading(grid, dialect, _columns(dialect, headers), rows)
    return None


def _second_rows(grid: Grid, at: int) -> Iterator[int]:
    """Rows right below the headers that are headers too: 编码, 名称 and no figure."""
    known = set(words()["headers"])
    while at < len(grid.rows):
        texts = [clean_header(cell) for cell in grid.rows[at]]
        if not known.intersection(texts) or any(char.isdigit() for text in texts for char in text):
            return
        yield at
        at += 1


def _header_rows(grid: Grid) -> Iterator[tuple[tuple[int, ...], Mapping[str, int]]]:
    """Each row, and each two rows together, as headers: clean text -> column; the first counts."""
    for top in range(min(_TOP, len(grid.rows))):
        if top and any(map(_looks_like_code, grid.rows[top - 1])):
            # what stands below is data with headers once more, not a title above the first ones
            return
        for n in _ROWS:
            rows = tuple(range(top, min(top + n, len(grid.rows))))
            texts = _composite([grid.rows[row] for row in rows])
            yield rows, {text: at for at, text in reversed(list(enumerate(texts)))}


def _looks_like_code(text: str) -> bool:
    token = operation(text)
    return is_operation(token) or (len(token) > 1 and token != "*" and is_dx_key(token))


def _composite(rows: Sequence[Sequence[str]]) -> list[str]:
    """The headers of a column, one below the other: 主要诊断 and 编码 are 主要诊断编码."""
    texts = []
    for at in range(max(map(len, rows), default=0)):
        text = ""
        for row in rows:
            part = clean_header(row[at]) if at < len(row) else ""
            # cells joined downwards, or a lower header that says all, are not said twice
            text = part if text and part.startswith(text) else text + part
        texts.append(text)
    return texts


def _columns(dialect: Dialect, headers: Mapping[str, int]) -> dict[str, int]:
    wanted = {**dialect.columns, **{f"={s.score}": (s.score,) for s in dialect.splits}}
    wanted |= {f"only:{name}": (name,) for name in dialect.only}
    places = {name: column(texts, headers) for name, texts in wanted.items()}
    found = {name: at for name, at in places.items() if at is not None}
    if dialect.part:
        found |= _names(found)
    return found


def _names(columns: Mapping[str, int]) -> dict[str, int]:
    """The official workbook has the name right of each code, under a header that all share."""
    taken = set(columns.values())
    return {
        name: columns[code] + 1
        for code, name in _NAMES.items()
        if code in columns and columns[code] + 1 not in taken
    }
