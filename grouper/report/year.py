"""The year's clearing (年度清算表) as tables: what workbook and page draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from typing import Any

from grouper.errors import Lang
from grouper.money import decimal_text, round_half_up, yuan
from grouper.report.book import Book, Cell, Column
from grouper.report.book import Kind as CellKind
from grouper.report.forms import Form, FormLine, put_forms
from grouper.report.page import HTML_LANG, environment, style
from grouper.report.words import Words
from grouper.run.coverage import area_name
from grouper.run.year import YearRun
from grouper.run.year_object import amount_text, hospital_name, parameter_text
from grouper.settle.amounts import mark_text
from grouper.settle.place import Place
from grouper.settle.year_area import area_lines
from grouper.settle.year_lines import COLUMNS, Amount, Kind, totals

#: kind of a year's number -> kind of a cell, and what one is worth in its whole numbers
_CELLS: dict[Kind, tuple[CellKind, int]] = {
    "count": ("count", 1),
    "fen": ("fen", 1),
    "volume": ("ratio", 10_000),
    "ratio": ("percent", 10_000),
}


#: columns that one printed page can hold
_WIDE = 12


@dataclass(frozen=True, slots=True)
class YearTable:
    """One table: its name (`sheet.<name>` of the words), columns, rows and totals."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    totals: tuple[tuple[Cell, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class YearReport:
    """A cleared year in one language."""

    run: YearRun
    lang: Lang

    @property
    def words(self) -> Words:
        """The words of the language."""
        return Words(self.lang)

    @property
    def title(self) -> str:
        """Area and year."""
        area = area_name(self.run.policy, self.lang)
        return self.words("year.title", area=area, year=self.run.annual.year)

    @property
    def program(self) -> str:
        """Name and version of the program."""
        return str(self.run.manifest["program"])

    @property
    def made(self) -> str:
        """Nothing: the same year gives the same bytes."""
        return ""

    @property
    def confidence(self) -> str:
        """The weakest mark it rests on."""
        return str(self.run.manifest["confidence"])

    @property
    def mark(self) -> str:
        """What every sheet must say; "" when all values are verified."""
        annual = self.run.annual
        return mark_text(annual.confidence, is_demo=annual.is_demo, lang=self.lang)

    @property
    def notes(self) -> list[str]:
        """What a reader must know beside the figures."""
        annual, words, manifest = self.run.annual, self.words, self.run.manifest
        part, whole = annual.clearing_share
        share = amount_text(Fraction(part, whole) if whole else None, "ratio") or "-"
        notes = [words("year.unit"), *(words("year.policy", title=one) for one in self._titles)]
        if manifest["scheme"]:
            notes.append(
                words("year.scheme", scheme=manifest["scheme"], table=manifest["weight_table"])
            )
        if manifest["months"]:
            notes.append(words("year.months", months=", ".join(manifest["months"])))
        notes += [words("year.due", due=annual.due), words("year.share", share=share)]
        quotas = sum(annual.review.quota.values())
        notes.append(words("year.quota", quota=quotas))
        for fund in annual.funds:
            name = self._fund(fund.insurance, fund.place)
            notes += [
                f"{name} "
                + words("year.budget", day=one.start, amount=yuan(one.fen), source=one.source)
                for one in fund.ruled.budgets
            ]
            notes += [
                f"{name} " + words("year.deduction", item=item, amount=yuan(fen))
                for item, fen in fund.clearing.rules.deductions_fen.items()
            ]
        for (insurance, place), fen in annual.not_cleared.items():
            texts = {"insurance": self._insurance(insurance), "place": self._place(place)}
            notes.append(words("year.not_cleared", amount=yuan(fen), **texts))
        notes += [
            words("year.not_counted", code=code, n=n) for code, n in annual.not_counted.items()
        ]
        if annual.after_freeze:
            notes.append(words("year.after_freeze", n=annual.after_freeze))
        notes += [f"{one.code} {one.where} {one.what(self.lang)}" for one in self.run.issues]
        return [self.mark, *notes] if self.mark else notes

    @property
    def _titles(self) -> Sequence[str]:
        return self.run.policy.titles

    def tables(self) -> tuple[YearTable, ...]:
        """All tables that have something to show."""
        made = [self._clearing(), self._area(), self._parameters(), self._formulas()]
        if self.run.annual.review.paid_fen or self.run.annual.review.over_quota:
            made.append(self._special())
        if self.run.differences is not None:
            made.insert(0, self._differences())
        return tuple(made)

    def _clearing(self) -> YearTable:
        words = self.words
        columns = [
            Column(words("column.hospital")),
            Column(words("column.hospital_name")),
            Column(words("column.insurance")),
            Column(words("year.place")),
            *(Column(one.label(self.lang), _kind(one.kind)) for one in COLUMNS),
        ]
        rows, feet = [], []
        for fund in self.run.annual.funds:
            names = (self._insurance(fund.insurance), self._place(fund.place))
            for code, account in fund.clearing.accounts.items():
                cells = [_cell(one.of(account), one.kind) for one in COLUMNS]
                name = hospital_name(self.run.policy, code, self.lang)
                rows.append((code, name, *names, *cells))
            sums = totals(list(fund.clearing.accounts.values()))
            cells = [_cell(sums.get(one.id), one.kind) for one in COLUMNS]
            feet.append((words("page.total"), "", *names, *cells))
        return YearTable("year_table", tuple(columns), tuple(rows), tuple(feet))

    def _area(self) -> YearTable:
        words = self.words
        columns = (
            Column(words("column.insurance")),
            Column(words("year.place")),
            Column(words("year.figure")),
            # rates, weights and amounts stand in one column: as text, each with its decimals
            Column(words("year.amount")),
            Column(words("year.formula")),
        )
        rows = [
            (
                self._insurance(fund.insurance),
                self._place(fund.place),
                line.label(self.lang),
                amount_text(line.amount, line.kind),
                line.formula(self.lang),
            )
            for fund in self.run.annual.funds
            for line in area_lines(fund.clearing)
        ]
        return YearTable("year_area", columns, tuple(rows))

    def _parameters(self) -> YearTable:
        words, annual = self.words, self.run.annual
        columns = (
            Column(words("column.insurance")),
            Column(words("year.parameter")),
            Column(words("year.value")),
            Column(words("year.source")),
            Column(words("page.mark")),
            Column(words("year.origin")),
        )
        used = [("", key, one) for key, one in sorted(annual.used.items())]
        for fund in annual.funds:
            name = self._fund(fund.insurance, fund.place)
            used += [(name, key, one) for key, one in sorted(fund.ruled.used.items())]
        titles = self.run.policy.parameters.definitions
        rows = []
        for name, key, one in used:
            title = titles[key].title if self.lang == "zh" else titles[key].title_en
            mark = words(f"confidence.{one.confidence}")
            text = f"{parameter_text(one)} {one.unit if one.unit not in ('1', 'choice') else ''}"
            rows.append((name, f"{title} ({key})", text.strip(), one.source, mark, one.origin))
        return YearTable("year_parameters", columns, tuple(rows))

    def _formulas(self) -> YearTable:
        words = self.words
        columns = (
            Column(words("year.column")),
            Column(words("year.formula")),
            Column(words("year.parameter")),
        )
        rows = [
            (one.label(self.lang), one.formula(self.lang), ", ".join(one.parameters))
            for one in COLUMNS
        ]
        return YearTable("year_formulas", columns, tuple(rows))

    def _special(self) -> YearTable:
        words, review = self.words, self.run.annual.review
        columns = (
            Column(words("year.list")),
            Column(words("year.outcome")),
            Column(words("year.paid"), "fen"),
        )
        rows: list[tuple[Cell, ...]] = [
            (name, words("year.accepted"), fen) for name, fen in sorted(review.paid_fen.items())
        ]
        for outcome in ("over_quota", "no_loss", "failed"):
            lists = getattr(review, outcome)
            rows += [(name, words(f"year.{outcome}"), None) for name in lists]
        return YearTable("year_special", columns, tuple(rows))

    def _differences(self) -> YearTable:
        words = self.words
        labels = {one.id: one.label(self.lang) for one in COLUMNS}
        columns = (
            Column(words("column.hospital")),
            Column(words("column.insurance")),
            Column(words("year.place")),
            Column(words("year.figure")),
            Column(words("year.before"), "fen"),
            Column(words("year.after"), "fen"),
            Column(words("year.difference"), "fen"),
        )
        rows = [
            (
                one.row[2],
                self._insurance(one.row[0]),
                self._place(one.row[1]),
                labels[one.column],
                one.old_fen,
                one.new_fen,
                one.fen,
            )
            for one in self.run.differences or ()
        ]
        return YearTable("year_differences", columns, tuple(rows))

    def forms(self) -> list[Form]:
        """A page for each hospital and fund: what it confirms and signs."""
        words, manifest = self.words, self.run.manifest
        notes = [words("year.policy", title=one) for one in self._titles]
        if manifest["scheme"]:
            named = {"scheme": manifest["scheme"], "table": manifest["weight_table"]}
            notes.append(words("year.scheme", **named))
        notes += [
            words("year.due", due=self.run.annual.due),
            words("form.weakest", mark=words(f"confidence.{self.confidence}")),
        ]
        made = []
        for fund in self.run.annual.funds:
            for code, account in fund.clearing.accounts.items():
                name = hospital_name(self.run.policy, code, self.lang)
                facts = (
                    (words("form.area"), area_name(self.run.policy, self.lang)),
                    (words("form.period"), str(self.run.annual.year)),
                    (words("form.hospital"), f"{code} {name}".strip()),
                    (words("form.insurance"), self._insurance(fund.insurance)),
                    (words("form.place"), self._place(fund.place)),
                )
                lines = [
                    FormLine(
                        str(at),
                        one.label(self.lang),
                        _cell(one.of(account), one.kind),
                        _kind(one.kind),
                        one.formula(self.lang),
                    )
                    for at, one in enumerate(COLUMNS, 1)
                ]
                made.append(Form(words("form.year"), self.mark, facts, tuple(lines), tuple(notes)))
        return made

    def _insurance(self, code: str) -> str:
        title = self.run.policy.insurance_title(code)
        return title.title if self.lang == "zh" else title.title_en

    def _place(self, key: str) -> str:
        return Place[key.upper()].word(self.lang)

    def _fund(self, insurance: str, place: str) -> str:
        return f"{self._insurance(insurance)} {self._place(place)}"


