"""DIP catalogues for tests: the real ones of tests/data, and rows written for a test."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from grouper.engine.dip_reference import DipReference
from grouper.records.grids import read_grids
from grouper.run.catalogues import PricedCatalogue, priced
from grouper.scheme.dip_load import load_catalogue
from grouper.scheme.dip_preset import Preset, load_classes, load_layers, load_preset
from grouper.sheet import Grid

DATA = Path(__file__).parent / "data" / "dip"
REGIONS = ("base", "jining", "jingzhou", "yichang")


@cache
def real_text() -> str:
    return lzma.decompress((DATA / "catalogue-pingdingshan-2025.tsv.xz").read_bytes()).decode()


def load(grids: Sequence[Grid]) -> PricedCatalogue:
    return priced(load_catalogue(grids, digest=""))


@cache
def real() -> PricedCatalogue:
    rows = tuple(tuple(line.split("\t")) for line in real_text().splitlines())
    return load([Grid("real.tsv", "", rows, tuple(range(1, len(rows) + 1)))])


@cache
def layered() -> PricedCatalogue:
    return load(read_grids(DATA / "national-3.0-partial.tsv"))


def cases() -> Iterator[dict[str, Any]]:
    text = lzma.decompress((DATA / "cases.jsonl.xz").read_bytes()).decode()
    return map(json.loads, text.splitlines())


def cases_30() -> Iterator[dict[str, Any]]:
    return map(json.loads, (DATA / "cases-3.0.jsonl").read_text("utf-8").splitlines())


def grid(headers: Sequence[str], *rows: Sequence[str], title: str = "") -> Grid:
    """A sheet as a reader would give it; row 1 holds the headers."""
    return Grid("made.xlsx", title, (tuple(headers), *map(tuple, rows)), tuple(range(1, 99)))


CANONICAL = ("code", "kind", "cls", "dx_key", "main_ops", "related_ops", "score", "mean_cost")


def canonical(*rows: Mapping[str, str]) -> Grid:
    """Rows of the canonical table, fields by name; kind core and score 100 unless given."""
    usual = {"kind": "core", "score": "100"}
    cells = ([({**usual, **row}).get(name, "") for name in CANONICAL] for row in rows)
    return grid(CANONICAL, *cells)


def catalogue(*rows: Mapping[str, str]) -> PricedCatalogue:
    return load([canonical(*rows)])


@cache
def _classes() -> Mapping[str, str]:
    return load_classes()


def reference(of: PricedCatalogue, preset: str | Preset) -> DipReference:
    rules = load_preset(preset) if isinstance(preset, str) else preset
    return DipReference(of.catalogue, rules, _classes(), load_layers(), of.tie_figures)
