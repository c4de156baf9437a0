"""Sheets as all our workbooks have them: codes are text, money are numbers, headers are frozen.

The bytes depend on the data alone: the creation date of the file is fixed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import Any, Literal, get_args

import xlsxwriter

from grouper.errors import Lang
from grouper.money import yuan_decimal
from grouper.report.words import Words

_CREATED = datetime(2000, 1, 1)
#: what Excel can hold in a cell
_LONGEST = 32_767
_NARROWEST, WIDEST = 8, 60
#: height of a line of text in points; a header has two
_LINE = 16

#: widths of the columns of the notes
NOTES = (28, 90, 18)
GRID = {"visible": True, "line": {"color": "#D9D9D9"}}

Kind = Literal["text", "fen", "count", "percent", "ratio"]
Cell = str | int | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a sheet: its title and what its cells are.

    text: str; fen: int, written in yuan; count: int; percent: int in hundredths of a percent;
    ratio: int in 1/10000.
    """

    title: str
    kind: Kind = "text"


class Book:
    """A workbook being written, in the words of one language."""

    def __init__(self, target: BytesIO, lang: Lang, *, title: str, program: str) -> None:
        self.words = Words(lang)
        self.file = xlsxwriter.Workbook(
            target, {"in_memory": True, "strings_to_urls": False, "strings_to_formulas": False}
        )
        self.file.set_properties({"title": title, "comments": program, "created": _CREATED})
        self.formats = {
            (kind, weight): self.file.add_format(_look(kind, weight))
            for kind in get_args(Kind)
            for weight in ("plain", "strong")
        }
        head = {"bold": True, "bg_color": "#E8ECF2", "bottom": 1, "text_wrap": True}
        self.header = self.file.add_format(
            head | {"valign": "vcenter", "align": "left", "indent": 1}
        )
        self.number_header = self.file.add_format(head | {"valign": "vcenter", "align": "right"})
        self.title = self.file.add_format({"bold": True, "font_size": 14})
        self.warning = self.file.add_format({"bold": True, "font_color": "#B34700"})
        self.wrapped = self.file.add_format(
            {"text_wrap": True, "valign": "top", "align": "left", "indent": 1}
        )

    def close(self) -> None:
        """Finish the file."""
        self.file.close()

    def notes_sheet(
        self, title: str, facts: Sequence[tuple[str, ...]], *, warning: str = ""
    ) -> None:
        """The sheet of what a workbook rests on: item, value and, where given, its confidence."""
        words, widths = self.words, dict(enumerate(NOTES))
        sheet = self.sheet("notes")
        for column, width in widths.items():
            sheet.set_column(column, column, width)
        self.put(sheet, 0, 0, title, "text", self.title)
        if warning:
            self.put(sheet, 1, 0, warning, "text", self.warning)
        wide = max(map(len, facts), default=0)
        for column, key in enumerate(("page.item", "page.value", "page.mark")[:wide]):
            self.put(sheet, 3, column, words(key), "text", self.header)
        for row, cells in enumerate(facts, 4):
            self.wrap(sheet, row, dict(enumerate(cells)), widths)

    def sheet(self, name: str) -> Any:
        """A new sheet, landscape and as wide as one page when printed."""
        sheet = self.file.add_worksheet(self.words(f"sheet.{name}"))
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&C&P / &N")
        return sheet

    def table(
        self,
        name: str,
        columns: Sequence[Column],
        rows: Sequence[Sequence[Cell]],
        totals: Sequence[Sequence[Cell]] = (),
        *,
        amounts: dict[int, list[Kind]] | None = None,
    ) -> Any:
        """A sheet with a frozen header and a table; `amounts`: columns whose kind varies by row."""
        sheet = self.sheet(name)
        sheet.set_row(0, 2 * _LINE)
        for number, column in enumerate(columns):
            look = self.header if column.kind == "text" else self.number_header
            self.put(sheet, 0, number, column.title, "text", look)
        for row, cells in enumerate(rows, 1):
            for number, (column, cell) in enumerate(zip(columns, cells, strict=True)):
                kind = amounts[number][row - 1] if amounts and number in amounts else column.kind
                self.put(sheet, row, number, cell, kind)
        for row, cells in enumerate(totals, len(rows) + 1):
            for number, (column, cell) in enumerate(zip(columns, cells, strict=True)):
                self.put(sheet, row, number, cell, column.kind, self.formats[column.kind, "strong"])
        for number, column in enumerate(columns):
            cells = [line[number] for line in (*rows, *totals)]
            sheet.set_column(number, number, _width(column, cells))
        sheet.freeze_panes(1, 1)
        sheet.repeat_rows(0)
        if rows:
            sheet.autofilter(0, 0, len(rows), len(columns) - 1)
        return sheet

    def put(
        self, sheet: Any, row: int, column: int, value: Cell, kind: Kind, look: Any = None
    ) -> None:
        """One cell: text stays text whatever it looks like, an unknown number stays empty."""
        look = look or self.formats[kind, "plain"]
        if value is None or value == "":
            sheet.write_blank(row, column, None, look)
        elif isinstance(value, str):
            sheet.write_string(row, column, value[:_LONGEST], look)
        elif kind == "fen":
            sheet.write_number(row, column, yuan_decimal(value), look)
        elif kind in ("percent", "ratio"):
            sheet.write_number(row, column, Decimal(value).scaleb(-4), look)
        else:
            sheet.write_number(row, column, value, look)

    def wrap(self, sheet: Any, row: int, texts: dict[int, str], widths: dict[int, int]) -> None:
        """Texts broken into lines, in a row high enough for them by the widths of their columns."""
        # not every program makes rows higher by itself
        lines = [-(-_places(text, "text") // (widths[k] - 3)) for k, text in texts.items()]
        sheet.set_row(row, _LINE * min(max(*lines, 1), 25))
        for column, text in texts.items():
            self.put(sheet, row, column, text, "text", self.wrapped)

    def column_chart(
        self, name: str, columns: Sequence[tuple[int, str]], last: int, labels: tuple[int, int]
    ) -> Any:
        """A chart of upright columns over the first `last` rows of a sheet."""
        chart = self.file.add_chart({"type": "column"})
        for column, colour in columns:
            chart.add_series(
                self.series(name, column, last, labels) | {"fill": {"color": colour}, "gap": 60}
            )
        chart.set_legend({"position": "bottom"})
        chart.set_x_axis({"num_font": {"size": 9}})
        return chart

    def series(
        self, name: str, column: int, last: int, labels: tuple[int, int]
    ) -> dict[str, object]:
        """The cells of one series: its name in the header, its labels in columns `labels`."""
        sheet = self.words(f"sheet.{name}")
        return {
            "name": [sheet, 0, column],
            "categories": [sheet, 1, labels[0], last, labels[1]],
            "values": [sheet, 1, column, last, column],
        }


_NUMBER_FORMATS = {
    "text": "@",
    "fen": "#,##0.00",
    "count": "#,##0",
    "percent": "0.00%",
    "ratio": "0.0000",
}


def _look(kind: str, weight: str) -> dict[str, object]:
    look: dict[str, object] = {"num_format": _NUMBER_FORMATS[kind]}
    look |= {"valign": "top"} | ({"align": "left", "indent": 1} if kind == "text" else {})
    return look | ({"bold": True, "top": 1, "bg_color": "#F3F5F8"} if weight == "strong" else {})


def _width(column: Column, cells: Sequence[Cell]) -> int:
    """The width that shows most cells whole; wide characters take two places."""
    longest = max((_places(cell, column.kind) for cell in cells), default=0)
    # a long title is broken into two lines rather than widening a narrow column
    words = [_places(word, "text") for word in column.title.split()]
    title = max((_places(column.title, "text") + 7) // 2, *words, 0) + 2
    return min(max(longest + 3, title, _NARROWEST), WIDEST)


def _places(cell: Cell, kind: Kind) -> int:
    if cell is None:
        return 0
    if isinstance(cell, int):
        digits = len(str(abs(cell)))
        return digits + digits // 3 + (2 if kind != "percent" else 3) + (cell < 0)
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in cell)
