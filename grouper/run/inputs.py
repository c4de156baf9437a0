"""Files and folders of files as the files that are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from grouper.errors import DataFileError
from grouper.records.read import SUFFIXES

#: beginnings of names that programs give to files of their own, open workbooks among them
_NOT_DATA = (".", "~$")


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files themselves, and for each folder the files in it by name, those of its folders not.

    In a folder only files of a known suffix count, and they must all have the same one. Raises
    DataFileError: DF137 for a folder of several suffixes, DF138 for a folder without any file.
    """
    return [file for path in paths for file in (_inside(path) if path.is_dir() else [path])]


def _inside(folder: Path) -> list[Path]:
    try:
        files = [path for path in sorted(folder.iterdir()) if _is_data(path)]
    except OSError as error:
        detail = error.strerror or error
        raise DataFileError("DF130", str(folder), path=folder.name, detail=detail) from None
    forms = Counter(path.suffix.lower() for path in files)
    if not forms:
        raise DataFileError("DF138", str(folder), path=folder, known=" ".join(SUFFIXES))
    if len(forms) > 1:
        counted = ", ".join(f"{n} {suffix}" for suffix, n in sorted(forms.items()))
        raise DataFileError("DF137", str(folder), path=folder, forms=counted)
    return files


def _is_data(path: Path) -> bool:
    return (
        path.suffix.lower() in SUFFIXES
        and not path.name.startswith(_NOT_DATA)
        # a folder may bear a suffix as well: Spark writes such
        and path.is_file()
    )
