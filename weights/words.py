"""The words of weight tables that no single area owns (data/words.toml)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path

from grouper.datafile import read_toml


@dataclass(frozen=True, slots=True)
class Words:
    """What cells, codes and remarks usually look like; `insurance` maps names to codes."""

    empty: frozenset[str]
    yes: tuple[str, ...]
    residual: tuple[str, ...]
    severity_order: tuple[str, ...]
    notes: tuple[str, ...]
    sums: tuple[str, ...]
    insurance: Mapping[str, str]
    unit: Mapping[str, Decimal]
    reserve_ratio: str


@cache
def words() -> Words:
    """The words that come with the package."""
    raw = read_toml(data_folder() / "words.toml")
    return Words(
        empty=frozenset(raw["empty"]),
        yes=tuple(raw["yes"]),
        residual=tuple(raw["residual"]),
        severity_order=tuple(raw["severity_order"]),
        notes=(*raw["notes"], *raw["sums"]),
        sums=tuple(raw["sums"]),
        insurance={name: code for code, names in raw["insurance"].items() for name in names},
        unit={name: Decimal(size) for name, size in raw["unit"].items()},
        reserve_ratio=raw["reserve_ratio"],
    )


@cache
def data_folder() -> Path:
    """The folder of the data that comes with the package."""
    return Path(str(files("weights"))).joinpath("data")


def insurance_code(text: str) -> str:
    """The code of an insurance by its usual name; a text of another kind stays as it is."""
    return words().insurance.get(text, text)
