"""Schemes that cost time to read, kept as scheme folders in the user's cache.

An entry lies at `schemes/<key>/<digest>/<id>`, key and digest cut short (Windows allows a path 260
characters). It is written whole or not at all, used only if its tables still have their digest, and
anything wrong with it just means that it is made anew. The folder is `GROUPER_CACHE`, else that of
the platform; without one that can be written, nothing is kept and nothing fails.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from grouper.errors import GrouperError
from grouper.scheme.load import load_folder
from grouper.scheme.model import Scheme
from grouper.scheme.write import write_scheme

VARIABLE = "GROUPER_CACHE"
#: entries beyond the latest so many are dropped; one is about 3 MB
_MOST_KEPT = 8
_NAME_LENGTH = 20


def cache_folder() -> Path:
    """`GROUPER_CACHE`, else the folder that the platform has for what a program can make again."""
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen)
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "grouper/cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "grouper"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "grouper"


def kept(key: str) -> Scheme | None:
    """The scheme kept under a key; None if there is none, or a broken one (which is removed)."""
    entry = _entry(key)
    folder = _folder(entry) if entry else None
    if entry is None or folder is None:
        return None
    try:
        scheme = load_folder(folder)
    except (GrouperError, OSError, ValueError):
        scheme = None
    if scheme is None or scheme.digest[:_NAME_LENGTH] != folder.parent.name:
        shutil.rmtree(entry, ignore_errors=True)
        return None
    with suppress(OSError):
        os.utime(entry)
    return scheme


def keep(key: str, scheme: Scheme) -> None:
    """Keep a scheme; silent if that cannot be done."""
    entry = _entry(key)
    if entry is None:
        return
    with suppress(GrouperError, OSError):
        write_scheme(scheme, entry / scheme.digest[:_NAME_LENGTH] / scheme.id)
        _drop_oldest(entry.parent)


def _entry(key: str) -> Path | None:
    """The folder of a key; None where the user has no home."""
    try:
        return cache_folder() / "schemes" / key[:_NAME_LENGTH]
    except RuntimeError:
        return None


def _folder(entry: Path) -> Path | None:
    """The scheme folder in an entry; names with a dot are being written by another process."""
    try:
        return next(iter(sorted(entry.glob("[!.]*/[!.]*"))), None)
    except OSError:
        return None


def _drop_oldest(folder: Path) -> None:
    entries = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for entry in entries[_MOST_KEPT:]:
        shutil.rmtree(entry, ignore_errors=True)
