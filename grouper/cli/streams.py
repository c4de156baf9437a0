"""`-` as a file: stdin and stdout spooled through temporary files of the right form."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from grouper.cli.options import terminal

#: beginnings of files that are not text
_MAGIC = {b"PK\x03\x04": ".xlsx", b"PAR1": ".parquet"}


def form_of(head: bytes) -> str:
    """The suffix that belongs to a file with these first bytes."""
    for magic, suffix in _MAGIC.items():
        if head.startswith(magic):
            return suffix
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"["):
        return ".json"
    return ".jsonl" if text.startswith(b"{") else ".csv"


@contextmanager
def inputs(ctx: click.Context, files: Sequence[str]) -> Iterator[list[Path]]:
    """The input files, those in folders too; `-` is a copy of stdin, named by its form."""
    if "-" not in files:
        from grouper.run.inputs import files_of

        yield files_of([Path(name) for name in files])
        return
    if len(files) > 1:
        raise click.UsageError(terminal(ctx).text("usage.stdin_with_files"), ctx)
    with TemporaryDirectory(prefix="grouper-") as folder:
        raw = Path(folder) / "stdin"
        with raw.open("wb") as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
        with raw.open("rb") as copy:
            suffix = form_of(copy.read(4096))
        yield [raw.rename(raw.with_suffix(suffix))]


@contextmanager
def output(name: str, like: str = ".csv") -> Iterator[Path]:
    """Where to write; `-` is a temporary file of the form `like`, copied to stdout at the end."""
    if name != "-":
        yield Path(name)
        return
    with TemporaryDirectory(prefix="grouper-") as folder:
        path = Path(folder) / f"stdout{like}"
        yield path
        sys.stdout.flush()
        with path.open("rb") as result:
            shutil.copyfileobj(result, sys.stdout.buffer)
