"""A city's table, whatever its shape, into the normal form: a grid of text read through a map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from grouper.errors import Issue, WeightError
from grouper.sheet import Grid, half_width
from weights.cells import clean_text, matches, number_text, picked
from weights.load import from_columns
from weights.maps import YES_NO, Block, ColumnMap, Correction, Filter, Source
from weights.sheets import Sheet, chosen, parts
from weights.table import COLUMNS, KEYS, NUMBERS, YES, Head, WeightTable
from weights.words import insurance_code, words

#: a source of plain figures
_FIGURE = Source()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row below the header that is no group: its place and its first text."""

    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Converted:
    """A table in normal form: its columns as text, and the table they make.

    headers: where the header of each sheet was found.
    """

    head: Head
    columns: Mapping[str, Sequence[str]]
    table: WeightTable
    headers: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


def convert(grids: Sequence[Grid], by: ColumnMap) -> Converted:
    """The table in some sheets. Raises WeightError with every defect found.

    WT117 a header or sheet is not there, WT118 a correction does not fit, WT119 a row has figures
    but no group, WT121 no row is a group, and what `from_columns` finds.
    """
    sheets = [Sheet(*part, by) for grid in chosen(grids, by) for part in parts(grid, by)]
    work = _Work(by)
    for sheet in sheets:
        work.take(sheet)
    work.issues += [
        Issue("WT118", f"{by.name}: correct", {"group": one.group, "text": one.old})
        for one in by.corrections
        if one not in work.corrected
    ]
    if not work.rows and not work.issues:
        raise WeightError("WT121", ", ".join(sheet.place for sheet in sheets), map=by.name)
    columns = work.columns()
    try:
        table = from_columns(by.head, columns, where=work.where)
    except WeightError as error:
        raise WeightError.of([*work.issues, *error.issues]) from None
    if work.issues:
        raise WeightError.of(work.issues)
    headers = tuple(sheet.place for sheet in sheets)
    return Converted(by.head, columns, table, headers, tuple(work.left_out))


@dataclass(slots=True)
class _Row:
    """One row of the normal form, and the sheet, row and headers its cells come from."""

    cells: dict[str, str]
    sheet: Sheet
    row: int
    headers: dict[str, str]


@dataclass(slots=True)
class _Work:
    """The rows made so far."""

    by: ColumnMap
    rows: list[_Row] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    corrected: set[Correction] = field(default_factory=set)

    def take(self, sheet: Sheet) -> None:
        """Add the rows of a sheet."""
        above: dict[str, str] = {}
        for row in sheet.body():
            first = sheet.first(row)
            if matches(first, self.by.stop):
                self._leave_out(sheet, range(row, len(sheet.grid.rows)))
                return
            if not first or sheet.is_header(row):
                continue
            texts = {header: sheet.cell(row, header) for header in self.by.fill_down}
            above |= {header: text for header, text in texts.items() if text}
            line = _Line(sheet, row, above, self)
            if self._is_group(line, first):
                self.rows += self._rows_of(line)

    def _is_group(self, line: _Line, first: str) -> bool:
        """Whether a row is about a group and wanted; others are noted."""
        code = line.group()
        is_code = self.by.group_pattern.fullmatch(code) is not None
        is_remark = matches(first, words().notes)
        if matches(first, words().sums) and not line.has_own_group():
            # a sum below a group whose code is taken from above
            is_code = False
        elif line.has_figures():
            if not is_code and not is_remark:
                header = next(iter(self.by.columns["group"].headers), "")
                where = line.sheet.where(line.row, header)
                self.issues.append(Issue("WT119", where, {"text": code or first}))
                return False
        elif is_remark and not line.has_own_group():
            # a remark below a group whose code is taken from above
            is_code = False
        if not is_code or not line.passes(self.by.only, self.by.but):
            self._leave_out(line.sheet, [line.row])
            return False
        return True

    def _leave_out(self, sheet: Sheet, rows: Sequence[int] | range) -> None:
        for row in rows:
            text = clean_text(sheet.first(row))[:60]
            self.left_out.append(LeftOut(sheet.grid.where(row, 0), text))

    def _rows_of(self, line: _Line) -> Iterator[_Row]:
        base = line.row_of(self.by.columns, {})
        keys = {key: base.cells[key] for key in KEYS if base.cells.get(key)}
        yield base
        for block in self.by.blocks:
            if line.passes(block.only, block.but) and (made := _block_row(line, block, keys)):
                yield made
        for extract in self.by.extracts:
            for found in extract.match.finditer(clean_text(line.cell(extract.header))):
                row = line.row_of({}, keys)
                for name, text in found.groupdict().items():
                    row.cells[name] = read_value(name, text or "", _FIGURE) or ""
                    row.headers[name] = extract.header
                yield row

    def columns(self) -> dict[str, list[str]]:
        """The columns that have anything in them, in the order of the normal form."""
        used = {name for row in self.rows for name, text in row.cells.items() if text}
        names = [name for name in COLUMNS if name in used or name == "group"]
        return {name: [row.cells.get(name, "") for row in self.rows] for name in names}

    def where(self, row: int, column: str) -> str:
        """The place of a cell of the normal form in the source."""
        one = self.rows[row]
        return one.sheet.where(one.row, one.headers.get(column, ""))


