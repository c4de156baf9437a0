"""The parts of a run on disk: each is there as a whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from grouper.run.sinks import ResultForm, table_bytes
from grouper.run.stream import PartResult

PARTS, REJECTS, IDS = "parts", "rejects.csv", "ids.u64"


def keep_part(folder: Path, form: ResultForm, result: PartResult) -> None:
    """Write a part under another name and rename it: it is there as a whole or not at all."""
    final = part_path(folder, result.number)
    temporary = final.with_name(f".{final.name}.{os.getpid()}.part")
    temporary.mkdir()
    rows = table_bytes(result.rows) if isinstance(result.rows, pa.Table) else result.rows
    _write_whole(temporary / _rows_name(form), rows)
    _write_whole(temporary / REJECTS, result.rejects)
    _write_whole(temporary / IDS, result.prints.astype("<u8").tobytes())
    facts = {**result.facts.to_dict(), "progress": result.progress}
    _write_whole(temporary / "facts.json", json.dumps(facts, ensure_ascii=False).encode())
    _sync_folder(temporary)
    temporary.rename(final)
    _sync_folder(final.parent)


def _rows_name(form: ResultForm) -> str:
    return "rows.arrow" if form == "parquet" else f"rows.{form}"


def part_path(folder: Path, number: int) -> Path:
    """Where a part is kept once it is whole."""
    return folder / PARTS / f"{number:06}"


def finished_parts(folder: Path) -> list[Path]:
    """The parts that are kept."""
    parts = folder / PARTS
    return sorted(path for path in parts.glob("*") if path.name.isdigit())


def read_facts(path: Path) -> dict[str, Any]:
    """What a kept part found: `PartFacts`, and the share of the input done with it."""
    facts: dict[str, Any] = json.loads((path / "facts.json").read_text("utf-8"))
    return facts


def kept_rows(path: Path, form: ResultForm) -> Iterator[Any]:
    """The rows of a part in pieces: blocks of text, or a table."""
    with (path / _rows_name(form)).open("rb") as file:
        if form != "parquet":
            while block := file.read(1 << 20):
                yield block
        elif file.seek(0, os.SEEK_END):
            file.seek(0)
            yield pa.ipc.open_file(file).read_all()


def _write_whole(path: Path, data: bytes | memoryview) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make a rename last; Windows has no such call and needs none."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
