"""What a run is, as its folder keeps it: inputs by their digests, scheme, options."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grouper import __version__
from grouper.errors import DataFileError, RunError
from grouper.records.outfile import whole_file
from grouper.run.part import Part
from grouper.run.stream import Options

PLAN = "run.json"
#: of run.json and manifest.json
FORMAT = 1


@dataclass(frozen=True)
class Input:
    """A file that is read: where it is, and what its bytes were when the run began.

    sha256: "" until the file has been read through.
    """

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Plan:
    """What run.json holds; `scheme` is the id or path that was given, `digest` its content.

    rules: what else `load_grouping` is told of a catalogue (preset, op_classes).
    out: where a copy of the results goes, "" for nowhere; replace: it may take the place of a file.
    """

    inputs: tuple[Input, ...]
    scheme: str
    scheme_id: str
    digest: str
    options: Options
    batch: int
    out: str = ""
    replace: bool = False
    rules: Mapping[str, str] = field(default_factory=dict)
    program: str = __version__
    format: int = FORMAT


def read_plan(folder: Path) -> Plan:
    """What the run of a folder is. Raises RunError (RN112) if it is none."""
    try:
        data = json.loads((folder / PLAN).read_text("utf-8"))
        inputs = tuple(Input(**each) for each in data.pop("inputs"))
        options = Options(**data.pop("options"))
        plan = Plan(inputs=inputs, options=options, **data)
    except OSError as error:
        detail = error.strerror or error
        raise RunError("RN112", str(folder), path=folder, detail=detail) from None
    except (ValueError, TypeError, KeyError) as error:
        raise RunError("RN112", str(folder), path=folder, detail=error) from None
    if plan.format != FORMAT:
        detail = f"{PLAN}: format {plan.format}"
        raise RunError("RN112", str(folder), path=folder, detail=detail)
    return plan


class Guard:
    """Watches that inputs stay what they were when their bytes were hashed."""

    def __init__(self, inputs: Sequence[Input]) -> None:
        self._inputs = inputs
        self._stamps = [_stamp(Path(each.path)) for each in inputs]

    def check(self) -> None:
        """Raise RunError (RN115) if an input changed; a new date alone is no change."""
        for at, each in enumerate(self._inputs):
            stamp = _stamp(Path(each.path))
            if stamp == self._stamps[at]:
                continue
            if stamp is None or hashed_input(Path(each.path)) != each:
                raise RunError("RN115", each.path, path=Path(each.path).name)
            self._stamps[at] = stamp

    def watched(self, parts: Iterator[Part]) -> Iterator[Part]:
        """Parts whose bytes were read before the file could have changed."""
        while True:
            try:
                part = next(parts, None)
            except OSError as error:
                detail = error.strerror or error
                raise DataFileError(
                    "DF130", str(error.filename), path=error.filename, detail=detail
                ) from None
            self.check()
            if part is None:
                return
            yield part


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def found_input(path: Path) -> Input:
    """A file that is there, not looked into yet. Raises DataFileError (DF130)."""
    try:
        with path.open("rb"):
            return Input(str(path.resolve()), 0, "")
    except OSError as error:
        detail = error.strerror or error
        raise DataFileError("DF130", str(path), path=path.name, detail=detail) from None


def hashed_input(path: Path) -> Input:
    """A file with its digest. Raises DataFileError (DF130)."""
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while data := file.read(1 << 20):
                digest.update(data)
                size += len(data)
    except OSError as error:
        detail = error.strerror or error
        raise DataFileError("DF130", str(path), path=path.name, detail=detail) from None
    return Input(str(path.resolve()), size, digest.hexdigest())


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """A JSON file that is there as a whole or not at all."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    with whole_file(path) as file:
        file.write((text + "\n").encode())
