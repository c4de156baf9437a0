"""Warnings about rules and groups: W01, W02, W05, W09, W11, W12."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from grouper.datafile import Row, data_folder, read_toml
from grouper.errors import Issue
from grouper.scheme.condition import (
    FALSE,
    TRUE,
    Compare,
    Condition,
    Field,
    atoms,
    list_uses,
    to_text,
)
from grouper.scheme.lint_conditions import Conditions
from grouper.scheme.source import RULES, Source, finding

#: numbers that mean something only in the first year of life
_OF_INFANTS = ("age_days", "weight")


@cache
def conventions() -> dict[str, Any]:
    """What the CHS-DRG schemes have in common: data/schemes/conventions.toml."""
    return read_toml(data_folder("schemes", "conventions.toml"))


def check_unused(source: Source, conditions: Conditions) -> Iterator[Issue]:
    """W01: lists that no condition names; MDCs without rules."""
    used = {name for condition in conditions.all() for name, _ in list_uses(condition)}
    lists = source.tables["lists.tsv"]
    names = lists.column("list")
    for name in dict.fromkeys(names):
        if name not in used:
            yield finding("SW01", lists.where(names.index(name), "list"), "list", name)
    with_rules = set(source.tables["adrg.tsv"].column("mdc"))
    for row in source.tables["mdc.tsv"]:
        if row["mdc"] not in with_rules:
            yield finding("SW01", row.where("mdc"), "mdc", row["mdc"])


def check_dead(source: Source, conditions: Conditions) -> Iterator[Issue]:
    """W02: `False`; a DRG after an unconditional one; a condition that repeats an earlier one."""
    for name, label, group in (
        ("mdc.tsv", "mdc", None),
        ("adrg.tsv", "adrg", "mdc"),
        ("drg.tsv", "drg", "adrg"),
    ):
        earlier: dict[tuple[str, Condition], int] = {}
        unconditional: dict[str, int] = {}
        for row, when in zip(source.tables[name], conditions.of[name], strict=True):
            if when is None:
                continue
            within = row[group] if group else ""
            place, text = row.where("when"), row[label]
            key = (within, when)
            if when == FALSE:
                yield finding("SW02", place, "false", text)
            elif name == "drg.tsv" and within in unconditional:
                yield finding("SW02", place, "after", text, line=unconditional[within])
            elif group and key in earlier:
                yield finding("SW02", place, "repeats", f"{text}: {to_text(when)}",
                              line=earlier[key])  # fmt: skip
            earlier.setdefault(key, row.line)
            if when == TRUE:
                unconditional.setdefault(within, row.line)


def check_gaps(source: Source, conditions: Conditions) -> Iterator[Issue]:
    """W05: ADRGs none of whose DRGs is unconditional; the place is their last row."""
    last: dict[str, Row] = {}
    covered: set[str] = set()
    for row, when in zip(source.tables["drg.tsv"], conditions.of["drg.tsv"], strict=True):
        last[row["adrg"]] = row
        if when == TRUE:
            covered.add(row["adrg"])
    for adrg, row in last.items():
        if adrg not in covered:
            yield finding("SW05", row.where("when"), "", adrg)


def check_kinds(source: Source, conditions: Conditions) -> Iterator[Issue]:
    """W09: a kind that is not the one the second letter of the code says."""
    kinds = conventions()["kinds"]
    of_letter = {letter: kind for kind, letters in kinds.items() for letter in letters}
    for row in source.tables["adrg.tsv"]:
        expected = of_letter.get(row["adrg"][1:2], row["kind"])
        if row["kind"] not in (expected, "ambiguous"):
            yield finding("SW09", row.where("kind"), "", row["adrg"],
                          kind=row["kind"], expected=expected)  # fmt: skip


def check_names(source: Source, conditions: Conditions) -> Iterator[Issue]:
    """W11: how many DRGs have no name; quotation marks in names; an unusual order of the MDCs."""
    unnamed = source.tables["drg.tsv"].column("name").count("")
    if unnamed:
        yield finding("SW11", "drg.tsv", "names", unnamed)
    for name in RULES:
        for row in source.tables[name]:
            if '"' in row["name"]:
                yield finding("SW11", row.where("name"), "quote", row["name"])
    mdcs = source.tables["mdc.tsv"].column("mdc")
    usual = [mdc for mdc in conventions()["mdc_order"] if mdc in mdcs]
    if [mdc for mdc in mdcs if mdc in usual] != usual:
        yield finding("SW11", "mdc.tsv", "order", "".join(mdcs))


def check_infants(source: Source, conditions: Conditions) -> Iterator[Issue]:
    """W12: age_days or weight tested without a test of age in the row or its MDC."""
    of_mdc = {
        row["mdc"]: _fields(when)
        for row, when in zip(source.tables["mdc.tsv"], conditions.of["mdc.tsv"], strict=True)
    }
    for name in RULES:
        for row, when in zip(source.tables[name], conditions.of[name], strict=True):
            fields = _fields(when)
            mdc = row["adrg"][:1] if name == "drg.tsv" else row["mdc"]
            tested = [field for field in _OF_INFANTS if field in fields]
            if tested and "age" not in fields | of_mdc.get(mdc, frozenset()):
                yield finding("SW12", row.where("when"), "", row["when"], fields=", ".join(tested))


def _fields(condition: Condition | None) -> frozenset[str]:
    """The numbers of the record that a condition compares."""
    return frozenset(
        term.name
        for atom in (atoms(condition) if condition is not None else ())
        if isinstance(atom, Compare)
        for term in atom.terms
        if isinstance(term, Field)
    )