def _kind(kind: Kind) -> CellKind:
    return _CELLS[kind][0] if kind in _CELLS else "text"


def _cell(amount: Amount, kind: Kind) -> Cell:
    if amount is None:
        return None
    if kind not in _CELLS:
        return decimal_text(Fraction(amount))
    return round_half_up(Fraction(amount) * _CELLS[kind][1])


def render_year_book(report: YearReport) -> bytes:
    """The workbook; the same year gives the same bytes."""
    target = BytesIO()
    book = Book(target, report.lang, title=report.title, program=report.program)
    for one in report.tables():
        sheet = book.table(one.name, one.columns, one.rows, one.totals)
        sheet.set_header(f"&L{report.title}&R{report.mark}")
        sheet.set_footer(f"&L{report.words('year.sign')}&R&P / &N")
        if len(one.columns) > _WIDE:
            # too many columns for one page: A3, hospital and fund repeated on the second
            sheet.set_paper(8)
            sheet.fit_to_pages(2, 0)
            sheet.repeat_columns(0, 3)
    put_forms(book, "year_forms", report.forms())
    facts: list[tuple[str, ...]] = [
        (report.words("page.program"), report.program),
        (report.words("page.confidence"), report.words(f"confidence.{report.confidence}")),
        *((report.words("page.notes"), note) for note in report.notes),
    ]
    book.notes_sheet(report.title, facts, warning=report.mark)
    book.close()
    return target.getvalue()


def render_year_page(report: YearReport) -> str:
    """The page as text; the same year gives the same text."""
    context: dict[str, Any] = {
        "data": report,
        "words": report.words,
        "html_lang": HTML_LANG[report.lang],
        "sections": [one.name for one in report.tables()],
        "prefix": "sheet.",
        "style": style(),
        "tables": report.tables(),
        "shown": _shown,
    }
    return environment().get_template("year.html").render(context)


def _shown(cell: Cell, table: YearTable, at: int) -> str:
    kind = table.columns[at].kind
    if cell is None or isinstance(cell, str):
        return cell or ""
    if kind == "fen":
        whole, _, cents = yuan(cell).partition(".")
        return f"{int(whole):,}.{cents}" if whole not in ("-0", "0") else yuan(cell)
    if kind == "percent":
        return amount_text(Fraction(cell, 10_000), "ratio") or ""
    if kind == "ratio":
        return amount_text(Fraction(cell, 10_000), "volume") or ""
    return f"{cell:,}"
