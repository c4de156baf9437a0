"""Everything that is wrong with, or strange in, a scheme folder: the linter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from pathlib import Path

from grouper.errors import Issue
from grouper.scheme.extends import read_flat
from grouper.scheme.lint_complications import check_glued, check_own_tables, check_tables
from grouper.scheme.lint_conditions import Conditions, read_conditions
from grouper.scheme.lint_reach import check_known, check_reach, check_sites
from grouper.scheme.lint_rules import (
    check_dead,
    check_gaps,
    check_infants,
    check_kinds,
    check_names,
    check_unused,
)
from grouper.scheme.load import structural_errors
from grouper.scheme.source import RULES, Source, file_of, in_order

Check = Callable[[Source, Conditions], Iterator[Issue]]
_COMPLICATIONS = ("cc.tsv", "exclusions.tsv")
#: every check for warnings, with the files that must be free of errors for it to make sense
_CHECKS: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (check_unused, (*RULES, "lists.tsv")),
    (check_dead, RULES),
    (check_gaps, ("drg.tsv",)),
    (check_kinds, ("adrg.tsv",)),
    (check_names, RULES),
    (check_infants, RULES),
    (check_reach, ("mdc.tsv", "adrg.tsv", "lists.tsv")),
    (check_sites, (*RULES, "lists.tsv")),
    (check_tables, _COMPLICATIONS),
    (check_own_tables, _COMPLICATIONS),
    (check_glued, _COMPLICATIONS),
)


def lint(folder: Path, *, known_codes: Mapping[str, Set[str]] | None = None) -> list[Issue]:
    """Errors and warnings of a scheme folder, by code, file and row.

    A scheme that extends another is checked whole; a finding in a row of the other scheme has its
    place there (`chs_drg_20/lists.tsv:17:code`).
    known_codes: `dx` and `px` -> every code of the code tables; without it W10 is not checked.
    Never raises: a file that cannot be read is a finding (SE01), and what rests on a file with
    errors is left out, since it would only repeat them.
    """
    source = read_flat(folder)
    conditions = read_conditions(source)
    found = list(structural_errors(source, conditions))
    faulty = source.broken.union(map(file_of, found))
    for check, files in _CHECKS:
        if faulty.isdisjoint(files):
            found += check(source, conditions)
    if known_codes is not None:
        found += check_known(source, known_codes)
    return list(in_order(found))
