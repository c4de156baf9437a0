"""The user's own columns, kept as they came so that they can be written back unchanged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import pyarrow as pa

from grouper.records.fields import base_field, fields

Form = Literal["text", "cells", "arrow", "json"]


class Absent:
    """The value of a key that a JSON object does not have; written back as no key at all."""

    _instance: Absent | None = None

    def __new__(cls) -> Absent:
        """The one instance."""
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()

#: a column of the user: Arrow (text files, Parquet, tables) or Python values (XLSX, JSON)
Column: TypeAlias = "pa.ChunkedArray | list[object]"


@dataclass(frozen=True)
class Lines:
    """The lines of a text file as they stand, one a record but for blank ones.

    Their cells are written as we would write them: no quotes, no line ends inside. bodies: the same
    lines by encoding, always in `utf-8`, and in that of the file.
    """

    bodies: Mapping[str, memoryview]
    delimiter: str


@dataclass(frozen=True)
class UserTable:
    """Columns of length n in the order of the source.

    names    headers as written in the source (unique, except empty ones)
    columns  one `Column` each
    fields   header -> field of the dictionary it was read as ("dx", "dx[0]", "age" ...)
    form     `text` (CSV: cell text), `cells` (workbook: text, numbers, dates as in the sheet),
             `arrow` (Parquet, tables: types kept), `json` (values kept, ABSENT = key not there)
    crlf     the source ended its lines with CR LF
    inputs   paths read, so that none of them is overwritten by a result
    lines    of text as they stand, where all of them may be written back so
    """

    names: tuple[str, ...]
    columns: tuple[Column, ...]
    form: Form
    rows: int
    fields: Mapping[str, str] = field(default_factory=dict)
    crlf: bool = False
    inputs: tuple[str, ...] = ()
    lines: Lines | None = None

    def __len__(self) -> int:
        return self.rows

    def type_of(self, name: str) -> str:
        """The field type of a column (text, list, money, int ...), "" if it is no known field."""
        field = fields().get(base_field(self.fields.get(name, "")))
        return field.type if field else ""

    def renamed(self, taken: Sequence[str]) -> tuple[str, ...]:
        """Headers for the output: one equal to a result column becomes `input_<header>`."""
        names = list(self.names)
        used = set(taken) | set(names)
        for i, name in enumerate(names):
            if name not in taken:
                continue
            while name in used:
                name = f"input_{name}"
            used.add(name)
            names[i] = name
        return tuple(names)
