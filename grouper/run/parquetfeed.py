"""Parquet files of any size, read by rows: no more than a part of them is ever in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pa_parquet

from grouper.errors import DataFileError, RecordError
from grouper.records.check import Findings
from grouper.records.columnar import from_table
from grouper.records.sources import Sources
from grouper.records.user import Form
from grouper.run.part import Part, same_columns, single


@dataclass(frozen=True)
class ParquetFeed:
    """Parquet files with the same columns of the same types."""

    paths: tuple[Path, ...]
    rows: tuple[int, ...]
    schema: pa.Schema
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

    def empty(self) -> Sources:
        """The columns without a row."""
        raw = from_table(self.schema.empty_table(), self.label)
        return single(raw, self.names, self.orders[0], self.form)

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
                for column in table.columns:
                    if not (pa.types.is_primitive(column.type) or pa.types.is_decimal(column.type)):
                        column.validate(full=True)
            except pa.ArrowException as error:
                raise _unreadable(path, error) from None
            raw = from_table(table, path.name, str(path))
            raw = replace(raw, numbers=raw.numbers + start)
            return single(raw, self.names, self.orders[source], self.form)

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


def parquet_feed(paths: Sequence[Path]) -> ParquetFeed | None:
    """The feed of Parquet files; None where types differ, or for what is no Parquet file.

    Raises DataFileError (DF135), RecordError (RE16, RE17).
    """
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
    orders = same_columns(names)
    types = [[schema.types[at] for at in o] for schema, o in zip(schemas, orders, strict=True)]
    if any(each != types[0] for each in types):
        return None
    return ParquetFeed(
        tuple(paths), tuple(rows), schemas[0], names[0][1], tuple(orders), Findings()
    )


def _is_parquet(path: Path) -> bool:
    """Whether a file begins like Parquet; what does not is left to the whole-file reader."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PAR1"
    except OSError:
        return False
