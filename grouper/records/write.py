"""Results out: the user's columns, then ours, to CSV, TSV, XLSX, Parquet, JSON lines or JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pa_parquet
from numpy.typing import NDArray

from grouper.errors import DataFileError, Lang
from grouper.records._lines import appended
from grouper.records.fields import result_columns, result_header
from grouper.records.layout import LISTS
from grouper.records.outfile import Overwrite, check_output, whole_file
from grouper.records.texts import arrow_column, json_column, json_text, split_lists, text_column
from grouper.records.user import Column, Form, Lines, UserTable
from grouper.records.workbook_out import write_workbook

#: (column key, values): the key is the English header; the Chinese one is data
Results = Sequence[tuple[str, pa.Array | pa.ChunkedArray]]
#: rows rendered at a time, so that Arrow's text arrays stay far below 2 GiB
_CHUNK = 50_000


@dataclass(frozen=True)
class Output:
    """The columns of a result file in order; `types` holds field or result types, "" unknown."""

    names: tuple[str, ...]
    columns: tuple[Column, ...]
    types: tuple[str, ...]
    rows: int
    form: Form
    encoding: str | None
    newline: str
    info: tuple[tuple[str, object], ...]


def write_results(
    path: str | Path,
    user: UserTable,
    results: Results,
    *,
    lang: Lang = "zh",
    encoding: str | None = None,
    overwrite: Overwrite = "refuse",
    info: Sequence[tuple[str, object]] = (),
) -> Path:
    """Write rows to `path`; the suffix chooses the form, `-` is CSV on standard output.

    Nothing is left half-written. Raises DataFileError: DF136 suffix, DF140 to DF145 (see
    `check_output` and the writers), DF133 unknown encoding.
    """
    suffix = ".csv" if str(path) == "-" else Path(path).suffix.lower()
    if suffix not in _WRITERS:
        raise DataFileError("DF136", str(path), path=Path(path).name, known=" ".join(_WRITERS))
    _check_encoding(str(path), encoding)
    nested = suffix in (".parquet", ".jsonl", ".ndjson", ".json")
    output = output_of(user, results, lang, encoding, tuple(info), nested=nested)
    writer = _WRITERS[suffix]
    if str(path) == "-":
        writer(sys.stdout.buffer, output)
        sys.stdout.buffer.flush()
        return Path("-")
    target = check_output(path, user.inputs, overwrite=overwrite)
    with whole_file(target) as file:
        writer(file, output)
    return target


def result_table(user: UserTable, results: Results, *, lang: Lang = "zh") -> pa.Table:
    """The same columns as an Arrow table, for callers that stay in memory."""
    output = output_of(user, results, lang, None, (), nested=True)
    return pa.table([arrow_column(c) for c in output.columns], names=list(output.names))


def _check_encoding(path: str, encoding: str | None) -> None:
    try:
        "".encode(encoding or "utf-8")
    except LookupError:
        raise DataFileError("DF133", path, path=Path(path).name, encoding=encoding) from None


def output_of(
    user: UserTable,
    results: Results,
    lang: Lang,
    encoding: str | None,
    info: tuple[tuple[str, object], ...],
    *,
    nested: bool,
) -> Output:
    """The columns of a result file; `nested` for forms that know lists and types."""
    headers = [result_header(key, lang) for key, _ in results]
    names = user.renamed(headers)
    columns = list(user.columns)
    if nested:
        names = tuple(name or f"column_{at + 1}" for at, name in enumerate(names))
        columns = [
            split_lists(column) if user.form in ("text", "cells") and name in LISTS else column
            for name, column in zip(user.names, user.columns, strict=True)
        ]
        if user.form == "cells":
            columns = [_without_fractions(column) for column in columns]
    kinds = [user.type_of(name) for name in user.names]
    known = result_columns()
    kinds += [known[key].type if key in known else "" for key, _ in results]
    columns += [_chunked(values) for _, values in results]
    newline = "\r\n" if user.crlf else "\n"
    return Output(
        (*names, *headers),
        tuple(columns),
        tuple(kinds),
        len(user),
        user.form,
        encoding,
        newline,
        info,
    )


def _without_fractions(column: Column) -> Column:
    """Numbers of a worksheet that are whole as integers: a sheet knows binary numbers only."""
    if not isinstance(column, list):
        return column
    return [
        int(v) if isinstance(v, float) and v.is_integer() and abs(v) < 1e15 else v for v in column
    ]


def _chunked(values: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    return values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])


def _sliced(column: Column, start: int, stop: int) -> Column:
    return column[start:stop] if isinstance(column, list) else column.slice(start, stop - start)


def _chunks(output: Output) -> Iterator[list[Column]]:
    for start in range(0, output.rows, _CHUNK):
        stop = min(start + _CHUNK, output.rows)
        yield [_sliced(column, start, stop) for column in output.columns]


def _write_text(file: BinaryIO, output: Output, delimiter: str) -> None:
    write_head(file, output, delimiter)
    write_rows(file, output, delimiter)


def write_head(file: BinaryIO, output: Output, delimiter: str) -> None:
    """The line of titles of a text file, after the mark of its encoding if it has one."""
    codec = codec_of(output.encoding)
    if codec != (output.encoding or "utf-8-sig"):
        file.write(b"\xef\xbb\xbf")
    header = delimiter.join(_quoted(name, delimiter) for name in output.names)
    _encode(file, header + output.newline, codec)


def codec_of(encoding: str | None) -> str:
    """The encoding of what stands behind the mark at the beginning of a file."""
    name = (encoding or "utf-8-sig").lower().replace("_", "-")
    return "utf-8" if name in ("utf-8-sig", "utf8") else name


def write_rows(file: BinaryIO, output: Output, delimiter: str) -> None:
    """RFC 4180: cells with a separator, a quote or a line end are quoted, no others."""
    codec = codec_of(output.encoding)
    for columns in _chunks(output):
        cells = [_quote(text_column(column), delimiter) for column in columns]
        # the line end goes to the last cell, not to the line: a copy less of everything
        cells[-1] = pc.binary_join_element_wise(cells[-1], "", output.newline)
        lines = pc.binary_join_element_wise(*cells, delimiter)
        _encode(file, memoryview(lines.buffers()[2]), codec)


def line_endings(output: Output, delimiter: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """What stands behind the user's own cells: text k is bytes[bounds[k]:bounds[k + 1]].

    The output has result columns only. Raises DataFileError (DF144).
    """
    cells = [_quote(text_column(column), delimiter) for column in output.columns]
    texts = pc.binary_join_element_wise("", *cells, delimiter).to_pylist()
    encoded = [_encoded(text, codec_of(output.encoding)) for text in texts]
    bounds = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    return np.frombuffer(b"".join(encoded), np.uint8), bounds


def append_to_lines(
    lines: Lines,
    encoding: str | None,
    delimiter: str,
    endings: tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.int64]],
    *,
    crlf: bool,
) -> memoryview | None:
    """The user's lines as they stand with an ending each; None if they cannot be written so.

    endings: (n,) which text, and the texts as `line_endings` gives them.
    """
    body = lines.bodies.get(codec_of(encoding))
    if body is None or delimiter != lines.delimiter:
        return None
    found: memoryview | None = appended(body, *endings, crlf)
    return found


def _encode(file: BinaryIO, text: str | memoryview, codec: str) -> None:
    if isinstance(text, memoryview):
        file.write(
            text if codec.lower() in ("utf-8", "utf8") else _encoded(str(text, "utf-8"), codec)
        )
    else:
        file.write(_encoded(text, codec))


def _encoded(text: str, codec: str) -> bytes:
    try:
        return text.encode(codec)
    except UnicodeEncodeError as error:
        odd = text[error.start : error.start + 5]
        raise DataFileError("DF144", text=odd, encoding=codec) from None


def _quoted(text: str, delimiter: str) -> str:
    if any(char in text for char in (delimiter, '"', "\r", "\n")):
        return '"' + text.replace('"', '""') + '"'
    return text


def _quote(cells: pa.Array, delimiter: str) -> pa.Array:
    if not _occurs(cells, ('"', "\r", "\n", delimiter)):
        return cells
    needs = pc.match_substring_regex(cells, f'["\r\n{delimiter}]')
    if not pc.any(needs).as_py():
        return cells
    doubled = pc.replace_substring(cells, '"', '""')
    return pc.if_else(needs, pc.binary_join_element_wise('"', doubled, '"', ""), cells)


def _occurs(cells: pa.Array, marks: Sequence[str]) -> bool:
    """Whether any of some ASCII signs stands in any cell: a look at the bytes, far cheaper."""
    _, offsets, data = cells.buffers()
    if data is None:
        return False
    bounds = memoryview(offsets).cast("i")
    start, stop = bounds[cells.offset], bounds[cells.offset + len(cells)]
    letters = data.slice(start, stop - start).to_pybytes()
    return any(mark.encode() in letters for mark in marks)


def _write_csv(file: BinaryIO, output: Output) -> None:
    _write_text(file, output, ",")


def _write_tsv(file: BinaryIO, output: Output) -> None:
    _write_text(file, output, "\t")


def _write_json_lines(file: BinaryIO, output: Output) -> None:
    for lines in _json_lines(output):
        ended = pc.binary_join_element_wise(lines, "", "\n")
        file.write(ended.buffers()[2].to_pybytes())


def _write_json(file: BinaryIO, output: Output) -> None:
    start = "[\n"
    for lines in _json_lines(output):
        file.write((start + ",\n".join(lines.to_pylist())).encode())
        start = ",\n"
    file.write(b"[]\n" if start == "[\n" else b"\n]\n")


def _json_lines(output: Output) -> Iterator[pa.Array]:
    """One JSON object a row, column by column; keys that an object did not have stay away."""
    heads = [f",{json_text(name)}:" for name in output.names]
    for columns in _chunks(output):
        pairs = [
            pc.fill_null(pc.binary_join_element_wise(head, json_column(column), ""), "")
            for head, column in zip(heads, columns, strict=True)
        ]
        row = pc.binary_join_element_wise(*pairs, "")
        yield pc.binary_join_element_wise("{", pc.utf8_slice_codeunits(row, 1), "}", "")


def _write_parquet(file: BinaryIO, output: Output) -> None:
    columns = [arrow_column(column) for column in output.columns]
    pa_parquet.write_table(pa.table(columns, names=list(output.names)), file)


def _write_xlsx(file: BinaryIO, output: Output) -> None:
    write_workbook(
        file,
        output.names,
        output.columns,
        output.types,
        output.rows,
        output.info,
        texts="typed" if output.form == "text" else "text",
    )


_WRITERS: dict[str, Callable[[BinaryIO, Output], None]] = {
    ".csv": _write_csv,
    ".tsv": _write_tsv,
    ".xlsx": _write_xlsx,
    ".parquet": _write_parquet,
    ".jsonl": _write_json_lines,
    ".ndjson": _write_json_lines,
    ".json": _write_json,
}

__all__ = ["Overwrite", "Results", "check_output", "result_table", "write_results"]
