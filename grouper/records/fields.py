"""The field dictionary: what a column of discharges can be, as data.

Source of the names and titles: data/layouts/fields.tsv (its README says where they are from).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from grouper.datafile import data_folder, read_tsv


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name is also the column name of the `plain` form.

    type: text, code, int, num, money, date, datetime, list; use: key, group, settle, report, check.
    """

    name: str
    title_zh: str
    title_en: str
    type: str
    use: str
    unit: str
    required: str
    missing: str
    note: str

    def title(self, lang: str) -> str:
        """What the field is called in Chinese or English."""
        return self.title_zh if lang == "zh" else self.title_en


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """A column we append; its English header is its name."""

    name: str
    title_zh: str
    title_en: str
    type: str

    def header(self, lang: str) -> str:
        """The header in a result file."""
        return self.title_zh if lang == "zh" else self.name


@cache
def fields() -> Mapping[str, Field]:
    """All fields by name, in the order of the dictionary."""
    table = read_tsv(data_folder("layouts", "fields.tsv"))
    return {values[0]: Field(*values) for values in zip(*table.cells, strict=True)}


@cache
def bill_fields() -> tuple[str, ...]:
    """The amounts of a bill beside total and pooled fund, in the order of the dictionary."""
    amounts = [one for one in fields().values() if one.type == "money"]
    wanted = [one.name for one in amounts if one.use == "settle" or one.name.startswith("item_")]
    return tuple(name for name in wanted if name not in ("total_cost", "fund_basic"))


@cache
def header_synonyms() -> Mapping[str, str]:
    """Known header texts -> field expression (`age`, `dx[0]`, `dx[n]`, `dx[+n]`)."""
    table = read_tsv(data_folder("layouts", "headers.tsv"), ["header", "field"])
    return dict(zip(*table.cells, strict=True))


@cache
def spellings(name: str) -> Mapping[str, str]:
    """How the codes of a set are written: upper-case spelling -> code, titles included."""
    table = read_tsv(data_folder("layouts", "spellings.tsv"), ["set", "spelling", "code"])
    found = {
        title.upper(): code
        for code, title in values(name).items()
        if name not in ("sex", "missing")
    }
    found |= {code: code for code in values(name) if name != "sex"}
    for group, spelling, code in zip(*table.cells, strict=True):
        if group == name:
            found[spelling.upper()] = code
    return found


@cache
def values(name: str) -> Mapping[str, str]:
    """The codes of a set and their Chinese titles."""
    table = read_tsv(data_folder("layouts", "values.tsv"))
    rows = zip(table.column("set"), table.column("code"), table.column("title_zh"), strict=True)
    return {code: title for group, code, title in rows if group == name}


@cache
def result_columns() -> Mapping[str, ResultColumn]:
    """The columns that results may have, by name."""
    table = read_tsv(data_folder("layouts", "results.tsv"))
    return {cells[0]: ResultColumn(*cells) for cells in zip(*table.cells, strict=True)}


def result_header(name: str, lang: str) -> str:
    """The header of a result column; a name the dictionary lacks stays itself."""
    column = result_columns().get(name)
    return column.header(lang) if column else name


def base_field(expression: str) -> str:
    """`dx` of `dx[0]`, `dx[+n]`, `dx[n]`; the field itself otherwise."""
    return expression.partition("[")[0]
