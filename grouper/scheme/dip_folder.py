"""Catalogues as folders and as JSON: read, found by name, written; the same in both forms."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

from grouper.datafile import (
    data_folder,
    data_homes,
    read_toml,
    read_tsv,
    toml_text,
    write_folder,
)
from grouper.errors import DataFileError
from grouper.scheme.dip import Published
from grouper.scheme.dip_dialect import load_dialect
from grouper.scheme.dip_form import (
    LIST_COLUMNS,
    ROW_COLUMNS,
    digest,
    head_of,
    head_values,
    list_texts,
    lists_of,
    row_texts,
    table_files,
)
from grouper.scheme.dip_headers import recognized
from grouper.scheme.dip_load import checked, read_sheets
from grouper.sheet import Grid, decode

HEAD = "catalogue.toml"
ROWS = "rows.tsv"
LISTS = "lists.tsv"
JSON_SUFFIXES = (".json", ".jsonl")
#: the files that a head may name beside it
_BESIDE = ("preset", "op_classes")


def catalogue_ids() -> tuple[str, ...]:
    """The catalogues that come with the program, and those in the user's data folders."""
    return tuple(sorted(_folders()))


def embedded_catalogues() -> tuple[str, ...]:
    """The catalogues that come with the program."""
    return tuple(sorted(path.parent.name for path in data_folder("schemes").glob(f"*/{HEAD}")))


def catalogue_folder(name_or_path: str | Path) -> Path | None:
    """The folder of a catalogue by path, or by id where no file or folder has that name."""
    path = Path(name_or_path)
    if path.exists():
        return path if (path / HEAD).is_file() else None
    return _folders().get(str(name_or_path))


def _folders() -> dict[str, Path]:
    """Those of the package go first."""
    found: dict[str, Path] = {}
    for place in (data_folder("schemes"), *(home / "schemes" for home in data_homes())):
        for path in sorted(place.glob(f"*/{HEAD}")):
            found.setdefault(path.parent.name, path.parent)
    return found


def load_folder(folder: Path) -> Published:
    """The catalogue in a folder. Raises SchemeError as `load_catalogue`, also SE77 of the head."""
    head = head_of(read_toml(folder / HEAD), str(folder / HEAD))
    beside = {
        name: str(folder / value)
        for name in _BESIDE
        if (value := getattr(head["head"], name)) and (folder / value).is_file()
    }
    head["head"] = replace(head["head"], **beside)
    rows = read_tsv(folder / ROWS, ROW_COLUMNS)
    columns = list(zip(*rows.cells, strict=True))
    lists: Iterable[tuple[str, Mapping[str, str]]] = ()
    if (folder / LISTS).is_file():
        table = read_tsv(folder / LISTS, LIST_COLUMNS)
        lists = [(row.where("list"), {n: row[n] for n in LIST_COLUMNS}) for row in table]
    grid = Grid(
        f"{folder.name}/{ROWS}", "", (ROW_COLUMNS, *columns), tuple(range(1, len(columns) + 2))
    )
    return _loaded(grid, head, lists, str(folder))


def is_canonical(data: bytes) -> bool:
    """Whether JSON is a catalogue as `write_json` writes it."""
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(raw, dict) and "rows" in raw and raw.get("kind") == "dip"


def load_json(data: bytes, name: str) -> Published:
    """The catalogue in canonical JSON; rows are counted from 1. Raises as `load_folder`."""
    raw = _parsed(data, name)
    for key in ("rows", "lists"):
        if not _are_objects(raw.get(key, [])):
            raise DataFileError("DF135", f"{name}: {key}", path=name, detail=f"{key}: no objects")
    head = head_of({k: v for k, v in raw.items() if k not in ("rows", "lists")}, name)
    lists = [
        (f"{name}: lists[{at}]", {n: _text(one.get(n)) for n in LIST_COLUMNS})
        for at, one in enumerate(raw.get("lists", ()), 1)
    ]
    return _loaded(_grid(raw["rows"], name, ROW_COLUMNS), head, lists, name)


