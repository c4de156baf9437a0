"""Inputs cut into parts that fit in memory: each part a table that `assemble` takes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from grouper.errors import DataFileError, RecordError
from grouper.records.assemble import separators_of
from grouper.records.check import Findings
from grouper.records.columnar import from_table
from grouper.records.layout import ColumnMap
from grouper.records.raw import HeaderScore, Raw
from grouper.records.read import (
    TEXT_SUFFIXES,
    Cleaning,
    MapSource,
    column_map,
    header_score,
    read_source,
)
from grouper.records.sources import Sources, join, order_of
from grouper.records.user import Column, Form
from grouper.records.write import codec_of
from grouper.run.jsonfeed import LINES_SUFFIXES, LinesFeed, lines_feed
from grouper.run.part import Part as Part
from grouper.run.textfile import TextFile, scan_text
from grouper.run.textparts import TextPart, cut_text

#: what joins codes is judged by so many rows
_SAMPLE = 2000


def open_feed(
    paths: Sequence[Path],
    *,
    mapping: MapSource | None = None,
    encoding: str | None = None,
    typed: bool = False,
) -> Feed:
    """The feed that suits the inputs: text and Parquet are streamed, all else is read at once.

    typed: columns need one type throughout, so JSON lines, which have none, are read at once too.

    Raises DataFileError, RecordError as `read_records` does.
    """
    score = header_score(mapping)
    streamed: Feed | None = _text_feed(paths, score, encoding) or _parquet_feed(paths)
    if streamed is None and not typed:
        streamed = lines_feed(paths, encoding)
    if streamed is not None:
        return streamed
    found = Findings()
    raws = [read_source(path, score, encoding, found) for path in paths]
    return WholeFeed(join(raws), found)


def is_streamed(paths: Sequence[Path]) -> bool:
    """Whether memory does not grow with the inputs, by their suffixes."""
    suffixes = {path.suffix.lower() for path in paths}
    return any(suffixes <= set(form) for form in (TEXT_SUFFIXES, (".parquet",), LINES_SUFFIXES))


def reading_of(
    feed: Feed, *, layout: str | None, mapping: MapSource | None, cleaning: Cleaning
) -> ColumnMap:
    """Which column is what, and what joins codes: the same for every part."""
    tables: list[Sources] = []
    for part in feed.parts(_SAMPLE):
        tables.append(part.table())
        if sum(map(len, tables)) >= _SAMPLE:
            break
    reading = column_map(tables[0], layout, mapping, cleaning, feed.label)
    if cleaning == "as_is":
        return reading
    sample = _joined(tables)
    return replace(reading, joined=separators_of(sample, reading))


def _joined(tables: Sequence[Sources]) -> Sources:
    """The first rows as one table; only its columns count."""
    first = tables[0]
    columns: list[Column] = []
    for cells in zip(*(table.columns for table in tables), strict=True):
        arrays = [each for each in cells if isinstance(each, pa.ChunkedArray)]
        if len(arrays) == len(cells):
            chunks = [chunk for array in arrays for chunk in array.chunks]
            columns.append(pa.chunked_array(chunks, arrays[0].type))
        else:
            columns.append([value for each in cells for value in each])
    return replace(first, columns=tuple(columns))


def _same_columns(names: Sequence[tuple[str, tuple[str, ...]]]) -> list[list[int]]:
    """For each input, by (name, headers), where the columns of the first stand in it.

    Raises RecordError (RE16) when headers differ.
    """
    first_name, first = names[0]
    orders = []
    for name, headers in names:
        if sorted(headers) != sorted(first):
            odd = sorted(set(headers) ^ set(first))
            raise RecordError("RE16", name, path=name, first=first_name, headers=odd[:10])
        # the same headers: each has its place
        orders.append([at for at in order_of(headers, first) if at is not None])
    return orders


def _single(raw: Raw, names: tuple[str, ...], order: Sequence[int], form: Form) -> Sources:
    columns = tuple(raw.columns[at] for at in order)
    lines = raw.lines if list(order) == sorted(order) else None
    return Sources((raw,), names, columns, form, (0,), raw.numbers, dict(raw.faults), lines)


@dataclass(frozen=True)
class TextFeed:
    """CSV and TSV files, cut by lines."""

    files: tuple[TextFile, ...]
    orders: tuple[Sequence[int], ...]
    found: Findings
    form: Form = "text"

    @property
    def names(self) -> tuple[str, ...]:
        """The headers, as the first file has them."""
        return self.files[0].head.names

    @property
    def crlf(self) -> bool:
        """Whether the first file ends its lines with CR LF."""
        return self.files[0].crlf

    @property
    def label(self) -> str:
        """The place of the header, for messages."""
        return f"{self.files[0].path.name}:{self.files[0].head.line}"

    @property
    def facts(self) -> tuple[Mapping[str, object], ...]:
        """What was found about each file."""
        return tuple({"path": str(f.path), "form": "text", **f.facts} for f in self.files)

    def writes_back(self, encoding: str | None, delimiter: str) -> bool:
        """Whether lines of all files are good for a result as they stand."""
        return all(
            delimiter == file.head.delimiter and codec_of(encoding) in ("utf-8", file.encoding)
            for file in self.files
        )

    def parts(self, rows: int, only: Collection[int] | None = None) -> Iterator[Part]:
        """Parts of about `rows` lines.

        only: columns that are wanted if the lines themselves can be written back (`Raw.lines`).
        """
        whole = sum(file.size for file in self.files)
        number = before = 0
        for source, file in enumerate(self.files):
            for part in cut_text(file, rows):
                done = (before + part.end) / whole
                yield Part(number, source, done, self._reader(part, source, only))
                number += 1
            before += file.size

    def _reader(
        self, part: TextPart, source: int, only: Collection[int] | None
    ) -> Callable[[], Sources]:
        order = self.orders[source]
        straight = list(order) == sorted(order)
        return lambda: _single(part.read(only if straight else None), self.names, order, self.form)


def _text_feed(paths: Sequence[Path], score: HeaderScore, encoding: str | None) -> TextFeed | None:
    if any(path.suffix.lower() not in TEXT_SUFFIXES for path in paths):
        return None
    files = []
    for path in paths:
        file = scan_text(path, score, encoding)
        if file is None:
            return None
        files.append(file)
    orders = _same_columns([(file.path.name, file.head.names) for file in files])
    return TextFeed(tuple(files), tuple(orders), Findings())


@dataclass(frozen=True)
class ParquetFeed:
    """Parquet files with the same columns of the same types."""

    paths: tuple[Path, ...]
    rows: tuple[int, ...]
    names: tuple[str, ...]
    orders: tuple[Sequence[int], ...]
    found: Findings
    form: Form = "arrow"
    crlf: bool = False

    @property
    def label(self) -> str:
        """The first file, for messages."""
        return self.paths[0].name

    @property
    def facts(self) -> tuple[Mapping[str, object], ...]:
        """What was found about each file."""
        return tuple({"path": str(path), "form": "arrow"} for path in self.paths)

    def writes_back(self, encoding: str | None, delimiter: str) -> bool:
        """Never: there are no lines."""
        return False

    def parts(self, rows: int, only: Collection[int] | None = None) -> Iterator[Part]:
        """Parts of `rows` rows."""
        whole = sum(self.rows)
        number = done = 0
        for source, path in enumerate(self.paths):
            for start, table in _batches(path, rows):
                done += len(table)
                yield Part(number, source, done / whole, self._reader(table, source, start))
                number += 1

    def _reader(self, table: pa.Table, source: int, start: int) -> Callable[[], Sources]:
        path = self.paths[source]

        def read() -> Sources:
            try:
                # some writers put text of other encodings into columns that must be UTF-8
                table.validate(full=True)
            except pa.ArrowException as error:
                raise _unreadable(path, error) from None
            raw = from_table(table, path.name, str(path))
            raw = replace(raw, numbers=raw.numbers + start)
            return _single(raw, self.names, self.orders[source], self.form)

        return read


def _batches(path: Path, rows: int) -> Iterator[tuple[int, pa.Table]]:
    """Tables of exactly `rows` rows, the last one fewer, and the row at which each begins."""
    start = 0
    try:
        with pa_parquet.ParquetFile(path, pre_buffer=False) as file:
            held: list[pa.Table] = []
            for batch in file.iter_batches(batch_size=rows):
                held.append(pa.Table.from_batches([batch]))
                # a batch ends with its row group: put the pieces together again
                while sum(map(len, held)) >= rows:
                    table = _stacked(held)
                    yield start, table.slice(0, rows)
                    start += rows
                    held = [table.slice(rows)] if len(table) > rows else []
            if held:
                yield start, _stacked(held)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from None


def _stacked(tables: Sequence[pa.Table]) -> pa.Table:
    return tables[0] if len(tables) == 1 else pa.concat_tables(tables)


def _unreadable(path: Path, error: Exception) -> DataFileError:
    detail = str(error).splitlines()[0]
    return DataFileError("DF135", path.name, path=path.name, detail=detail)


def _parquet_feed(paths: Sequence[Path]) -> ParquetFeed | None:
    if any(path.suffix.lower() != ".parquet" or not _is_parquet(path) for path in paths):
        return None
    schemas: list[pa.Schema] = []
    rows: list[int] = []
    for path in paths:
        try:
            with pa_parquet.ParquetFile(path) as file:
                schemas.append(file.schema_arrow)
                rows.append(file.metadata.num_rows)
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(path, error) from None
        if not rows[-1]:
            raise RecordError("RE17", path.name, path=path.name)
    names = [(p.name, tuple(map(str, s.names))) for p, s in zip(paths, schemas, strict=True)]
    orders = _same_columns(names)
    types = [[schema.types[at] for at in o] for schema, o in zip(schemas, orders, strict=True)]
    if any(each != types[0] for each in types):
        return None
    return ParquetFeed(tuple(paths), tuple(rows), names[0][1], tuple(orders), Findings())


def _is_parquet(path: Path) -> bool:
    """Whether a file begins like Parquet; what does not is left to the whole-file reader."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PAR1"
    except OSError:
        return False


