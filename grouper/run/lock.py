"""One process at a time in a folder. The system gives the lock back when its holder dies."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from grouper.errors import RunError

NAME = "lock"
#: Windows locks bytes against reading too: one that stands behind the number of the process
_FAR = 1 << 20


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder. Raises RunError (RN114) if another process holds it."""
    path = folder / NAME
    handle = _held(path)
    try:
        os.ftruncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
        yield
    finally:
        if sys.platform == "win32":
            os.close(handle)
        with suppress(OSError):
            path.unlink()
        if sys.platform != "win32":
            os.close(handle)


def holder_of(folder: Path) -> int | None:
    """The process that works in a folder; None if none does, whatever lies about."""
    path = folder / NAME
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        return None if _lock(handle) else _number(path)
    finally:
        os.close(handle)


def _held(path: Path) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if not _lock(handle):
            os.close(handle)
            raise RunError("RN114", str(path.parent), path=path.parent, pid=_number(path))
        # the one before may have removed the file between our two steps
        with suppress(OSError):
            if os.path.samestat(os.fstat(handle), path.stat()):
                return handle
        os.close(handle)


def _lock(handle: int) -> bool:
    """Whether the lock could be had."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, _FAR, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            os.lseek(handle, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _number(path: Path) -> int:
    """The process that wrote the file, 0 if it has not come to it yet."""
    with suppress(OSError, ValueError):
        return int(path.read_text("ascii"))
    return 0
