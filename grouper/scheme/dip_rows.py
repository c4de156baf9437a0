"""The rows of one sheet of a DIP catalogue, read through the column map of its form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Literal, cast

from grouper.codes.dictionary import load_dictionary, plain_number
from grouper.datafile import data_folder, read_tsv
from grouper.errors import Issue
from grouper.scheme.dip import (
    CLASSES,
    KINDS,
    LAYERS,
    CatalogueRow,
    Class,
    Exclusion,
    Figures,
    Kind,
    Parts,
    code_parts,
    dx_key,
)
from grouper.scheme.dip_dialect import Dialect
from grouper.scheme.dip_operations import Expression, is_operation, operation, parse_operations
from grouper.sheet import Grid

_BLANK = "KBBZ"
_ANSWERS = {"": "", "yes": "yes", "no": "no", "是": "yes", "否": "no"}
_CHAPTER = re.compile(r"CP\d\d", re.ASCII)


@dataclass
class Reading:
    """One sheet being read: the cells by field, and what is found on the way."""

    grid: Grid
    dialect: Dialect
    columns: Mapping[str, int]
    top: int
    issues: list[Issue] = field(default_factory=list)
    rows: list[CatalogueRow] = field(default_factory=list)
    figures: list[Figures] = field(default_factory=list)
    excluded_dx: set[str] = field(default_factory=set)
    excluded_ops: dict[str, Exclusion] = field(default_factory=dict)
    primary: set[tuple[str, str]] = field(default_factory=set)

    def cell(self, row: int, name: str) -> str:
        """The text of a field, "" where the sheet has none."""
        at = self.columns.get(name)
        cells = self.grid.rows[row]
        text = cells[at] if at is not None and at < len(cells) else ""
        return "" if text in self.dialect.none else text.strip()

    def where(self, row: int, name: str) -> str:
        """The place of a field, or of the first column where the sheet has none."""
        return self.grid.where(row, self.columns.get(name, 0))

    def note(self, code: str, row: int, name: str, /, **params: object) -> None:
        """An issue at a cell."""
        self.issues.append(Issue(code, self.where(row, name), params))


def read_rows(reading: Reading) -> None:
    """Read every row below the headers into `reading`, with what is wrong with it."""
    dialect = reading.dialect
    for row in range(reading.top + 1, len(reading.grid.rows)):
        if not any(reading.grid.rows[row]):
            continue
        if any(reading.cell(row, f"only:{name}") != want for name, want in dialect.only.items()):
            continue
        listed = dialect.lists.get(reading.cell(row, "layer"))
        if listed:
            _list_row(reading, row, listed)
        elif dialect.splits:
            _split_rows(reading, row)
        else:
            group = _group_row(reading, row)
            if group is not None:
                reading.rows.append(group)
                reading.figures.append(_figures(reading, row))


def _split_rows(reading: Reading, row: int) -> None:
    """A row that stands for several groups, one for each score that it has."""
    for split in reading.dialect.splits:
        text = reading.cell(row, f"={split.score}")
        if not text:
            continue
        dx = dx_key(reading.cell(row, "dx_key"))
        if not dx:
            reading.note("SE52", row, "dx_key", field="dx_key")
            continue
        reading.rows.append(
            CatalogueRow(
                code=split.code.format(dx=dx),
                name=reading.cell(row, "dx_name"),
                kind=cast(Kind, split.kind),
                where=reading.where(row, "dx_key"),
                dx_keys=(dx,),
                cls=cast(Class, split.cls),
            )
        )
        reading.figures.append(Figures(score=_number(reading, row, f"={split.score}")))


def _list_row(reading: Reading, row: int, listed: str) -> None:
    """A row that is no group: an exclusion, or the mark of a primary group."""
    dx = dx_key(reading.cell(row, "dx_key"))
    ops = parse_operations(reading.cell(row, "main_ops"), reading.dialect.syntax)
    if listed == "excluded_dx":
        reading.excluded_dx.add(dx)
    elif listed == "primary":
        # without operation: the conservative case only
        reading.primary |= {(dx, code) for part in ops or (("",),) for code in part}
    else:
        said, _ = _conditions(reading, row)
        scope = tuple(said.get("scope", "").split("|")) if "scope" in said else ()
        for part in ops:
            for code in part:
                reading.excluded_ops[code] = Exclusion(said.get("exclusion", ""), scope)


def _group_row(reading: Reading, row: int) -> CatalogueRow | None:
    code = reading.cell(row, "code")
    if not code:
        reading.note("SE52", row, "code", field="code")
        return None
    parts = _parts(reading, row, code)
    kind = _kind(reading, row, code, parts)
    said, usable = _conditions(reading, row)
    if kind is None or not usable:
        if kind is not None:
            reading.note("SW59", row, "condition", code=code)
        return None
    in_columns = "main_ops" in reading.columns
    main = _operations(reading, row, "main_ops") if in_columns else parts.main
    related = _operations(reading, row, "related_ops") if in_columns else parts.related
    if in_columns and "related_ops" not in reading.columns and ":" in code:
        related = parts.related
    days = _asked(reading, row, "age_days_max", said)
    if reading.cell(row, "burn_area"):
        reading.note("SE58", row, "burn_area", text=reading.cell(row, "burn_area"))
    return CatalogueRow(
        code=code,
        name=_name(reading, row),
        kind=kind,
        where=reading.where(row, "code"),
        dx_keys=_dx_keys(reading, row, kind, parts),
        layer=_layer(reading, row),
        cls=_class(reading, row, kind, parts),
        main=main,
        related=related,
        other_dx=tuple(filter(None, dx_key(reading.cell(row, "other_dx")).split("|"))),
        # the canonical table gives the last day that counts
        age_days_below=_whole(said.get("age_days_below")) if days is None else days + 1,
        weight_lo=_asked(reading, row, "weight_lo", said),
        weight_hi=_asked(reading, row, "weight_hi", said),
        resistant=_resistant(reading, row, said),
    )


def _figures(reading: Reading, row: int) -> Figures:
    return Figures(
        score=_number(reading, row, "score"),
        mean_cost=_number(reading, row, "mean_cost"),
        cv=_number(reading, row, "cv"),
        cases=_whole(reading.cell(row, "cases")),
        mean_los=_number(reading, row, "mean_los"),
        primary_coef=_number(reading, row, "primary_coef"),
    )


def _parts(reading: Reading, row: int, code: str) -> Parts:
    try:
        return code_parts(code)
    except ValueError:
        reading.note("SE56", row, "code", text=code)
        return Parts("")


def _kind(reading: Reading, row: int, code: str, parts: Parts) -> Kind | None:
    """The kind as the table says it, else as the code shows it; None (SE57) for an unknown word."""
    word = reading.cell(row, "kind")
    if word:
        kind = reading.dialect.kinds.get(word) or kinds().get(word, word)
        if kind in KINDS:
            return kind
        reading.note("SE57", row, "kind", text=word, known=", ".join((*KINDS, *kinds())))
        return None
    if code.upper() == _BLANK:
        return "blank"
    if _CHAPTER.fullmatch(parts.dx):
        return "default"
    return "comprehensive" if parts.cls else "core"


def _class(reading: Reading, row: int, kind: Kind, parts: Parts) -> Class | Literal[""]:
    """The class of comprehensive and default rows; of others it is that of their operations."""
    if kind not in ("comprehensive", "default"):
        return ""
    word = reading.cell(row, "cls")
    named = classes().get(word, word) if word else parts.cls
    named = "surgical" if named == "interventional" else named
    if named not in CLASSES:
        reading.note("SE55", row, "cls" if word else "code", text=word, known=", ".join(CLASSES))
        return ""
    return named


def _dx_keys(reading: Reading, row: int, kind: Kind, parts: Parts) -> tuple[str, ...]:
    text = dx_key(reading.cell(row, "dx_key")) or (
        parts.dx if kind != "blank" and "dx_key" not in reading.columns else ""
    )
    if not text and kind != "blank":
        reading.note("SE52", row, "dx_key", field="dx_key")
    keys = [key for key in text.split("|") if key]
    return tuple(chapters().get(key, key) if kind == "default" else key for key in keys)


def _operations(reading: Reading, row: int, name: str) -> Expression:
    """The operations of a cell, lost zeros restored where that is certain."""
    text = reading.cell(row, name)
    try:
        expression = parse_operations(text, reading.dialect.syntax)
    except ValueError:
        reading.note("SE56", row, name, text=text)
        return ()
    found = []
    for part in expression:
        codes = []
        for token in part:
            code = _repaired(token)
            if not is_operation(code):
                reading.note("SE56", row, name, text=token)
            elif code != token:
                reading.note("SW60", row, name, text=token, code=code)
            codes.append(code)
        found.append(tuple(codes))
    return tuple(found)


def _repaired(token: str) -> str:
    """A code that was read as a number has lost zeros: `6.31` is `06.3100` if nothing else fits."""
    if not re.fullmatch(r"\d{1,2}\.?\d{0,4}", token, re.ASCII) or token in _known_operations():
        return token
    numbers = load_dictionary().px.by_number
    return numbers.get(plain_number(Decimal(token)), token)


@cache
def _known_operations() -> frozenset[str]:
    return frozenset(operation(code) for code in load_dictionary().px.codes)


def _conditions(reading: Reading, row: int) -> tuple[dict[str, str], bool]:
    """What the text of conditions says, and whether the row can be decided with what is public."""
    said: dict[str, str] = {}
    usable = True
    for part in filter(None, (p.strip() for p in reading.cell(row, "condition").split(";"))):
        for one in reading.dialect.conditions:
            match = one.pattern.fullmatch(part)
            if match:
                said |= {k: v for k, v in match.groupdict().items() if v is not None}
                said |= {"exclusion": one.exclusion} if one.exclusion else {}
                usable = usable and not one.unusable
                break
        else:
            reading.note("SE58", row, "condition", text=part)
    return said, usable


def _asked(reading: Reading, row: int, name: str, said: Mapping[str, str]) -> int | None:
    """A number that a group asks for, from its own column or from the text of conditions."""
    text = reading.cell(row, name)
    number = _whole(text or said.get(name))
    if text and number is None:
        reading.note("SE58", row, name, text=text)
    return number


def _resistant(reading: Reading, row: int, said: Mapping[str, str]) -> str:
    text = reading.cell(row, "resistant") or said.get("resistant", "")
    word = _ANSWERS.get(text.lower())
    if word is None:
        reading.note("SE58", row, "resistant", text=text)
    return word or ""


def _layer(reading: Reading, row: int) -> str:
    text = reading.cell(row, "layer")
    layer = reading.dialect.layers.get(text, text)
    if layer and layer not in LAYERS:
        reading.note("SE58", row, "layer", text=text)
    return layer


def _name(reading: Reading, row: int) -> str:
    """The printed name, or the names of diagnosis and operations."""
    named = reading.cell(row, "name")
    parts = [reading.cell(row, part) for part in ("dx_name", "main_name", "related_name")]
    text = named or ":".join(filter(None, parts))
    return "".join(" " if char in "\r\n\t" else char for char in text)


def _number(reading: Reading, row: int, name: str) -> Decimal | None:
    text = reading.cell(row, name).replace(",", "")
    if not text:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        reading.note("SE54", row, name, text=text)
        return None
    return value


def _whole(text: str | None) -> int | None:
    """A whole number, also one that a spreadsheet wrote with decimals; None if there is none."""
    head, _, tail = (text or "").partition(".")
    return int(head) if head.isdecimal() and not tail.strip("0") else None


@cache
def kinds() -> Mapping[str, Kind]:
    """How tables write the kinds."""
    return cast(Mapping[str, Kind], dict(_pairs("kinds.tsv")))


@cache
def classes() -> Mapping[str, str]:
    """How tables write the classes of operations; `interventional` (介入) counts as surgical."""
    return dict(_pairs("classes.tsv"))


@cache
def chapters() -> Mapping[str, str]:
    """The chapters that default rows stand for."""
    return dict(_pairs("chapters.tsv"))


def _pairs(name: str) -> Iterator[tuple[str, str]]:
    table = read_tsv(data_folder("dip", name))
    return zip(*table.cells[:2], strict=True)
