"""An area beside its policy: area.toml, hospitals.tsv, facts.tsv, and where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import TypeVar, cast

from pydantic import ValidationError

from grouper.datafile import data_folder, read_toml, read_tsv
from grouper.dated import CONFIDENCES, Confidence, Span
from grouper.errors import Issue, PolicyError
from grouper.policy import form, schema
from grouper.policy.facts import Fact, Unpublished
from grouper.policy.model import Area, Hospital, Named
from grouper.policy.variant import Changes

_HOSPITAL_COLUMNS = ("code", "name", "name_en", "level", "contract", "inpatient")
_FACT_COLUMNS = ("key", "value", "unit", "valid_from", "valid_to", "source", "confidence")
_YES_NO = {"1": True, "0": False}

F = TypeVar("F", bound=form.Strict)


def area_ids() -> tuple[str, ...]:
    """The ids of the areas that come with the package."""
    return tuple(sorted(path.parent.name for path in data_folder("areas").glob("*/area.toml")))


def area_folder(area: str | Path) -> Path:
    """The folder of an embedded area, or the folder itself. Raises PolicyError PO101.

    An embedded area is named by its id, by either part of one such as `511600-guangan`, by its
    title, or by a place that belongs to it (`places` of area.toml: 文水县).
    """
    for name in area_ids() if isinstance(area, str) else ():
        code, _, pinyin = name.partition("-")
        if area == name or (code.isdigit() and area in (code, pinyin)):
            return data_folder("areas", name)
    if (Path(area) / "area.toml").is_file():
        return Path(area)
    for name, words in _titles() if isinstance(area, str) else ():
        if area in words:
            return data_folder("areas", name)
    raise PolicyError("PO101", area=area, known=", ".join(area_ids()))


@cache
def _titles() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The embedded areas, each with its titles and the places that belong to it."""
    found = []
    for name in area_ids():
        raw = read_toml(data_folder("areas", name) / "area.toml")
        found.append((name, (raw["title"], raw["title_en"], *raw.get("places", ()))))
    return tuple(found)


def read_about(folder: Path) -> tuple[Area | None, list[Issue]]:
    """What area.toml and the lists beside it say of an area, and what is wrong with them."""
    issues: list[Issue] = []
    path = folder / "area.toml"
    file = checked(schema.AreaFile, path, issues)
    if file is None:
        return None, issues
    levels, insurances = _named(file.level), _named(file.insurance)
    for kind, names in (("level", levels), ("insurance", insurances)):
        issues.extend(_twice(names, f"{path}: {kind}"))
    area = Area(
        id=file.id,
        code=file.code,
        title=file.title,
        title_en=file.title_en,
        source=file.source,
        confidence=file.confidence,
        is_demo=file.demo,
        insurances=insurances,
        levels=levels,
        hospitals=_hospitals(folder / "hospitals.tsv", {one.code for one in levels}, issues),
        unpublished=None if file.unpublished is None else Unpublished(**dict(file.unpublished)),
        facts=_facts(folder / "facts.tsv", issues),
    )
    return area, issues


def _twice(names: tuple[Named, ...], where: str) -> Iterator[Issue]:
    """PO118 for a spelling that two codes claim: a record's text could not be told."""
    seen: dict[str, str] = {}
    for one in names:
        for text in dict.fromkeys((one.code, *one.aliases)):
            if seen.setdefault(text, one.code) != one.code:
                params = {"text": text, "left": seen[text], "right": one.code}
                yield Issue("PO118", f"{where}.{one.code}", params)


def _facts(path: Path, issues: list[Issue]) -> tuple[Fact, ...]:
    """The published statements about an area; PO119 for a cell that cannot be."""
    facts = []
    for row in read_tsv(path, _FACT_COLUMNS) if path.is_file() else ():
        days = {name: _day(row[name]) for name in ("valid_from", "valid_to")}
        wrong = [name for name, day in days.items() if day is None and row[name]]
        wrong += [name for name in ("key", "value", "source", "valid_from") if not row[name]]
        wrong += [] if row["confidence"] in CONFIDENCES else ["confidence"]
        issues.extend(
            Issue("PO119", row.where(name), {"column": name, "text": row[name]}) for name in wrong
        )
        if not wrong:
            assert days["valid_from"] is not None
            span = Span(days["valid_from"], days["valid_to"])
            mark = cast(Confidence, row["confidence"])
            texts = (row["key"], row["value"], row["unit"], span, row["source"], mark)
            facts.append(Fact(*texts, place=row.where("key")))
    return tuple(facts)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _named(table: Mapping[str, schema.NamedFile]) -> tuple[Named, ...]:
    return tuple(
        Named(code, one.title, one.title_en, tuple(one.aliases)) for code, one in table.items()
    )


def _hospitals(path: Path, levels: set[str], issues: list[Issue]) -> tuple[Hospital, ...]:
    """The hospitals of an area; an area may come without such a list."""
    if not path.is_file():
        return ()
    hospitals: dict[str, Hospital] = {}
    for row in read_tsv(path, _HOSPITAL_COLUMNS):
        wrong = [column for column in ("contract", "inpatient") if row[column] not in _YES_NO]
        wrong += [] if row["level"] in levels else ["level"]
        wrong += ["code"] if not row["code"] or row["code"] in hospitals else []
        issues.extend(
            Issue("PO110", row.where(column), {"column": column, "text": row[column]})
            for column in wrong
        )
        if not wrong:
            yes = {column: _YES_NO[row[column]] for column in ("contract", "inpatient")}
            hospitals[row["code"]] = Hospital(
                row["code"], row["name"], row["name_en"], row["level"], **yes
            )
    return tuple(hospitals.values())


def checked(
    model: type[F], path: Path, issues: list[Issue], changes: Changes | None = None
) -> F | None:
    """A file in its form, None and the issues said when it is not."""
    raw = read_toml(path)
    if changes is not None:
        raw = changes.applied(raw)
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        issues.extend(form.problems(error.errors(), raw, model, str(path)))
        return None
