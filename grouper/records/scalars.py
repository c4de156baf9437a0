"""The columns that hold one value a row → arrays of numbers and lists of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from grouper.records import plain, values
from grouper.records.batch import MISSING, MISSING_FEN
from grouper.records.cells import Cells, cells_of, one_array, plain_fen
from grouper.records.check import Findings, short
from grouper.records.layout import ColumnMap
from grouper.records.plain import Plain
from grouper.records.sources import Sources
from grouper.records.textcolumn import Strings, Texts, strings_of
from grouper.records.user import Absent, Column
from grouper.records.values import Value

_Ints = NDArray[np.int64]


@dataclass
class Scalars:
    """Reads the scalar columns of a table; notes what is wrong in `findings` and `reject`.

    reject: (n,) position of the issue code in `codes` plus 1, the first finding of a row wins.
    """

    table: Sources
    mapping: ColumnMap
    findings: Findings
    codes: tuple[str, ...]
    reject: NDArray[np.uint16]
    _days: dict[str, _Ints] = field(default_factory=dict)

    def column(self, name: str) -> Column | None:
        """The column of a field, None if it has none."""
        at = self.mapping.scalars.get(name)
        return None if at is None else self.table.columns[at]

    def cells(self, name: str) -> Cells | None:
        """The distinct cells of a field, None if it has no column."""
        column = self.column(name)
        return None if column is None else cells_of(column)

    def numbers(
        self,
        name: str,
        parse: Callable[[object], Value],
        *,
        plain: Plain | None = None,
        missing: int = MISSING,
    ) -> _Ints:
        """One number a row; bad values are reported, and errors among them reject the row.

        `plain` reads the cells of text that are in its form, `parse` all others.
        """
        column = self.column(name)
        if column is None:
            return np.full(len(self.table), missing, np.int64)
        out, rest = self.read_plainly(column, plain, missing)
        if rest is not None:
            parsed = [parse(value) for value in rest.cells.values]
            self.report(name, rest, parsed)
            numbers = np.array([value.number for value in parsed], np.int64)
            out[rest.rows] = numbers[rest.cells.index]
        return out

    def read_plainly(
        self, column: Column, plain: Plain | None, missing: int
    ) -> tuple[_Ints, Rest | None]:
        """What the plain reader can tell, and the cells that it leaves."""
        found = None if plain is None else _plainly(column, plain, missing)
        if found is None:
            return np.full(len(self.table), missing, np.int64), Rest(cells_of(column), slice(None))
        out, rows = found
        return out, rest_of(column, rows) if len(rows) else None

    def day(self, name: str) -> _Ints:
        """Days since 1970 a row; several steps ask for the same dates."""
        if name not in self._days:
            self._days[name] = self.numbers(name, values.day, plain=plain.day)
        return self._days[name]

    def money(self, name: str) -> _Ints:
        """Fen a row."""
        column = self.column(name)
        fen = plain_fen(column) if column is not None else None
        if fen is not None:
            return fen
        return self.numbers(name, values.money, plain=plain.money, missing=MISSING_FEN)

    def texts(self, name: str, *, exact: bool) -> Sequence[str]:
        """One text a row, "" where nothing is known."""
        cells = self.cells(name)
        if cells is None:
            return Texts([""], np.zeros(len(self.table), np.int32))
        read = values.cell_text if exact else values.known_text
        return Texts([read(value) for value in cells.values], cells.index)

    def reject_rows(self, code: str, rows: NDArray[np.bool_]) -> None:
        """Mark rows as rejected unless an earlier finding did."""
        self.reject[rows & (self.reject == 0)] = self.codes.index(code) + 1

    def report(self, name: str, rest: Rest, parsed: list[Value]) -> None:
        """Note what was odd about the distinct cells of a field; errors reject their rows."""
        odd = [k for k, value in enumerate(parsed) if value.bad or value.note]
        if not odd:
            return
        cells = rest.cells
        counts = np.bincount(cells.index, minlength=len(parsed))
        for k in odd:
            value, times = parsed[k], int(counts[k])
            if not times:
                continue
            if value.note:
                self.findings.repairs[value.note] += times
            if not value.bad:
                continue
            rows = np.zeros(len(self.table), bool)
            rows[rest.rows] = cells.index == k
            where = self.table.where(int(rows.argmax()), self.mapping.scalars[name])
            self.findings.add(
                value.bad, where, times=times, field=name, value=short(cells.values[k])
            )
            if value.bad in self.codes:
                self.reject_rows(value.bad, rows)


@dataclass(frozen=True, slots=True)
class Rest:
    """Cells that no plain reader took, and their rows."""

    cells: Cells
    rows: NDArray[np.int32] | slice


#: cells of lists whose texts Arrow writes as `values.cell_text` does, where they are plain
_NUMBERS = frozenset({int, float})
_WRITABLE = frozenset({str, type(None), Absent}) | _NUMBERS


def _plainly(column: Column, plain: Plain, missing: int) -> tuple[_Ints, NDArray[np.int32]] | None:
    """The cells read as texts and the rows left over; None where texts may mean something else.

    Numbers and dates mean what their texts mean: `values.cell_text`.
    """
    array = list_array(column) if isinstance(column, list) else one_array(column)
    if array is None:
        return None
    if pa.types.is_integer(array.type) or pa.types.is_date32(array.type):
        return _each_once(array, plain, missing)
    if pa.types.is_float64(array.type):
        array = array.cast(pa.string())
    strings = strings_of(array)
    return None if strings is None else _texts_read(strings, plain, missing)


def _texts_read(strings: Strings, plain: Plain, missing: int) -> tuple[_Ints, NDArray[np.int32]]:
    out = np.full(len(strings.offsets) - 1, missing, np.int64)
    odd = np.empty(len(out), np.int32)
    return out, odd[: plain(strings, missing, out, odd)]


def _each_once(
    array: pa.Array, plain: Plain, missing: int
) -> tuple[_Ints, NDArray[np.int32]] | None:
    """Each distinct number is written and read once; the rows follow by one indexed take."""
    coded = array.dictionary_encode()
    empty = pa.array([None], pa.string())
    strings = strings_of(pa.concat_arrays([coded.dictionary.cast(pa.string()), empty]))
    if strings is None:
        return None
    numbers, odd = _texts_read(strings, plain, missing)
    index = coded.indices.fill_null(len(coded.dictionary)).to_numpy()
    rows = np.flatnonzero(np.isin(index, odd)) if len(odd) else odd
    return numbers[index], rows.astype(np.int32)


def list_array(column: list[object]) -> pa.Array | None:
    """A list of texts, or of numbers and empty cells, as one array."""
    kinds = set(map(type, column))
    if not kinds <= _WRITABLE:
        return None
    if not {int, float} & kinds:
        return pa.array([cell if isinstance(cell, str) else None for cell in column], pa.string())
    if str in kinds and any(type(cell) is str and cell for cell in column):
        return None
    try:
        return pa.array([cell if type(cell) in _NUMBERS else None for cell in column])
    except (pa.ArrowInvalid, OverflowError):
        return None


def rest_of(column: Column, rows: NDArray[np.int32]) -> Rest:
    """Some cells of a column."""
    if isinstance(column, list):
        return Rest(cells_of([column[row] for row in rows.tolist()]), rows)
    return Rest(cells_of(column.take(pa.array(rows))), rows)