@dataclass(frozen=True)
class WholeFeed:
    """Inputs in memory, cut by rows."""

    table: Sources
    found: Findings

    @property
    def names(self) -> tuple[str, ...]:
        """The headers."""
        return self.table.names

    @property
    def form(self) -> Form:
        """What the cells are."""
        return self.table.form

    @property
    def crlf(self) -> bool:
        """Whether the first input ends its lines with CR LF."""
        return self.table.raws[0].crlf

    @property
    def label(self) -> str:
        """The place of the header, for messages."""
        first = self.table.raws[0]
        return first.name + (f":{first.header}" if first.header else "")

    @property
    def facts(self) -> tuple[Mapping[str, object], ...]:
        """What was found about each input."""
        return tuple(
            {"path": raw.path or raw.name, "form": raw.form, **raw.facts} for raw in self.table.raws
        )

    def writes_back(self, encoding: str | None, delimiter: str) -> bool:
        """Never: there are no lines."""
        return False

    def parts(self, rows: int, only: Collection[int] | None = None) -> Iterator[Part]:
        """Parts of `rows` rows; one may hold rows of two inputs."""
        whole = len(self.table)
        for number, start in enumerate(range(0, whole, rows)):
            stop = min(start + rows, whole)
            source = bisect_right(self.table.starts, start) - 1
            yield Part(number, source, stop / whole, self._reader(start, stop), start)

    def _reader(self, start: int, stop: int) -> Callable[[], Sources]:
        return lambda: _rows(self.table, start, stop)


def _rows(table: Sources, start: int, stop: int) -> Sources:
    """Some rows of a table; messages about them still name their places in the inputs."""
    raws, starts, at = [], [], 0
    for raw, begin in zip(table.raws, table.starts, strict=True):
        low, high = max(start - begin, 0), min(stop - begin, len(raw))
        if low >= high:
            continue
        raws.append(replace(raw, numbers=raw.numbers[low:high], columns=(), faults={}))
        starts.append(at)
        at += high - low
    return replace(
        table,
        raws=tuple(raws),
        columns=tuple(sliced(column, start, stop) for column in table.columns),
        starts=tuple(starts),
        numbers=np.ascontiguousarray(table.numbers[start:stop]),
        faults={row - start: fault for row, fault in table.faults.items() if start <= row < stop},
    )


def sliced(column: Column, start: int, stop: int) -> Column:
    """Some rows of a column."""
    return column[start:stop] if isinstance(column, list) else column.slice(start, stop - start)


Feed: TypeAlias = TextFeed | ParquetFeed | LinesFeed | WholeFeed
