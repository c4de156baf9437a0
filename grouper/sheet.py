"""Text tables of unknown origin: encoding and separator detected, rows with their line numbers.

Nothing here knows what a table is about. Rows that cannot be read are marked, never dropped.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grouper.errors import DataFileError

SEPARATORS = (",", "\t", ";", "|")

#: first bytes of files that are no text, and what they are
_MAGIC = (
    (b"PK\x03\x04", "xlsx/zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
    (b"PAR1", "parquet"),
    (b"%PDF", "pdf"),
    (b"\x1f\x8b", "gzip"),
    (b"Rar!", "rar"),
    (b"7z\xbc\xaf", "7z"),
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WEB_PAGE = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|table|meta|style)", re.IGNORECASE)
#: a quoted cell may span this many lines; beyond that its opening quote is a stray one
_MAX_LINES = 1000
_BLANKS = " \t\r\n\u00a0\u3000"
_ZERO_WIDTH = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))
_HALF = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text and how it was decoded.

    encoding: `utf-8`, `utf-8-sig`, `utf-16`, `gb18030`, `mixed`, or the one asked for.
    second: lines of a mixed file that needed GB18030; broken: lines (1-based) nothing could decode.
    """

    text: str
    encoding: str
    second: int = 0
    broken: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class TextRow:
    """One record: its first line (1-based), its cells, and a fault.

    fault: "" or `encoding`, `nul`, `quote`; cells are then only the best that could be had.
    """

    line: int
    cells: tuple[str, ...]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """All rows of a text table, blank lines left out."""

    name: str
    encoding: str
    delimiter: str
    rows: tuple[TextRow, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """All cells of one sheet as text, row by row, whatever they mean.

    file, title: for messages; title is "" for text files. numbers: the row (or line) of each row
    in its source, 1-based; joined: cells (position of the row, column) that only repeat the text of
    the joined cell above or left of them, whose text all its cells have.
    """

    file: str
    title: str
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    joined: frozenset[tuple[int, int]] = frozenset()

    def where(self, row: int, column: int) -> str:
        """`file:line:C` or, in a workbook, `file:sheet!C7`."""
        letters, number = column_letters(column), self.numbers[row]
        place = f"{self.title}!{letters}{number}" if self.title else f"{number}:{letters}"
        return f"{self.file}:{place}"


def strip_cell(text: str) -> str:
    """A cell without blanks, invisible characters and spreadsheet tricks (`'1`, `="1"`)."""
    text = text.strip(_BLANKS)
    if not text.isascii():
        text = text.translate(_ZERO_WIDTH).strip(_BLANKS)
    if text.startswith('="') and text.endswith('"') and len(text) > 2:
        text = text[2:-1].strip(_BLANKS)
    return text.removeprefix("'")


def half_width(text: str) -> str:
    """Full-width letters, digits and signs as their ordinary twins."""
    return text if text.isascii() else text.translate(_HALF)


def column_letters(column: int) -> str:
    """`A` for 0, `Z` for 25, `AA` for 26: how spreadsheets name columns."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_number(letters: str) -> int:
    """The inverse of `column_letters`: 0 for `A`."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def read_bytes(path: Path) -> bytes:
    """The bytes of a file. Raises DataFileError (DF130) if it cannot be read, DF131 if empty."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataFileError(
            "DF130", str(path), path=path.name, detail=error.strerror or error
        ) from None
    if not data.removeprefix(codecs.BOM_UTF8).strip():
        raise DataFileError("DF131", str(path), path=path.name)
    return data


def form_of(data: bytes) -> str:
    """What bytes that are no text seem to be (`xls`, `parquet` ...), "" for text."""
    found = next((form for magic, form in _MAGIC if data.startswith(magic)), "")
    # many systems "export to Excel" by writing a web page and calling it .xls
    return found or ("html" if _WEB_PAGE.match(data[:200]) else "")


def decode(data: bytes, name: str, *, encoding: str | None = None) -> Decoded:
    """The text in bytes: BOM, else UTF-8 if all of it decodes, else GB18030, else line by line.

    Looking at the beginning only is not enough: a head in ASCII with a tail in GBK is common.
    `encoding` asks for one; lines that it cannot decode are then broken. Raises DataFileError
    (DF132) for bytes that are no text, DF133 for an unknown or undecodable encoding.
    """
    form = form_of(data)
    if form:
        raise DataFileError("DF132", name, path=name, form=form)
    if encoding:
        return _decode_as(data, name, encoding)
    for bom, codec in _BOMS:
        if data.startswith(bom):
            return _decode_as(data, name, codec)
    for codec in ("utf-8", "gb18030"):
        try:
            return Decoded(data.decode(codec), codec)
        except UnicodeDecodeError:
            if breaks_off([data], codec):
                return _by_line(data, (codec,), codec)
    return _by_line(data, ("utf-8", "gb18030"), "mixed")


def breaks_off(blocks: Iterable[bytes], codec: str) -> bool:
    """Whether all is text of an encoding but for a last character of which bytes are missing.

    What is left of a character may be one of another encoding: two of the three bytes of a Chinese
    character in UTF-8 are mostly one in GB18030. Text that is else ASCII tells nothing.
    """
    decoder = codecs.getincrementaldecoder(codec)()
    is_ascii = True
    try:
        for block in blocks:
            is_ascii = decoder.decode(block).isascii() and is_ascii
    except UnicodeDecodeError:
        return False
    return bool(decoder.getstate()[0]) and not is_ascii


def _decode_as(data: bytes, name: str, encoding: str) -> Decoded:
    try:
        return Decoded(data.decode(encoding), encoding)
    except LookupError:
        raise DataFileError("DF133", name, path=name, encoding=encoding) from None
    except UnicodeDecodeError:
        if encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32")):
            raise DataFileError("DF133", name, path=name, encoding=encoding) from None
        if encoding == "utf-8-sig":
            encodings = ("utf-8",) if breaks_off([data], "utf-8") else ("utf-8", "gb18030")
            return _by_line(data[len(codecs.BOM_UTF8) :], encodings, encoding)
        return _by_line(data, (encoding,), encoding)


def _by_line(data: bytes, encodings: Sequence[str], label: str) -> Decoded:
    """Every line in the first encoding that fits it; those that fit none are marked."""
    lines: list[str] = []
    second = 0
    broken = set()
    for number, line in enumerate(data.split(b"\n"), 1):
        for place, encoding in enumerate(encodings):
            try:
                lines.append(line.decode(encoding))
            except UnicodeDecodeError:
                continue
            second += place
            break
        else:
            broken.add(number)
            lines.append(line.decode(encodings[0], "replace"))
    return Decoded("\n".join(lines), label, second, frozenset(broken))


def best_separator(
    lines: Sequence[str], score: Callable[[Sequence[str]], int], *, default: str = ","
) -> str:
    """The separator under which some line gets the highest score; `default` wins a tie."""
    order = (default, *(separator for separator in SEPARATORS if separator != default))

    def best(separator: str) -> int:
        return max((score(cells_of(line, separator)) for line in lines), default=0)

    return max(order, key=best)


def cells_of(line: str, delimiter: str) -> tuple[str, ...]:
    """The cells of one line; a line with faulty quotes is split at every separator."""
    cells = _parse(line.rstrip("\r"), delimiter)
    return tuple(line.rstrip("\r").split(delimiter)) if isinstance(cells, str) else cells


def text_rows(decoded: Decoded, delimiter: str) -> Iterator[TextRow]:
    """The records of a text by RFC 4180, strictly, one after the other; blank lines are no rows.

    A record that breaks the quoting is reported alone: reading goes on with the line after its
    first, so that one stray quote cannot swallow the rest of the file.
    """
    lines = decoded.text.split("\n")
    if len(lines) == 1 and "\r" in lines[0]:
        lines = lines[0].split("\r")
    position = 0
    while position < len(lines):
        line = lines[position].removesuffix("\r")
        number = position + 1
        if not line:
            position += 1
            continue
        fault = "encoding" if number in decoded.broken else "nul" if "\0" in line else ""
        if fault:
            row, taken = (
                TextRow(number, cells_of(line.replace("\0", "\ufffd"), delimiter), fault),
                1,
            )
        elif '"' not in line:
            row, taken = TextRow(number, tuple(line.split(delimiter))), 1
        else:
            row, taken = _quoted(lines, position, delimiter, decoded.broken)
        yield row
        position += taken


def _quoted(
    lines: list[str], position: int, delimiter: str, broken: frozenset[int]
) -> tuple[TextRow, int]:
    """A record that has quotes and may span lines, and how many lines it takes."""
    number = position + 1
    first = lines[position].removesuffix("\r")
    record = lines[position]
    for taken in range(1, min(_MAX_LINES, len(lines) - position) + 1):
        if taken > 1:
            record += "\n" + lines[position + taken - 1]
            if '"' not in lines[position + taken - 1]:
                continue
        cells = _parse(record.removesuffix("\r"), delimiter)
        if cells == "stray":
            break
        if isinstance(cells, tuple):
            span = range(number, number + taken)
            fault = "encoding" if broken.intersection(span) else "nul" if "\0" in record else ""
            return TextRow(number, tuple(c.replace("\0", "\ufffd") for c in cells), fault), taken
    return TextRow(number, tuple(first.split(delimiter)), "quote"), 1


def _parse(record: str, delimiter: str) -> tuple[str, ...] | str:
    """The cells of a record, or `open` (a quote is not closed yet), or `stray`."""
    cells: list[str] = []
    position = 0
    while True:
        if record.startswith('"', position):
            end = _closing(record, position + 1)
            if end < 0:
                return "open"
            cells.append(record[position + 1 : end].replace('""', '"'))
            end += 1
            if end < len(record) and record[end] != delimiter:
                return "stray"
        else:
            end = record.find(delimiter, position)
            end = len(record) if end < 0 else end
            cell = record[position:end]
            if '"' in cell and not _is_formula_text(cell):
                return "stray"
            cells.append(cell)
        if end >= len(record):
            return tuple(cells)
        position = end + 1


def _closing(record: str, position: int) -> int:
    """Where the quote that closes a cell stands; a doubled quote does not close. -1 if nowhere."""
    while True:
        end = record.find('"', position)
        if end < 0 or record[end + 1 : end + 2] != '"':
            return end
        position = end + 2


def _is_formula_text(cell: str) -> bool:
    """Whether a cell is `="00123"`, the trick that keeps leading zeros in spreadsheets."""
    return cell.startswith('="') and cell.endswith('"') and cell.count('"') == 2


def read_sheet(path: Path, *, encoding: str | None = None) -> Sheet:
    """The rows of a CSV or TSV file; the separator is the one that splits the first line most."""
    decoded = decode(read_bytes(path), path.name, encoding=encoding)
    first = next((line for line in decoded.text.split("\n") if line.strip()), "")
    default = "\t" if path.suffix.lower() == ".tsv" else ","
    delimiter = best_separator([first], len, default=default)
    return Sheet(path.name, decoded.encoding, delimiter, tuple(text_rows(decoded, delimiter)))
