"""Output files: checked before work begins, whole or not there at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

from grouper.errors import DataFileError

Overwrite = Literal["refuse", "replace"]


def check_output(
    path: str | Path, inputs: Sequence[str | Path] = (), *, overwrite: Overwrite = "refuse"
) -> Path:
    """Complain early about an output that cannot or must not be written.

    Raises DataFileError: DF141 if it is one of the inputs, DF140 if it exists and may not be
    replaced, DF142 if it is a folder or its own folder is missing or not writable.
    """
    path = Path(path)
    for other in inputs:
        if str(other) != "-" and _same(path, Path(other)):
            raise DataFileError("DF141", str(path), path=path.name)
    if path.is_dir():
        raise DataFileError("DF142", str(path), path=path.name, detail=os.strerror(errno.EISDIR))
    if path.exists() and overwrite == "refuse":
        raise DataFileError("DF140", str(path), path=path.name)
    folder = path.parent
    if not folder.is_dir():
        raise DataFileError("DF142", str(path), path=path.name, detail=os.strerror(errno.ENOENT))
    if not os.access(folder, os.W_OK):
        raise DataFileError("DF142", str(path), path=path.name, detail=os.strerror(errno.EACCES))
    return path


def _same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return path.resolve() == other.resolve()


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write that appears under its name when all of it is on disk, or not at all.

    Raises DataFileError (DF142) when writing fails; the temporary file is then gone too.
    """
    # not by the process alone: in containers the next one has the number of the one that was killed
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        # O_BINARY exists on Windows only, where the default would turn LF into CR LF
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0)
        handle = os.open(temporary, flags, 0o666)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        # gone already after the rename
        temporary.unlink(missing_ok=True)


@contextmanager
def as_it_was(path: Path | None) -> Iterator[None]:
    """A file stands as it stood before if what follows fails after it was written.

    For outputs that another step must still confirm: a statement whose month the book does not
    take must not lie about, and the earlier one must not be lost.
    """
    before = path.read_bytes() if path is not None and path.is_file() else None
    try:
        yield
    except BaseException:
        if path is not None and before is None:
            path.unlink(missing_ok=True)
        elif path is not None and before is not None and path.read_bytes() != before:
            with whole_file(path) as file:
                file.write(before)
        raise


def _unwritable(path: Path, error: OSError) -> DataFileError:
    return DataFileError("DF142", str(path), path=path.name, detail=error.strerror or error)
