"""The workbook of a comparison: every flow, every group, every value of every dimension."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from typing import Any

from grouper.engine.groups import Status
from grouper.money import round_half_up
from grouper.monitor.movement import KINDS, Breakdown, Flow
from grouper.report.book import GRID, WIDEST, Book, Cell, Column
from grouper.report.charts import BLUE, MOST_GROUPS
from grouper.report.comparison import ComparisonReport
from grouper.report.words import share_bp

#: rows of a sheet; what is more is said, and stands in the JSON
MOST_ROWS = 200_000


def render_comparison_book(report: ComparisonReport) -> bytes:
    """The workbook file; the same comparison gives the same bytes."""
    target = BytesIO()
    book = _ComparisonBook(target, report)
    book.notes()
    book.overview()
    book.flows()
    for name, parts in report.dimensions.items():
        book.breakdown(name, parts)
    book.samples()
    book.groups()
    for name, parts in report.dimensions.items():
        if name != "mdc":
            book.flows_by(name, parts)
    book.close()
    return target.getvalue()


class _ComparisonBook(Book):
    """One method a sheet."""

    def __init__(self, target: BytesIO, report: ComparisonReport) -> None:
        super().__init__(target, report.lang, title=report.title, program=report.program)
        self.report = report

    def notes(self) -> None:
        """What the comparison rests on and how to read it."""
        words, report = self.words, self.report
        is_draft = any(side.scheme.is_draft for _, side in report.sides())
        facts = [(words("page.program"), report.program), *report.basis()]
        facts += [(words("page.notes"), note) for note in report.notes()]
        warning = words("compare.note_draft") if is_draft else ""
        self.notes_sheet(report.title, facts, warning=warning)

    def overview(self) -> None:
        """How far cases move, then the figures of both sides."""
        words, whole = self.words, self.report.whole
        columns = [
            Column(words("compare.kinds")),
            Column(words("column.cases"), "count"),
            Column(words("column.share"), "percent"),
            Column(words("column.cost"), "fen"),
        ]
        cases = whole.totals["cases"]
        rows: list[list[Cell]] = []
        for kind in KINDS:
            part = whole.of_kind(kind)
            share = share_bp(part["cases"], cases)
            rows.append([words(f"move.{kind}"), part["cases"], share, part["cost"]])
        of_name = words("compare.of_name")
        recoded: list[Cell] = [of_name, whole.recoded, share_bp(whole.recoded, cases), None]
        total: list[Cell] = [words("page.total"), cases, share_bp(cases, cases)]
        sheet = self.table("cmp_overview", columns, rows, [[*total, whole.totals["cost"]], recoded])
        top = len(rows) + 5
        titles = ["", *self.report.scheme_names]
        for column, title in enumerate(titles):
            look = self.number_header if column else self.header
            self.put(sheet, top, column, title, "text", look)
        for row, (title, kind, values) in enumerate(self._both(), top + 1):
            self.put(sheet, row, 0, title, "text")
            for column, value in enumerate(values, 1):
                self.put(sheet, row, column, value, kind)
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 3, 18)
        self._chart(sheet, top + 12)

    def _chart(self, sheet: Any, row: int) -> None:
        """The largest flows, out of the sheet of all flows; a picture of ribbons is on the page."""
        last = min(len(self.report.movement.moves), MOST_GROUPS)
        if not last:
            return
        chart = self.column_chart("cmp_flows", [(6, BLUE)], last, (0, 2))
        chart.set_title({"name": self.words("compare.picture"), "name_font": {"size": 13}})
        chart.set_legend({"none": True})
        chart.set_y_axis({"num_format": "#,##0", "major_gridlines": GRID})
        sheet.insert_chart(row, 0, chart, {"x_scale": 1.6, "y_scale": 1.3})

    def _both(self) -> list[tuple[str, Any, list[Cell]]]:
        """Figures that both sides have."""
        report, words, whole = self.report, self.words, self.report.whole
        names = [name for name, _ in report.sides()]
        rows: list[tuple[str, Any, list[Cell]]] = [
            (words(f"status.{one.word}"), "count", [whole.status(n, one) for n in names])
            for one in Status
        ]
        rows.append(
            (words("compare.rate_grouped"), "percent", [report.rate_bp(whole, n) for n in names])
        )
        if report.is_weighed:
            rows.append(("CMI", "ratio", [report.cmi(whole, n) for n in names]))
            rows.append((words("compare.payment"), "fen", [whole.payment_fen(n) for n in names]))
        if report.is_priced_twice:
            difference: list[Cell] = [None, whole.payment_difference_fen]
            rows.append((words("compare.difference"), "fen", difference))
        return rows

    def flows(self) -> None:
        """Every flow, the largest first, unmoved cases among them."""
        flows = self.report.whole.flows
        moved = [flow for flow in flows if flow.kind != "same"]
        same = [flow for flow in flows if flow.kind == "same"]
        ordered = [*moved, *same]
        rows = [self._flow(flow) for flow in ordered[:MOST_ROWS]]
        sheet = self.table("cmp_flows", self._flow_columns(), rows)
        self._say_cut(sheet, len(ordered))

    def breakdown(self, name: str, parts: Sequence[Breakdown]) -> None:
        """One row for each hospital, department or MDC; the last row is all of them."""
        words, report = self.words, self.report
        columns = [
            Column(words(f"compare.by_{name}")),
            Column(words("column.name")),
            Column(words("column.cases"), "count"),
            Column(words("compare.moved"), "count"),
            Column(words("column.share"), "percent"),
            Column(words("column.cost"), "fen"),
            Column(words("compare.cost_moved"), "fen"),
            Column(words("compare.rate_from"), "percent"),
            Column(words("compare.rate_to"), "percent"),
        ]
        if report.is_weighed:
            columns += [Column(words(f"compare.cmi_{s}"), "ratio") for s, _ in report.sides()]
            columns += [Column(words(f"compare.payment_{s}"), "fen") for s, _ in report.sides()]
        if report.is_priced_twice:
            columns.append(Column(words("compare.difference"), "fen"))
        rows = [
            self._part(part, part.value or words("compare.no_value"), report.name(name, part))
            for part in parts
        ]
        total = self._part(report.whole, words("page.total"), "")
        self.table(f"cmp_{name}", columns, rows, [total])

    def _part(self, part: Breakdown, title: str, name: str) -> list[Cell]:
        report, names = self.report, [side for side, _ in self.report.sides()]
        moved = part.moved
        cells: list[Cell] = [
            title,
            name,
            part.totals["cases"],
            moved["cases"],
            share_bp(moved["cases"], part.totals["cases"]),
            part.totals["cost"],
            moved["cost"],
            *(report.rate_bp(part, side) for side in names),
        ]
        if report.is_weighed:
            cells += [report.cmi(part, side) for side in names]
            cells += [part.payment_fen(side) for side in names]
        if report.is_priced_twice:
            cells.append(part.payment_difference_fen)
        return cells

    def flows_by(self, name: str, parts: Sequence[Breakdown]) -> None:
        """The flows of each value of a dimension; they add up to the sheet of all flows."""
        columns = [Column(self.words(f"compare.by_{name}")), *self._flow_columns()]
        rows: list[list[Cell]] = []
        length = sum(len(part.flows) for part in parts)
        for part in parts:
            for flow in part.flows[: MOST_ROWS - len(rows)]:
                rows.append([part.value, *self._flow(flow)])
        sheet = self.table(f"cmp_flows_{name}", columns, rows)
        self._say_cut(sheet, length)

    def samples(self) -> None:
        """The first case of each of the largest flows with the rule that decides otherwise."""
        words, report = self.words, self.report
        columns = [
            Column(words("compare.from_code")),
            Column(words("compare.to_code")),
            Column(words("column.cases"), "count"),
            Column(words("compare.case")),
            Column(words("compare.where")),
            Column(words("compare.why")),
        ]
        samples = report.comparison.samples
        rows: list[list[Cell]] = [
            [
                report.label(sample.flow.before),
                report.label(sample.flow.after),
                sample.flow.totals["cases"],
                sample.case_id,
                sample.where,
                report.why(sample),
            ]
            for sample in samples
        ]
        sheet = self.table("cmp_samples", columns, rows)
        sheet.set_column(5, 5, 2 * WIDEST)
        for row, cells in enumerate(rows, 1):
            self.wrap(sheet, row, {5: str(cells[5])}, {5: 2 * WIDEST})

    def groups(self) -> None:
        """Every group code that has cases on either side."""
        words = self.words
        columns = [
            Column(words("column.group")),
            Column(words("compare.from_name")),
            Column(words("compare.to_name")),
            *(Column(name, "count") for name in self.report.scheme_names),
            *(Column(words(f"compare.{key}"), "count") for key in ("stay", "leave", "arrive")),
            Column(words("compare.remark")),
        ]
        rows: list[list[Cell]] = []
        for one in self.report.movement.groups():
            renamed = one.name_from and one.name_to and one.name_from != one.name_to
            remark = words("compare.renamed") if renamed else ""
            counts = [one.before, one.after, one.stay, one.leave, one.arrive]
            rows.append([one.code, one.name_from, one.name_to, *counts, remark])
        self.table("cmp_groups", columns, rows)

    def _flow_columns(self) -> list[Column]:
        words = self.words
        columns = [
            Column(words("compare.from_code")),
            Column(words("compare.from_name")),
            Column(words("compare.to_code")),
            Column(words("compare.to_name")),
            Column(words("compare.kinds")),
            Column(words("compare.remark")),
            Column(words("column.cases"), "count"),
            Column(words("column.cost"), "fen"),
        ]
        for name, side in self.report.sides():
            if side.worth:
                columns.append(Column(words(f"compare.weight_{name}"), "ratio"))
                columns.append(Column(words(f"compare.payment_{name}"), "fen"))
        return columns

    def _flow(self, flow: Flow) -> list[Cell]:
        words, totals = self.words, flow.totals
        remark = words("compare.recoded") if flow.recoded else ""
        cells: list[Cell] = [
            self.report.label(flow.before),
            flow.before.name,
            self.report.label(flow.after),
            flow.after.name,
            words(f"move.{flow.kind}"),
            words("compare.renamed") if flow.renamed else remark,
            totals["cases"],
            totals["cost"],
        ]
        for name, side in self.report.sides():
            if side.worth:
                known = totals[f"weight_{name}_known"]
                weight = Fraction(totals[f"weight_{name}"] * 10_000, 10**side.decimals)
                cells.append(round_half_up(weight) if known else None)
                paid = totals[f"payment_{name}_known"]
                cells.append(totals[f"payment_{name}"] if paid else None)
        return cells

    def _say_cut(self, sheet: Any, rows: int) -> None:
        """Say below the table when not all rows fit."""
        if rows > MOST_ROWS:
            text = self.words("compare.cut", shown=f"{MOST_ROWS:,}", all=f"{rows:,}")
            self.put(sheet, MOST_ROWS + 2, 0, text, "text", self.warning)
