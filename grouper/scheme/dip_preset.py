"""The choices in which regions differ when they group by DIP, as data: presets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from grouper.datafile import data_folder, read_toml, read_tsv
from grouper.errors import SchemeError
from grouper.scheme.condition import nearest
from grouper.scheme.dip import CLASSES
from grouper.scheme.dip_operations import operation

#: steps of a rule for ties; those in `ENDS` leave one row whatever they find
STEPS = (
    "core_before_primary",
    "exact",
    "most_related",
    "most_operations_if_two",
    "most_operations",
    "most_matched",
    "all_matched",
    "with_main_operation",
    "nearest_cost",
    "highest_score",
    "first",
    "last",
    "code",
)
ENDS = ("first", "last", "code")
_CHOICES: Mapping[str, tuple[object, ...]] = {
    "op_class_of_case": ("main", "highest"),
    "core_vs_comp": ("core_first", "by_class", "unmatched_surgery"),
    "conservative_def": ("none", "class"),
    "ext_match": ("exact", "prefix", "v30"),
    "interventional": ("surgical", "therapeutic"),
    "unlisted_class": CLASSES,
}
_LISTS: Mapping[str, tuple[str, ...]] = {
    "tie": STEPS,
    "fallback": ("letter", "blank", "chapter"),
}
_TEXTS = ("title", "source", "confidence")
CLASS_WORDS = (*CLASSES, "interventional")


@dataclass(frozen=True, slots=True)
class Preset:
    """How a region chooses; the options and their meaning: docs/reference/dip.md.

    tie: steps that narrow several core rows down to one; fallback: where a case goes that no row
    takes; excluded_ops: operations left out before anything else.
    """

    id: str
    title: str
    source: str
    confidence: str
    tie: tuple[str, ...]
    fallback: tuple[str, ...] = ()
    op_class_of_case: str = "main"
    core_vs_comp: str = "core_first"
    conservative_def: str = "none"
    ext_match: str = "exact"
    interventional: str = "surgical"
    unlisted_class: str = "conservative"
    excluded_ops: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Layer:
    """How the rows of a 3.0 layer match.

    operations: `anywhere` or `main` (the main operation must take part); without: what a row
    without operations asks (`any`, or `none`: no main operation); related: `asked` or `ignored`;
    prefer: steps that choose among rows.
    """

    code: str
    operations: str
    without: str
    related: str
    prefer: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers in their order, and what holds for all of them."""

    layers: tuple[Layer, ...]
    ext_match: str
    conservative_scope: str
    resistant_other_dx: tuple[str, ...]


def preset_ids() -> tuple[str, ...]:
    """The presets that come with the program."""
    return tuple(sorted(path.stem for path in data_folder("dip", "presets").glob("*.toml")))


def load_preset(name: str | Path) -> Preset:
    """The preset of that name, or in a file. Raises SchemeError SE59 (unknown), SE60 (values)."""
    path = Path(name)
    if str(name) in preset_ids():
        path = data_folder("dip", "presets", f"{name}.toml")
    elif path.suffix.lower() != ".toml" or not path.is_file():
        known = preset_ids()
        near = nearest(str(name), known)
        shown = ", ".join(sorted(known, key=lambda one: (one != near, one)))
        raise SchemeError("SE59", str(name), name=name, known=shown)
    return _preset(path.stem, str(path), read_toml(path))


def _preset(name: str, where: str, raw: Mapping[str, Any]) -> Preset:
    known = (*_TEXTS, *_CHOICES, *_LISTS, "excluded_ops")
    for key, value in raw.items():
        expected: tuple[object, ...] = ()
        if key not in known:
            raise SchemeError(
                "SE60", where, name=name, key=key, value=value, known=", ".join(known)
            )
        if key in _CHOICES and value not in _CHOICES[key]:
            expected = _CHOICES[key]
        elif key in _LISTS and not (isinstance(value, list) and set(value) <= set(_LISTS[key])):
            expected = _LISTS[key]
        if expected:
            shown = ", ".join(map(str, expected))
            raise SchemeError("SE60", where, name=name, key=key, value=value, known=shown)
    for key in (*_TEXTS, "tie"):
        if key not in raw:
            shown = ", ".join(STEPS) if key == "tie" else key
            raise SchemeError("SE60", where, name=name, key=key, value="-", known=shown)
    values = dict(raw) | {key: tuple(raw.get(key, ())) for key in _LISTS}
    values["excluded_ops"] = frozenset(operation(code) for code in raw.get("excluded_ops", ()))
    return Preset(id=name, **values)


@cache
def load_layers() -> Layers:
    """The layers of scheme 3.0."""
    raw = read_toml(data_folder("dip", "layers.toml"))
    return Layers(
        tuple(Layer(**{**one, "prefer": tuple(one["prefer"])}) for one in raw["layer"]),
        raw["ext_match"],
        raw["conservative_scope"],
        tuple(raw["resistant_other_dx"]),
    )


def load_classes(path: str | Path | None = None) -> Mapping[str, str]:
    """The class of every operation that a table lists: columns `code` and `class`, others ignored.

    path: a table of the user's own (TSV) instead of the one that comes with the program. Raises
    DataFileError for a file that cannot be read, SchemeError SE61 for an unknown class.
    """
    return _classes(Path(path) if path else data_folder("dip", "operation_classes.tsv"))


@cache
def _classes(path: Path) -> Mapping[str, str]:
    table = read_tsv(path)
    for name in ("code", "class"):
        if name not in table.columns:
            raise SchemeError("SE61", f"{path}:1", code="-", text=name, known="code, class")
    found = {}
    for row in table:
        if row["class"] not in CLASS_WORDS:
            known = ", ".join(CLASS_WORDS)
            where = row.where("class")
            raise SchemeError("SE61", where, code=row["code"], text=row["class"], known=known)
        found[operation(row["code"])] = row["class"]
    return found
