"""`[parameters.<name>]` of national.toml and of a policy file, checked -> Parameters."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

from pydantic import Field, TypeAdapter, ValidationError

from grouper.datafile import data_folder, read_toml
from grouper.dated import Confidence, Span, close_spans
from grouper.errors import Issue, PolicyError
from grouper.policy import form
from grouper.policy.parameters import (
    NATIONAL,
    Band,
    Definition,
    Entry,
    Kind,
    Parameters,
    ScoreStep,
    Value,
)

NATIONAL_FILE = "national.toml"
_DAY = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")


class BandFile(form.Strict):
    """One slice of a scale; the last has no `up_to`."""

    up_to: form.Number | None = None
    rate: form.Share


class ScoreFile(form.Strict):
    """One step of an assessment: a factor, or `score` for the score in hundredths."""

    lowest: form.NotNegative
    factor: form.Share | Literal["score"]


class ParameterVersion(form.VersionFile):
    """A value, or one for each insurance; source and confidence where they differ.

    The form of `value` is that of the parameter's kind, checked by _value.
    """

    model_config = form.KeyedVersion.model_config
    __pydantic_extra__: dict[str, form.NotNegative]
    value: Any = None
    source: form.Text | None = None
    confidence: Confidence | None = None


class OwnParameter(form.Section):
    """A parameter as an area decided it."""

    unit: form.Text
    values: list[ParameterVersion] = Field(min_length=1)


class NationalParameter(OwnParameter):
    """A parameter with its definition; a default may be lacking where only a limit is known."""

    title: form.Text
    title_en: form.Text
    kind: Kind
    rows: list[form.Text]
    by: Literal["", "insurance"] = ""
    choices: list[form.Text] = Field(default_factory=list)
    at_least: form.NotNegative | None = None
    at_most: form.NotNegative | None = None
    limit_source: str = ""
    values: list[ParameterVersion] = Field(default_factory=list)


class NationalFile(form.Strict):
    """national.toml."""

    format: Literal[1]
    parameters: dict[str, NationalParameter]


_NUMBER: TypeAdapter[Decimal] = TypeAdapter(form.NotNegative)
_TEXT: TypeAdapter[str] = TypeAdapter(form.Text)
_WORDS: TypeAdapter[list[str]] = TypeAdapter(Annotated[list[form.Text], Field(min_length=1)])
_BANDS = TypeAdapter(list[BandFile])
_SCORE = TypeAdapter(list[ScoreFile])


@cache
def national_parameters() -> Parameters:
    """The national defaults and limits. Raises PolicyError for a broken file."""
    path = data_folder("areas", NATIONAL_FILE)
    raw = read_toml(path)
    try:
        file = NationalFile.model_validate(raw)
    except ValidationError as error:
        raise PolicyError.of(
            list(form.problems(error.errors(), raw, NationalFile, NATIONAL_FILE))
        ) from error
    definitions = {key: _definition(key, one) for key, one in file.parameters.items()}
    issues: list[Issue] = []
    national = {
        key: tuple(_entries(definitions[key], one, NATIONAL, None, NATIONAL_FILE, issues))
        for key, one in file.parameters.items()
    }
    if issues:
        raise PolicyError.of(issues)
    return Parameters(definitions, national=national)


def own_entries(
    sections: Mapping[str, OwnParameter],
    span: Span,
    origin: str,
    path: Path,
    insurances: Collection[str],
) -> tuple[dict[str, tuple[Entry, ...]], list[Issue]]:
    """The parameters of one policy file, and what is wrong with them.

    PO102 an unknown name, PO104 a value of another kind or unit, PO107 a version outside the days
    of the file, PO108 an insurance the area does not know, ST102 versions that overlap, ST107 a
    scale that cannot be read.
    """
    definitions = national_parameters().definitions
    found: dict[str, tuple[Entry, ...]] = {}
    issues: list[Issue] = []
    for key, section in sections.items():
        place = f"{path}: parameters.{key}"
        if key not in definitions:
            near = get_close_matches(key, definitions, 1)
            issues.append(Issue("PO102", place, {"key": key, "near": near[0] if near else "-"}))
            continue
        unit = definitions[key].unit
        if section.unit != unit:
            params = {"value": section.unit, "problem": "choice", "expected": unit}
            issues.append(Issue("PO104", f"{place}.unit", {"key": f"{key}.unit", **params}))
            continue
        found[key] = tuple(_entries(definitions[key], section, origin, span, str(path), issues))
        for entry in found[key]:
            for code in set(entry.values) - {"*"}.union(insurances):
                known = ", ".join(insurances)
                params = {"key": code, "known": known}
                issues.append(Issue("PO108", f"{place}.values.{entry.span.start}", params))
    return found, issues


def with_own(own: Mapping[str, tuple[Entry, ...]]) -> Parameters:
    """The parameters of an area: its own over the national ones."""
    return replace(national_parameters(), own=own)


def _definition(key: str, one: NationalParameter) -> Definition:
    return Definition(
        key=key,
        title=one.title,
        title_en=one.title_en,
        kind=one.kind,
        unit=one.unit,
        rows=tuple(one.rows),
        by=one.by,
        choices=tuple(one.choices),
        at_least=one.at_least,
        at_most=one.at_most,
        limit_source=one.limit_source,
    )


def _entries(
    definition: Definition,
    section: OwnParameter,
    origin: str,
    within: Span | None,
    file: str,
    issues: list[Issue],
) -> Iterator[Entry]:
    """The versions of a parameter in order; what is wrong is added to `issues`."""
    versions = sorted(section.values, key=lambda one: one.start)
    if not versions:
        return
    end = within.end if within else None
    spans = close_spans([(one.start, one.end) for one in versions], end)
    place = f"{file}: parameters.{definition.key}.values"
    for before, after in pairwise(spans):
        if before.end is None or after.start < before.end:
            issues.append(Issue("ST102", place, {"date": after.start}))
    for span, version in zip(spans, versions, strict=True):
        if span.end is not None and span.end <= span.start:
            issues.append(Issue("PO106", place, {"start": span.start, "end": span.end}))
        outside = within and within.end and span.end and span.end > within.end
        if within and (outside or not within.covers(span.start)):
            issues.append(Issue("PO107", place, {"start": span.start, "within": within}))
        try:
            values = _values(definition, version)
        except _WrongValue as wrong:
            issues.append(Issue(wrong.code, f"{place}.{version.start}", wrong.params))
            continue
        mark = version.confidence or section.confidence
        source = version.source or section.source
        yield Entry(span, values, source, mark, origin, file)


class _WrongValue(Exception):
    """A value that its parameter cannot have: code and parameters of the issue."""

    def __init__(self, code: str, params: Mapping[str, Any]) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


def _wrong(key: str, value: object, expected: str) -> NoReturn:
    shown = value if isinstance(value, str | int | Decimal) else type(value).__name__
    params = {"key": key, "value": shown, "problem": "choice", "expected": expected}
    raise _WrongValue("PO104", params)


def _values(definition: Definition, version: ParameterVersion) -> dict[str, Value]:
    key, extra = definition.key, version.__pydantic_extra__ or {}
    if extra and (definition.by != "insurance" or definition.kind != "number"):
        _wrong(key, next(iter(extra)), "value")
    values: dict[str, Value] = dict(extra)
    if version.value is not None:
        values["*"] = _value(definition, version.value)
    if not values:
        _wrong(key, "-", "value")
    return values


def _value(definition: Definition, value: object) -> Value:
    """A value in the form of its kind; raises _WrongValue."""
    key, kind = definition.key, definition.kind
    try:
        if kind == "number":
            return _NUMBER.validate_python(value)
        if kind == "words":
            return tuple(_WORDS.validate_python(value))
        if kind == "bands":
            return _bands(key, _BANDS.validate_python(value))
        if kind == "score":
            return _score(key, _SCORE.validate_python(value))
        text = _TEXT.validate_python(value)
    except ValidationError:
        _wrong(key, value, kind)
    if kind == "choice" and text not in definition.choices:
        _wrong(key, text, " ".join(definition.choices))
    if kind == "day" and not _DAY.fullmatch(text):
        _wrong(key, text, "MM-DD")
    return text


def _bands(key: str, read: list[BandFile]) -> tuple[Band, ...]:
    """Bands whose borders rise, and of which the last, and only the last, is open."""
    borders = [one.up_to for one in read]
    inner = [one for one in borders[:-1] if one is not None]
    whole = bool(read) and borders[-1] is None and len(inner) == len(read) - 1
    if not whole or any(after <= before for before, after in pairwise(inner)):
        raise _WrongValue("ST107", {"key": key})
    return tuple(Band(one.up_to, one.rate) for one in read)


def _score(key: str, read: list[ScoreFile]) -> tuple[ScoreStep, ...]:
    """Steps from the highest score down to 0."""
    lowest = [one.lowest for one in read]
    if not read or lowest[-1] != 0 or any(after >= before for before, after in pairwise(lowest)):
        raise _WrongValue("ST107", {"key": key})
    return tuple(
        ScoreStep(one.lowest, one.factor if isinstance(one.factor, Decimal) else None)
        for one in read
    )
