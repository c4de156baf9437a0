"""Numbers and choices beside the case (month, year, quota, dates), national and an area's own.

A parameter is defined once, in data/areas/national.toml, with its article and the default; an
area's policy file overrides it by name under `[parameters.<name>]`. Where neither has a version
for the day there is no value, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from grouper.dated import Confidence, Span
from grouper.errors import SettlementError

#: who decided a value
NATIONAL = "national"

Kind = Literal["number", "choice", "day", "words", "bands", "score"]


@dataclass(frozen=True, slots=True)
class Band:
    """A slice of a scale: up to `up_to` (None: open) the share `rate` holds."""

    up_to: Decimal | None
    rate: Decimal


@dataclass(frozen=True, slots=True)
class ScoreStep:
    """From a score on a factor holds; None: the score itself, in hundredths."""

    lowest: Decimal
    factor: Decimal | None


Value = Decimal | str | tuple[str, ...] | tuple[Band, ...] | tuple[ScoreStep, ...]


@dataclass(frozen=True, slots=True)
class Definition:
    """What a parameter is: its kind and unit, what it may be, and how far the nation lets it go.

    rows: ids of the national rules it carries out (national_rules.tsv). by: "insurance" where each
    fund has its own value. at_least, at_most: the national limits (ST110 beyond them).
    """

    key: str
    title: str
    title_en: str
    kind: Kind
    unit: str
    rows: tuple[str, ...]
    by: Literal["", "insurance"] = ""
    choices: tuple[str, ...] = ()
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    limit_source: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One version: values by insurance ("*": all others) that hold on the days of `span`.

    where: the file it stands in.
    """

    span: Span
    values: Mapping[str, Value]
    source: str
    confidence: Confidence
    origin: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value in force: what, from where, how firm; `origin` is `national` or the area's id."""

    key: str
    value: Value
    unit: str
    source: str
    confidence: Confidence
    origin: str


@dataclass(frozen=True, slots=True)
class Parameters:
    """All parameters of an area: its own versions first, the national ones where it has none."""

    definitions: Mapping[str, Definition]
    own: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    national: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)

    def find(self, key: str, day: date, insurance: str = "") -> Parameter | None:
        """The value of a parameter on a day, None if nobody gives one. Raises KeyError."""
        definition = self.definitions[key]
        for entry in (*self.own.get(key, ()), *self.national.get(key, ())):
            value = entry.values.get(insurance, entry.values.get("*"))
            if entry.span.covers(day) and value is not None:
                return Parameter(
                    key, value, definition.unit, entry.source, entry.confidence, entry.origin
                )
        return None

    def at(self, key: str, day: date, insurance: str = "") -> Parameter:
        """The value on a day. Raises SettlementError ST101 if nobody gives one."""
        found = self.find(key, day, insurance)
        if found is None:
            what = f"{key} ({insurance})" if insurance else key
            spans = [one.span for one in (*self.own.get(key, ()), *self.national.get(key, ()))]
            near = ", ".join(map(str, spans)) or "-"
            raise SettlementError("ST101", key, key=what, date=day.isoformat(), near=near)
        return found

    def number(self, key: str, day: date, insurance: str = "") -> Decimal:
        """A parameter of kind number. Raises ST101; TypeError for another kind."""
        value = self.at(key, day, insurance).value
        if not isinstance(value, Decimal):
            raise TypeError(f"{key} is no number")
        return value

    def text(self, key: str, day: date) -> str:
        """A parameter of kind choice or day (`03-31`). Raises ST101; TypeError."""
        value = self.at(key, day).value
        if not isinstance(value, str):
            raise TypeError(f"{key} is no text")
        return value

    def bands(self, key: str, day: date) -> tuple[Band, ...]:
        """A parameter of kind bands, borders rising, the last open. Raises ST101; TypeError."""
        value = self.at(key, day).value
        found = () if isinstance(value, Decimal) else value
        bands = tuple(one for one in found if isinstance(one, Band))
        if not bands or len(bands) != len(found):
            raise TypeError(f"{key} has no bands")
        return bands

    def score_steps(self, key: str, day: date) -> tuple[ScoreStep, ...]:
        """A parameter of kind score, highest step first. Raises ST101; TypeError."""
        value = self.at(key, day).value
        found = () if isinstance(value, Decimal) else value
        steps = tuple(one for one in found if isinstance(one, ScoreStep))
        if not steps or len(steps) != len(found):
            raise TypeError(f"{key} has no score steps")
        return steps

    def due_day(self, key: str, year: int) -> date:
        """A day of the next year by which something of a year is done. Raises ST101; TypeError."""
        return date.fromisoformat(f"{year + 1}-{self.text(key, date(year, 1, 1))}")

    def changes(self, key: str) -> set[date]:
        """Every day on which another version of a parameter comes into force."""
        spans = [one.span for one in (*self.own.get(key, ()), *self.national.get(key, ()))]
        days = {one.start for one in spans} | {one.end for one in spans if one.end}
        before = timedelta(days=1)
        return {day for day in days if self.find(key, day - before) != self.find(key, day)}

    def beyond(self) -> Iterator[tuple[Definition, Entry, Decimal, Decimal]]:
        """Own values beyond a national limit: definition, version, value, limit."""
        for key, entries in self.own.items():
            definition = self.definitions[key]
            for entry in entries:
                for value in entry.values.values():
                    if not isinstance(value, Decimal):
                        continue
                    if definition.at_least is not None and value < definition.at_least:
                        yield definition, entry, value, definition.at_least
                    if definition.at_most is not None and value > definition.at_most:
                        yield definition, entry, value, definition.at_most
