"""What is known of an area beside how it pays, or why nothing is known of that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from grouper.dated import Confidence, Span


@dataclass(frozen=True, slots=True)
class Unpublished:
    """Why an area has no policy, and when it was looked for."""

    reason: str
    reason_en: str
    searched: date


@dataclass(frozen=True, slots=True)
class Fact:
    """A published statement about an area that no payment rests on (facts.tsv)."""

    key: str
    value: str
    unit: str
    span: Span
    source: str
    confidence: Confidence
    place: str
