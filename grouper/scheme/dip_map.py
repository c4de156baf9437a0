"""A user's own column map of a catalogue: its keys, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, get_args

from grouper.dated import CONFIDENCES
from grouper.errors import Issue, SchemeError
from grouper.scheme.dip import CLASSES, KINDS, LAYERS
from grouper.scheme.dip_operations import Form

Scores = Literal["asked", "none"]
Short = Literal["repaired", "kept"]

#: fields that a column may hold, in groups and in the lists of the official workbook
FIELDS = (
    "code", "kind", "layer", "cls", "dx_key", "main_ops", "related_ops", "other_dx",
    "age_days_max", "age_days", "weight_lo", "weight_hi", "weight", "resistant", "burn_degree",
    "burn_area", "condition", "remark", "name", "dx_name", "main_name", "related_name", "score",
    "mean_cost", "cv", "cases", "mean_los", "primary_coef",
)  # fmt: skip
#: how operations are joined unless the map says otherwise
SYNTAX: Mapping[str, Any] = {"any": ["|", "/"], "all": ["+", ","], "form": "or_of_and"}
_WORDS: Mapping[str, tuple[str, ...]] = {
    "confidence": CONFIDENCES,
    "scores": get_args(Scores),
    "short": get_args(Short),
}
_TEXTS = ("title", "source")
#: what words of the table may stand for; `only` names values of the table itself
_PAIRS: Mapping[str, tuple[str, ...]] = {
    "kinds": KINDS,
    "layers": LAYERS,
    "lists": ("excluded_dx", "excluded_ops", "primary", "resistant_dx"),
    "only": (),
}
_LISTS = ("requires", "none")
_KEYS = (*_TEXTS, *_WORDS, *_LISTS, *_PAIRS, "columns", "operations", "split", "conditions")
_SPLIT = ("score", "kind", "cls", "code")
_CONDITION = ("pattern", "unusable", "exclusion")
_EXCLUSIONS = ("conservative", "not_main", "scope")

#: a key that is wrong, and what would do
Problem = tuple[str, Sequence[str]]


def check_map(raw: Mapping[str, Any], file: str) -> None:
    """Raise SchemeError SE72 with every key of a column map that is unknown or wrong."""
    found: list[Problem] = [(key, _KEYS) for key in raw if key not in _KEYS]
    found += [*_columns(raw), *_plain(raw), *_operations(raw), *_tables(raw)]
    if found:
        raise SchemeError.of(
            [
                Issue("SE72", f"{file}: {key}", {"key": key, "known": ", ".join(known)})
                for key, known in found
            ]
        )


def _columns(raw: Mapping[str, Any]) -> Iterator[Problem]:
    columns = raw.get("columns")
    if not isinstance(columns, dict) or not columns:
        yield "columns", FIELDS
        return
    for name, headers in columns.items():
        if name not in FIELDS:
            yield f"columns.{name}", FIELDS
        elif not headers or not _are_texts(headers):
            yield f"columns.{name}", ('["…"]',)
    if not {"code", "dx_key"} & set(columns):
        yield "columns", ("code", "dx_key")


def _plain(raw: Mapping[str, Any]) -> Iterator[Problem]:
    for key in _TEXTS:
        if not isinstance(raw.get(key, ""), str):
            yield key, ('"…"',)
    for key, known in _WORDS.items():
        if raw.get(key, known[0]) not in known:
            yield key, known
    for key in _LISTS:
        if not _are_texts(raw.get(key, [])):
            yield key, ('["…"]',)
    for key, known in _PAIRS.items():
        table = raw.get(key, {})
        if not isinstance(table, dict) or not _are_texts(list(table.values())):
            yield key, ('"…" = "…"',)
        elif known and not set(table.values()) <= set(known):
            yield key, known


def _operations(raw: Mapping[str, Any]) -> Iterator[Problem]:
    operations = raw.get("operations", {})
    if not isinstance(operations, dict):
        yield "operations", tuple(SYNTAX)
        return
    for key, value in operations.items():
        if key not in SYNTAX:
            yield f"operations.{key}", tuple(SYNTAX)
        elif key == "form" and value not in get_args(Form):
            yield "operations.form", get_args(Form)
        elif key != "form" and not (_are_texts(value) and all(value)):
            yield f"operations.{key}", ('["|"]',)


def _tables(raw: Mapping[str, Any]) -> Iterator[Problem]:
    checks: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
        "split": _is_split,
        "conditions": _is_condition,
    }
    for key, is_sound in checks.items():
        rows = raw.get(key, [])
        sound = isinstance(rows, list) and all(isinstance(r, dict) and is_sound(r) for r in rows)
        if not sound:
            yield key, _SPLIT if key == "split" else _CONDITION


def _is_split(one: Mapping[str, Any]) -> bool:
    if set(one) != set(_SPLIT) or not _are_texts(list(one.values())):
        return False
    # the diagnosis is put into the code, and nothing else
    is_code = set(re.findall(r"\{[^}]*\}?|\}", one["code"])) == {"{dx}"}
    return one["kind"] in KINDS and one["cls"] in CLASSES and is_code


def _is_condition(one: Mapping[str, Any]) -> bool:
    if not isinstance(one.get("pattern"), str) or not set(one) <= set(_CONDITION):
        return False
    if one.get("exclusion", _EXCLUSIONS[0]) not in _EXCLUSIONS:
        return False
    try:
        re.compile(one["pattern"])
    except re.error:
        return False
    return True


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
