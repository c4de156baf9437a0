"""The workbook of an estimate: what it rests on, all weights, all years, the adjustments."""

from __future__ import annotations

from fractions import Fraction
from io import BytesIO
from typing import Any

from grouper.money import round_half_up
from grouper.report.book import GRID, Book, Cell, Column
from grouper.report.charts import BLUE, MOST_BARS
from grouper.report.weighing import WeighingReport
from grouper.report.weighing_charts import marks_text
from grouper.report.weighing_page import rests_on
from weights.estimated import GroupWeight
from weights.record import places


def render_weighing_book(report: WeighingReport) -> bytes:
    """The workbook file; the same estimate gives the same bytes."""
    target = BytesIO()
    book = _WeighingBook(target, report)
    book.notes()
    book.groups()
    if any(report.found.years):
        book.years()
    book.steps()
    if report.comparison is not None:
        book.older()
    book.close()
    return target.getvalue()


class _WeighingBook(Book):
    """One method a sheet."""

    def __init__(self, target: BytesIO, report: WeighingReport) -> None:
        super().__init__(target, report.lang, title=report.title, program=report.program)
        self.report = report

    def notes(self) -> None:
        """Facts, choices, and what a reader has to know."""
        words, report = self.words, self.report
        facts = [(words("page.program"), report.program), *rests_on(report, words)]
        facts += [
            (words("page.notes"), f"{issue.code} {issue.what(report.lang)}")
            for issue in report.found.issues
        ]
        self.notes_sheet(report.title, facts, warning=words("weigh.demo_hint"))

    def groups(self) -> None:
        """Every weight with its interval; a chart of the groups with most cases."""
        words = self.words
        level = f"{float(self.report.found.choices.level * 100):g}%"
        interval = words("weigh.interval", level=level)
        columns = [
            Column(words("column.group")),
            Column(words("column.group_name")),
            Column(words("weigh.weight"), "ratio"),
            Column(f"{interval} {words('weigh.low')}", "ratio"),
            Column(f"{interval} {words('weigh.high')}", "ratio"),
            Column(words("weigh.marks")),
            Column(words("weigh.all_cases"), "count"),
            Column(words("weigh.kept"), "count"),
            Column(words("weigh.cut"), "count"),
            Column(f"{words('weigh.limits')} {words('weigh.low')}", "fen"),
            Column(f"{words('weigh.limits')} {words('weigh.high')}", "fen"),
            Column(words("weigh.mean_cost"), "fen"),
            Column(words("weigh.cv"), "ratio"),
            Column(words("weigh.raw"), "ratio"),
            Column(words("weigh.hospitals"), "count"),
            Column(words("weigh.largest"), "percent"),
            Column(words("weigh.pooled")),
        ]
        groups = self.report.by_cases()
        sheet = self.table("weigh_groups", columns, [self._group(one) for one in groups])
        self._chart(sheet, len(groups), len(columns) + 1)

    def _group(self, one: GroupWeight) -> list[Cell]:
        low, high = (None, None) if one.interval is None else map(_units, one.interval)
        limits = [None if end is None else round_half_up(end) for end in one.limits.shown]
        return [
            one.code,
            one.name,
            _units(one.printed),
            low,
            high,
            marks_text(one, self.words) if one.marks else "",
            one.cases,
            one.kept,
            one.trimmed,
            *limits,
            round_half_up(one.mean_fen),
            None if one.cv is None else _units(one.cv),
            _units(one.raw),
            one.hospitals or None,
            _units(one.largest_share) if one.hospitals else None,
            ", ".join(one.pooled),
        ]

    def _chart(self, sheet: Any, groups: int, column: int) -> None:
        """Weights of the groups with most cases."""
        chart = self.column_chart("weigh_groups", [(2, BLUE)], min(groups, MOST_BARS), (0, 0))
        chart.set_title({"name": self.words("weigh.weight"), "name_font": {"size": 13}})
        chart.set_legend({"none": True})
        chart.set_y_axis({"num_format": "0.0", "major_gridlines": GRID})
        sheet.insert_chart(1, column, chart, {"x_scale": 1.8, "y_scale": 1.5})

    def years(self) -> None:
        """Every group in every year."""
        words = self.words
        columns = [
            Column(words("column.group")),
            Column(words("weigh.year")),
            Column(words("weigh.kept"), "count"),
            Column(words("weigh.mean_cost"), "fen"),
            Column(words("weigh.weight"), "ratio"),
        ]
        rows: list[list[Cell]] = [
            [
                one.code,
                str(year.year),
                year.cases,
                round_half_up(year.mean_fen),
                _units(year.weight),
            ]
            for one in self.report.found.groups
            for year in one.years
        ]
        self.table("weigh_years", columns, rows)

    def steps(self) -> None:
        """What every adjustment did to the total weight."""
        words = self.words
        columns = [Column(words(f"weigh.{key}")) for key in ("step", "before", "factor", "after")]
        rows: list[list[Cell]] = [
            [
                words(f"weigh_step.{step.name}"),
                places(step.before, 4),
                places(step.factor, 10),
                places(step.after, 4),
            ]
            for step in self.report.found.steps
        ]
        self.table("weigh_steps", columns, rows)

    def older(self) -> None:
        """Every group of either table, the largest shifts first."""
        comparison = self.report.comparison
        assert comparison is not None
        words = self.words
        columns = [
            Column(words("column.group")),
            Column(words("column.group_name")),
            Column(words("weigh.kept"), "count"),
            Column(f"{words('weigh.old_weight')} {comparison.old_id}", "ratio"),
            Column(words("weigh.new_weight"), "ratio"),
            Column(words("weigh.change"), "percent"),
        ]
        rows: list[list[Cell]] = [
            [
                row.code,
                row.name,
                row.cases,
                None if row.old is None else _units(row.old),
                None if row.new is None else _units(row.new),
                None if row.change is None else _units(row.change),
            ]
            for row in comparison.rows
        ]
        self.table("weigh_older", columns, rows)


def _units(value: Any) -> int:
    """A number in 1/10000, as the sheets take ratios."""
    return round_half_up(Fraction(value) * 10_000)