def json_grid(data: bytes, name: str) -> Grid:
    """A table in JSON: a list of objects, or one object a line; their keys are the headers.

    Numbers keep the digits they are written with. Raises DataFileError DF135 for anything else.
    """
    rows = _parsed(data, name)
    if isinstance(rows, dict):
        # the table of an export lies in its one list
        rows = next((one for one in rows.values() if isinstance(one, list)), [rows])
    if not _are_objects(rows):
        raise DataFileError("DF135", name, path=name, detail="no list of objects")
    return _grid(rows, name)


def _are_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def catalogue_files(published: Published) -> dict[str, bytes]:
    """The files of a catalogue folder: name -> content."""
    head = "".join(
        f"{key} = {_toml(value)}\n" for key, value in head_values(published.catalogue).items()
    )
    readme = _readme(published).encode()
    return {HEAD: head.encode(), **table_files(published), "README.md": readme}


def catalogue_json(published: Published) -> bytes:
    """A catalogue as one JSON object; figures are text, exactly as printed."""
    values = head_values(published.catalogue)
    data = {key: str(v) if isinstance(v, date) else v for key, v in values.items()}
    data["rows"] = [_filled(ROW_COLUMNS, row) for row in row_texts(published)]
    data["lists"] = [_filled(LIST_COLUMNS, row) for row in list_texts(published.catalogue)]
    return (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode()


def write_catalogue(
    published: Published, folder: Path, *, overwrite: Literal["refuse", "replace"] = "refuse"
) -> None:
    """Write a catalogue folder, whole or not at all. Raises DataFileError DF122, DF123."""
    write_folder(folder, catalogue_files(published), mark=HEAD, overwrite=overwrite)


def _loaded(
    grid: Grid,
    head: dict[str, Any],
    lists: Iterable[tuple[str, Mapping[str, str]]],
    file: str,
) -> Published:
    # what is written in this form was repaired when it was read
    reading = recognized([grid], replace(load_dialect("canonical"), short="kept"))
    found, issues = read_sheets(reading, "")
    catalogue = replace(found.catalogue, file=file, **head, **lists_of(iter(lists)))
    whole = Published(catalogue, found.figures)
    return checked(replace(whole, catalogue=replace(catalogue, digest=digest(whole))), issues)


def _parsed(data: bytes, name: str) -> Any:
    text = decode(data, name).text
    try:
        return json.loads(text, parse_float=str, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            return [json.loads(line, parse_float=str, parse_int=_whole) for line in lines]
        except (ValueError, RecursionError):
            raise DataFileError("DF135", name, path=name, detail=error) from None


def _whole(text: str) -> int | str:
    """Small numbers stay numbers (the format of a head); long ids keep their digits as text."""
    return int(text) if len(text) < 10 else text


def _grid(rows: Sequence[Mapping[str, object]], name: str, columns: Sequence[str] = ()) -> Grid:
    keys = tuple(dict.fromkeys((*columns, *(key for row in rows for key in row))))
    cells = tuple(tuple(_text(row.get(key)) for key in keys) for row in rows)
    return Grid(name, "", (keys, *cells), tuple(range(len(rows) + 1)))


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _filled(names: Sequence[str], texts: Sequence[str]) -> dict[str, str]:
    return {name: text for name, text in zip(names, texts, strict=True) if text}


def _toml(value: object) -> str:
    return toml_text(value) if isinstance(value, str) else str(value)


def _readme(published: Published) -> str:
    catalogue = published.catalogue
    kinds = Counter(row.kind for row in catalogue.rows)
    layers = Counter(row.layer for row in catalogue.rows if row.layer)
    lines = [f"# {catalogue.title}", ""]
    lines += [f"- {name}: {n}" for name, n in (*kinds.items(), *sorted(layers.items()))]
    lines += ["", f"Source: {catalogue.head.source or catalogue.file}", ""]
    lines += [f"Confidence: {catalogue.confidence}", ""]
    return "\n".join(lines)
