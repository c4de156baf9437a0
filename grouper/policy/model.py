"""What an area decided, and when: rates, coefficients, outlier and fund rules, all dated."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from difflib import SequenceMatcher, get_close_matches
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from grouper.dated import VERIFIED, Confidence, Span, day_number, lowest
from grouper.errors import Issue, PolicyError, SettlementError
from grouper.policy.facts import Fact, Unpublished
from grouper.policy.leads import Lead
from grouper.policy.parameters import Parameters

if TYPE_CHECKING:
    from grouper.policy.dip import DipRules

#: the rules a policy may name; the functions stand in settle
RULE_NAMES: Mapping[str, tuple[str, ...]] = {
    "standard": ("S1", "S2", "S3", "S4", "S5", "S6"),
    "low_outlier": ("L1", "L2", "L3", "L5"),
    "high_outlier": ("H0", "H1", "H2", "H2k", "H3", "H4", "H5", "H7", "H8"),
    "cost": ("C",),
    "fund": ("A", "B", "C", "D", "P1", "P2"),
}
#: `by` of numbers that stand in the weight table
IN_TABLE = ("table",)
#: how many near rows a message names
_NEAREST = 3
#: how like a spelling must be to count as near
_LIKENESS = 0.1
Operator = Literal["<", "<=", ">", ">="]
RatioBase = Literal[
    "w r", "w r c", "w M", "w M c", "w v 100", "w v c 100", "w c v", "w c v 10000", "G", "3 s c"
]
#: a negative payment of the fund is carried as it is, or cut to zero
Negative = Literal["carry", "zero"]
Allow = Literal["verified", "unverified"]


@dataclass(frozen=True, slots=True)
class KeyedValues:
    """Numbers by insurance, level or hospital: `by` names the parts of each key, `*` fits all.

    `by` = ("table",): the weight table has a number for each group, `*` counts where it has none.
    """

    by: tuple[str, ...]
    values: Mapping[tuple[str, ...], Decimal]

    @property
    def in_table(self) -> bool:
        """Whether the numbers stand in the weight table."""
        return self.by == IN_TABLE

    def find(self, insurance: str, level: str, hospital: str) -> Decimal | None:
        """The number for a case, None when no key fits."""
        facts = {"insurance": insurance, "level": level, "hospital": hospital, "table": ""}
        value = self.values.get(tuple(facts[part] for part in self.by))
        return self.values.get(("*",) * len(self.by)) if value is None else value

    def nearest(self, insurance: str, level: str, hospital: str) -> str:
        """The keys that differ least from what was asked for, with their numbers."""
        facts = {"insurance": insurance, "level": level, "hospital": hospital, "table": ""}
        asked = "/".join(facts[part] for part in self.by)
        pairs = [("/".join(key), number) for key, number in self.values.items()]
        pairs.sort(key=lambda pair: -SequenceMatcher(None, pair[0], asked).ratio())
        return ", ".join(f"{key} = {number}" for key, number in pairs[:_NEAREST])


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a schedule of multiples; the conditions that are given must all hold."""

    multiple: Decimal
    weight_up_to: Decimal | None = None
    weight_below: Decimal | None = None
    level: str = ""
    insurance: str = ""
    group: str = ""

    def fits(self, weight: Decimal, insurance: str, level: str, group: str = "") -> bool:
        """Whether the step is meant for such a case."""
        return (
            (self.weight_up_to is None or weight <= self.weight_up_to)
            and (self.weight_below is None or weight < self.weight_below)
            and self.level in ("", level)
            and self.insurance in ("", insurance)
            and self.group in ("", group)
        )

    @property
    def is_open(self) -> bool:
        """Whether every case fits."""
        return self == Step(self.multiple)


@dataclass(frozen=True, slots=True)
class OutlierRule:
    """Cases whose cost stands in `operator` to `multiple` times the ratio base are paid by `rule`.

    The first step that fits gives the multiple; the last step fits every case. deducted: the
    multiples inside the formula of H2k, where they differ from those of the test.
    """

    rule: str
    operator: Operator
    steps: tuple[Step, ...]
    deducted: tuple[Step, ...] = ()

    def multiple(self, weight: Decimal, insurance: str, level: str, group: str = "") -> Decimal:
        """The multiple (k) for a case."""
        fitting = (step for step in self.steps if step.fits(weight, insurance, level, group))
        return next(step.multiple for step in fitting)


@dataclass(frozen=True, slots=True)
class CostRule:
    """Cases outside the groups are paid `factor` times their cost."""

    rule: str
    factor: Decimal


