"""Targets of notices and plans: dated, sourced data under `data/targets`, one file a document."""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from grouper.datafile import data_folder, read_toml
from grouper.dated import CONFIDENCES, VERIFIED, Confidence
from grouper.errors import Issue, SettlementError

#: what can be measured -> the unit it is counted in
UNITS: Mapping[str, Literal["count", "yuan"]] = {
    "area": "count",
    "institution": "count",
    "disease_cases": "count",
    "disease_types": "count",
    "fund": "yuan",
    "fund_eligible": "yuan",
}
Scope = Literal["each", "total"]

_HEAD = ("document", "number", "date", "area", "area_code", "source", "confidence")
_HEAD_EXTRA = ("note", "until", "targets")
_TARGET = ("row", "measure", "scope", "period", "value", "text_zh", "text_en")
_TARGET_EXTRA = ("confidence",)
_PERIOD = re.compile(r"(?P<year>[12]\d{3})|year (?P<step>[1-9])")


@dataclass(frozen=True, slots=True)
class Target:
    """One figure of one document that a measure must reach ("at least").

    row         id of the statement in our table of sources (S09, N04 ...)
    date        of the document, ISO; area, area_code: where it binds (000000 = the country)
    period      "2025": by the end of that year; "year 2": of the years since an area started
    value       share to be reached, 0 < value <= 1
    scope       `each`: every pooling area by itself; `total`: all areas of the document together
    until       last year the document speaks of, None = open
    confidence  how firmly the figure stands, a mark of `grouper.dated`
    """

    row: str
    document: str
    number: str
    date: str
    area: str
    area_code: str
    measure: str
    period: str
    value: Fraction
    unit: Literal["count", "yuan"]
    scope: Scope
    source: str
    confidence: Confidence
    text_zh: str
    text_en: str
    until: int | None = None

    def deadline(self, start_year: int | None) -> int | None:
        """The year by whose end it is due; None when it counts from a start that is not known."""
        match = _PERIOD.fullmatch(self.period)
        if match and match["year"]:
            return int(match["year"])
        if match is None or start_year is None:
            return None
        return start_year + int(match["step"]) - 1

    @property
    def verified(self) -> bool:
        """Whether its mark lets it decide without the user's leave."""
        return self.confidence in VERIFIED


def document_ids() -> tuple[str, ...]:
    """The ids of the documents that come with the package (their file names)."""
    return tuple(sorted(path.stem for path in data_folder("targets").glob("*.toml")))


def load_targets(
    documents: Iterable[str | Path] | None = None,
    *,
    area_code: str | None = None,
    year: int | None = None,
) -> tuple[Target, ...]:
    """The targets of some documents: ids of the package or paths of .toml files; None = all ids.

    area_code: only documents that bind this area (six digits; a province binds its cities).
    year: only documents already issued and not yet run out in that year.
    Raises SettlementError (ST402, ST405, ST406), DataFileError (file unreadable or no TOML).
    """
    names = document_ids() if documents is None else tuple(documents)
    targets = [target for name in names for target in _document(_path(name))]
    return tuple(
        target
        for target in targets
        if (area_code is None or _binds(target.area_code, area_code))
        and (year is None or _speaks(target, year))
    )


def lint_targets(path: Path) -> list[Issue]:
    """Everything wrong with a target file: missing keys (ST402), unusable ones (ST405)."""
    return _lint(path.name, read_toml(path))


def in_force(
    targets: Sequence[Target], measure: str, year: int, *, start_year: int | None = None
) -> tuple[Target, ...]:
    """The step of every document that a figure of this year is held against, in given order.

    The nearest deadline not yet past; after the last deadline the last step stays, unless the
    document ended (`until`). start_year: when the area began, for steps that count from there.
    Confidence: constructed; the documents do not say what holds between and after their dates.
    """
    best: dict[str, tuple[tuple[bool, int], Target]] = {}
    for target in targets:
        deadline = target.deadline(start_year)
        if target.measure != measure or deadline is None or not _speaks(target, year):
            continue
        # ahead: the nearest first; behind: the latest first, and only if nothing lies ahead
        past = deadline < year
        rank = (past, -deadline if past else deadline)
        if target.number not in best or rank < best[target.number][0]:
            best[target.number] = (rank, target)
    return tuple(target for _, target in best.values())


def _speaks(target: Target, year: int) -> bool:
    return int(target.date[:4]) <= year and (target.until is None or year <= target.until)


