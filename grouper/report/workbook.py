"""The report as an Excel workbook: codes are text, money are numbers, charts are Excel's own.

The bytes depend on the data alone: the creation date of the file is fixed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import Any, Literal

import xlsxwriter

from grouper.money import yuan_decimal
from grouper.report.charts import BLACK, BLUE, MOST_BARS, MOST_GROUPS, SKY
from grouper.report.data import ReportData, Statement, StatementLine, line_titles, sum_statements
from grouper.report.words import SIGNS, Words, share_bp

_CREATED = datetime(2000, 1, 1)
#: what Excel can hold in a cell
_LONGEST = 32_767
_NARROWEST, _WIDEST = 8, 60
#: height of a line of text in points; a header has two
_LINE = 16

Kind = Literal["text", "fen", "count", "percent"]
Cell = str | int | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a sheet: its title and what its cells are.

    text: str; fen: int, written in yuan; count: int; percent: int in hundredths of a percent.
    """

    title: str
    kind: Kind = "text"


def render_workbook(data: ReportData) -> bytes:
    """The workbook file; the same data give the same bytes."""
    target = BytesIO()
    book = _Book(target, data)
    book.notes()
    book.summary()
    if data.coverage:
        book.coverage()
    if data.statements:
        book.statements()
    if data.groups:
        book.groups()
    book.close()
    return target.getvalue()