@dataclass(frozen=True, slots=True)
class StandardRule:
    """How the payment standard is formed, and what the cost is compared with.

    points: points per weight 1 where the area pays by points.
    """

    rule: str
    ratio_base: RatioBase
    points: int | None = None

    @property
    def needs_coefficient(self) -> bool:
        """Whether a hospital coefficient enters the standard or the ratio base."""
        return self.rule in ("S2", "S3", "S5", "S6") or "c" in self.ratio_base.split()

    @property
    def needs_rate(self) -> bool:
        """Whether the base rate enters the standard."""
        return self.rule in ("S1", "S2", "S6")

    @property
    def needs_point_value(self) -> bool:
        """Whether the point value enters the standard."""
        return self.rule in ("S3", "S5") or self.points is not None

    @property
    def needs_mean_cost(self) -> bool:
        """Whether the area's mean cost per weight 1 enters the ratio base."""
        return "M" in self.ratio_base.split()


@dataclass(frozen=True, slots=True)
class FundRule:
    """What of the payment falls to the pooled fund; "" where nobody says.

    ratio: the policy's ratio of the fund, of rules C and D.
    """

    rule: str
    negative: Negative
    ratio: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything that holds on the days of `span`: one value each, no dates left inside.

    `low`, `high`, `ambiguous`, `ungrouped` are None where the area has no such rule,
    `coefficient`, `point_value` and `mean_cost` (yuan per weight 1) where neither the standard nor
    the ratio base asks for one; `base_rate` is empty then. `rules` says the same, class rules and
    rules before and within the normal band included, in the form of the leads.
    `dip`: how DIP cases are scored, None where the area pays by DRG.
    `sources` names the document and article of each part, `marks` how firm it is.
    """

    span: Span
    scheme_id: str
    weight_table: str
    base_rate: KeyedValues
    coefficient: KeyedValues | None
    standard: StandardRule
    low: OutlierRule | None
    high: OutlierRule | None
    ambiguous: CostRule | None
    ungrouped: CostRule | None
    fund: FundRule
    deposit_rate: Decimal
    sources: Mapping[str, str]
    point_value: KeyedValues | None
    mean_cost: Decimal | None
    rules: Lead
    marks: Mapping[str, Confidence] = field(default_factory=dict)
    dip: DipRules | None = None

    def lacking(self, name: str, insurance: str, level: str, hospital: str = "") -> Issue:
        """ST101: no value of that name for such a case in this era, with the nearest there are."""
        keyed = {
            "base_rate": self.base_rate,
            "point_value": self.point_value,
            "hospital_coefficient": self.coefficient,
        }
        values = keyed.get(name)
        what = f"{name} ({', '.join(filter(None, (insurance, level, hospital)))})"
        near = values.nearest(insurance, level, hospital) if values else ""
        return Issue("ST101", what, {"key": what, "date": self.span, "near": near or "-"})


@dataclass(frozen=True, slots=True)
class Named:
    """A code with its names and the other spellings records use for it."""

    code: str
    title: str
    title_en: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hospital:
    """A hospital of the area; `contract`: it settles with the area, `inpatient`: it has beds."""

    code: str
    name: str
    name_en: str
    level: str
    contract: bool
    inpatient: bool


@dataclass(frozen=True, slots=True)
class Area:
    """A pooling area (统筹区); `is_demo` marks an invented one.

    unpublished: set where nobody has published how the area pays; it has no policy then.
    """

    id: str
    code: str
    title: str
    title_en: str
    source: str
    confidence: Confidence
    is_demo: bool
    insurances: tuple[Named, ...]
    levels: tuple[Named, ...]
    hospitals: tuple[Hospital, ...]
    unpublished: Unpublished | None = None
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """The decisions of an area, oldest first; between two `terms` there may be a gap.

    `confidence` is the weakest mark of all values a case is priced by: what a payment under this
    policy rests on. `parameters` hold what month and year need beside, each with its own mark.
    """

    area: Area
    terms: tuple[Terms, ...]
    confidence: Confidence
    titles: tuple[str, ...]
    parameters: Parameters
    _insurances: Mapping[str, str] = field(repr=False)
    _levels: Mapping[str, str] = field(repr=False)
    _hospitals: Mapping[str, Hospital] = field(repr=False)

    @property
    def is_demo(self) -> bool:
        """Whether the policy belongs to an invented area."""
        return self.area.is_demo

    @property
    def is_undated(self) -> bool:
        """Whether the rules have no dates: a lead, which nobody settles months by."""
        return self.terms[0].span == Span(date.min)

    def insurance(self, text: str) -> str:
        """The insurance code a record's text stands for, "" if unknown."""
        return self._insurances.get(text.strip(), "")

    def level(self, text: str) -> str:
        """The hospital level a record's text stands for, "" if unknown.

        An area that lists no levels takes the text as it stands.
        """
        return self._levels.get(text.strip(), "") if self._levels else text.strip()

    def hospital(self, code: str) -> Hospital | None:
        """A hospital of the area by its code."""
        return self._hospitals.get(code.strip())

    def insurance_title(self, code: str) -> Named:
        """The names of an insurance; a code the area does not list names itself."""
        found = (one for one in self.area.insurances if one.code == code)
        return next(found, Named(code, code, code))

    def find_terms(self, day: date) -> Terms | None:
        """What holds on a day, None if nothing does."""
        return next((terms for terms in self.terms if terms.span.covers(day)), None)

    def terms_at(self, day: date) -> Terms:
        """What holds on a day. Raises SettlementError ST101 if nothing does."""
        terms = self.find_terms(day)
        if terms is None:
            raise SettlementError.of([self.nothing_on(day)])
        return terms

    def unknown(self, field: str, text: str) -> Issue:
        """ST105: a spelling that is no insurance or level of the area, with the nearest ones."""
        named = {"insurance": self.area.insurances, "hospital_level": self.area.levels}
        words = (
            word for one in named.get(field, ()) for word in (one.code, one.title, *one.aliases)
        )
        known = list(dict.fromkeys(words))
        near = get_close_matches(text, known, _NEAREST, _LIKENESS) or known[:_NEAREST]
        return Issue("ST105", "", {"field": field, "value": text, "near": ", ".join(near) or "-"})

    def nothing_on(self, day: date) -> Issue:
        """ST101: the area has nothing in force on a day, with the nearest days it has."""

        def away(terms: Terms) -> int:
            if day < terms.span.start:
                return (terms.span.start - day).days
            return (day - terms.span.end).days + 1 if terms.span.end else 0

        near = min(self.terms, key=away).span
        params = {"key": self.area.id, "date": day.isoformat(), "near": near}
        return Issue("ST101", self.area.id, params)

    def era(self, days: NDArray[np.int32]) -> NDArray[np.int64]:
        """For each day number the position in `terms` that holds then, -1 where none does."""
        if self.is_undated:
            return np.zeros(len(days), np.int64)
        starts = np.array([day_number(one.span.start) for one in self.terms], np.int64)
        last = np.iinfo(np.int64).max
        ends = np.array(
            [day_number(one.span.end) if one.span.end else last for one in self.terms], np.int64
        )
        position = np.searchsorted(starts, days.astype(np.int64), side="right") - 1
        inside = (position >= 0) & (days < ends[np.maximum(position, 0)])
        return np.where(inside, position, -1)


