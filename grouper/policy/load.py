"""An area's folder -> Policy: area.toml, hospitals.tsv and one policy-<year>.toml a notice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date as Date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TypeVar, cast

from pydantic import ValidationError

from grouper.datafile import data_folder, read_toml, read_tsv
from grouper.dated import Dated, Span, lowest
from grouper.errors import Issue, PolicyError
from grouper.policy import form, schema
from grouper.policy.case_rules import rules_in_lead_form
from grouper.policy.lead_rules import CaseRule, ClassRule, parse_case_rules, parse_class_rules
from grouper.policy.model import (
    Area,
    CostRule,
    FundRule,
    Hospital,
    KeyedValues,
    Named,
    OutlierRule,
    Policy,
    StandardRule,
    Terms,
    make_policy,
)
from grouper.policy.parameter_files import own_entries, with_own
from grouper.policy.parameters import Entry, Parameters
from grouper.policy.sections import Sections

_HOSPITAL_COLUMNS = ("code", "name", "name_en", "level", "contract", "inpatient")
_YES_NO = {"1": True, "0": False}

F = TypeVar("F", bound=form.Strict)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Edition:
    """One policy file: its days and its dated values (None: the area has no such rule)."""

    file: schema.PolicyFile
    span: Span
    base_rate: Dated[KeyedValues] | None
    point_value: Dated[KeyedValues] | None
    mean_cost: Dated[Decimal] | None
    coefficient: Dated[KeyedValues] | None
    standard: Dated[StandardRule]
    low: Dated[OutlierRule] | None
    high: Dated[OutlierRule] | None
    class_rules: Dated[tuple[ClassRule, ...]] | None
    before_rules: Dated[tuple[CaseRule, ...]] | None
    within_rules: Dated[tuple[CaseRule, ...]] | None
    ambiguous: Dated[CostRule] | None
    ungrouped: Dated[CostRule] | None
    fund: Dated[FundRule]
    deposit: Dated[Decimal] | None
    own: Mapping[str, tuple[Entry, ...]]

    @property
    def parts(self) -> tuple[Dated[object], ...]:
        """The dated values there are."""
        values = (
            self.base_rate,
            self.point_value,
            self.mean_cost,
            self.coefficient,
            self.standard,
            self.low,
            self.high,
            self.class_rules,
            self.before_rules,
            self.within_rules,
            self.ambiguous,
            self.ungrouped,
            self.fund,
            self.deposit,
        )
        return tuple(cast(Dated[object], value) for value in values if value is not None)


def area_ids() -> tuple[str, ...]:
    """The ids of the areas that come with the package."""
    return tuple(sorted(path.parent.name for path in data_folder("areas").glob("*/area.toml")))


def load_policy(area: str | Path, *, date: Date | str | None = None) -> Policy:
    """The policy of an embedded area id, or of a folder with area.toml.

    date: a day on which some policy must be in force. Raises PolicyError PO101 for an unknown
    area, PO113 for that day, otherwise with every defect of the files; DataFileError when a file
    cannot be read.
    """
    folder = area_folder(area)
    policy, issues = read_area(folder)
    if issues:
        raise PolicyError.of(issues)
    assert policy is not None
    day = Date.fromisoformat(date) if isinstance(date, str) else date
    if day is not None and policy.find_terms(day) is None:
        raise PolicyError("PO113", str(folder), area=policy.area.id, date=day.isoformat())
    return policy


def area_folder(area: str | Path) -> Path:
    """The folder of an embedded area id, or the folder itself. Raises PolicyError PO101."""
    if isinstance(area, str) and area in area_ids():
        return data_folder("areas", area)
    if (Path(area) / "area.toml").is_file():
        return Path(area)
    raise PolicyError("PO101", area=area, known=", ".join(area_ids()))


def read_area(folder: Path) -> tuple[Policy | None, list[Issue]]:
    """The policy in a folder and what is wrong with it; None when it cannot be formed."""
    issues: list[Issue] = []
    area = _read_area_file(folder, issues)
    if area is None:
        return None, issues
    editions: list[Edition] = []
    for path in sorted(folder.glob("policy-*.toml")):
        edition = _read_edition(path, area, issues)
        if edition is not None:
            editions.append(edition)
    if not editions and not issues:
        issues.append(Issue("PO111", str(folder), {"area": area.id}))
    editions.sort(key=lambda edition: edition.span.start)
    for one, next_ in pairwise(editions):
        if one.span.end is None or next_.span.start < one.span.end:
            issues.append(Issue("ST102", str(folder), {"date": next_.span.start}))
    if issues:
        return None, issues
    marks = [part.confidence for edition in editions for part in edition.parts]
    parameters = with_own(_joined(edition.own for edition in editions))
    policy = make_policy(
        area,
        tuple(terms for edition in editions for terms in _terms(edition, parameters, area.id)),
        confidence=lowest([*marks, *(edition.file.confidence for edition in editions)]),
        titles=tuple(edition.file.title for edition in editions),
        parameters=parameters,
    )
    return policy, issues


def _joined(every: Iterable[Mapping[str, tuple[Entry, ...]]]) -> dict[str, tuple[Entry, ...]]:
    """The parameters of several files, oldest first."""
    found: dict[str, tuple[Entry, ...]] = {}
    for own in every:
        for key, entries in own.items():
            found[key] = (*found.get(key, ()), *entries)
    return found


def _checked(model: type[F], path: Path, issues: list[Issue]) -> F | None:
    raw = read_toml(path)
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        issues.extend(form.problems(error.errors(), raw, model, str(path)))
        return None


def _read_area_file(folder: Path, issues: list[Issue]) -> Area | None:
    path = folder / "area.toml"
    file = _checked(schema.AreaFile, path, issues)
    if file is None:
        return None
    levels = _named(file.level)
    return Area(
        id=file.id,
        code=file.code,
        title=file.title,
        title_en=file.title_en,
        source=file.source,
        confidence=file.confidence,
        is_demo=file.demo,
        insurances=_named(file.insurance),
        levels=levels,
        hospitals=_hospitals(folder / "hospitals.tsv", {one.code for one in levels}, issues),
    )


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


def _read_edition(path: Path, area: Area, issues: list[Issue]) -> Edition | None:
    file = _checked(schema.PolicyFile, path, issues)
    if file is None:
        return None
    span = Span(file.valid_from, file.valid_to)
    read = Sections(path, span, area)
    coefficient, low, high = file.hospital_coefficient, file.low_outlier, file.high_outlier
    ambiguous, ungrouped = file.ambiguous, file.ungrouped
    deposit = file.deposit
    own, wrong = own_entries(file.parameters, span, area.id, path)
    read.issues.extend(wrong)
    if deposit is not None:
        if "deposit" in file.parameters:
            read.twice("parameters.deposit")
        own |= {"deposit": read.deposit_entries(deposit)}

    def rules(
        key: str, section: schema.RulesSection | None, parse: Callable[[str], tuple[T, ...]]
    ) -> Dated[tuple[T, ...]] | None:
        return read.rules(key, section, parse) if section else None

    edition = Edition(
        file=file,
        span=span,
        base_rate=read.keyed("base_rate", file.base_rate) if file.base_rate else None,
        point_value=read.keyed("point_value", file.point_value) if file.point_value else None,
        mean_cost=read.mean_cost(file.mean_cost) if file.mean_cost else None,
        coefficient=read.keyed("hospital_coefficient", coefficient) if coefficient else None,
        standard=read.standard(file.standard),
        low=read.outlier("low_outlier", low) if low else None,
        high=read.outlier("high_outlier", high) if high else None,
        class_rules=rules("class_rules", file.class_rules, parse_class_rules),
        before_rules=rules("before_rules", file.before_rules, parse_case_rules),
        within_rules=rules("within_rules", file.within_rules, parse_case_rules),
        ambiguous=read.cost("ambiguous", ambiguous) if ambiguous else None,
        ungrouped=read.cost("ungrouped", ungrouped) if ungrouped else None,
        fund=read.fund(file.fund),
        deposit=read.deposit(deposit) if deposit else None,
        own=own,
    )
    for key, value, needed in (
        ("base_rate", edition.base_rate, "needs_rate"),
        ("point_value", edition.point_value, "needs_point_value"),
        ("mean_cost", edition.mean_cost, "needs_mean_cost"),
        ("hospital_coefficient", edition.coefficient, "needs_coefficient"),
    ):
        if value is None and any(getattr(one.value, needed) for one in edition.standard.versions):
            read.lacks(key)
    issues.extend(read.issues)
    return None if read.issues else edition


def _terms(edition: Edition, parameters: Parameters, origin: str) -> list[Terms]:
    """The edition cut at every day on which something changes."""
    changes = {day for part in edition.parts for day in part.borders()}
    changes |= parameters.changes("deposit")
    starts = sorted({day for day in changes if edition.span.covers(day)} | {edition.span.start})
    ends = [*starts[1:], edition.span.end]
    sources = {part.key: part.source for part in edition.parts}

    def on(part: Dated[T] | None, day: Date) -> T | None:
        return None if part is None else part.at(day)

    found = []
    for day, end in zip(starts, ends, strict=True):
        base_rate = on(edition.base_rate, day) or KeyedValues((), {})
        point_value, mean_cost = on(edition.point_value, day), on(edition.mean_cost, day)
        coefficient, standard = on(edition.coefficient, day), edition.standard.at(day)
        low, high = on(edition.low, day), on(edition.high, day)
        rules = rules_in_lead_form(
            origin,
            standard=standard,
            base_rate=base_rate,
            point_value=point_value,
            mean_cost=mean_cost,
            coefficient=coefficient,
            low=low,
            high=high,
            class_rules=on(edition.class_rules, day) or (),
            before_rules=on(edition.before_rules, day) or (),
            within_rules=on(edition.within_rules, day) or (),
            confidence=lowest(part.confidence for part in edition.parts),
            where=edition.file.title,
        )
        found.append(
            Terms(
                span=Span(day, end),
                scheme_id=edition.file.scheme,
                weight_table=edition.file.weight_table,
                base_rate=base_rate,
                coefficient=coefficient,
                standard=standard,
                low=low,
                high=high,
                ambiguous=on(edition.ambiguous, day),
                ungrouped=on(edition.ungrouped, day),
                fund=edition.fund.at(day),
                deposit_rate=parameters.number("deposit", day),
                sources={"deposit": parameters.at("deposit", day).source, **sources},
                point_value=point_value,
                mean_cost=mean_cost,
                rules=rules,
            )
        )
    return found
