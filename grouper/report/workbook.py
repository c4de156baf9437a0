"""The report as an Excel workbook: codes are text, money are numbers, charts are Excel's own.

The bytes depend on the data alone: the creation date of the file is fixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from grouper.report.book import GRID, WIDEST, Book, Cell, Column, Kind
from grouper.report.charts import BLACK, BLUE, MOST_BARS, MOST_GROUPS, SKY
from grouper.report.data import ReportData, Statement, StatementLine, line_titles, sum_statements
from grouper.report.forms import Form, FormLine, put_forms
from grouper.report.words import SIGNS, share_bp


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
        book.forms()
    if data.groups:
        book.groups()
    book.close()
    return target.getvalue()


class _Book(Book):
    """A workbook being written; one method a sheet."""

    def __init__(self, target: BytesIO, data: ReportData) -> None:
        super().__init__(target, data.lang, title=data.title, program=data.program)
        self.data = data

    def notes(self) -> None:
        """What the report rests on: program, scheme, policy, counts, lines and notes."""
        words, data = self.words, self.data
        warning = words("page.demo") if data.origin == "invented" else ""
        self.notes_sheet(data.title, self._facts(), warning=warning)

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
            self.wrap(sheet, row, {3: one.text, 4: one.remedy}, {3: WIDEST, 4: WIDEST})
        sheet.set_column(3, 4, WIDEST)

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
        chart.set_y_axis({"min": 0, "max": 1, "num_format": "0%", "major_gridlines": GRID})
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

    def forms(self) -> None:
        """Every statement as a page to print and sign."""
        put_forms(self, "month_forms", [self._form(one) for one in self.data.statements])

    def _form(self, one: Statement) -> Form:
        words, data = self.words, self.data
        hospital = " ".join(filter(None, (one.hospital, one.hospital_name)))
        facts = [
            (words("form.area"), data.area),
            (words("form.period"), one.month),
            (words("form.hospital"), hospital),
            (words("form.insurance"), one.insurance),
        ]
        if one.place:
            facts.append((words("form.place"), one.place))
        lines = [
            FormLine(line.id, line.label, line.amount, line.unit, line.formula)
            for line in one.lines
        ]
        notes = [
            words(
                "form.confidence",
                what=basis.label,
                value=basis.value,
                mark=words(f"confidence.{basis.confidence}"),
            )
            for basis in data.basis
            if basis.confidence
        ]
        notes.append(words("form.weakest", mark=words(f"confidence.{data.confidence}")))
        mark = words("page.demo") if data.origin == "invented" else ""
        return Form(words("form.month"), mark, tuple(facts), tuple(lines), tuple(notes))

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
        chart.set_y_axis({"num_format": "#,##0", "major_gridlines": GRID})
        sheet.insert_chart(1, len(columns) + 1, chart, {"x_scale": 1.7, "y_scale": 1.5})


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
