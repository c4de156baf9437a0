"""The workbook of a reconciliation: the figures, and what to send back case by case."""

from __future__ import annotations

from io import BytesIO

from grouper.report.book import WIDEST, Book, Cell, Column
from grouper.report.reconciliation import (
    ReconciliationReport,
    difference_rows,
    difference_titles,
    group_of,
    unclear,
)

#: columns of the sheet of differences that are broken into lines: what differs, the evidence
_LONG = (4, 5)


def render_reconciliation_book(report: ReconciliationReport) -> bytes:
    """The workbook file; the same reconciliation gives the same bytes."""
    target = BytesIO()
    book = _ReconciliationBook(target, report)
    book.notes()
    book.overview()
    book.differences()
    book.items()
    book.only()
    book.keys()
    book.close()
    return target.getvalue()


class _ReconciliationBook(Book):
    """One method a sheet."""

    def __init__(self, target: BytesIO, report: ReconciliationReport) -> None:
        super().__init__(target, report.lang, title=report.title, program=report.program)
        self.report = report

    def notes(self) -> None:
        """What the reconciliation rests on."""
        program = (self.words("page.program"), self.report.program)
        self.notes_sheet(self.report.title, [program, *self.report.basis()])

    def overview(self) -> None:
        """How many rows, pairs and differences by step; the sums of the standards."""
        words, report = self.words, self.report
        columns = [Column(words("page.item")), Column(words("column.count"), "count")]
        counts = report.counts()
        rows: list[list[Cell]] = [[words(f"reconcile.{name}"), n] for name, n in counts.items()]
        sheet = self.table("rec_overview", columns, rows)
        sums = report.found.standards()
        if sums is not None:
            for at, (key, value) in enumerate(zip(("ours", "theirs"), sums, strict=True)):
                row = len(rows) + 3 + at
                self.put(sheet, row, 0, words(f"reconcile.standard_{key}"), "text")
                self.put(sheet, row, 1, int(value * 100), "fen")
        sheet.set_column(0, 0, 44)
        sheet.set_column(1, 1, 18)

    def differences(self) -> None:
        """One row a case, with the first step that differs and the evidence."""
        columns = [Column(title) for title in difference_titles(self.report)]
        rows: list[list[Cell]] = [list(row) for row in difference_rows(self.report)]
        sheet = self.table("rec_differences", columns, rows)
        for column in _LONG:
            sheet.set_column(column, column, WIDEST)
        for row, cells in enumerate(rows, 1):
            texts = {column: str(cells[column] or "") for column in _LONG}
            self.wrap(sheet, row, texts, dict.fromkeys(_LONG, WIDEST))

    def items(self) -> None:
        """One row a field that differs."""
        words, found = self.words, self.report.found
        names = ("key", "step", "field", "ours", "theirs")
        columns = [Column(words(f"reconcile.{name}")) for name in names]
        rows: list[list[Cell]] = [
            [
                found.ours.keys[one.ours].text,
                words(f"step.{item.step}"),
                self.report.field(item),
                item.ours,
                item.theirs,
            ]
            for one in found.differences
            for item in one.items
        ]
        self.table("rec_items", columns, rows)

    def only(self) -> None:
        """Rows of one file alone, and rows without key."""
        words, found = self.words, self.report.found
        names = ("step", "key", "group", "where")
        columns = [Column(words(f"reconcile.{name}")) for name in names]
        rows: list[list[Cell]] = []
        for side, file in (("ours", found.ours), ("theirs", found.theirs)):
            for row in found.only(side):  # type: ignore[arg-type]
                code = group_of(found, side, row).drg  # type: ignore[arg-type]
                kind = words(f"reconcile.only_{side}")
                rows.append([kind, file.keys[row].text, code, file.where(row)])
            for row in found.without_key(side):  # type: ignore[arg-type]
                rows.append([words(f"reconcile.no_key_{side}"), "", "", file.where(row)])
        self.table("rec_only", columns, rows)

    def keys(self) -> None:
        """Keys that were repaired, and damaged ones that could stand for several."""
        words, found = self.words, self.report.found
        names = ("damage", "key_ours", "key_theirs", "where_ours", "where_theirs")
        columns = [Column(words(f"reconcile.{name}")) for name in names]
        rows: list[list[Cell]] = [
            [
                words(f"reconcile.key_{one.kind}"),
                found.ours.keys[one.ours].text,
                found.theirs.keys[one.theirs].text,
                found.ours.where(one.ours),
                found.theirs.where(one.theirs),
            ]
            for one in found.matching.repairs
        ]
        for file, key, where, candidates in unclear(found):
            text = words("reconcile.unclear", key=key, candidates=", ".join(candidates[:5]))
            rows.append([words("reconcile.unclear_keys"), file, text, where, ""])
        self.table("rec_keys", columns, rows)
