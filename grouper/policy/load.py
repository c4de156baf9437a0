"""An area's folder -> Policy: area.toml, hospitals.tsv and one policy-<year>.toml a notice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date as Date
from itertools import pairwise
from pathlib import Path

from grouper.dated import lowest
from grouper.errors import Issue, PolicyError
from grouper.policy.area import area_folder, area_ids, read_about
from grouper.policy.edition import Edition, read_edition, terms_of
from grouper.policy.model import Area, Policy, make_policy
from grouper.policy.parameter_files import with_own
from grouper.policy.parameters import Entry
from grouper.policy.place import with_lines
from grouper.policy.variant import Changes, Setting

__all__ = ["area_folder", "area_ids", "load_policy", "read_area"]


def load_policy(
    area: str | Path, *, date: Date | str | None = None, settings: Sequence[Setting] = ()
) -> Policy:
    """The policy of an embedded area id, or of a folder with area.toml.

    date: a day on which some policy must be in force. settings: values that are taken instead of
    those of the files. Raises PolicyError PO101 for an unknown area, PO113 for that day, PO132 for
    a setting that changes nothing, otherwise with every defect of the files; DataFileError when a
    file cannot be read.
    """
    folder = area_folder(area)
    changes = Changes(settings)
    policy, issues = read_area(folder, changes)
    if issues:
        raise PolicyError.of(issues)
    changes.check_all_met()
    assert policy is not None
    day = Date.fromisoformat(date) if isinstance(date, str) else date
    if day is not None and policy.find_terms(day) is None:
        params = {**policy.nothing_on(day).params, "area": policy.area.id}
        raise PolicyError("PO113", str(folder), **params)
    return policy


def read_area(folder: Path, changes: Changes | None = None) -> tuple[Policy | None, list[Issue]]:
    """The policy in a folder and what is wrong with it; None when it cannot be formed."""
    area, issues = read_about(folder)
    if area is None:
        return None, with_lines(issues)
    editions: list[Edition] = []
    for path in sorted(folder.glob("policy-*.toml")):
        edition = read_edition(path, area, issues, changes)
        if edition is not None:
            editions.append(edition)
    if not editions and not issues:
        issues.append(_without_policy(area, folder))
    editions.sort(key=lambda edition: edition.span.start)
    for one, next_ in pairwise(editions):
        if one.span.end is None or next_.span.start < one.span.end:
            place = f"{next_.path}: valid_from"
            issues.append(Issue("ST102", place, {"date": next_.span.start}))
    if issues:
        return None, with_lines(issues)
    marks = [part.confidence for edition in editions for part in edition.parts]
    parameters = with_own(_joined(edition.own for edition in editions))
    policy = make_policy(
        area,
        tuple(terms for edition in editions for terms in terms_of(edition, parameters, area.id)),
        confidence=lowest([*marks, *(edition.file.confidence for edition in editions)]),
        titles=tuple(edition.file.title for edition in editions),
        parameters=parameters,
    )
    return policy, issues


def _without_policy(area: Area, folder: Path) -> Issue:
    """PO111, or PO117 where the area says that nothing is published."""
    why = area.unpublished
    if why is None:
        return Issue("PO111", str(folder), {"area": area.id})
    params = {"reason": why.reason, "reason_en": why.reason_en, "searched": why.searched}
    return Issue("PO117", f"{folder / 'area.toml'}: unpublished", {"area": area.title, **params})


def _joined(every: Iterable[Mapping[str, tuple[Entry, ...]]]) -> dict[str, tuple[Entry, ...]]:
    """The parameters of several files, oldest first."""
    found: dict[str, tuple[Entry, ...]] = {}
    for own in every:
        for key, entries in own.items():
            found[key] = (*found.get(key, ()), *entries)
    return found
