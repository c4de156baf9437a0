"""The report of an estimate of weights: what page, workbook and JSON show."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from grouper import __version__
from grouper.errors import Lang
from weights.distribution import Distribution, Outliers, distribution, outliers
from weights.estimated import Estimate, GroupWeight
from weights.history import History
from weights.older import Comparison
from weights.record import choices_record, details, facts_record, places
from weights.table import Head

#: groups of which the page shows the costs; the table and the workbook have all of them
MOST_GROUPS = 1500


@dataclass(frozen=True)
class WeighingReport:
    """An estimate, its table, and the spread of costs of the groups with most cases.

    distributions, outliers: position of the group in the estimate -> its costs, and its cases
    beyond the payment limits if multiples were given.
    """

    found: Estimate
    head: Head
    distributions: Mapping[int, Distribution]
    outliers: Mapping[int, Outliers]
    comparison: Comparison | None
    lang: Lang

    @property
    def title(self) -> str:
        """The title of the table in the language of the report."""
        return self.head.title if self.lang == "zh" else self.head.title_en

    @property
    def program(self) -> str:
        """Name and version of the program."""
        return f"chs-grouper {__version__}"

    def priced_fen(self, one: GroupWeight) -> Fraction:
        """What the weight of a group stands for: times the mean cost of a case of all groups."""
        return Fraction(one.printed) * self.found.mean_fen

    def by_cases(self) -> list[GroupWeight]:
        """Groups, those with most kept cases first."""
        return sorted(self.found.groups, key=lambda one: (-one.kept, one.code))

    def to_dict(self, issues: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        """Stable keys for `--json` and the JSON report; decimals are text, counts numbers."""
        header, *rows = details(self.found)
        steps = [
            {
                "step": step.name,
                "before": places(step.before, 9),
                "factor": places(step.factor, 12),
                "after": places(step.after, 9),
            }
            for step in self.found.steps
        ]
        return {
            "table": self.head.id,
            "scheme": self.head.scheme_id,
            "area": self.head.area,
            "source": self.head.source,
            "facts": facts_record(self.found),
            "choices": choices_record(self.found.choices),
            "steps": steps,
            "groups": [dict(zip(header, map(_plain, header, row), strict=True)) for row in rows],
            "comparison": _compared(self.comparison),
            "issues": list(issues),
        }


_COUNTS = ("cases", "kept", "trimmed", "hospitals")
_LISTS = ("pooled", "marks")


def _plain(column: str, cell: str) -> Any:
    """A cell of the details as JSON: counts as numbers, lists as lists, nothing as null."""
    if column in _LISTS:
        return cell.split()
    if column in _COUNTS or column.startswith("cases_"):
        return int(cell) if cell else None
    return cell or None


def _compared(comparison: Comparison | None) -> dict[str, Any] | None:
    if comparison is None:
        return None
    rows = [
        {
            "group": row.code,
            "cases": row.cases,
            "old": None if row.old is None else str(row.old),
            "new": None if row.new is None else str(row.new),
            "change": None if row.change is None else places(row.change, 4),
        }
        for row in comparison.rows
    ]
    scale = None if comparison.scale is None else places(comparison.scale, 8)
    return {"old": comparison.old_id, "scale": scale, "groups": rows}


def report_of(
    found: Estimate,
    head: Head,
    history: History,
    comparison: Comparison | None = None,
    *,
    multiples: tuple[Fraction, Fraction] | None = None,
    lang: Lang = "zh",
) -> WeighingReport:
    """The report of an estimate from a history.

    multiples: low and high, of the weight times the mean cost of all: a case that costs less or
    more is an outlier (低倍率, 高倍率).
    """
    order = sorted(range(len(found.groups)), key=lambda g: (-found.groups[g].kept, g))
    spread = {group: distribution(history, group) for group in sorted(order[:MOST_GROUPS])}
    report = WeighingReport(found, head, spread, {}, comparison, lang)
    if multiples is None:
        return report
    beyond = {}
    for group in spread:
        priced = report.priced_fen(found.groups[group])
        beyond[group] = outliers(history, group, multiples[0] * priced, multiples[1] * priced)
    return replace(report, outliers=beyond)


def _page(report: WeighingReport) -> bytes:
    from grouper.report.weighing_page import render_weighing_page

    return render_weighing_page(report).encode()


def _book(report: WeighingReport) -> bytes:
    from grouper.report.weighing_book import render_weighing_book

    return render_weighing_book(report)


def _json(report: WeighingReport) -> bytes:
    issues = [issue.to_dict(report.lang) for issue in report.found.issues]
    text = json.dumps(report.to_dict(issues), ensure_ascii=False, indent=1, default=str)
    return f"{text}\n".encode()


#: suffix -> how the file is made
FORMS: Mapping[str, Callable[[WeighingReport], bytes]] = {
    ".html": _page,
    ".htm": _page,
    ".xlsx": _book,
    ".json": _json,
}
