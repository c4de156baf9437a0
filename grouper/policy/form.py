"""What the forms of policy files share: numbers, dated versions, sections, and their problems.

Unknown keys, missing units and sources, floats and unknown rule names are refused; `problems`
turns what pydantic found into issues that name the key path.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import ErrorDetails

from grouper.dated import Confidence
from grouper.errors import Issue


def _number(value: object) -> Decimal:
    """Decimals and whole numbers of TOML; text, truth values and binary floats are refused."""
    if isinstance(value, Decimal) and value.is_finite():
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    raise ValueError("a number is needed")


# twelve digits before the point are more than any rate needs and keep products inside int64
Number = Annotated[Decimal, BeforeValidator(_number), Field(gt=0, lt=10**12)]
NotNegative = Annotated[Decimal, BeforeValidator(_number), Field(ge=0, lt=10**12)]
Share = Annotated[Decimal, BeforeValidator(_number), Field(ge=0, le=1)]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Strict(BaseModel):
    """Unknown keys and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class VersionFile(Strict):
    """A version of a value: from its first day, to the day before its end."""

    start: date = Field(alias="from")
    end: date | None = Field(default=None, alias="to")


class KeyedVersion(VersionFile):
    """Numbers under the keys that `by` of the section announces."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    __pydantic_extra__: dict[str, Number]


class Section(Strict):
    """Every section says where it stands written and how firmly."""

    source: Text
    confidence: Confidence


#: start of a pydantic error type -> phrase of PO104
_KINDS = (
    ("literal", "choice"),
    ("value_error", "number"),
    ("greater", "range"),
    ("less", "range"),
    ("date", "date"),
    ("string", "text"),
    ("too_short", "empty"),
)


def problems(
    errors: list[ErrorDetails], raw: Mapping[str, Any], model: type[Strict], file: str
) -> Iterator[Issue]:
    """What pydantic found, as issues: PO102 unknown key, PO103 missing, PO104 wrong value."""
    for error in errors:
        path = ".".join(str(part) for part in error["loc"])
        where = f"{file}: {path}"
        if error["type"] == "extra_forbidden":
            near = get_close_matches(str(error["loc"][-1]), _keys(model), 1)
            yield Issue("PO102", where, {"key": path, "near": near[0] if near else "-"})
        elif error["type"] == "missing":
            yield Issue("PO103", where, {"key": path})
        else:
            value = error["input"]
            shown = value if isinstance(value, str | int | Decimal) else type(value).__name__
            kind = next((word for start, word in _KINDS if error["type"].startswith(start)), "form")
            expected = error.get("ctx", {}).get("expected", error["type"])
            params = {"key": path, "value": shown, "problem": kind, "expected": expected}
            yield Issue("PO104", where, params)


def _keys(model: type[BaseModel]) -> set[str]:
    """Every key that a file of this form can hold, at any depth."""
    found: set[str] = set()
    for name, info in model.model_fields.items():
        found.add(info.alias or name)
        for part in _models(info.annotation):
            found |= _keys(part)
    return found


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _models(part)
