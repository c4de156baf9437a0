"""Plain data files: tab-separated tables and TOML, read with the place of every value.

A table file is UTF-8 with LF, one header line, fields separated by tabs, nothing quoted, no blank
at the end of a line. Readers keep whole columns instead of one object a row, so that a table of
100,000 rows costs milliseconds.
"""

from __future__ import annotations

import os
import sys
import tempfile
import tomllib
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from grouper.errors import DataFileError, Issue

#: control characters, which no field may hold
_FORBIDDEN = frozenset(chr(n) for n in range(32)) - frozenset("\t\n\r")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with the form of a table file, at a line (1-based; 0 = the whole file).

    `kind` is a key of the phrases of DF120; `text` is the offending text, shortened.
    """

    kind: str
    line: int
    column: str
    text: str

    def where(self, name: str) -> str:
        """`file`, `file:row` or `file:row:column`."""
        parts = [name] + ([str(self.line)] if self.line else []) + [self.column] * bool(self.column)
        return ":".join(parts)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: `row["name"]` is a field, `row.where("name")` its place."""

    table: Table
    index: int

    @property
    def line(self) -> int:
        """The line in the file, the header being line 1."""
        return self.table.lines[self.index]

    def __getitem__(self, column: str) -> str:
        return self.table.column(column)[self.index]

    def where(self, column: str) -> str:
        """`file:row:column`."""
        return self.table.where(self.index, column)


@dataclass(frozen=True, slots=True)
class Table:
    """A table as columns of text; empty text = absent. `lines[i]` is the line of row i."""

    name: str
    columns: tuple[str, ...]
    cells: tuple[list[str], ...]
    lines: Sequence[int]

    def __len__(self) -> int:
        return len(self.lines)

    def __iter__(self) -> Iterator[Row]:
        return (Row(self, index) for index in range(len(self.lines)))

    def column(self, name: str) -> list[str]:
        """The fields of one column, top to bottom."""
        return self.cells[self.columns.index(name)]

    def where(self, index: int, column: str) -> str:
        """`file:row:column` of a field."""
        return f"{self.name}:{self.lines[index]}:{column}"


def read_tsv(path: Path, columns: Sequence[str] | None = None) -> Table:
    """The table in a file with exactly these columns (None: those its header names).

    Raises DataFileError with every defect of form found (DF101 unreadable, DF120 form).
    """
    table, problems = scan_tsv(_bytes(path), path.name, columns)
    if problems:
        raise DataFileError.of(
            Issue("DF120", p.where(str(path)), {"problem": p.kind, "text": p.text})
            for p in problems
        )
    return table


def scan_tsv(
    data: bytes,
    name: str,
    columns: Sequence[str] | None = None,
    *,
    quotes_in: Sequence[str] = (),
) -> tuple[Table, list[Problem]]:
    """The sound rows of a table file and what is wrong with the others; never raises.

    When the encoding or the header is wrong, no row is taken. A quotation mark is a defect except
    in the columns `quotes_in`, where it is text.
    """
    problems: list[Problem] = []
    expected = tuple(columns or ())
    text = _decoded(data, problems)
    if text is None:
        return Table(name, expected, tuple([] for _ in expected), ()), problems
    if not text.endswith("\n"):
        last = text[text.rfind("\n") + 1 :]
        problems.append(Problem("no_newline", text.count("\n") + 1, "", _short(last)))
        text += "\n"
    first, _, body = text.partition("\n")
    header = tuple(first.split("\t"))
    expected = expected or header
    if header != expected:
        problems.append(Problem("header", 1, "", _short(first) or "-"))
        return Table(name, expected, tuple([] for _ in expected), ()), problems
    cells = _sound_cells(body, len(expected))
    if cells is not None:
        return Table(name, expected, cells, range(2, len(cells[0]) + 2)), problems
    return _row_by_row(body, name, expected, frozenset(quotes_in), problems), problems


def read_toml(path: Path) -> dict[str, Any]:
    """The TOML document in a file, decimals exact. Raises DataFileError (DF101, DF121)."""
    return parse_toml(_bytes(path), str(path))


def parse_toml(data: bytes, name: str) -> dict[str, Any]:
    """The TOML document in bytes; `name` stands in the message. Raises DataFileError (DF121)."""
    try:
        # editors of Windows may put a mark before UTF-8
        text = data.removeprefix(BOM_UTF8).decode("utf-8")
        return tomllib.loads(text, parse_float=Decimal)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise DataFileError("DF121", name, detail=str(error)) from None


def toml_text(text: str) -> str:
    """A text as a basic string of TOML."""
    shown = "".join(
        f"\\u{ord(char):04X}" if ord(char) < 32 or ord(char) == 127 else char
        for char in text.replace("\\", "\\\\").replace('"', '\\"')
    )
    return f'"{shown}"'


