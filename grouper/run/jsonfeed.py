"""JSON lines of any size, cut between lines: no more than a part of them is ever in memory."""

from __future__ import annotations

import codecs
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from grouper.errors import DataFileError
from grouper.records.check import Findings
from grouper.records.jsonlines import keys_of, read_json
from grouper.records.sources import Sources
from grouper.records.user import ABSENT, Column, Form
from grouper.run.part import Part
from grouper.run.textfile import line_blocks
from grouper.sheet import form_of

LINES_SUFFIXES = (".jsonl", ".ndjson")
#: a part ends with the line that reaches so many bytes, however few its records
_MOST = 1 << 23


@dataclass(frozen=True)
class LinesFile:
    """A file of UTF-8 text: `mark` before its first line or none, `size` in bytes."""

    path: Path
    mark: bytes
    size: int

    @property
    def encoding(self) -> str:
        """As the whole-file reader names it."""
        return "utf-8-sig" if self.mark else "utf-8"


@dataclass(frozen=True)
class LinesPart:
    """Some lines of a file: the number of the first, their bytes, and where the last one ends."""

    file: LinesFile
    first: int
    data: bytes
    end: int

    def read(self, names: tuple[str, ...]) -> Sources:
        """Its records, with all the columns that the inputs have."""
        path = self.file.path
        raw = read_json(self.data, path.name, str(path), lines=True, encoding="utf-8")
        raw = replace(raw, numbers=raw.numbers + self.first - 1)
        own = dict(zip(raw.names, raw.columns, strict=True))
        none: Column = [ABSENT] * len(raw)
        columns = tuple(own.get(name, none) for name in names)
        return Sources((raw,), names, columns, "json", (0,), raw.numbers, dict(raw.faults))


@dataclass(frozen=True)
class LinesFeed:
    """Files of JSON lines; `names` are the keys of all objects, in order of first appearance."""

    files: tuple[LinesFile, ...]
    names: tuple[str, ...]
    found: Findings
    form: Form = "json"
    crlf: bool = False

    @property
    def label(self) -> str:
        """The first file, for messages."""
        return self.files[0].path.name

    @property
    def facts(self) -> tuple[Mapping[str, object], ...]:
        """What was found about each file."""
        return tuple(
            {"path": str(file.path), "form": "json", "encoding": file.encoding}
            for file in self.files
        )

    def writes_back(self, encoding: str | None, delimiter: str) -> bool:
        """Never: its lines are no lines of a table."""
        return False

    def parts(self, rows: int, only: Collection[int] | None = None) -> Iterator[Part]:
        """Parts of `rows` records, fewer where the records are long or a file ends."""
        whole = sum(file.size for file in self.files)
        number = before = 0
        for source, file in enumerate(self.files):
            for part in _cut(file, rows):
                done = (before + part.end) / whole
                yield Part(number, source, done, partial(part.read, self.names))
                number += 1
            before += file.size


def lines_feed(paths: Sequence[Path], encoding: str | None) -> LinesFeed | None:
    """The feed of some files; None if one is no JSON lines in UTF-8 and must be read at once.

    Raises DataFileError (DF130, DF131).
    """
    if any(path.suffix.lower() not in LINES_SUFFIXES for path in paths):
        return None
    if encoding is not None and _codec(encoding) != "utf-8":
        return None
    names: dict[str, None] = {}
    files = []
    for path in paths:
        file = _scanned(path, names)
        if file is None:
            return None
        files.append(file)
    return LinesFeed(tuple(files), tuple(names), Findings())


def _codec(encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        return ""


def _scanned(path: Path, names: dict[str, None]) -> LinesFile | None:
    """What holds for a whole file; its keys are added to `names`. None if it is not all UTF-8."""
    try:
        with path.open("rb") as file:
            mark = _mark(file)
            size, filled = len(mark), False
            for block in line_blocks(file):
                size += len(block)
                if not filled and form_of(block):
                    # no text: the whole-file reader says what it is
                    return None
                lines = [line for line in block.decode().split("\n") if _is_filled(line)]
                filled = filled or bool(lines)
                names.update(dict.fromkeys(keys_of(lines)))
    except UnicodeDecodeError:
        return None
    except OSError as error:
        detail = error.strerror or error
        raise DataFileError("DF130", str(path), path=path.name, detail=detail) from None
    if not filled:
        raise DataFileError("DF131", str(path), path=path.name)
    return LinesFile(path, mark, size)


def _mark(file: BinaryIO) -> bytes:
    """The mark of UTF-8 at the beginning of a file, which is then read up to behind it."""
    mark = file.read(len(codecs.BOM_UTF8))
    if mark == codecs.BOM_UTF8:
        return mark
    file.seek(0)
    return b""


def _is_filled(line: str) -> bool:
    return bool(line) and not line.isspace()


def _cut(file: LinesFile, rows: int) -> Iterator[LinesPart]:
    """Lines of `rows` records each, in order."""
    with file.path.open("rb") as data:
        data.seek(len(file.mark))
        held: list[bytes] = []
        end = len(file.mark)
        first = number = 1
        records = size = 0
        for block in line_blocks(data):
            for line in _lines(block):
                held.append(line)
                number, end, size = number + 1, end + len(line), size + len(line)
                records += _is_filled(line.decode())
                if records == rows or (size >= _MOST and records):
                    yield LinesPart(file, first, b"".join(held), end)
                    held, records, size, first = [], 0, 0, number
        if records:
            yield LinesPart(file, first, b"".join(held), end)


def _lines(block: bytes) -> list[bytes]:
    """The lines of a block with their ends; only LF ends a line, as everywhere in JSON lines."""
    *whole, last = block.split(b"\n")
    return [*(line + b"\n" for line in whole), *([last] if last else [])]
