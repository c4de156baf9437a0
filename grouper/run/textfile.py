"""A CSV or TSV file of any size: what holds for the whole of it, found in one pass."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from grouper.errors import DataFileError, RecordError
from grouper.records._lines import lone_returns, occurrences
from grouper.records.delimited import Head, find_head, has_crlf
from grouper.records.raw import HeaderScore
from grouper.records.transcode import is_utf8, two_bytes
from grouper.sheet import breaks_off, decode

_BLOCK = 1 << 22
#: so much of a file is looked at for its header and its line ends
_HEAD = 1 << 19
#: encodings in which a comma, a quote and a line end are never part of another character
_CUTTABLE = ("utf-8", "utf-8-sig", "gb18030", "gbk", "gb2312", "ascii", "iso8859-1", "cp1252")
_LF, _QUOTE = 10, 34


@dataclass(frozen=True)
class TextFile:
    """What reading a part needs to know of the whole.

    encoding: for `decode` of any part; facts: as in `Raw`; prefix: bytes of the header, which
    stand before any part; start: where the body begins (bytes); plain: every quote opens or closes
    a cell and nothing else is odd, so that a line end outside quotes ends a record; quotes: there
    are any; lines, size: of the file.
    """

    path: Path
    head: Head
    encoding: str
    facts: dict[str, object]
    prefix: bytes
    start: int
    crlf: bool
    plain: bool
    quotes: bool
    lines: int
    size: int


@dataclass
class _Survey:
    """What one pass over a file sees.

    broken: it does not decode; second: it does in GB18030 instead, as far as that is known; odd: it
    needs the careful reader.
    """

    lines: int = 0
    size: int = 0
    broken: bool = False
    second: bool | None = None
    odd: bool = False
    quotes: bool = False


def scan_text(path: Path, score: HeaderScore, encoding: str | None) -> TextFile | None:
    """What holds for a whole file; None if only the whole file can be read (UTF-16, lone CR).

    Raises DataFileError (DF130 to DF133), RecordError (RE17).
    """
    try:
        with path.open("rb") as file:
            return _scan(path, file, score, encoding)
    except OSError as error:
        detail = error.strerror or error
        raise DataFileError("DF130", str(path), path=path.name, detail=detail) from None


def _scan(
    path: Path,
    file: BinaryIO,
    score: HeaderScore,
    encoding: str | None,
) -> TextFile | None:
    beginning = file.read(_HEAD)
    if not beginning.removeprefix(codecs.BOM_UTF8).strip() and len(beginning) < _HEAD:
        raise DataFileError("DF131", str(path), path=path.name)
    # says what is no text, and encodings that do not exist
    decode(beginning[:1000], path.name, encoding=encoding)
    codec = _codec(beginning, encoding)
    if codec not in _CUTTABLE:
        return None
    survey = _survey(file, codec)
    label = given = encoding or codec
    mark, second = b"", 0
    detects = survey.broken and (encoding is None or codec == "utf-8-sig")
    cut = detects and _breaks_off(file, "utf-8")
    if detects and codec == "utf-8" and not cut:
        survey.broken = not _fits_second(file, survey)
        cut = survey.broken and _breaks_off(file, "gb18030")
        if cut or not survey.broken:
            label = given = "gb18030"
    if detects and survey.broken and not cut:
        second, survey.broken = _second(file)
        if codec == "utf-8":
            # text with a mark is decoded line by line in either encoding, as mixed text must be
            label, given, mark = "mixed", "utf-8-sig", codecs.BOM_UTF8
    text = decode(mark + _beginning(file), path.name, encoding=given).text
    if "\n" not in text:
        return None
    head = find_head(text, str(path), score)
    prefix = _lines(file, head.last)
    if prefix.count(b'"') % 2:
        return None
    if not _filled(file, len(prefix)):
        raise RecordError("RE17", path.name, path=path.name)
    if given == "utf-8-sig" and (cut or not survey.broken) and not mark:
        # without the mark its text is UTF-8 as it stands
        given = "utf-8"
    plain = not (survey.broken or survey.odd)
    if plain and survey.quotes:
        plain = _well_quoted(file, len(prefix), head.delimiter)
    facts: dict[str, object] = {
        "encoding": label,
        "delimiter": head.delimiter,
        "header_row": head.line,
    }
    if second:
        facts["lines_in_second_encoding"] = second
    return TextFile(
        path=path,
        head=head,
        encoding=given,
        facts=facts,
        prefix=mark + (prefix.removeprefix(codecs.BOM_UTF8) if given == "utf-8" else prefix),
        start=len(prefix),
        crlf=has_crlf(text),
        plain=plain,
        quotes=survey.quotes,
        lines=survey.lines,
        size=survey.size,
    )


def _codec(beginning: bytes, encoding: str | None) -> str:
    """The encoding asked for, that of a mark at the beginning, else UTF-8 until disproved."""
    if encoding:
        return codecs.lookup(encoding).name
    if beginning.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    marked = beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return "utf-16" if marked else "utf-8"


def line_blocks(file: BinaryIO) -> Iterator[bytes]:
    """The rest of a file in blocks that end with a line."""
    at, room = file.tell(), _BLOCK
    while data := file.read(room):
        cut = data.rfind(b"\n") + 1
        if cut == len(data) or len(data) < room:
            cut = len(data)
        elif not cut:
            # a line longer than a block
            file.seek(at)
            room *= 2
            continue
        else:
            # the rest of the last line is read again: cheaper than to join it
            file.seek(at + cut)
            data = data[:cut]
        yield data
        at, room = at + cut, _BLOCK


def _survey(file: BinaryIO, codec: str) -> _Survey:
    """One pass over the whole file."""
    file.seek(0)
    found = _Survey()
    for block in line_blocks(file):
        found.size += len(block)
        found.lines += occurrences(block, _LF)
        if not found.broken and not _decodes(block, codec):
            found.broken = True
            # what stood before must fit as well: known only if this is the first block
            found.second = True if found.size == len(block) else None
        if found.broken and found.second:
            found.second = _decodes(block, "gb18030")
        found.odd = found.odd or b"\0" in block or bool(lone_returns(block))
        found.quotes = found.quotes or b'"' in block
    return found


def _decodes(block: bytes, codec: str) -> bool:
    if block.isascii():
        return True
    if codec in ("utf-8", "utf-8-sig"):
        return is_utf8(block)
    if codec in ("gb18030", "gbk") and two_bytes(codec).fits(block):
        return True
    try:
        block.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _fits_second(file: BinaryIO, survey: _Survey) -> bool:
    """Whether all of a file decodes as GB18030."""
    if survey.second is not None:
        return survey.second
    file.seek(0)
    return all(_decodes(block, "gb18030") for block in line_blocks(file))


def _breaks_off(file: BinaryIO, codec: str) -> bool:
    """Whether a file is in an encoding but for its last character, which is cut."""
    file.seek(0)
    return breaks_off(line_blocks(file), codec)


def _second(file: BinaryIO) -> tuple[int, bool]:
    """Of a file in two encodings: lines that need GB18030, and whether some fit neither."""
    file.seek(0)
    second, broken = 0, False
    for block in line_blocks(file):
        if _decodes(block, "utf-8"):
            continue
        for line in block.split(b"\n"):
            if _decodes(line, "utf-8"):
                continue
            fits = _decodes(line, "gb18030")
            second += fits
            broken = broken or not fits
    return second, broken


def _beginning(file: BinaryIO) -> bytes:
    """Enough whole lines of a file to know its header."""
    file.seek(0)
    data = file.read(_HEAD)
    while (more := file.read(_HEAD)) and data.count(b"\n") < 20:
        data += more
    # the last line may be cut inside a character
    return data[: data.rfind(b"\n") + 1] if more else data


def _lines(file: BinaryIO, n: int) -> bytes:
    """The bytes of the first n lines."""
    file.seek(0)
    return b"".join(file.readline() for _ in range(n))


def _filled(file: BinaryIO, start: int) -> bool:
    """Whether there is anything but blanks below the header."""
    file.seek(start)
    return any(not block.isspace() for block in line_blocks(file))


def _well_quoted(file: BinaryIO, start: int, delimiter: str) -> bool:
    """Whether every quote below the header opens or closes a cell, or is doubled inside one.

    The rule is that of the fast reader, applied block by block.
    """
    file.seek(start)
    edge = np.isin(np.arange(256), [ord(delimiter), _LF, 13, _QUOTE])
    inside = 0
    for block in line_blocks(file):
        padded = np.frombuffer(b"\n" + block + b"\n", np.uint8)
        quotes = np.flatnonzero(padded == _QUOTE)
        before, after = padded[quotes[inside::2] - 1], padded[quotes[1 - inside :: 2] + 1]
        if not (edge[before].all() and edge[after].all()):
            return False
        inside = (inside + len(quotes)) % 2
    return not inside
