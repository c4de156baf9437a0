"""Where grouped parts go: one text or Parquet file, the same bytes however the parts were cut."""

from __future__ import annotations

import io
from typing import BinaryIO, Literal

import pyarrow as pa
import pyarrow.parquet as pa_parquet

ResultForm = Literal["csv", "tsv", "parquet"]
DELIMITERS = {"csv": ",", "tsv": "\t"}

#: rows of a row group: many enough to compress well, few enough to be held in memory
GROUP_ROWS = 131_072


class TextSink:
    """Lines after their titles."""

    def __init__(self, file: BinaryIO, head: bytes) -> None:
        self._file = file
        file.write(head)

    def add(self, rows: bytes | memoryview) -> None:
        """The lines of the next part."""
        self._file.write(rows)

    def close(self) -> None:
        """Nothing is held back."""


class ParquetSink:
    """Tables as row groups of a fixed size."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._writer: pa_parquet.ParquetWriter | None = None
        self._held: list[pa.Table] = []

    def add(self, table: pa.Table) -> None:
        """The rows of the next part."""
        self._held.append(table)
        while sum(map(len, self._held)) >= GROUP_ROWS:
            whole = pa.concat_tables(self._held)
            self._write(whole.slice(0, GROUP_ROWS))
            # not an empty rest: joining it to the next part would copy that
            self._held = [whole.slice(GROUP_ROWS)] if len(whole) > GROUP_ROWS else []

    def close(self) -> None:
        """The last row group and the end of the file."""
        if self._held and (rest := pa.concat_tables(self._held)).num_rows:
            self._write(rest)
        if self._writer is not None:
            self._writer.close()

    def _write(self, table: pa.Table) -> None:
        if self._writer is None:
            self._writer = pa_parquet.ParquetWriter(self._file, table.schema)
        self._writer.write_table(_one_piece(table), row_group_size=GROUP_ROWS)


def _one_piece(table: pa.Table) -> pa.Table:
    """The same rows in memory laid out alike, wherever their parts began."""
    columns = []
    for column in table.columns:
        kind = column.type
        if pa.types.is_dictionary(kind):
            # the dictionaries of parts differ: one in order of first appearance
            plain = column.cast(kind.value_type).combine_chunks()
            coded = plain.dictionary_encode()
            columns.append(coded.cast(kind))
        else:
            # joining copies, even one piece
            columns.append(column.chunk(0) if column.num_chunks == 1 else column.combine_chunks())
    return pa.table(columns, schema=table.schema)


def table_bytes(table: pa.Table) -> bytes:
    """A table as it is kept until the run is whole."""
    buffer = io.BytesIO()
    with pa.ipc.new_file(buffer, table.schema) as writer:
        writer.write_table(table)
    return buffer.getvalue()


def sink_of(form: ResultForm, file: BinaryIO, head: bytes) -> TextSink | ParquetSink:
    """The sink for a form of results."""
    return ParquetSink(file) if form == "parquet" else TextSink(file, head)
