"""A DIP catalogue (病种分值目录) as data: its rows, exclusions and where each was published.

The canonical table and its fields: docs/reference/dip.md. A catalogue is of one region and year;
no two are alike, so nothing here knows a place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Literal

from grouper.errors import Issue
from grouper.scheme.dip_operations import IN_CODES, Expression, parse_operations
from grouper.sheet import half_width

Kind = Literal["core", "primary", "comprehensive", "tcm", "bedday", "blank", "default"]
Class = Literal["conservative", "diagnostic", "therapeutic", "surgical"]

#: classes of operations and comprehensive groups, from mildest to most severe
CLASSES: tuple[Class, ...] = ("conservative", "diagnostic", "therapeutic", "surgical")
#: what the settlement platforms call the classes in group codes
CLASS_CODES: Mapping[str, Class] = {
    "BSZL": "conservative",
    "ZDXCZ": "diagnostic",
    "ZLXCZ": "therapeutic",
    "SS": "surgical",
}
KINDS: tuple[Kind, ...] = (
    "core",
    "primary",
    "comprehensive",
    "tcm",
    "bedday",
    "blank",
    "default",
)
LAYERS = ("XQ", "BX", "FZ", "JC")
_CODE = r"[A-Z]\d[0-9A-Z](?:\.[0-9A-Z]*)?"
_DX_KEY = re.compile(
    rf"{_CODE}(?:[+†]{_CODE}\*?|[+*†])?|{_CODE}-{_CODE}|[A-Z]",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One group.

    dx_keys: upper-case codes of 3, 4 or 5 characters or whole ones, ranges `A15-A16`, `*`;
    main, related: operations needed (none: conservative treatment; no related operation needed).
    age_days_below: exclusive; weight_lo, weight_hi: grams, inclusive; resistant: yes, no, "".
    What the group is worth stands in its `Figures`: grouping does not know it.
    """

    code: str
    name: str
    kind: Kind
    where: str
    dx_keys: tuple[str, ...] = ()
    layer: str = ""
    cls: Class | Literal[""] = ""
    main: Expression = ()
    related: Expression = ()
    other_dx: tuple[str, ...] = ()
    age_days_below: int | None = None
    weight_lo: int | None = None
    weight_hi: int | None = None
    resistant: str = ""

    @property
    def operations(self) -> Expression:
        """Main and related operations together, OR of AND."""
        if not self.related:
            return self.main
        return tuple((*a, *b) for a in self.main or ((),) for b in self.related)

    @property
    def has_conditions(self) -> bool:
        """Whether more than the principal diagnosis and operations decides."""
        numbers = (self.age_days_below, self.weight_lo, self.weight_hi)
        return bool(self.other_dx or self.resistant) or any(n is not None for n in numbers)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a catalogue prints about the worth of a group; None where it prints none.

    score: 分值; mean_cost: yuan; cases, cv, mean_los (days): of the history it rests on;
    primary_coef: the group's own coefficient, instead of the hospital's.
    """

    score: Decimal | None = None
    mean_cost: Decimal | None = None
    cv: Decimal | None = None
    cases: int | None = None
    mean_los: Decimal | None = None
    primary_coef: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Why an operation may not stand as it is: `conservative`, `not_main` or `scope`.

    scope: the principal diagnoses under which it may be the main operation.
    """

    problem: str
    scope: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CatalogueHead:
    """What a catalogue says of itself besides id, title and confidence; "" where it is silent.

    valid_to: the first day on which it no longer holds; preset, op_classes: the rules of its region
    and its table of operation classes, names or files; scores: `none` where it prints none.
    """

    source: str = ""
    area: str = ""
    area_name: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    preset: str = ""
    op_classes: str = ""
    scores: Literal["asked", "none"] = "asked"


