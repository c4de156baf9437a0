"""A value that changes with the date: versions, their source and confidence, gaps and overlaps.

A version holds from its first day to the day before its end (`from <= day < to`). Without an end
it holds until the next version starts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Generic, Literal, TypeVar

from grouper.errors import Issue, SettlementError

Confidence = Literal["official", "official_draft", "published", "unofficial", "constructed"]

#: from the firmest mark to the weakest
CONFIDENCES: tuple[Confidence, ...] = (
    "official",
    "official_draft",
    "published",
    "unofficial",
    "constructed",
)
#: marks that are settled with as they are; the others only where the user says so
VERIFIED: frozenset[Confidence] = frozenset(("official", "official_draft", "published"))

_EPOCH = date(1970, 1, 1).toordinal()

T = TypeVar("T")


def lowest(marks: Iterable[Confidence]) -> Confidence:
    """The weakest of some marks: what a result that uses all of them rests on."""
    return max(marks, key=CONFIDENCES.index)


def day_number(day: date) -> int:
    """Days since 1970-01-01, as batches keep dates."""
    return day.toordinal() - _EPOCH


def from_day_number(number: int) -> date:
    """The date of a day number."""
    return date.fromordinal(number + _EPOCH)


@dataclass(frozen=True, slots=True)
class Span:
    """The days from `start` to the day before `end`; no end means open."""

    start: date
    end: date | None = None

    def covers(self, day: date) -> bool:
        """Whether the day lies in the span."""
        return self.start <= day and (self.end is None or day < self.end)

    def __str__(self) -> str:
        return f"[{self.start}, {self.end or '...'})"


@dataclass(frozen=True, slots=True)
class Version(Generic[T]):
    """One value and the days it holds on."""

    span: Span
    value: T


@dataclass(frozen=True, slots=True)
class Dated(Generic[T]):
    """All versions of one value, oldest first, with where it stands written and how firmly.

    `key` is what messages call it (`base_rate`), `source` the document and article.
    """

    key: str
    versions: tuple[Version[T], ...]
    source: str
    confidence: Confidence
    unit: str = ""

    def find(self, day: date) -> T | None:
        """The value on a day, None if no version holds then."""
        for version in self.versions:
            if version.span.covers(day):
                return version.value
        return None

    def at(self, day: date) -> T:
        """The value on a day. Raises SettlementError ST101 if no version holds then."""
        value = self.find(day)
        if value is None:
            near = ", ".join(str(version.span) for version in self.versions)
            raise SettlementError(
                "ST101", self.key, key=self.key, date=day.isoformat(), near=near or "-"
            )
        return value

    def borders(self) -> set[date]:
        """Every day on which a version starts or has ended."""
        spans = [version.span for version in self.versions]
        return {span.start for span in spans} | {span.end for span in spans if span.end}


def close_spans(spans: Sequence[tuple[date, date | None]], end: date | None) -> list[Span]:
    """Spans in order of their start, each open end set to the next start, the last to `end`."""
    ordered = sorted(spans, key=lambda span: span[0])
    followers = [start for start, _ in ordered[1:]]
    ends = [own or next_ for (_, own), next_ in zip(ordered, [*followers, end], strict=True)]
    return [Span(start, end) for (start, _), end in zip(ordered, ends, strict=True)]


def span_issues(spans: Sequence[Span], *, within: Span, where: str) -> list[Issue]:
    """Overlaps (ST102) and days of `within` that no span covers (PO105).

    spans: in order of their start. A span that ends before it starts is PO106.
    """
    issues = [
        Issue("PO106", where, {"start": span.start, "end": span.end})
        for span in spans
        if span.end is not None and span.end <= span.start
    ]
    if issues:
        return issues
    # how far the days of `within` are covered; None once a span is open
    reached: date | None = within.start
    before: Span | None = None
    for span in spans:
        if within.end is not None and span.start >= within.end:
            issues.append(Issue("PO107", where, {"start": span.start, "within": within}))
            break
        if before is not None and (before.end is None or span.start < before.end):
            issues.append(Issue("ST102", where, {"date": span.start}))
        elif reached is not None and span.start > reached:
            issues.append(Issue("PO105", where, {"start": reached, "end": span.start}))
        if reached is not None:
            reached = span.end and max(reached, span.end)
        before = span
    if reached is not None and (within.end is None or reached < within.end):
        issues.append(Issue("PO105", where, {"start": reached, "end": within.end or "..."}))
    return issues
