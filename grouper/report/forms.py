"""Statements as forms to print, confirm and sign: one page for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grouper.report.book import Book, Cell, Kind

#: columns of a form: number, item, amount, how it is made
_WIDTHS = (7, 26, 20, 40)
#: what Excel takes as page breaks of a sheet, with some room
_MOST = 1_000
_A4 = 9


@dataclass(frozen=True, slots=True)
class FormLine:
    """One line: its number (M6), what it is, the amount, and how that is made or where from."""

    number: str
    label: str
    amount: Cell
    kind: Kind = "fen"
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """One page: title, mark of what is not verified, whom it concerns, lines, and its notes."""

    title: str
    mark: str
    facts: tuple[tuple[str, str], ...]
    lines: tuple[FormLine, ...]
    notes: tuple[str, ...]


def put_forms(book: Book, name: str, forms: Sequence[Form]) -> None:
    """Sheets with one form a printed page; `name` is the sheet's among the words."""
    for at in range(0, len(forms), _MOST):
        number = f" {at // _MOST + 1}" if len(forms) > _MOST else ""
        _Forms(book, book.words(f"sheet.{name}") + number).put(forms[at : at + _MOST])


class _Forms:
    """A sheet of forms, written from the top."""

    def __init__(self, book: Book, title: str) -> None:
        self.book = book
        self.sheet: Any = book.file.add_worksheet(title)
        self.row = 0
        add = book.file.add_format
        centred = {"align": "center", "valign": "vcenter"}
        self.heading = add({"bold": True, "font_size": 15} | centred)
        self.marked = add({"bold": True, "font_color": "#B34700", "text_wrap": True} | centred)
        self.fact = add({"valign": "vcenter", "text_wrap": True})
        self.signature = add({"valign": "bottom", "font_size": 11})
        self.note = add({"valign": "top", "text_wrap": True, "font_size": 9})
        boxed = {"border": 1, "valign": "vcenter", "text_wrap": True}
        self.text = add(boxed | {"align": "left", "indent": 1})
        self.head = add(boxed | {"bold": True, "bg_color": "#E8ECF2", "align": "center"})
        self.amounts = {
            "fen": add(boxed | {"num_format": "#,##0.00", "align": "right", "indent": 1}),
            "count": add(boxed | {"num_format": "#,##0", "align": "right", "indent": 1}),
            "ratio": add(boxed | {"num_format": "0.0000", "align": "right", "indent": 1}),
            "percent": add(boxed | {"num_format": "0.00%", "align": "right", "indent": 1}),
            "text": add(boxed | {"num_format": "@", "align": "right", "indent": 1}),
        }

    def put(self, forms: Sequence[Form]) -> None:
        """Every form, a page break after each."""
        sheet = self.sheet
        sheet.set_paper(_A4)
        sheet.set_portrait()
        # as wide as a page; as many pages as there are breaks
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.5, right=0.5, top=0.7, bottom=0.7)
        sheet.center_horizontally()
        sheet.set_footer("&C&P / &N")
        for column, width in enumerate(_WIDTHS):
            sheet.set_column(column, column, width)
        breaks = []
        for form in forms:
            self._form(form)
            breaks.append(self.row)
        sheet.set_h_pagebreaks(breaks)

    def _form(self, form: Form) -> None:
        words = self.book.words
        self._merged(form.title, self.heading, 30)
        if form.mark:
            # bold: fewer places fit
            self._merged(form.mark, self.marked, _height(form.mark, sum(_WIDTHS) * 3 // 4, 18))
        for at in range(0, len(form.facts), 2):
            self._pair(form.facts[at : at + 2])
        for column, key in enumerate(("number", "item", "amount", "basis")):
            self.sheet.write_string(self.row, column, words(f"form.{key}"), self.head)
        self.sheet.set_row(self.row, 22)
        self.row += 1
        for line in form.lines:
            self._line(line)
        for note in form.notes:
            self._merged(note, self.note, _height(note, sum(_WIDTHS) + 8, 12))
        self._merged(words("form.sign"), self.signature, 44)

    def _line(self, line: FormLine) -> None:
        cells = {0: line.number, 1: line.label, 3: line.basis}
        for column, text in cells.items():
            self.sheet.write_string(self.row, column, text, self.text)
        self.book.put(self.sheet, self.row, 2, line.amount, line.kind, self.amounts[line.kind])
        tall = max(_height(text, _WIDTHS[column], 16) for column, text in cells.items())
        if isinstance(line.amount, str):
            tall = max(tall, _height(line.amount, _WIDTHS[2], 16))
        self.sheet.set_row(self.row, tall)
        self.row += 1

    def _pair(self, facts: Sequence[tuple[str, str]]) -> None:
        """Two facts side by side."""
        texts = [words for words in map(": ".join, facts)]
        halves = ((0, 1), (2, 3))
        for (first, last), text in zip(halves, texts, strict=False):
            self.sheet.merge_range(self.row, first, self.row, last, text, self.fact)
        widths = (sum(_WIDTHS[:2]), sum(_WIDTHS[2:]))
        tall = (_height(text, width, 16) for text, width in zip(texts, widths, strict=False))
        self.sheet.set_row(self.row, max(tall))
        self.row += 1

    def _merged(self, text: str, look: Any, height: int) -> None:
        last = len(_WIDTHS) - 1
        self.sheet.merge_range(self.row, 0, self.row, last, "", look)
        self.sheet.write_string(self.row, 0, text, look)
        self.sheet.set_row(self.row, height)
        self.row += 1


def _height(text: str, width: int, line: int) -> int:
    """Points for a text in a column; wide characters take two places."""
    places = sum(2 if ord(char) > 0x2E7F else 1 for char in text)
    return line * max(1, -(-places // max(width - 2, 1)))
