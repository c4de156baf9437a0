"""What is wrong or doubtful in an area's folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from grouper.errors import Issue
from grouper.policy.leads import Lead
from grouper.policy.load import area_folder, read_area
from grouper.policy.model import KeyedValues, Policy, Terms
from grouper.policy.place import with_lines


def lint(area: str | Path) -> list[Issue]:
    """Every defect (errors) and doubt (warnings) of an area's files, in their order.

    Raises PolicyError PO101 for an unknown area, DataFileError when a file cannot be read.
    """
    policy, issues = read_area(area_folder(area))
    if policy is None:
        return issues
    warnings = [issue for terms in policy.terms for issue in _doubts(policy, terms)]
    return _once(with_lines([*issues, *_beyond(policy), *warnings]))


def lint_lead(lead: Lead) -> list[Issue]:
    """What is doubtful in a lead: thresholds that its source contradicts itself (PO202)."""
    marks = lead.texts["shown_marks"]
    params = {"area": lead.area, "marks": marks}
    return [Issue("PO202", lead.where, params)] if marks else []


def _beyond(policy: Policy) -> Iterator[Issue]:
    """Parameters beyond a national limit (ST110)."""
    for definition, entry, value, limit in policy.parameters.beyond():
        where = f"{entry.where}: {definition.key}"
        yield Issue("ST110", where, {"key": definition.key, "value": value, "limit": limit})


def _once(issues: list[Issue]) -> list[Issue]:
    """The issues without repetitions: a value that holds for several eras is said once."""
    seen = {(issue.code, issue.where, str(issue.params)): issue for issue in issues}
    return list(seen.values())


def _doubts(policy: Policy, terms: Terms) -> list[Issue]:
    issues: list[Issue] = []
    for key, values in (
        ("base_rate", terms.base_rate),
        ("point_value", terms.point_value),
        ("hospital_coefficient", terms.coefficient),
    ):
        issues.extend(
            Issue("PO201", f"{terms.rules.where}: {key}", {"key": key, "value": lacking})
            for lacking in (_lacking(policy, values) if values and values.values else ())
        )
    return issues


def _lacking(policy: Policy, values: KeyedValues) -> list[str]:
    """Insurances and levels of the area for which there is no number."""
    insurances = [one.code for one in policy.area.insurances]
    levels = [one.code for one in policy.area.levels]
    if "hospital" in values.by or values.in_table:
        return []
    found = {
        "/".join(facts[part] for part in values.by): values.find(insurance, level, "")
        for insurance in insurances
        for level in levels
        for facts in ({"insurance": insurance, "level": level},)
    }
    return [key for key, value in found.items() if value is None]
