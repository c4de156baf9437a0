"""The rows of one sheet of a DIP catalogue, read through the column map of its form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from functools import cache
from typing import Any, Literal, cast

from grouper.datafile import data_folder, read_tsv
from grouper.scheme.dip import (
    CLASSES,
    KINDS,
    LAYERS,
    CatalogueRow,
    Class,
    Figures,
    Kind,
    Parts,
    code_parts,
    dx_key,
    is_dx_key,
)
from grouper.scheme.dip_conditions import Conditions, burn_keys, check_remark, read_conditions
from grouper.scheme.dip_lists import read_list_row
from grouper.scheme.dip_patterns import read_patterns
from grouper.scheme.dip_reading import Reading, whole
from grouper.scheme.dip_tokens import operations_of

_BLANK = "KBBZ"
_CHAPTER = re.compile(r"CP\d\d", re.ASCII)
#: what one group may say on several rows of a joined cell, one of them at a time
_WIDENED = ("dx_keys", "main", "related", "other_dx")


def read_rows(reading: Reading) -> None:
    """Read every row below the headers into `reading`, with what is wrong with it."""
    dialect = reading.dialect
    for row in reading.data_rows():
        if any(reading.cell(row, f"only:{name}") != want for name, want in dialect.only.items()):
            continue
        listed = dialect.listed or dialect.lists.get(reading.cell(row, "layer"))
        if listed:
            read_list_row(reading, row, listed)
        elif dialect.splits:
            _split_rows(reading, row)
        else:
            _group_row_and_figures(reading, row)


def _group_row_and_figures(reading: Reading, row: int) -> None:
    group = _group_row(reading, row)
    if group is None:
        return
    figures = _figures(reading, row)
    if reading.rows and reading.is_continued(row, "code") and reading.rows[-1].code == group.code:
        _widen(reading, row, group, figures)
        return
    reading.rows.append(group)
    reading.figures.append(figures)


def _widen(reading: Reading, row: int, more: CatalogueRow, figures: Figures) -> None:
    """One group over several rows, its code in a joined cell: the rows are alternatives.

    They may differ in one field, else what belongs together could not be told (SE75).
    """
    known = reading.rows[-1]
    names = [one.name for one in fields(CatalogueRow) if one.name not in ("where", "name")]
    differ = [name for name in names if getattr(known, name) != getattr(more, name)]
    said = [one.name for one in fields(Figures) if getattr(figures, one.name) is not None]
    other = any(getattr(figures, n) != getattr(reading.figures[-1], n) for n in said)
    if len(differ) > 1 or not set(differ) <= set(_WIDENED) or other:
        reading.note("SE75", row, "code", code=known.code, fields=", ".join(differ) or "score")
        return
    for name in differ:
        first, second = getattr(known, name), getattr(more, name)
        # a row that asks for nothing beside one that asks for something is no alternative
        if not first or not second:
            reading.note("SE75", row, "code", code=known.code, fields=name)
            return
        both: Any = {name: tuple(dict.fromkeys((*first, *second)))}
        reading.rows[-1] = replace(known, **both)


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
        if not is_dx_key(dx):
            reading.note("SE74", row, "dx_key", text=dx)
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
        reading.figures.append(Figures(score=reading.number(row, f"={split.score}")))


def _group_row(reading: Reading, row: int) -> CatalogueRow | None:
    code = _code(reading, row)
    if not code:
        reading.note("SE52", row, "code", field="code")
        return None
    parts = _parts(reading, row, code)
    kind = _kind(reading, row, code, parts)
    said, usable = read_patterns(reading, row)
    if kind is None or not usable:
        if kind is not None:
            reading.note("SW59", row, "condition", code=code)
        return None
    in_columns = "main_ops" in reading.columns
    main = operations_of(reading, row, "main_ops") if in_columns else parts.main
    related = operations_of(reading, row, "related_ops") if in_columns else parts.related
    if in_columns and "related_ops" not in reading.columns and ":" in code:
        related = parts.related
    check_remark(reading, row)
    asked = read_conditions(reading, row, said)
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
        **{one.name: getattr(asked, one.name) for one in fields(Conditions)},
    )


def _code(reading: Reading, row: int) -> str:
    """The code of a group; the number of a sheet of the official workbook with its layer."""
    text = reading.cell(row, "code")
    number = whole(text)
    if reading.dialect.layer and number is not None:
        return f"{reading.dialect.layer}-{number}"
    return text


def _figures(reading: Reading, row: int) -> Figures:
    return Figures(
        score=reading.number(row, "score"),
        mean_cost=reading.number(row, "mean_cost"),
        cv=reading.number(row, "cv"),
        cases=whole(reading.cell(row, "cases")),
        mean_los=reading.number(row, "mean_los"),
        primary_coef=reading.number(row, "primary_coef"),
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
    text = dx_key(reading.cell(row, "dx_key")) or reading.dialect.any_dx
    if not text and kind != "blank" and "dx_key" not in reading.columns:
        text = parts.dx
    if not text and kind != "blank":
        reading.note("SE52", row, "dx_key", field="dx_key")
    if kind == "default":
        return tuple(chapters().get(key, key) for key in text.split("|") if key)
    keys = tuple(key for key in text.split("|") if key)
    for key in keys:
        if not is_dx_key(key):
            reading.note("SE74", row, "dx_key", text=key)
    return burn_keys(reading, row, keys)


def _layer(reading: Reading, row: int) -> str:
    text = reading.cell(row, "layer")
    layer = reading.dialect.layer or reading.dialect.layers.get(text, text)
    if layer and layer not in LAYERS:
        reading.note("SE58", row, "layer", text=text)
    return layer


def _name(reading: Reading, row: int) -> str:
    """The printed name, or the names of diagnosis and operations.

    Groups of the official workbook that differ in a condition alone are told apart by it.
    """
    named = reading.cell(row, "name")
    conditions = ("burn_degree", "other_name", "burn_area", "resistant")
    parts = ("dx_name", *(conditions if reading.dialect.part else ()), "main_name", "related_name")
    return named or ":".join(filter(None, (reading.cell(row, part) for part in parts)))


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
