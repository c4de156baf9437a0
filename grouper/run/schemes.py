"""Whatever a user names as a scheme: an embedded id, a scheme folder, or the official workbook."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Set
from dataclasses import replace
from pathlib import Path

from grouper import __version__
from grouper.errors import Issue, SchemeError
from grouper.scheme import cache
from grouper.scheme.lint import lint
from grouper.scheme.load import find_scheme, load_folder
from grouper.scheme.model import Scheme
from grouper.scheme.workbook_import import Import, import_workbook
from grouper.scheme.workbook_layout import Cells, fold, sheet_titles
from grouper.scheme.write import write_scheme
from grouper.sheet import read_bytes
from grouper.spreadsheet import open_workbook, sheet_rows

_SUFFIXES = (".xlsx", ".xlsm", ".xls")
#: raised when the same workbook gives another scheme than before
_FORM = 1


def is_workbook(name_or_path: str | Path) -> bool:
    """Whether a scheme is named by a workbook, which need not exist."""
    path = Path(name_or_path)
    return path.suffix.lower() in _SUFFIXES and not path.is_dir()


def load_scheme(name_or_path: str | Path) -> Scheme:
    """The scheme with an embedded id, in a folder, or in a workbook.

    Raises SchemeError with every error found, DataFileError (DF130 to DF135) for a file that is no
    readable workbook.
    """
    if not is_workbook(name_or_path):
        return load_folder(find_scheme(name_or_path))
    path = Path(name_or_path)
    data = read_bytes(path)
    key = _key(data)
    scheme = cache.kept(key)
    if scheme is None:
        scheme = _imported(data, path).scheme
        cache.keep(key, scheme)
    return replace(scheme, folder=str(path))


def import_file(path: Path, *, scheme_id: str = "") -> Import:
    """The scheme in a workbook, with counts, amendments and repairs; the cache is left alone.

    scheme_id: instead of the usual one. Raises as `load_scheme`.
    """
    return _imported(read_bytes(path), path, scheme_id)


def lint_scheme(
    name_or_path: str | Path, *, known_codes: Mapping[str, Set[str]] | None = None
) -> list[Issue]:
    """Errors and warnings of whatever names a scheme, as `grouper.scheme.lint.lint` gives them.

    What is wrong with a workbook stands at its cells; what the linter finds in the scheme read from
    it, at the rows of the folder that `grouper scheme import` writes.
    """
    if not is_workbook(name_or_path):
        return lint(Path(name_or_path), known_codes=known_codes)
    try:
        scheme = load_scheme(name_or_path)
    except SchemeError as error:
        return list(error.issues)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, scheme.id)
        write_scheme(scheme, folder)
        return lint(folder, known_codes=known_codes)


def _imported(data: bytes, path: Path, scheme_id: str = "") -> Import:
    cells = _cells(data, path)
    return import_workbook(cells, path.name, hashlib.sha256(data).hexdigest(), scheme_id=scheme_id)


def _cells(data: bytes, path: Path) -> Cells:
    """The sheets that matter; of others only the title."""
    book = open_workbook(data, path.name, suffix=path.suffix)
    wanted = sheet_titles()
    return {
        title: sheet_rows(book, title, path.name) if fold(title).casefold() in wanted else []
        for title in book.sheet_names
    }


def _key(data: bytes) -> str:
    """What the scheme of a workbook depends on: its bytes, and what this program makes of them."""
    total = hashlib.sha256(f"{_FORM} {__version__} ".encode())
    total.update(data)
    return total.hexdigest()