@dataclass(frozen=True)
class Catalogue:
    """All rows of one file in its order.

    excluded_dx: principal diagnoses never grouped; excluded_ops: operations that may not stand as
    they are; primary: (diagnosis, main operation or "") of primary groups; resistant_dx: principal
    diagnoses that say that tuberculosis is resistant; issues: warnings found when it was read.
    """

    id: str
    title: str
    file: str
    digest: str
    confidence: str
    rows: tuple[CatalogueRow, ...]
    excluded_dx: frozenset[str] = frozenset()
    excluded_ops: Mapping[str, Exclusion] = field(default_factory=dict)
    primary: frozenset[tuple[str, str]] = frozenset()
    resistant_dx: frozenset[str] = frozenset()
    head: CatalogueHead = CatalogueHead()
    issues: tuple[Issue, ...] = ()

    @property
    def is_draft(self) -> bool:
        """Never: a catalogue is what an area published."""
        return False

    @cached_property
    def is_layered(self) -> bool:
        """Whether it is of the 3.0 form, with layers."""
        return any(row.layer for row in self.rows)

    def is_left_out(self, operations: Iterable[str]) -> bool:
        """Whether an operation of some is excluded under every diagnosis."""
        listed = (self.excluded_ops.get(code) for code in operations)
        return any(one is not None and one.problem == "conservative" for one in listed)

    def is_resistant(self, principal: str) -> bool:
        """Whether a principal diagnosis, in capitals, says that tuberculosis is resistant."""
        return not self.resistant_dx.isdisjoint((principal, principal[:5], principal[:3]))

    @cached_property
    def by_key(self) -> Mapping[str, tuple[int, ...]]:
        """Diagnosis key (ranges and `*` too) -> positions of rows, in the order of the file."""
        found: dict[str, list[int]] = {}
        for at, row in enumerate(self.rows):
            for key in row.dx_keys:
                found.setdefault(key, []).append(at)
        return {key: tuple(places) for key, places in found.items()}

    @cached_property
    def ranges(self) -> tuple[str, ...]:
        """The keys that are ranges, narrow ones first."""
        keys = [key for key in self.by_key if "-" in key]
        return tuple(sorted(keys, key=lambda key: (_width(key), key)))


@dataclass(frozen=True, slots=True)
class Published:
    """A catalogue as it was published: the keys, and the figures of each row, in the same order.

    The two part on load: keys are for grouping, figures go into a weight table.
    """

    catalogue: Catalogue
    figures: tuple[Figures, ...]


def dx_key(text: str) -> str:
    """A diagnosis as catalogues are compared: half width, upper case, no blanks."""
    return "".join(half_width(text).split()).upper()


def is_dx_key(key: str) -> bool:
    """Whether a key looks like a diagnosis, a range of categories, or `*`.

    A pair of dagger and asterisk is one code; codes without separator between them are none.
    """
    return key == "*" or bool(_DX_KEY.fullmatch(key))


@dataclass(frozen=True, slots=True)
class Parts:
    """What a group code says: `K35.3:47.0100_54.5101` is a diagnosis, main and related ones."""

    dx: str
    main: Expression = ()
    related: Expression = ()
    cls: str = ""


def code_parts(code: str) -> Parts:
    """A group code taken apart."""
    dx, _, rest = dx_key(code).partition(":")
    if rest in CLASS_CODES:
        return Parts(dx, cls=CLASS_CODES[rest])
    main, _, related = rest.partition("_")
    return Parts(dx, parse_operations(main, IN_CODES), parse_operations(related, IN_CODES))


def in_range(key: str, code: str) -> bool:
    """Whether a diagnosis lies in a range of categories, `A15-A16`."""
    low, _, high = key.partition("-")
    return low <= code[: len(low)] and code[: len(high)] <= high


def fits(keys: Iterable[str], code: str) -> bool:
    """Whether a diagnosis is named by one of some keys: as a beginning, a range, or `*`."""
    return any(
        key == "*" or (in_range(key, code) if "-" in key else code.startswith(key)) for key in keys
    )


def _width(key: str) -> int:
    """How many categories a range spans."""
    low, _, high = key.partition("-")
    return (ord(high[0]) - ord(low[0])) * 100 + _number(high) - _number(low)


def _number(category: str) -> int:
    digits = "".join(char for char in category[1:3] if char.isdigit())
    return int(digits or 0)
