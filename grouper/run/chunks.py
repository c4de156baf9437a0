"""Inputs cut into parts that fit in memory: each part a table that `assemble` takes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from grouper.records.assemble import separators_of
from grouper.records.cells import is_list
from grouper.records.check import Findings
from grouper.records.layout import ColumnMap
from grouper.records.raw import HeaderScore
from grouper.records.read import (
    NEEDED,
    TEXT_SUFFIXES,
    Cleaning,
    MapSource,
    column_map,
    header_score,
    read_source,
)
from grouper.records.sources import Sources, join
from grouper.records.user import Column, Form
from grouper.records.write import codec_of
from grouper.run.jsonfeed import LINES_SUFFIXES, LinesFeed, lines_feed
from grouper.run.parquetfeed import ParquetFeed, parquet_feed
from grouper.run.part import Part as Part
from grouper.run.part import same_columns, single
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
    streamed: Feed | None = _text_feed(paths, score, encoding) or parquet_feed(paths)
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
    feed: Feed,
    *,
    layout: str | None,
    mapping: MapSource | None,
    cleaning: Cleaning,
    needs: Sequence[str] = NEEDED,
) -> ColumnMap:
    """Which column is what, and what joins codes: the same for every part."""
    if isinstance(feed, ParquetFeed):
        # its types may tell all
        empty = feed.empty()
        reading = column_map(empty, layout, mapping, cleaning, feed.label, needs=needs)
        if cleaning == "as_is" or not _has_text(empty, reading):
            return replace(reading, joined=separators_of(empty, reading))
    tables: list[Sources] = []
    for part in feed.parts(_SAMPLE):
        tables.append(part.table())
        if sum(map(len, tables)) >= _SAMPLE:
            break
    reading = column_map(tables[0], layout, mapping, cleaning, feed.label, needs=needs)
    if cleaning == "as_is":
        return reading
    sample = _joined(tables)
    return replace(reading, joined=separators_of(sample, reading))


def _has_text(table: Sources, reading: ColumnMap) -> bool:
    """Whether codes stand in columns of text, where a separator may join them."""
    columns = (table.columns[at] for places in reading.lists.values() for at in places)
    return any(not is_list(column.type) for column in columns if not isinstance(column, list))


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
        return lambda: single(part.read(only if straight else None), self.names, order, self.form)


def _text_feed(paths: Sequence[Path], score: HeaderScore, encoding: str | None) -> TextFeed | None:
    if any(path.suffix.lower() not in TEXT_SUFFIXES for path in paths):
        return None
    files = []
    for path in paths:
        file = scan_text(path, score, encoding)
        if file is None:
            return None
        files.append(file)
    orders = same_columns([(file.path.name, file.head.names) for file in files])
    return TextFeed(tuple(files), tuple(orders), Findings())


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
