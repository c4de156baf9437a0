"""A whole scheme out as a workbook with every trap, and in again: same scheme, same groups."""

from __future__ import annotations

import hashlib
import json
import lzma
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from official_workbook import Traps, by_sites, set_names, sheets_of, workbook
from strategies import batch_of, differing

from grouper.engine.drg import DrgGrouper
from grouper.engine.reference import Record
from grouper.run import schemes
from grouper.scheme.condition import to_text
from grouper.scheme.lint import lint
from grouper.scheme.load import load_folder
from grouper.scheme.model import Scheme
from grouper.scheme.workbook_layout import amendments
from grouper.scheme.write import table_files, write_scheme

CASES = Path(__file__).parents[1] / "data" / "cases" / "chs_drg_30.jsonl.xz"


@pytest.fixture(scope="module")
def draft(load) -> Scheme:
    return load("chs_drg_30")


@pytest.fixture(scope="module")
def path(draft, tmp_path_factory) -> Path:
    """The draft of 3.0 as a workbook, without the exclusion rows that the real one lacks."""
    path = tmp_path_factory.mktemp("workbook") / "按病组付费3.0版.xlsx"
    path.write_bytes(workbook(sheets_of(draft, Traps(dropped=frozenset(dict(amendments()))))))
    return path


@pytest.fixture(scope="module")
def found(path) -> schemes.Import:
    return schemes.import_file(path)


def contents(scheme: Scheme) -> dict[str, set[str]]:
    """The tables as sets of rows: without order numbers, lists named by what they hold."""
    named = {
        name: hashlib.sha256(repr((one.kind, one.codes)).encode()).hexdigest()[:16]
        for name, one in scheme.lists.items()
    }

    def said(when: object) -> str:
        return " ".join(
            named.get(word.strip("(),"), word)
            for word in to_text(when).split(" ")  # type: ignore[arg-type]
        )

    tables = {
        name: set(data.decode().splitlines()[1:])
        for name, data in table_files(scheme).items()
        if name in ("cc.tsv", "exclusions.tsv", "notgrouped.tsv")
    }
    return tables | {
        "mdc": {f"{m.mdc} {m.name} {said(m.when)}" for m in scheme.mdcs},
        "adrg": {f"{a.adrg} {a.name} {a.kind} {said(a.when)}" for a in scheme.adrgs},
        "drg": {f"{d.drg} {d.name} {said(d.when)}" for d in scheme.drgs},
        "lists": {f"{named[name]} {one.kind}" for name, one in scheme.lists.items()},
    }


def as_published(scheme: Scheme) -> Scheme:
    """The original in the words of the workbook: its tables, its amendments, its robot codes."""
    robots = scheme.lists["MB10_opx"].codes
    listed = {code for one in scheme.lists.values() if one.kind == "px" for code in one.codes}
    unlisted = {
        (kind, code): reason
        for (kind, code), reason in scheme.not_for_grouping.items()
        if (kind, reason) != ("px", "not_for_grouping") or code not in listed
    }
    assert set(robots).isdisjoint(code for _, code in unlisted)
    kept = {c: f"EX_{t}" for c, t in scheme.exclusions.items() if c not in dict(amendments())}
    return replace(
        scheme,
        mdcs=tuple(replace(mdc, when=by_sites(mdc.when)) for mdc in scheme.mdcs),
        cc={
            code: replace(one, table=f"EX_{one.table}" if one.table else "")
            for code, one in scheme.cc.items()
        },
        exclusions=kept | dict(amendments()),
        not_for_grouping=unlisted,
    )


def test_importing_gives_the_scheme_that_was_exported(draft, found):
    expected, actual = contents(as_published(draft)), contents(found.scheme)
    assert {name: actual[name] ^ rows for name, rows in expected.items()} == {
        name: set() for name in expected
    }
    assert len(found.scheme.adrgs) == len(draft.adrgs)
    assert len(found.scheme.drgs) == 815


def test_the_order_is_that_of_the_original(draft, found):
    assert [mdc.mdc for mdc in found.scheme.mdcs] == [mdc.mdc for mdc in draft.mdcs]
    assert [drg.drg for drg in found.scheme.drgs] == [drg.drg for drg in draft.drgs]

    def placed(scheme: Scheme) -> list[str]:
        return [rule.adrg for rule in scheme.adrgs if not rule.is_ambiguous]

    assert placed(found.scheme) == placed(draft)


def problems(issues: Iterable) -> set[str]:
    return {str(issue.params["problem"]) for issue in issues}


def test_every_trap_was_met(found):
    assert problems(found.repairs) == {
        "amended", "catch_all", "repeated_pair", "blanks", "equal_sort", "moved_last",
        "no_ambiguous", "always",
    }  # fmt: skip
    assert found.counts["drg_groups"] == (815, 825)
    assert found.counts["set_repeats"] == (113, 113)


def test_every_case_gets_the_same_group(draft, found):
    with lzma.open(CASES, "rt", encoding="utf-8") as lines:
        cases = [json.loads(line, parse_float=Decimal) for line in lines]
    names = ("sex", "age", "age_days", "weight", "los", "leaving", "icu_hours")
    batch = batch_of(
        [
            Record(dx=tuple(c["dx"]), px=tuple(c["px"]), **{n: c.get(n) for n in names})
            for c in cases
        ]
    )
    one = DrgGrouper.of(draft).group(batch)
    other = DrgGrouper.of(found.scheme).group(batch)

    def results(groups) -> list[tuple[str, str, int]]:
        rules, drgs = groups.rule_id.tolist(), groups.group_id.tolist()
        return [
            (groups.codes.adrg[rule], groups.codes.drg[drg], status)
            for rule, drg, status in zip(rules, drgs, groups.status.tolist(), strict=True)
        ]

    wrong = [
        (case["id"], left, right)
        for case, left, right in zip(cases, results(one), results(other), strict=True)
        if left != right
    ]
    assert not wrong
    assert differing(other, DrgGrouper.of(found.scheme).group(batch)) == []


def test_the_imported_folder_loads_and_has_no_errors(found, tmp_path):
    folder = tmp_path / found.scheme.id
    write_scheme(found.scheme, folder)
    assert load_folder(folder).digest == found.scheme.digest
    assert not [issue for issue in lint(folder) if issue.severity == "error"]


def test_the_names_of_the_sets_are_kept(draft, found):
    assert set(found.scheme.lists) == set(set_names(draft).values())