def write_folder(
    folder: Path,
    files: Mapping[str, bytes],
    *,
    mark: str,
    overwrite: Literal["refuse", "replace"] = "refuse",
) -> None:
    """Write a folder of data whole or not at all; nobody sees it half-written.

    mark: the file by which a folder of this kind is known; no other folder is ever replaced unless
    it is empty.
    Raises DataFileError when the folder exists (DF122) or cannot be written (DF123).
    """
    replaceable = overwrite == "replace" and (folder / mark).is_file()
    is_empty = folder.is_dir() and not any(folder.iterdir())
    if os.path.lexists(folder) and not (replaceable or is_empty):
        raise DataFileError("DF122", str(folder), path=folder)
    try:
        _write_beside(folder, files)
    except OSError as error:
        raise DataFileError(
            "DF123", str(folder), path=folder, detail=error.strerror or error
        ) from None


def _write_beside(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        new, old = Path(scratch, "new"), Path(scratch, "old")
        new.mkdir()
        for name, content in files.items():
            (new / name).write_bytes(content)
        if folder.exists():
            folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise


@cache
def data_folder(*parts: str) -> Path:
    """A folder or file of the data that comes with the package, such as `schemes`, `chs_drg_20`.

    The package is installed unpacked, so a path on disk exists; it may not if `parts` is wrong.
    """
    from importlib.resources import files

    return Path(str(files("grouper"))).joinpath("data", *parts)


def data_homes() -> tuple[Path, ...]:
    """The user's own data folders, the one that new data go to first; none need exist.

    GROUPER_DATA names them, separated as in PATH; else the usual place of the platform. Below it
    lie `weights`, `schemes` ... as in the package. A user without a home has none.
    """
    named = [Path(part) for part in os.environ.get("GROUPER_DATA", "").split(os.pathsep) if part]
    with suppress(RuntimeError):
        return tuple(named) or (_platform_home() / "grouper",)
    return ()


def _platform_home() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataFileError("DF101", str(path), path=path, detail=error.strerror or error) from None


def _decoded(data: bytes, problems: list[Problem]) -> str | None:
    if data.startswith(BOM_UTF8):
        problems.append(Problem("bom", 1, "", BOM_UTF8.hex(" ")))
        data = data[len(BOM_UTF8) :]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problems.append(Problem("encoding", line, "", data[error.start : error.end].hex(" ")))
        return None
    if "\r" in text:
        line = text.count("\n", 0, text.index("\r")) + 1
        problems.append(Problem("cr", line, "", f"{text.count(chr(13))} x CR"))
        text = text.replace("\r\n", "\n").replace("\r", "")
    return text


def _sound_cells(body: str, width: int) -> tuple[list[str], ...] | None:
    """The columns of a body without any defect, None if it may have one.

    One flat split with a mark between the rows: no object a row, and the marks stand at their
    places only if every row has `width` fields.
    """
    if any(mark in body for mark in (" \n", "\u3000\n", '"', *_FORBIDDEN)):
        return None
    flat = body.replace("\n", "\t\n\t").split("\t")
    n_rows = len(flat) // (width + 1)
    if len(flat) != n_rows * (width + 1) + 1 or flat[width :: width + 1].count("\n") != n_rows:
        return None
    return tuple(flat[i : -1 : width + 1] for i in range(width))


def _row_by_row(
    body: str, name: str, columns: tuple[str, ...], quotes_in: frozenset[str], bad: list[Problem]
) -> Table:
    """The sound rows of a body; adds to `bad` what is wrong with the others."""
    cells: tuple[list[str], ...] = tuple([] for _ in columns)
    numbers: list[int] = []
    for number, line in enumerate(body.split("\n")[:-1], 2):
        fields = line.split("\t")
        if len(fields) != len(columns):
            bad.append(Problem("fields", number, "", _short(line)))
            continue
        if line.endswith((" ", "\u3000")):
            bad.append(Problem("blank", number, columns[-1], _short(line[-20:])))
        numbers.append(number)
        for column, cell, field in zip(columns, cells, fields, strict=True):
            cell.append(field)
            kind = _forbidden(field, "quote" if column not in quotes_in else "")
            if kind:
                bad.append(Problem(kind, number, column, _short(field)))
    return Table(name, columns, cells, numbers)


def _forbidden(field: str, quote: str) -> str:
    """`control`, or `quote` as given when there is a quotation mark, or ""."""
    if not _FORBIDDEN.isdisjoint(field):
        return "control"
    return quote if '"' in field else ""


def _short(text: str, *, limit: int = 60) -> str:
    """A text fit for a message: control characters shown as escapes, long text cut."""
    shown = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode()
        for char in islice(text, limit)
    )
    return shown + ("..." if len(text) > limit else "")
