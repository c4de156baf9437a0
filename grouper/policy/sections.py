"""The sections of one policy file -> dated values, checked against the codes of the area."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from grouper.dated import Dated, Span, Version, close_spans, span_issues
from grouper.errors import Issue
from grouper.policy import dip_schema, form, schema
from grouper.policy.dip import RATIO_BASES, DipRules
from grouper.policy.lead_rules import ClassRule
from grouper.policy.model import (
    IN_TABLE,
    Area,
    CostRule,
    FundRule,
    KeyedValues,
    OutlierRule,
    StandardRule,
    Step,
)
from grouper.policy.parameters import Entry

_KEY_PARTS = ("insurance", "level", "hospital")
_OPERATORS = {"low_outlier": ("<", "<="), "high_outlier": (">", ">=")}

T = TypeVar("T")
R = TypeVar("R")
V = TypeVar("V", bound=form.VersionFile)


class Sections:
    """Reads the sections of one file; what is wrong is collected in `issues`."""

    def __init__(self, path: Path, span: Span, area: Area) -> None:
        self.issues: list[Issue] = []
        self._path = path
        self._span = span
        self._area = area.id
        self._known = {
            "insurance": {one.code for one in area.insurances},
            "level": {one.code for one in area.levels},
            "hospital": {one.code for one in area.hospitals},
        }
        if span.end is not None and span.end <= span.start:
            self._add("PO106", "valid_to", start=span.start, end=span.end)

    def lacks(self, key: str) -> None:
        """Note that a key is missing."""
        self._add("PO103", key, key=key)

    def twice(self, key: str) -> None:
        """Note that a value is given in two places (ST102)."""
        self._add("ST102", key, date=self._span.start)

    def keyed(
        self,
        key: str,
        section: schema.RateSection | schema.CoefficientSection | schema.PointSection,
    ) -> Dated[KeyedValues]:
        """Numbers by insurance, level or hospital; PO108 for a key the area does not know."""
        parts = tuple(section.by.split("/"))
        of_table = parts == IN_TABLE and key == "hospital_coefficient"
        if not of_table and not set(parts) <= set(_KEY_PARTS):
            self._add("PO108", f"{key}.by", key=section.by, known=", ".join(_KEY_PARTS))

        def make(version: form.KeyedVersion) -> KeyedValues:
            place = f"{key}.values.{version.start}"
            values: dict[tuple[str, ...], Decimal] = {}
            for text, number in (version.__pydantic_extra__ or {}).items():
                parts_of_key = ("*",) * len(parts) if text == "*" else _parts_of(text, len(parts))
                if text != "*" and not self._fits(parts_of_key, parts):
                    self._add("PO108", f"{place}.{text}", key=text, known=section.by)
                values[parts_of_key] = number
            if not values and not of_table:
                self.lacks(place)
            return KeyedValues(parts, values)

        return self._dated(key, section, section.values, make, unit=section.unit)

    def outlier(
        self, key: str, section: schema.LowSection | schema.HighSection
    ) -> Dated[OutlierRule]:
        """An outlier rule; ST107 for a schedule that cannot be read top down."""
        versions: Sequence[schema.OutlierVersion] = section.values

        def make(version: schema.OutlierVersion) -> OutlierRule:
            place = f"{key}.values.{version.start}"
            steps = self._steps(version.multiple, f"{place}.multiple", key)
            deducted: tuple[Step, ...] = ()
            inner = version.deducted if isinstance(version, schema.HighVersion) else []
            if (version.rule == "H2k") != bool(inner):
                self.lacks(f"{place}.deducted")
            if inner:
                deducted = self._steps(inner, f"{place}.deducted", key)
            allowed = _OPERATORS[key]
            if version.operator not in allowed:
                params = {"value": version.operator, "expected": " ".join(allowed)}
                self._add("PO104", f"{place}.operator", key=key, problem="choice", **params)
            return OutlierRule(version.rule, version.operator, steps, deducted)

        return self._dated(key, section, versions, make)

    def _steps(self, read: Sequence[schema.StepFile], place: str, key: str) -> tuple[Step, ...]:
        """A schedule; PO108 for a code the area does not know, ST107 if it cannot be read."""
        steps = tuple(
            Step(
                step.k, step.weight_up_to, step.weight_below, step.level, step.insurance, step.group
            )
            for step in read
        )
        self._check_codes("level", [step.level for step in steps], place)
        self._check_codes("insurance", [step.insurance for step in steps], place)
        if not _readable(steps):
            self._add("ST107", place, key=key)
        return steps

    def _check_codes(self, kind: str, codes: Iterable[str], place: str) -> None:
        for code in codes:
            if code and code not in self._known[kind]:
                self._add("PO108", place, key=code, known=kind)

    def mean_cost(self, section: schema.MeanCostSection) -> Dated[Decimal]:
        """The area's mean cost per weight 1."""

        def make(version: schema.NumberVersion) -> Decimal:
            return version.value

        return self._dated("mean_cost", section, section.values, make, unit=section.unit)

    def rules(
        self, key: str, section: schema.RulesSection, parse: Callable[[str], tuple[R, ...]]
    ) -> Dated[tuple[R, ...]]:
        """Rules as texts; PO104 for one that cannot be read, PO108 for an unknown code in it."""

        def make(version: schema.RulesVersion) -> tuple[R, ...]:
            found: list[R] = []
            for number, text in enumerate(version.rules):
                place = f"{key}.values.{version.start}.rules.{number}"
                try:
                    read = parse(text)
                except ValueError:
                    params = {"value": text, "problem": "form", "expected": "areas/README.md"}
                    self._add("PO104", place, key=key, **params)
                    continue
                for one in read:
                    if isinstance(one, ClassRule):
                        self._check_codes("level", one.levels, place)
                        self._check_codes("insurance", one.insurances, place)
                found.extend(read)
            return tuple(found)

        return self._dated(key, section, section.values, make)

    def standard(self, section: schema.StandardSection) -> Dated[StandardRule]:
        """The payment standard."""

        def make(version: schema.StandardVersion) -> StandardRule:
            if version.rule == "S3" and version.points is None:
                self.lacks(f"standard.values.{version.start}.points")
            return StandardRule(version.rule, version.ratio_base, version.points)

        return self._dated("standard", section, section.values, make)

    def dip(self, section: dip_schema.DipSection, standard: Dated[StandardRule]) -> Dated[DipRules]:
        """How DIP cases are scored; PO104 where the standard names another ratio base."""
        for version in section.values:
            base = RATIO_BASES[version.reference]
            told = standard.find(max(version.start, self._span.start))
            if told is not None and told.ratio_base != base:
                params = {"value": told.ratio_base, "problem": "choice", "expected": base}
                self._add("PO104", "standard.values", key="ratio_base", **params)

        def make(version: dip_schema.DipVersion) -> DipRules:
            rules = version.rules()
            if not rules.deviation.is_rising:
                self._add("ST107", f"dip.values.{version.start}", key="multiple")
            return rules

        return self._dated("dip", section, section.values, make)

    def cost(self, key: str, section: schema.CostSection) -> Dated[CostRule]:
        """Cases paid a share of their cost."""

        def make(version: schema.CostVersion) -> CostRule:
            return CostRule(version.rule, version.factor)

        return self._dated(key, section, section.values, make)

    def fund(self, section: schema.FundSection) -> Dated[FundRule]:
        """The pooled fund's part."""

        def make(version: schema.FundVersion) -> FundRule:
            if (version.rule in ("C", "D")) != (version.ratio is not None):
                self.lacks(f"fund.values.{version.start}.ratio")
            ratio = Decimal(1) if version.ratio is None else version.ratio
            return FundRule(version.rule, version.negative, ratio)

        return self._dated("fund", section, section.values, make)

    def deposit(self, section: schema.DepositSection) -> Dated[Decimal]:
        """The share of a month kept as deposit."""

        def make(version: schema.ShareVersion) -> Decimal:
            return version.value

        return self._dated("deposit", section, section.values, make, unit=section.unit)

    def deposit_entries(self, section: schema.DepositSection) -> tuple[Entry, ...]:
        """The same as versions of the parameter `deposit`."""
        versions = sorted(section.values, key=lambda one: one.start)
        spans = close_spans([(one.start, one.end) for one in versions], self._span.end)
        return tuple(
            Entry(
                span,
                {"*": one.value},
                section.source,
                section.confidence,
                self._area,
                str(self._path),
            )
            for span, one in zip(spans, versions, strict=True)
        )

    def _dated(
        self,
        key: str,
        section: form.Section,
        values: Sequence[V],
        make: Callable[[V], T],
        *,
        unit: str = "",
    ) -> Dated[T]:
        """All versions of a section, oldest first; gaps and overlaps are noted."""
        versions = sorted(values, key=lambda version: version.start)
        spans = close_spans([(one.start, one.end) for one in versions], self._span.end)
        where = f"{self._path}: {key}.values"
        self.issues.extend(span_issues(spans, within=self._span, where=where))
        made = tuple(
            Version(span, make(version)) for span, version in zip(spans, versions, strict=True)
        )
        return Dated(key, made, section.source, section.confidence, unit)

    def _fits(self, key: tuple[str, ...], parts: tuple[str, ...]) -> bool:
        return len(key) == len(parts) and all(
            code in self._known.get(part, ()) for code, part in zip(key, parts, strict=True)
        )

    def _add(self, code: str, place: str, **params: object) -> None:
        self.issues.append(Issue(code, f"{self._path}: {place}", params))


def _parts_of(text: str, count: int) -> tuple[str, ...]:
    """The parts of a key; the name of a level may hold a `/` where it stands first."""
    return tuple(text.rsplit("/", count - 1)) if count > 1 else (text,)


def _readable(steps: Sequence[Step]) -> bool:
    """Whether only the last step fits every case and weight borders rise for each condition."""
    if not steps[-1].is_open or any(step.is_open for step in steps[:-1]):
        return False
    reached: dict[tuple[str, str, str], Decimal] = {}
    for step in steps[:-1]:
        border = step.weight_up_to if step.weight_up_to is not None else step.weight_below
        if border is None:
            continue
        key = (step.level, step.insurance, step.group)
        if border <= reached.get(key, Decimal(0)):
            return False
        reached[key] = border
    return True
