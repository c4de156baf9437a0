"""The sheets of a file that a map speaks of, and where their headers stand."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from grouper.errors import Issue, WeightError
from grouper.sheet import Grid, column_number
from weights.cells import header_text, matches
from weights.maps import SHEET, ColumnMap

#: rows looked at to find the header, and how many rows one may have
_TOP = 60
_DEEPEST = 3


def chosen(grids: Sequence[Grid], by: ColumnMap) -> list[Grid]:
    """The sheets a map names (`*` = every one); unnamed, the first one with all its headers."""
    if by.sheets:
        found = [grid for grid in grids if matches(grid.title, by.sheets)]
        lost = [name for name in by.sheets if not any(matches(g.title, (name,)) for g in grids)]
        if lost or not found:
            near = ", ".join(grid.title for grid in grids)
            params = {"header": ", ".join(lost), "problem": "sheet", "near": near}
            raise WeightError("WT117", f"{by.name}: sheet.name", **params)
        return found
    filled = [grid for grid in grids if grid.rows]
    whole = [grid for grid in filled if not find_header(grid, by)[2]]
    return (whole or filled or list(grids))[:1]


def parts(grid: Grid, by: ColumnMap) -> Iterator[tuple[str, Grid]]:
    """The tables that stand side by side in a sheet, each with its title; usually the one."""
    if not by.parts:
        yield grid.title, grid
    for part in by.parts:
        # what stands elsewhere is emptied, not cut off: places and letters stay those of the file
        rows = tuple(
            tuple(cell if part.first <= at <= part.last else "" for at, cell in enumerate(row))
            for row in grid.rows
        )
        yield part.title or grid.title, replace(grid, rows=rows)


def find_header(grid: Grid, by: ColumnMap) -> tuple[int, Sequence[str], list[str]]:
    """(first row below it, headers of the columns, headers of the map that are not among them).

    The first rows that together have every header the map names, else those that have most.
    """
    wanted = [header_text(name) for name in by.headers()]
    if not wanted:
        return 0, (), []
    best: tuple[int, Sequence[str], list[str]] = (0, (), list(wanted))
    depths = (by.header_rows,) if by.header_rows else range(1, _DEEPEST + 1)
    for depth in depths:
        for start in range(min(_TOP, len(grid.rows) - depth + 1)):
            headers = joined(grid.rows[start : start + depth])
            lost = [name for name in wanted if name not in headers]
            if len(lost) < len(best[2]):
                best = (start + depth, headers, lost)
            if not lost:
                return best
    return best


def joined(rows: Sequence[Sequence[str]]) -> list[str]:
    """The headers of columns whose header has several rows: "系数" over "三级" is "系数-三级".

    A cell of an upper row holds for the empty ones to its right, as far as they have something
    below.
    """
    width = max(map(len, rows))
    texts = [[header_text(cell) for cell in row] + [""] * (width - len(row)) for row in rows]
    # from below: what stands under a cell may itself have come from its left
    for upper, lower in reversed(list(pairwise(texts))):
        for at in range(1, width):
            if not upper[at] and lower[at]:
                upper[at] = upper[at - 1]
    columns = zip(*texts, strict=True)
    return ["-".join(dict.fromkeys(part for part in column if part)) for column in columns]


class Sheet:
    """A sheet with its header: cells by the name of their column."""

    def __init__(self, title: str, grid: Grid, by: ColumnMap) -> None:
        self.title = title
        self.grid = grid
        self.start, headers, lost = find_header(grid, by)
        issues = [_issue(grid, name, "missing", headers) for name in lost]
        wanted = {header_text(name): name for name in by.headers()}
        issues += [
            _issue(grid, name, "twice", ())
            for name in wanted
            if sum(header == name for header in headers) > 1
        ]
        width = max(map(len, grid.rows), default=0)
        issues += [
            _issue(grid, letter, "missing", headers)
            for letter in by.letters()
            if self.column(letter) >= width
        ]
        if issues:
            raise WeightError.of(issues)
        self._header = [header_text(cell) for cell in grid.rows[self.start - 1]] if headers else []
        self._columns = {name: headers.index(key) for key, name in wanted.items()}
        first = next((at for at, header in enumerate(headers) if header), 0)
        self.place = grid.where(max(self.start - 1, 0), first)

    def body(self) -> range:
        """The rows below the header."""
        return range(self.start, len(self.grid.rows))

    def column(self, header: str) -> int:
        """The position of a column by its header, or by its letter (`@C`)."""
        if not header.startswith("@"):
            return self._columns[header]
        return column_number(header[1:])

    def cell(self, row: int, header: str) -> str:
        """The text of a cell; beyond the end of a row there is nothing."""
        if header == SHEET:
            return self.title
        cells, at = self.grid.rows[row], self.column(header)
        return cells[at] if 0 <= at < len(cells) else ""

    def where(self, row: int, header: str) -> str:
        """The place of a cell; a row that has nothing under the header is named by its first."""
        at = self.column(header) if header and header != SHEET else 0
        return self.grid.where(row, at)

    def first(self, row: int) -> str:
        """The first text of a row."""
        return next((cell for cell in self.grid.rows[row] if cell), "")

    def is_header(self, row: int) -> bool:
        """Whether a row repeats the header, as long printed tables do."""
        cells = [header_text(cell) for cell in self.grid.rows[row]]
        return bool(self._header) and cells == self._header


def _issue(grid: Grid, name: str, problem: str, headers: Sequence[str]) -> Issue:
    near = difflib.get_close_matches(name, [h for h in headers if h], 3, 0.3)
    where = f"{grid.file}:{grid.title}".rstrip(":")
    shown = ", ".join(near or [h for h in headers if h][:10]) or "-"
    return Issue("WT117", where, {"header": name, "problem": problem, "near": shown})