def _binds(owner: str, code: str) -> bool:
    """Whether an area's documents bind another: codes nest by pairs, trailing 00 = all below."""
    return code.startswith(re.sub(r"(?:00)+$", "", owner))


def _path(name: str | Path) -> Path:
    if isinstance(name, Path) or name.endswith(".toml"):
        return Path(name)
    if name not in document_ids():
        near = difflib.get_close_matches(name, document_ids(), 1) or list(document_ids())
        raise SettlementError("ST406", "", document=name, near=", ".join(near))
    return data_folder("targets", f"{name}.toml")


def _document(path: Path) -> tuple[Target, ...]:
    content = read_toml(path)
    issues = _lint(path.name, content)
    if issues:
        raise SettlementError.of(issues)
    return tuple(_target(content, row) for row in content["targets"])


def _target(head: Mapping[str, Any], row: Mapping[str, Any]) -> Target:
    return Target(
        row=row["row"],
        document=head["document"],
        number=head["number"],
        date=head["date"].isoformat(),
        area=head["area"],
        area_code=head["area_code"],
        measure=row["measure"],
        period=row["period"],
        value=Fraction(row["value"]),
        unit=UNITS[row["measure"]],
        scope=row["scope"],
        source=head["source"],
        confidence=row.get("confidence", head["confidence"]),
        text_zh=row["text_zh"],
        text_en=row["text_en"],
        until=head.get("until"),
    )


def _lint(name: str, content: Mapping[str, Any]) -> list[Issue]:
    issues = _missing_and_unknown(f"{name}:", content, _HEAD, _HEAD_EXTRA)
    issues += _bad_values(f"{name}:", content)
    rows = content.get("targets", [])
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        return [*issues, Issue("ST402", f"{name}: targets", {"key": "targets"})]
    seen: set[tuple[object, object]] = set()
    for number, row in enumerate(rows):
        where = f"{name}: targets[{number}]"
        issues += _missing_and_unknown(where, row, _TARGET, _TARGET_EXTRA)
        issues += _bad_values(where, row)
        key = (row.get("measure"), row.get("period"))
        if key in seen:
            issues.append(_unusable(where, "period", row.get("period"), "twice"))
        seen.add(key)
    return issues


def _missing_and_unknown(
    where: str, table: Mapping[str, Any], keys: Sequence[str], extra: Sequence[str]
) -> list[Issue]:
    issues = [
        Issue("ST402", _at(where, key), {"key": key}) for key in keys if table.get(key, "") == ""
    ]
    for key in table:
        if key not in (*keys, *extra):
            near = difflib.get_close_matches(key, (*keys, *extra), 1)
            issues.append(_unusable(where, key, table[key], ", ".join(near or keys)))
    return issues


def _bad_values(where: str, table: Mapping[str, Any]) -> list[Issue]:
    """One issue for every entry that is there but not of its form."""
    return [
        _unusable(where, key, table[key], expected)
        for key, (sound, expected) in _FORMS.items()
        if table.get(key, "") != "" and not sound(table[key])
    ]


def _text_in(*words: str) -> tuple[Any, str]:
    return (lambda value: value in words), " | ".join(words)


def _share(value: object) -> bool:
    # bool is an int to Python, but true is no share
    return isinstance(value, int | Decimal) and not isinstance(value, bool) and 0 < value <= 1


#: key -> (test, what is expected); keys whose value must be text and nothing more are added below
_FORMS: dict[str, tuple[Any, str]] = {
    "date": (lambda value: type(value) is datetime.date, "YYYY-MM-DD"),
    "area_code": (lambda value: bool(re.fullmatch(r"\d{6}", str(value))), "000000"),
    "until": (lambda value: type(value) is int and 1900 < value < 3000, "YYYY"),
    "confidence": _text_in(*CONFIDENCES),
    "measure": _text_in(*UNITS),
    "scope": _text_in("each", "total"),
    "period": (
        lambda value: isinstance(value, str) and _PERIOD.fullmatch(value) is not None,
        "YYYY | year N",
    ),
    "value": (_share, "0 < value <= 1"),
}
_FORMS.update(
    (key, (lambda value: isinstance(value, str), "text"))
    for key in ("document", "number", "area", "source", "note", "row", "text_zh", "text_en")
)


def _unusable(where: str, key: str, value: object, expected: str) -> Issue:
    return Issue("ST405", _at(where, key), {"key": key, "value": value, "expected": expected})


def _at(where: str, key: str) -> str:
    return f"{where} {key}" if where.endswith(":") else f"{where}.{key}"
