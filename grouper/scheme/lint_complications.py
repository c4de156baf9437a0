"""Warnings about MCC, CC and their exclusion tables: W06, W07, W13."""

from __future__ import annotations

from collections.abc import Iterator

from grouper.errors import Issue
from grouper.scheme.lint_codes import is_glued
from grouper.scheme.lint_conditions import Conditions
from grouper.scheme.source import Source, finding


def check_tables(source: Source, conditions: Conditions) -> Iterator[Issue]:
    """W06: exclusion tables that only complications, or only principal diagnoses, have."""
    columns = {name: source.tables[name].column("table") for name in ("cc.tsv", "exclusions.tsv")}
    for name, other in (("cc.tsv", "exclusions.tsv"), ("exclusions.tsv", "cc.tsv")):
        known = {"", *columns[other]}
        for table in dict.fromkeys(columns[name]):
            if table not in known:
                place = source.tables[name].where(columns[name].index(table), "table")
                yield finding("SW06", place, name.removesuffix(".tsv"), table)


def check_own_tables(source: Source, conditions: Conditions) -> Iterator[Issue]:
    """W07: complications that as principal diagnoses have another table than their own."""
    cc = source.tables["cc.tsv"]
    excluded = dict(zip(*source.tables["exclusions.tsv"].cells, strict=True))
    for index, (code, level, own) in enumerate(zip(*cc.cells, strict=True)):
        other = excluded.get(code, own)
        if other != own:
            yield finding("SW07", cc.where(index, "table"), "", code,
                          level=level, own=own or "-", other=other)  # fmt: skip


def check_glued(source: Source, conditions: Conditions) -> Iterator[Issue]:
    """W13: a complication's code with its name behind it."""
    for name in ("cc.tsv", "exclusions.tsv"):
        table = source.tables[name]
        for index, code in enumerate(table.column("code")):
            if not code.isascii() and is_glued(name, code):
                yield finding("SW13", table.where(index, "code"), "", code)
