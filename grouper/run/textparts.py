"""A CSV or TSV file in parts: cut between records, each understood by itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from grouper.records._lines import cut_behind, line_ends, occurrences
from grouper.records.delimited import read_part
from grouper.records.raw import Raw
from grouper.run.textfile import TextFile, line_blocks
from grouper.sheet import decode, text_rows

#: a part ends with the block that reaches so many bytes, however few its rows
_MOST = 1 << 23
#: a record that may be faulty is understood only with so many lines after it
_LOOKAHEAD = 1000
_LF, _QUOTE = 10, 34

_Places = NDArray[np.int64]
#: lines that begin with a record, and whether they are the last -> where records end in them
_Ends = Callable[[bytes, bool], _Places]


@dataclass(frozen=True)
class TextPart:
    """Whole lines of the body of a file.

    first: the number of the first line of the part; end: where its last one ends (bytes).
    """

    file: TextFile
    body: bytes | memoryview
    first: int
    end: int

    def read(self, only: Collection[int] | None = None) -> Raw:
        """The records of the part; `only` as in `read_part`."""
        file = self.file
        return read_part(
            self.body,
            file.prefix,
            file.path.name,
            str(file.path),
            file.head,
            encoding=file.encoding,
            first=self.first,
            sound=file.plain,
            only=only,
        )


def cut_text(text: TextFile, rows: int) -> Iterator[TextPart]:
    """Parts of about `rows` records each (blank lines count), in order; all bytes of the body."""
    with text.path.open("rb") as file:
        file.seek(text.start)
        line, end = text.head.last + 1, text.start
        for body in _cut(text, file, rows):
            end += len(body)
            yield TextPart(text, body, line, end)
            line += occurrences(body, _LF)


def _cut(text: TextFile, file: BinaryIO, rows: int) -> Iterator[bytes | memoryview]:
    if text.plain and not text.quotes:
        return _straight_pieces(file, rows)
    return _pieces(file, rows, _plain_ends if text.plain else _careful_ends(text))


def _straight_pieces(file: BinaryIO, rows: int) -> Iterator[memoryview]:
    """Every `rows` lines, or fewer in long ones; no byte is copied after it was read."""
    at, room = file.tell(), _MOST
    while data := memoryview(file.read(room)):
        whole = len(data) < room
        start = 0
        while start < len(data):
            stop, lines = cut_behind(data, start, rows)
            if lines < rows and whole:
                stop = len(data)
            elif lines < rows and start:
                # perhaps not so many because the data end here
                break
            elif not lines:
                room *= 2
                break
            yield data[start:stop]
            start = stop
            room = _MOST
        at += start
        file.seek(at)


def _pieces(file: BinaryIO, rows: int, ends_of: _Ends) -> Iterator[bytes]:
    """The bytes of every `rows` records."""
    held: list[bytes] = []
    count = 0
    for block, ends in _ended(file, ends_of):
        start, at = 0, 0
        while at + rows - count <= len(ends):
            at += rows - count
            stop = int(ends[at - 1])
            yield b"".join([*held, block[start:stop]])
            held, count, start = [], 0, stop
        count += len(ends) - at
        held.append(block[start:])
        if sum(map(len, held)) >= _MOST:
            # long rows: memory is bounded by bytes as well
            yield b"".join(held)
            held, count = [], 0
    if any(held):
        yield b"".join(held)


def _ended(file: BinaryIO, ends_of: _Ends) -> Iterator[tuple[bytes, _Places]]:
    """Blocks that end with a record, and where records end in them."""
    rest = b""
    blocks = line_blocks(file)
    block = next(blocks, None)
    while block is not None:
        following = next(blocks, None)
        data = rest + block
        ends = ends_of(data, following is None)
        stop = int(ends[-1]) if len(ends) else 0
        if following is None:
            stop = len(data)
        rest = data[stop:]
        if stop:
            yield data[:stop], ends
        block = following


def _plain_ends(data: bytes, last: bool) -> _Places:
    """Line ends outside quotes."""
    found = line_ends(data)
    if b'"' not in data:
        return found
    quotes = np.flatnonzero(np.frombuffer(data, np.uint8) == _QUOTE)
    outside: _Places = found[np.searchsorted(quotes, found - 1) % 2 == 0]
    return outside


def _careful_ends(text: TextFile) -> _Ends:
    """Where the careful reader's records end: each is understood from its own beginning."""

    def ends(data: bytes, last: bool) -> _Places:
        decoded = decode(text.prefix + data, text.path.name, encoding=text.encoding)
        stops = np.flatnonzero(np.frombuffer(data, np.uint8) == _LF) + 1
        known = len(stops) if last else len(stops) - _LOOKAHEAD
        # a record that begins on line k + 1 of the data follows the end of line k
        before = (row.line - text.head.last - 1 for row in text_rows(decoded, text.head.delimiter))
        return stops[[k - 1 for k in before if 0 < k <= known]]

    return ends
