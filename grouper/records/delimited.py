"""CSV and TSV → `Raw`: fast through Arrow when a file is sound, record by record when it is not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from grouper.errors import RecordError
from grouper.records._lines import lone_returns, occurrences
from grouper.records.raw import HEADER_ROWS, HeaderScore, Raw, header_row
from grouper.records.transcode import utf8_of
from grouper.records.user import Lines
from grouper.sheet import Decoded, best_separator, cells_of, decode, text_rows

_Row = tuple[str, ...]
_UNREAD = pa.chunked_array([], pa.string())
#: small enough for the cache: twice as fast as one piece, though columns must be joined again
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Head:
    """The header: its line (1-based), its cells, the separator, and where the body begins.

    last: the last line of the header, which may have a second row; body: bytes of UTF-8 before it.
    """

    line: int
    names: _Row
    delimiter: str
    body: int
    last: int


def read_delimited(
    data: bytes, name: str, path: str, score: HeaderScore, *, encoding: str | None = None
) -> Raw:
    """The records of a CSV or TSV file, every cell as its text.

    Records that cannot be read keep their place, with a fault. Raises DataFileError (DF132,
    DF133), RecordError (RE17) when there is no record below the header.
    """
    decoded = decode(data, name, encoding=encoding)
    head = find_head(decoded.text, path, score)
    raw = _raw(data, decoded, head, name, path)
    if not len(raw):
        raise RecordError("RE17", name, path=name)
    return raw


def read_part(
    body: bytes | memoryview,
    prefix: bytes,
    name: str,
    path: str,
    head: Head,
    *,
    encoding: str,
    first: int,
    sound: bool,
    only: Collection[int] | None = None,
) -> Raw:
    """Records of a part of a file: whole lines from `first` on; `prefix` are those of its header.

    only: the columns that are wanted if the lines themselves can be written back (`Raw.lines`).

    The head and the encoding are those of the whole file; `sound` if all of it is known to be in
    that encoding, and to be without NUL, lone CR or stray quote. There may be no record at all.
    """
    raw = None
    if sound:
        raw = _sound(memoryview(body), name, path, head, encoding, first, only)
    if raw is None:
        data = prefix + body
        raw = _raw(data, decode(data, name, encoding=encoding), head, name, path, blank=b"\r\n")
        raw = replace(raw, numbers=raw.numbers + (first - 1 - head.last))
    return raw


def _sound(
    own: memoryview,
    name: str,
    path: str,
    head: Head,
    encoding: str,
    first: int,
    only: Collection[int] | None,
) -> Raw | None:
    """The records of a sound part; None if only a closer look can tell."""
    body = own if encoding == "utf-8" else memoryview(utf8_of(own, encoding))
    n = _ended(body)
    if occurrences(body, ord('"')):
        table = _parsed(body, head, quoted=True)
    else:
        table = _parsed(body, head, quoted=False, only=only)
        if table is not None and len(table) == n and n:
            lines = Lines({encoding: own, "utf-8": body}, head.delimiter)
            numbers = np.arange(first, first + n, dtype=np.int64)
            columns = _all_columns(table, head)
            return Raw(name, path, "text", head.names, columns, numbers, head.line, lines=lines)
        if only is not None:
            # blank lines stand between the records
            table = _parsed(body, head, quoted=False)
    if table is None:
        return None
    numbers = _numbers(np.frombuffer(body, np.uint8), first, len(table))
    return Raw(name, path, "text", head.names, tuple(table.columns), numbers, head.line)


def _all_columns(table: pa.Table, head: Head) -> tuple[pa.ChunkedArray, ...]:
    """The columns in the order of the header, those not read without a cell."""
    read = dict(zip(table.column_names, table.columns, strict=True))
    return tuple(read.get(str(at), _UNREAD) for at in range(len(head.names)))


def _ended(body: memoryview) -> int:
    """How many lines a body has, the last one with a line end or not."""
    whole = not len(body) or body[-1] == 10
    return occurrences(body, 10) + (not whole)


def has_crlf(text: str) -> bool:
    """Whether a text ends its lines with CR LF, by its beginning."""
    return "\r\n" in text[:100_000]


def _raw(
    data: bytes, decoded: Decoded, head: Head, name: str, path: str, *, blank: bytes | None = None
) -> Raw:
    """The records below the header; a body of nothing but `blank` characters has none."""
    text = decoded.text
    facts = {"encoding": decoded.encoding, "delimiter": head.delimiter, "header_row": head.line}
    if decoded.second:
        facts["lines_in_second_encoding"] = decoded.second
    utf8 = data if decoded.encoding == "utf-8" else text.encode("utf-8", "surrogatepass")
    table = None if decoded.broken else _fast(utf8, head, blank)
    if table is None:
        columns, numbers, faults = _careful(decoded, head)
    else:
        columns, numbers, faults = table.columns, _line_numbers(utf8, head, len(table)), {}
    crlf = has_crlf(text)
    return Raw(
        name, path, "text", head.names, tuple(columns), numbers, head.line, "", crlf, faults, facts
    )


def find_head(text: str, path: str, score: HeaderScore) -> Head:
    """The header among the first lines, under the separator that yields most known headers."""
    default = "\t" if path.lower().endswith((".tsv", ".tab")) else ","
    newline = "\n" if "\n" in text else "\r"
    lines: list[str] = []
    starts: list[int] = []
    position = 0
    while len(lines) < HEADER_ROWS + 5 and position < len(text):
        end = text.find(newline, position)
        end = len(text) if end < 0 else end
        lines.append(text[position:end].removesuffix("\r"))
        starts.append(end + 1)
        position = end + 1
    delimiter = best_separator(lines, score, default=default)
    rows = [cells_of(line, delimiter) for line in lines]
    at = header_row(rows, score)
    body = at + 1
    # a second header row, of codes or of titles, may follow
    if body < len(rows) and score(rows[body]) >= max(3, len(rows[body]) // 2):
        body += 1
    cut = min(starts[body - 1], len(text)) if starts else 0
    names = rows[at] if rows else ()
    return Head(at + 1, names, delimiter, len(text[:cut].encode("utf-8", "surrogatepass")), body)


def _fast(utf8: bytes, head: Head, blank: bytes | None = None) -> pa.Table | None:
    """The body through Arrow; None if anything in it needs a closer look."""
    if b"\0" in utf8 or b"\n" not in utf8 or lone_returns(utf8):
        return None
    body = memoryview(utf8)[head.body :]
    quoted = utf8.find(b'"', head.body) >= 0
    if quoted:
        quotes = np.flatnonzero(np.frombuffer(body, np.uint8) == ord('"'))
        if not _well_quoted(body, quotes, head.delimiter):
            return None
    return _parsed(body, head, quoted=quoted, blank=blank)


def _parsed(
    body: memoryview,
    head: Head,
    *,
    quoted: bool,
    blank: bytes | None = b"\r\n",
    only: Collection[int] | None = None,
) -> pa.Table | None:
    """A body as Arrow reads it, None if a row has not the cells of the header."""
    if not bytes(body[:100]).strip(blank) and not bytes(body).strip(blank):
        return _empty(len(head.names))
    wrong: list[Any] = []

    def refuse(row: Any) -> str:
        wrong.append(row)
        return "skip"

    names = [str(i) for i in range(len(head.names))]
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(pa.py_buffer(body)),
            read_options=pa_csv.ReadOptions(
                column_names=names, block_size=min(len(body), _BLOCK) + 1, use_threads=False
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=head.delimiter,
                newlines_in_values=quoted,
                ignore_empty_lines=True,
                invalid_row_handler=refuse,
            ),
            convert_options=pa_csv.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=False,
                include_columns=None if only is None else [str(at) for at in sorted(only)],
            ),
        )
    except pa.ArrowInvalid:
        # a row longer than Arrow's blocks, for one: the careful reader has no such limit
        return None
    return None if wrong else table


def _empty(width: int) -> pa.Table:
    return pa.table({str(i): pa.array([], pa.string()) for i in range(width)})


def _well_quoted(body: memoryview, quotes: NDArray[np.int64], delimiter: str) -> bool:
    """Whether every quote opens a cell, closes one, or is doubled inside one (RFC 4180).

    Quotes open and close in turn; an opening one stands after a separator, a line end or a
    closing one, a closing one before a separator, a line end or an opening one.
    """
    if len(quotes) % 2:
        return False
    padded = np.frombuffer(b"\n" + bytes(body) + b"\n", np.uint8)
    edge = np.isin(np.arange(256), [ord(delimiter), 10, 13, ord('"')])
    before, after = padded[quotes[::2]], padded[quotes[1::2] + 2]
    if not (edge[before].all() and edge[after].all()):
        return False
    doubled = np.flatnonzero(before == ord('"'))
    # a quote after a quote is a doubled one only if the first of them closed its cell
    return bool(
        (quotes[2 * doubled] - 1 == quotes[2 * doubled - 1]).all() if len(doubled) else True
    )


def _line_numbers(utf8: bytes, head: Head, n: int) -> NDArray[np.int64]:
    """The line on which each record begins; blank lines and line ends in quotes count."""
    first = occurrences(memoryview(utf8)[: head.body], 10) + 1
    return _numbers(np.frombuffer(utf8, np.uint8)[head.body :], first, n)


def _numbers(body: NDArray[np.uint8], first: int, n: int) -> NDArray[np.int64]:
    """The same for the n records of a body that begins on line `first`."""
    ends = np.flatnonzero(body == 10)
    ended = len(ends) + (len(body) > 0 and int(body[-1]) != 10)
    if ended == n and not (body == ord('"')).any():
        return np.arange(first, first + n, dtype=np.int64)
    quotes = np.flatnonzero(body == ord('"'))
    inside = np.searchsorted(quotes, ends) % 2 == 1
    starts = np.concatenate([[0], ends[~inside] + 1])
    stops = np.concatenate([ends[~inside], [len(body)]])
    lines = first + np.concatenate([[0], np.flatnonzero(~inside) + 1])
    carriage = np.zeros(len(stops), np.int64)
    full = stops > starts
    carriage[full] = body[stops[full] - 1] == 13
    return lines[stops - carriage > starts].astype(np.int64)


def _careful(
    decoded: Decoded, head: Head
) -> tuple[list[pa.ChunkedArray], NDArray[np.int64], dict[int, str]]:
    """The body record by record: what cannot be read is marked and keeps its place."""
    width = len(head.names)
    rows: list[_Row] = []
    numbers: list[int] = []
    faults: dict[int, str] = {}
    for row in text_rows(decoded, head.delimiter):
        if row.line <= head.last:
            continue
        cells = row.cells
        fault = row.fault or ("cells" if len(cells) != width else "")
        if fault:
            faults[len(rows)] = fault
            cells = (*cells[:width], *[""] * (width - len(cells)))
        rows.append(cells)
        numbers.append(row.line)
    cells_by_column = zip(*rows, strict=True) if rows else [()] * width
    columns = [pa.chunked_array([pa.array(cells, pa.string())]) for cells in cells_by_column]
    return columns, np.array(numbers, np.int64), faults