def _block_row(line: _Line, block: Block, keys: Mapping[str, str]) -> _Row | None:
    """The row of a block, None if the sheet has nothing for it."""
    made = line.row_of(block.columns, {**keys, **block.keys})
    fixed = {*KEYS, *(name for name, source in block.columns.items() if not source.headers)}
    # texts among the figures that go to another column (text_to) are something too
    is_all_fixed = fixed.issuperset(block.columns)
    is_filled = any(text for name, text in made.cells.items() if name not in fixed)
    return made if is_all_fixed or is_filled else None


@dataclass(frozen=True, slots=True)
class _Line:
    """One row of a sheet on the bench."""

    sheet: Sheet
    row: int
    above: Mapping[str, str]
    work: _Work

    def cell(self, header: str) -> str:
        """The text under a header, corrected, and taken from above where the map says so."""
        text = self.sheet.cell(self.row, header) or self.above.get(header, "")
        for one in self.work.by.corrections:
            if one.header == header and clean_text(text) == one.old and self._is_about(one.group):
                self.work.corrected.add(one)
                return one.new
        return text

    def _is_about(self, group: str) -> bool:
        headers = self.work.by.columns["group"].headers
        return any(clean_text(self.sheet.cell(self.row, header)) == group for header in headers)

    def group(self) -> str:
        """The code of the group, as our tables write it."""
        return half_width(self.text("group", self.work.by.columns["group"]))

    def has_own_group(self) -> bool:
        """Whether the row itself has something where the group stands."""
        headers = self.work.by.columns["group"].headers
        return any(self.sheet.cell(self.row, header) for header in headers)

    def text(self, name: str, source: Source) -> str:
        """What the map takes for one of our columns: its value, or what stands under its headers.

        Several headers: a number is the first one filled, a text is all of them with a blank.
        """
        if source.value is not None:
            return source.value
        parts = [picked(self.cell(header), source) for header in source.headers]
        filled = [part for part in parts if part]
        text = next(iter(filled), "") if name in NUMBERS else " ".join(filled)
        return text or source.default

    def passes(self, only: Filter, but: Filter) -> bool:
        """Whether the row has what `only` asks for and nothing of what `but` names."""
        return all(matches(clean_text(self.cell(h)), words_) for h, words_ in only.items()) and (
            not any(matches(clean_text(self.cell(h)), words_) for h, words_ in but.items())
        )

    def has_figures(self) -> bool:
        """Whether any column of numbers holds one."""
        by = self.work.by
        columns = [by.columns, *(block.columns for block in by.blocks)]
        headers = {
            h for one in columns for name in NUMBERS if name in one for h in one[name].headers
        }
        return any(number_text(clean_text(self.cell(header)), _FIGURE) for header in headers)

    def row_of(self, columns: Mapping[str, Source], fixed: Mapping[str, str]) -> _Row:
        """One row of the normal form from some columns."""
        keys = {k: insurance_code(v) if k == "insurance" else v for k, v in fixed.items()}
        made = _Row(dict(keys), self.sheet, self.row, {})
        moved: list[tuple[str, str]] = []
        for name, source in columns.items():
            made.headers[name] = source.headers[0] if source.headers else ""
            text = self.text(name, source)
            value = read_value(name, text, source)
            if value is None:
                moved.append((source.text_to, text))
            made.cells.setdefault(name, value or "")
        for name, text in moved:
            made.cells[name] = " ".join(filter(None, (made.cells.get(name), text)))
        return made


def read_value(name: str, text: str, source: Source) -> str | None:
    """A text as the value of one of our columns; None if it is no number and goes elsewhere."""
    if name == "insurance":
        return insurance_code(text)
    if name in YES_NO:
        return YES if text and matches(text, source.yes or words().yes) else ""
    if name == "group":
        return half_width(text)
    if name not in NUMBERS:
        return text
    number = number_text(text, source)
    if number is None and source.text_to:
        return None
    # from_columns names an unreadable number with its place
    return text if number is None else number