def by_spelling(names: tuple[Named, ...]) -> dict[str, str]:
    """Every spelling of some codes -> the code."""
    return {text: one.code for one in names for text in (one.code, *one.aliases)}


def make_policy(
    area: Area,
    terms: tuple[Terms, ...],
    *,
    confidence: Confidence,
    titles: tuple[str, ...],
    parameters: Parameters,
) -> Policy:
    """A policy with its indexes."""
    return Policy(
        area=area,
        terms=terms,
        confidence=lowest((area.confidence, confidence)),
        titles=titles,
        parameters=parameters,
        _insurances=by_spelling(area.insurances),
        _levels=by_spelling(area.levels),
        _hospitals={hospital.code: hospital for hospital in area.hospitals},
    )


def require_verified(
    policy: Policy,
    *also: Confidence,
    allow: Allow = "verified",
    tables: Collection[str] | None = None,
) -> Confidence:
    """Refuse to settle with values nobody has verified; returns the weakest mark used.

    also: marks of what is used beside the policy. tables: the weight tables in use; eras with
    others do not count. A demonstration passes: its outputs are marked. Raises PolicyError PO112.
    """
    used = [one for one in policy.terms if tables is None or one.weight_table in tables]
    told = dict.fromkeys(pair for one in used for pair in one.marks.items() if pair[0] != "deposit")
    rests = [policy.area.confidence, *(one for _, one in told)] if told else [policy.confidence]
    mark = lowest((*rests, *also))
    if mark in VERIFIED or policy.is_demo or allow == "unverified":
        return mark
    keys = ", ".join(f"{key} ({one})" for key, one in told if one not in VERIFIED) or "-"
    raise PolicyError("PO112", policy.area.id, area=policy.area.id, confidence=mark, keys=keys)
