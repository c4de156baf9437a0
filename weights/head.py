"""What a table says about itself: the keys of table.toml, read and written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, cast

from grouper.datafile import toml_text
from grouper.dated import CONFIDENCES, Confidence, Span
from grouper.errors import Issue
from weights.table import Head, Proof

FORMAT = 1
#: table.toml: key -> (type, must it be there)
_KEYS: Mapping[str, tuple[type, bool]] = {
    "id": (str, True),
    "title": (str, True),
    "title_en": (str, False),
    "scheme": (str, True),
    "area": (str, True),
    "area_name": (str, False),
    "valid_from": (date, True),
    "valid_to": (date, False),
    "source": (str, True),
    "confidence": (str, True),
    "base_rate": (Decimal, False),
    "point_value": (Decimal, False),
    "standard_rounding": (str, False),
    "levels": (list, False),
    "severity_order": (list, False),
    "residual": (list, False),
    "proof": (dict, False),
    # how the weights were estimated, for the reader
    "estimate": (dict, False),
}
_PROOF: Mapping[str, type] = {
    "column": str,
    "formula": str,
    "within": Decimal,
    "within_weight": Decimal,
    "within_relative": Decimal,
}
_ALLOWED: Mapping[str, tuple[str, ...]] = {
    "confidence": CONFIDENCES,
    "standard_rounding": ("exact", "half_up"),
    "proof.column": ("standard", "mean_cost"),
    "proof.formula": ("w r", "w r c", "p v", "p v c"),
}
_ID_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")


def head_issues(raw: Mapping[str, Any], place: str) -> list[Issue]:
    """Every key that is unknown, missing or wrong (WT106); `place` is `file` or `file: section`."""
    issues = [_issue(place, key, "unknown") for key in raw if key not in _KEYS]
    for key, (kind, needed) in _KEYS.items():
        if key not in raw:
            issues += [_issue(place, key, "missing")] if needed else []
        elif not _fits(raw[key], kind):
            issues.append(_issue(place, key, "wrong"))
    proof = raw.get("proof")
    proof = proof if isinstance(proof, dict) else {}
    for key, value in proof.items():
        if key not in _PROOF:
            issues.append(_issue(place, f"proof.{key}", "unknown"))
        elif not _fits(value, _PROOF[key]):
            issues.append(_issue(place, f"proof.{key}", "wrong"))
    flat = {**raw, **{f"proof.{key}": value for key, value in proof.items()}}
    issues += [
        _issue(place, key, "wrong")
        for key, values in _ALLOWED.items()
        if isinstance(flat.get(key), str) and flat[key] not in values
    ]
    # the id becomes the name of a folder
    name = raw.get("id")
    if isinstance(name, str) and (not set(name) <= _ID_LETTERS or name.strip(".") == ""):
        issues.append(_issue(place, "id", "wrong"))
    start, end = raw.get("valid_from"), raw.get("valid_to")
    if type(start) is date and type(end) is date and end <= start:
        issues.append(_issue(place, "valid_to", "wrong"))
    return issues


def head_of(raw: Mapping[str, Any]) -> Head:
    """The head in sound keys (no `head_issues`)."""
    proof = raw.get("proof")
    return Head(
        id=raw["id"],
        title=raw["title"],
        title_en=raw.get("title_en", raw["title"]),
        scheme_id=raw["scheme"],
        area=raw["area"],
        area_name=raw.get("area_name", ""),
        span=Span(raw["valid_from"], raw.get("valid_to")),
        source=raw["source"],
        confidence=cast(Confidence, raw["confidence"]),
        base_rate=_decimal(raw.get("base_rate")),
        point_value=_decimal(raw.get("point_value")),
        standard_rounding=raw.get("standard_rounding", "exact"),
        levels=tuple(raw.get("levels", ())),
        severity_order=tuple(raw.get("severity_order", ())),
        residual=tuple(raw.get("residual", ())),
        proof=None if proof is None else Proof(**{k: _value(v) for k, v in proof.items()}),
    )


def head_text(head: Head) -> str:
    """A head as table.toml; reading it gives the same head."""
    pairs: list[tuple[str, Any]] = [
        ("format", FORMAT),
        ("id", head.id),
        ("title", head.title),
        ("title_en", head.title_en),
        ("scheme", head.scheme_id),
        ("area", head.area),
        ("area_name", head.area_name),
        ("valid_from", head.span.start),
        ("valid_to", head.span.end),
        ("source", head.source),
        ("confidence", head.confidence),
        ("base_rate", head.base_rate),
        ("point_value", head.point_value),
        ("standard_rounding", "" if head.standard_rounding == "exact" else head.standard_rounding),
        ("levels", list(head.levels)),
        ("severity_order", list(head.severity_order)),
        ("residual", list(head.residual)),
    ]
    lines = [f"{key} = {_toml(value)}" for key, value in pairs if value not in (None, "", [])]
    if head.proof is not None:
        lines += ["", "[proof]"]
        lines += [f"{key} = {_toml(getattr(head.proof, key))}" for key in ("column", "formula")]
        keys = ("within", "within_weight", "within_relative")
        lines += [f"{k} = {_toml(getattr(head.proof, k))}" for k in keys if getattr(head.proof, k)]
    return "\n".join(lines) + "\n"


def _fits(value: object, kind: type) -> bool:
    if kind is Decimal:
        number = type(value) in (int, Decimal)
        return number and Decimal(cast(int, value)).is_finite() and cast(int, value) >= 0
    if kind is list:
        return isinstance(value, list) and all(isinstance(one, str) and one for one in value)
    return type(value) is kind and value != ""


def _issue(place: str, key: str, problem: str) -> Issue:
    return Issue("WT106", f"{place}: {key}", {"key": key, "problem": problem})


def _decimal(value: int | Decimal | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _value(value: Any) -> Any:
    return Decimal(value) if isinstance(value, int) else value


def _toml(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_toml(one) for one in value)}]"
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text if "." in text else f"{text}.0"
    if isinstance(value, str):
        return toml_text(value)
    return str(value)
