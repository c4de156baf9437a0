"""Column maps: a TOML file that says which column of a city's table is which of ours.

docs/how-to/weight-tables.md describes every key with an example.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from weights.table import Head

#: a header that is no text of the sheet: `@C` is column C, `@sheet` the title of the sheet
SHEET = "@sheet"
YES_NO = ("flag", "adjusted")

Filter = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Part:
    """Columns of a sheet that are a table of their own, beside others: `first` to `last`.

    title: what `@sheet` is in this part, "" for the title of the sheet.
    """

    title: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Source:
    """Where one of our columns comes from: headers of the sheet, or one value for all rows.

    values, empty, match, yes, unit, decimals: what is done to the text of a cell, in this order;
    default: the value of an empty cell; text_to: our column that receives a text that is no
    number.
    """

    headers: tuple[str, ...] = ()
    value: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    empty: frozenset[str] = frozenset()
    yes: tuple[str, ...] = ()
    match: re.Pattern[str] | None = None
    unit: Decimal = Decimal(1)
    decimals: int | None = None
    text_to: str = ""
    default: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """Columns that hold for one insurance, level or hospital only: they become rows of their own.

    keys: our key column -> its value in these rows.
    """

    keys: Mapping[str, str]
    columns: Mapping[str, Source]
    only: Filter
    but: Filter


@dataclass(frozen=True, slots=True)
class Extract:
    """Rows hidden in a remark: every match gives one, its named groups being our columns."""

    header: str
    match: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Correction:
    """A misprint of the source, put right by name: the cell must read `old`."""

    group: str
    header: str
    old: str
    new: str
    why: str


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """A map as a whole; `name` stands in messages."""

    name: str
    head: Head
    sheets: tuple[str, ...]
    parts: tuple[Part, ...]
    header_rows: int
    encoding: str | None
    group_pattern: re.Pattern[str]
    only: Filter
    but: Filter
    fill_down: tuple[str, ...]
    stop: tuple[str, ...]
    columns: Mapping[str, Source]
    blocks: tuple[Block, ...]
    extracts: tuple[Extract, ...]
    corrections: tuple[Correction, ...]

    def headers(self) -> tuple[str, ...]:
        """Every header the map names, once."""
        return tuple(name for name in self._named() if not name.startswith("@"))

    def letters(self) -> tuple[str, ...]:
        """Every column the map names by its letter (`@C`)."""
        return tuple(name for name in self._named() if name.startswith("@") and name != SHEET)

    def _named(self) -> dict[str, None]:
        sources = [*self.columns.values(), *(s for b in self.blocks for s in b.columns.values())]
        filters = [self.only, self.but, *(f for b in self.blocks for f in (b.only, b.but))]
        return dict.fromkeys(
            (
                *(header for source in sources for header in source.headers),
                *(header for one in filters for header in one),
                *self.fill_down,
                *(extract.header for extract in self.extracts),
                *(correction.header for correction in self.corrections),
            )
        )
