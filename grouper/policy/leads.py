"""Leads: the case rules of areas as public tables show them (areas/leads.tsv).

A lead prices a case, but is no policy: it has no dates, no fund rule and no month, its notice was
not seen. What `settle` runs on are the packs (policy.load).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TypeVar, cast

from grouper.datafile import Row, data_folder, read_tsv
from grouper.dated import Confidence
from grouper.errors import Issue, PolicyError
from grouper.policy.lead_rules import (
    CaseRule,
    ClassRule,
    Schedule,
    number,
    parse_case_rules,
    parse_class_rules,
    parse_schedule,
)

T = TypeVar("T")

COLUMNS = (
    "area", "code", "scheme", "year", "standard", "method", "ratio_base", "low_op", "low_k",
    "low_form", "high_op", "high_k", "high_form", "class_rules", "before_rules", "within_rules",
    "ungrouped", "coef_source", "coef_default", "coefs", "rates", "point_values", "mean_cost",
    "shown_marks", "site_bug", "note", "source", "confidence",
)  # fmt: skip
#: the named forms a column may hold; the functions stand in settle
FORMS: Mapping[str, tuple[str, ...]] = {
    "standard": ("", "S1", "S2", "S3", "S4", "S5", "S6"),
    "method": ("", "rate", "point:1", "point:100", "point:1000", "mean", "score"),
    "ratio_base": (
        "", "w r", "w r c", "w M", "w M c", "w c v", "w v 100", "w v c 100", "w c v 10000", "G",
        "3 s c",
    ),
    "low_op": ("", "<", "<="),
    "low_form": ("", "L1", "L2", "L3", "L5", "B2"),
    "high_op": ("", ">", ">="),
    "high_form": ("", "H0", "H1", "H2", "H2k", "H3", "H4", "H5", "H7", "H8", "B2"),
    "confidence": ("published", "published (corrected)", "constructed (corrected)"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outlier:
    """A case whose ratio stands in `operator` to k is paid by `form`.

    deducted: the multiple inside the formula where it differs from k (H2k).
    """

    operator: str
    k: Schedule
    form: str
    deducted: Schedule | None = None


@dataclass(frozen=True, slots=True)
class Lead:
    """The rules of one area and edition; what the columns hold stands in areas/README.md.

    texts: every column as printed. low, high: None where the area has no such rule. points: points
    per weight 1, None where the area does not pay by points. rates, point_values, coefs: (level,
    insurance) -> number, an empty part fits all. corrected: the source had a slip (`site_bug`).
    """

    area: str
    texts: Mapping[str, str]
    standard: str
    method: str
    ratio_base: str
    points: int | None
    low: Outlier | None
    high: Outlier | None
    class_rules: tuple[ClassRule, ...]
    before_rules: tuple[CaseRule, ...]
    within_rules: tuple[CaseRule, ...]
    coef_source: str
    coef_default: Schedule | None
    coefs: Mapping[tuple[str, str], Fraction]
    rates: Mapping[tuple[str, str], Fraction]
    point_values: Mapping[tuple[str, str], Fraction]
    mean_cost: Fraction | None
    confidence: Confidence
    corrected: bool
    where: str

    @property
    def can_price(self) -> bool:
        """Whether it has case rules; some leads only give numbers."""
        return bool(self.standard)


def keyed(values: Mapping[tuple[str, str], Fraction], level: str, ins: str) -> Fraction | None:
    """The number for a level and an insurance, the more exact key first; None if there is none."""
    keys = ((level, ins), (level, ""), ("", ins), ("", ""))
    return next((values[key] for key in keys if key in values), None)


@cache
def leads() -> Mapping[str, Lead]:
    """The leads that come with the package, by area name. Raises PolicyError PO114."""
    found, issues = read_leads(data_folder("areas", "leads.tsv"))
    if issues:
        raise PolicyError.of(issues)
    return found


@cache
def label_columns() -> Mapping[str, str]:
    """Header text of a published table -> column of the normal form, for the labels of groups."""
    rows = read_tsv(data_folder("layouts", "weight_columns.tsv"))
    return dict(zip(rows.column("header"), rows.column("column"), strict=True))


def load_lead(area: str) -> Lead:
    """The lead of an area by its name (an edition carries its year, 太原2026).

    Raises PolicyError PO115 for an unknown name, PO116 for one without case rules.
    """
    if area not in leads():
        near = [name for name in leads() if name.startswith(area[:1])]
        raise PolicyError("PO115", area=area, known=" ".join(near or leads()))
    lead = leads()[area]
    if not lead.can_price:
        raise PolicyError("PO116", lead.where, area=area, note=lead.texts["note"])
    return lead


def read_leads(path: Path) -> tuple[dict[str, Lead], list[Issue]]:
    """The leads of a file by name, and what is wrong with it (PO114), each at its place.

    Raises DataFileError when the file is no table with these columns.
    """
    found: dict[str, Lead] = {}
    issues: list[Issue] = []
    for row in read_tsv(path, COLUMNS):
        wrong = [*_wrong_forms(row)]
        lead = None if wrong else _lead(row, wrong)
        if row["area"] in found:
            wrong.append(_issue(row, "area"))
        issues.extend(wrong)
        if lead is not None and not wrong:
            found[lead.area] = lead
    return found, issues


def _issue(row: Row, column: str, text: str = "") -> Issue:
    params = {"area": row["area"], "column": column, "text": text or row[column]}
    return Issue("PO114", row.where(column), params)


def _wrong_forms(row: Row) -> Iterator[Issue]:
    for column in FORMS:
        text = row[column].partition("(")[0] if column == "high_form" else row[column]
        if text.replace(" x ", " ") not in FORMS[column]:
            yield _issue(row, column)
    for side in ("low", "high"):
        filled = {bool(row[f"{side}_{part}"]) for part in ("op", "k", "form")}
        if len(filled) > 1 and row[f"{side}_form"] != "B2":
            yield _issue(row, f"{side}_form", row[f"{side}_form"] or "-")
    if not row["area"] or not row["source"]:
        yield _issue(row, "source", "-")


def _lead(row: Row, wrong: list[Issue]) -> Lead | None:
    """The row as a lead; None, and the issues said, when a text cannot be read."""

    def read(column: str, parse: Callable[[str], T]) -> T | None:
        try:
            return parse(row[column]) if row[column] else None
        except ValueError as error:
            wrong.append(_issue(row, column, str(error)))
            return None

    mark = row["confidence"].partition(" ")[0]
    lead = Lead(
        area=row["area"],
        texts={column: row[column] for column in COLUMNS},
        standard=row["standard"],
        method=row["method"],
        ratio_base=row["ratio_base"].replace(" x ", " "),
        points=int(row["method"][6:]) if row["method"].startswith("point:") else None,
        low=_outlier(row, "low", wrong),
        high=_outlier(row, "high", wrong),
        class_rules=(
            *(read("ungrouped", parse_class_rules) or ()),
            *(read("class_rules", parse_class_rules) or ()),
        ),
        before_rules=read("before_rules", parse_case_rules) or (),
        within_rules=read("within_rules", parse_case_rules) or (),
        coef_source=row["coef_source"],
        coef_default=read("coef_default", parse_schedule),
        coefs=read("coefs", _keyed) or {},
        rates=read("rates", _keyed) or {},
        point_values=read("point_values", _keyed) or {},
        mean_cost=read("mean_cost", number),
        confidence=cast(Confidence, mark),
        corrected=row["confidence"] != mark,
        where=row.where("area"),
    )
    return None if wrong else lead


def _keyed(text: str) -> dict[tuple[str, str], Fraction]:
    """`三级/居民=9091;一级=3980;5500`: numbers by level and insurance. Raises ValueError."""
    values: dict[tuple[str, str], Fraction] = {}
    for piece in filter(None, text.split(";")):
        key, _, value = piece.rpartition("=")
        level, _, insurance = key.rpartition("/")
        if insurance and insurance not in ("居民", "职工"):
            level, insurance = key, ""
        if (level, insurance) in values:
            raise ValueError(piece)
        values[level, insurance] = number(value)
    return values


def _outlier(row: Row, side: str, wrong: list[Issue]) -> Outlier | None:
    form, _, inner = row[f"{side}_form"].partition("(")
    if form in ("", "B2"):
        return None
    try:
        k = parse_schedule(row[f"{side}_k"])
        deducted = parse_schedule(inner.removesuffix(")")) if inner else None
    except ValueError as error:
        wrong.append(_issue(row, f"{side}_k", str(error)))
        return None
    if not k.is_total or (form == "H2k") != (deducted is not None):
        wrong.append(_issue(row, f"{side}_k"))
        return None
    return Outlier(row[f"{side}_op"], k, form, deducted)
