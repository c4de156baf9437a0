"""A catalogue in the canonical form: its rows and lists as tables of text, and its head."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Any

from grouper.dated import CONFIDENCES
from grouper.errors import Issue, SchemeError
from grouper.scheme.dip import (
    Catalogue,
    CatalogueHead,
    Exclusion,
    Figures,
    Published,
)
from grouper.scheme.dip_operations import Expression

FORMAT = 1
#: the columns of rows, and of the lists beside them
ROW_COLUMNS = (
    "code", "kind", "layer", "cls", "dx_key", "main_ops", "related_ops", "other_dx",
    "age_days_max", "weight_lo", "weight_hi", "drug_resistant", "name", "score", "mean_cost",
    "primary_coef", "cases", "cv", "mean_los",
)  # fmt: skip
LIST_COLUMNS = ("list", "dx", "operation", "scope")
_DATES = ("valid_from", "valid_to")
_PROBLEMS = ("conservative", "not_main", "scope")
_HEAD = ("id", "title", *(one.name for one in fields(CatalogueHead)), "confidence")


def row_texts(published: Published) -> Iterator[tuple[str, ...]]:
    """Every row as ROW_COLUMNS, in the order of the catalogue, which ties may ask for."""
    for row, printed in zip(published.catalogue.rows, published.figures, strict=True):
        below = row.age_days_below
        cells: Mapping[str, object] = {
            **{name: getattr(row, name) for name in ("code", "kind", "layer", "cls", "name")},
            "dx_key": "|".join(row.dx_keys),
            "main_ops": expression_text(row.main),
            "related_ops": expression_text(row.related),
            "other_dx": "|".join(row.other_dx),
            "age_days_max": None if below is None else below - 1,
            "weight_lo": row.weight_lo,
            "weight_hi": row.weight_hi,
            "drug_resistant": row.resistant,
            **{one.name: getattr(printed, one.name) for one in fields(Figures)},
        }
        yield tuple(_text(cells[name]) for name in ROW_COLUMNS)


def list_texts(catalogue: Catalogue) -> list[tuple[str, ...]]:
    """What is no group, as LIST_COLUMNS, sorted."""
    found = [("excluded_dx", dx, "", "") for dx in catalogue.excluded_dx]
    found += [("resistant_dx", dx, "", "") for dx in catalogue.resistant_dx]
    found += [("primary", dx, operation, "") for dx, operation in catalogue.primary]
    found += [
        (one.problem, "", operation, "|".join(one.scope))
        for operation, one in catalogue.excluded_ops.items()
    ]
    return sorted(found)


def lists_of(rows: Iterator[tuple[str, Mapping[str, str]]]) -> dict[str, Any]:
    """The fields of a Catalogue in rows of its lists (place, cells). Raises SchemeError SE77."""
    dx: dict[str, set[str]] = {"excluded_dx": set(), "resistant_dx": set()}
    primary: set[tuple[str, str]] = set()
    operations: dict[str, Exclusion] = {}
    issues = []
    for where, cells in rows:
        name = cells["list"]
        if name in dx:
            dx[name].add(cells["dx"].upper())
        elif name == "primary":
            primary.add((cells["dx"].upper(), cells["operation"].upper()))
        elif name in _PROBLEMS:
            scope = tuple(filter(None, cells["scope"].upper().split("|")))
            operations[cells["operation"].upper()] = Exclusion(name, scope)
        else:
            known = ", ".join((*dx, "primary", *_PROBLEMS))
            issues.append(Issue("SE77", where, {"key": "list", "value": name, "known": known}))
    if issues:
        raise SchemeError.of(issues)
    return {
        **{name: frozenset(codes) for name, codes in dx.items()},
        "primary": frozenset(primary),
        "excluded_ops": operations,
    }


def head_values(catalogue: Catalogue) -> dict[str, Any]:
    """What a head says, empty values left out."""
    head = catalogue.head
    values = {"id": catalogue.id, "kind": "dip", "format": FORMAT, "title": catalogue.title}
    values |= {one.name: getattr(head, one.name) for one in fields(CatalogueHead)}
    values["confidence"] = catalogue.confidence
    if values["scores"] == "asked":
        del values["scores"]
    return {key: value for key, value in values.items() if value not in ("", None)}


def head_of(raw: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The head of a Catalogue (id, title, confidence, head). Raises SchemeError SE77 with all."""
    issues = [
        Issue("SE77", f"{where}: {key}", {"key": key, "value": value, "known": known})
        for key, value, known in _problems(raw)
    ]
    if issues:
        raise SchemeError.of(issues)
    names = [one.name for one in fields(CatalogueHead) if one.name in raw]
    values: dict[str, Any] = {name: raw[name] for name in names}
    # JSON has no dates
    values |= {n: date.fromisoformat(str(values[n])) for n in _DATES if n in values}
    return {
        "id": raw["id"],
        "title": raw["title"],
        "confidence": raw["confidence"],
        "head": CatalogueHead(**values),
    }


def _problems(raw: Mapping[str, Any]) -> Iterator[tuple[str, object, str]]:
    known = ("kind", "format", *_HEAD)
    yield from ((key, value, ", ".join(known)) for key, value in raw.items() if key not in known)
    for key, wanted in (("kind", "dip"), ("format", FORMAT)):
        if raw.get(key) != wanted:
            yield key, raw.get(key, "-"), str(wanted)
    for key in ("id", "title", "confidence"):
        if not raw.get(key):
            yield key, "-", '"…"'
    if raw.get("confidence") not in (None, *CONFIDENCES):
        yield "confidence", raw["confidence"], ", ".join(CONFIDENCES)
    if raw.get("scores", "asked") not in ("asked", "none"):
        yield "scores", raw["scores"], "asked, none"
    for key in _DATES:
        try:
            date.fromisoformat(str(raw.get(key, "2000-01-01")))
        except ValueError:
            yield key, raw[key], "2027-01-01"
    for key in _HEAD:
        if key not in _DATES and not isinstance(raw.get(key, ""), str):
            yield key, raw[key], '"…"'


def digest(published: Published) -> str:
    """SHA-256 (hex) of rows and lists: the same for a folder and for JSON."""
    total = hashlib.sha256()
    for name, content in table_files(published).items():
        total.update(name.encode() + b"\0" + content)
    return total.hexdigest()


def table_files(published: Published) -> dict[str, bytes]:
    """The tables of a folder: rows.tsv, and lists.tsv where there is any list."""
    files = {"rows.tsv": _tsv(ROW_COLUMNS, list(row_texts(published)))}
    lists = list_texts(published.catalogue)
    return files | ({"lists.tsv": _tsv(LIST_COLUMNS, lists)} if lists else {})


def _tsv(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> bytes:
    return ("\n".join("\t".join(row) for row in (columns, *rows)) + "\n").encode()


def expression_text(expression: Expression) -> str:
    """Operations as the canonical table writes them."""
    return "|".join("+".join(part) for part in expression)


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    return "" if value is None else " ".join(str(value).split())