class _Book:
    """A workbook being written; one method a sheet."""

    def __init__(self, target: BytesIO, data: ReportData) -> None:
        self.data = data
        self.words = Words(data.lang)
        self.file = xlsxwriter.Workbook(
            target, {"in_memory": True, "strings_to_urls": False, "strings_to_formulas": False}
        )
        self.file.set_properties(
            {"title": data.title, "comments": data.program, "created": _CREATED}
        )
        self.formats = {
            (kind, weight): self.file.add_format(_look(kind, weight))
            for kind in ("text", "fen", "count", "percent")
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
        self.file.close()

    def notes(self) -> None:
        """What the report rests on: program, scheme, policy, counts, lines and notes."""
        words, data = self.words, self.data
        sheet = self.sheet("notes")
        for column, width in enumerate(_NOTES):
            sheet.set_column(column, column, width)
        self.put(sheet, 0, 0, data.title, "text", self.title)
        if data.origin == "invented":
            self.put(sheet, 1, 0, words("page.demo"), "text", self.warning)
        titles = [words("page.item"), words("page.value"), words("page.mark")]
        for column, title in enumerate(titles):
            self.put(sheet, 3, column, title, "text", self.header)
        for row, cells in enumerate(self._facts(), 4):
            self.wrap(sheet, row, dict(enumerate(cells)), dict(enumerate(_NOTES)))

    def _facts(self) -> list[tuple[str, ...]]:
        words, data = self.words, self.data
        facts: list[tuple[str, ...]] = [(words("page.program"), data.program)]
        if data.made:
            facts.append((words("page.made"), data.made))
        facts.append((words("page.confidence"), words(f"confidence.{data.confidence}")))
        facts += [
            (one.label, one.value, words(f"confidence.{one.confidence}") if one.confidence else "")
            for one in data.basis
        ]
        facts.append((words("page.rows_in"), str(data.total)))
        facts += [(words(f"status.{one.status}"), str(one.count)) for one in data.counts]
        facts += [
            (f"{line.id} {line.label}", line.formula) for line in line_titles(data.statements)
        ]
        if data.coverage:
            facts.append((words("page.coverage"), words("page.coverage_lead")))
        facts += [(words("page.notes"), note) for note in data.notes]
        return facts

    def summary(self) -> None:
        """Cases by status, and the commonest problems below."""
        words, data = self.words, self.data
        columns = [
            Column(words("column.outcome")),
            Column(words("column.count"), "count"),
            Column(words("column.share"), "percent"),
        ]
        rows: list[list[Cell]] = [
            [words(f"status.{one.status}"), one.count, share_bp(one.count, data.total)]
            for one in data.counts
        ]
        total: list[Cell] = [words("page.total"), data.total, share_bp(data.total, data.total)]
        sheet = self.table("summary", columns, rows, [total])
        if not data.problems:
            return
        top = len(rows) + 4
        titles = ("page.code", "page.times", "", "page.problem", "page.remedy")
        for column, key in enumerate(titles):
            look = self.number_header if key == "page.times" else self.header
            self.put(sheet, top, column, words(key) if key else "", "text", look)
        for row, one in enumerate(data.problems, top + 1):
            self.put(sheet, row, 0, one.code, "text")
            self.put(sheet, row, 1, one.count, "count")
            self.wrap(sheet, row, {3: one.text, 4: one.remedy}, {3: _WIDEST, 4: _WIDEST})
        sheet.set_column(3, 4, _WIDEST)

    def coverage(self) -> None:
        """Shares against targets; numerator and denominator in yuan or as counts."""
        words = self.words
        columns = [
            Column(words("column.measure")),
            Column(words("column.dimension")),
            Column(words("column.period")),
            Column(words("column.ratio"), "percent"),
            Column(words("column.target"), "percent"),
            Column(words("column.status")),
            Column(words("column.gap"), "count"),
            Column(words("column.num"), "count"),
            Column(words("column.den"), "count"),
            Column(words("column.unit")),
            Column(words("column.due")),
            Column(words("column.document")),
            Column(words("column.confidence")),
        ]
        rows: list[list[Cell]] = []
        kinds: list[Kind] = []
        for row in self.data.coverage:
            target = row.target
            rows.append(
                [
                    words(f"measure.{row.measure}"),
                    words.coverage_place(row),
                    row.period,
                    row.ratio_bp,
                    row.target_bp,
                    f"{SIGNS[row.status]} {words(f'verdict.{row.status}')}",
                    row.gap,
                    row.num,
                    row.den,
                    words(f"unit.{row.measure}"),
                    words.due(row),
                    "" if target is None else target.number,
                    "" if target is None else words(f"confidence.{target.confidence}"),
                ]
            )
            kinds.append("fen" if row.unit == "yuan" else "count")
        sheet = self.table("coverage", columns, rows, amounts={6: kinds, 7: kinds, 8: kinds})
        last = min(len(rows), MOST_BARS)
        chart = self.column_chart("coverage", [(3, BLUE)], last, (0, 1))
        marks = self.file.add_chart({"type": "line"})
        marks.add_series(
            self.series("coverage", 4, last, (0, 1))
            | {
                "line": {"none": True},
                "marker": {
                    "type": "long_dash",
                    "size": 14,
                    "fill": {"color": BLACK},
                    "border": {"color": BLACK},
                },
            }
        )
        chart.combine(marks)
        chart.set_title({"name": words("page.coverage_chart"), "name_font": {"size": 13}})
        chart.set_y_axis({"min": 0, "max": 1, "num_format": "0%", "major_gridlines": _GRID})
        sheet.insert_chart(len(rows) + 3, 0, chart, {"x_scale": 2.2, "y_scale": 1.5})

    def statements(self) -> None:
        """One row for each statement, all its lines as columns, totals at the foot."""
        words = self.words
        lines = line_titles(self.data.statements)
        with_place = any(one.place for one in self.data.statements)
        columns = [
            Column(words("column.hospital")),
            Column(words("column.hospital_name")),
            Column(words("column.insurance")),
            Column(words("column.month")),
            *([Column(words("column.place"))] if with_place else []),
            *(
                Column(f"{line.id} {line.label}", "count" if line.unit == "count" else "fen")
                for line in lines
            ),
        ]
        totals = sum_statements(self.data.statements, label=words("page.total"))
        rows, feet = (
            [_statement_cells(one, lines, with_place) for one in part]
            for part in (self.data.statements, totals)
        )
        self.table("statements", columns, rows, feet)

    def groups(self) -> None:
        """Every group, the dearest first."""
        words = self.words
        columns = [
            Column(words("column.group")),
            Column(words("column.group_name")),
            Column(words("column.cases"), "count"),
            Column(words("column.cost"), "fen"),
            Column(words("column.standard"), "fen"),
            Column(words("column.difference"), "fen"),
        ]
        groups = self.data.groups_by_cost
        rows: list[list[Cell]] = [
            [g.code, g.name, g.cases, g.cost_fen, g.standard_fen, g.difference_fen] for g in groups
        ]
        sheet = self.table("groups", columns, rows)
        last = min(len(rows), MOST_GROUPS)
        chart = self.column_chart("groups", [(3, BLUE), (4, SKY)], last, (0, 0))
        chart.set_title({"name": words("page.groups_chart"), "name_font": {"size": 13}})
        chart.set_y_axis({"num_format": "#,##0", "major_gridlines": _GRID})
        sheet.insert_chart(1, len(columns) + 1, chart, {"x_scale": 1.7, "y_scale": 1.5})

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
        elif kind == "percent":
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


#: widths of the columns of the notes
_NOTES = (28, 90, 18)
_GRID = {"visible": True, "line": {"color": "#D9D9D9"}}


def _look(kind: str, weight: str) -> dict[str, object]:
    look: dict[str, object] = {
        "num_format": {"text": "@", "fen": "#,##0.00", "count": "#,##0", "percent": "0.00%"}[kind]
    }
    look |= {"valign": "top"} | ({"align": "left", "indent": 1} if kind == "text" else {})
    return look | ({"bold": True, "top": 1, "bg_color": "#F3F5F8"} if weight == "strong" else {})


def _statement_cells(
    statement: Statement, lines: Sequence[StatementLine], with_place: bool
) -> list[Cell]:
    amounts = {line.id: line.amount for line in statement.lines}
    place: list[Cell] = [statement.place] if with_place else []
    return [
        statement.hospital,
        statement.hospital_name,
        statement.insurance,
        statement.month,
        *place,
        *(amounts.get(line.id) for line in lines),
    ]


def _width(column: Column, cells: Sequence[Cell]) -> int:
    """The width that shows most cells whole; wide characters take two places."""
    longest = max((_places(cell, column.kind) for cell in cells), default=0)
    # a long title is broken into two lines rather than widening a narrow column
    words = [_places(word, "text") for word in column.title.split()]
    title = max((_places(column.title, "text") + 7) // 2, *words, 0) + 2
    return min(max(longest + 3, title, _NARROWEST), _WIDEST)


def _places(cell: Cell, kind: Kind) -> int:
    if cell is None:
        return 0
    if isinstance(cell, int):
        digits = len(str(abs(cell)))
        return digits + digits // 3 + (2 if kind != "percent" else 3) + (cell < 0)
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in cell)
