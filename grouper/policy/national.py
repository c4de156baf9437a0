"""The national rules in force: which parameter or function carries each out, or why none does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from grouper.datafile import data_folder, read_tsv

_COLUMNS = ("article", "fixes", "value", "parameters", "computed_by", "reason", "reason_en")


@dataclass(frozen=True, slots=True)
class NationalRule:
    """One row: the articles, what they fix, and what carries them out.

    The letters stand for documents (areas/README.md). computed_by: `module:function`. reason: why
    nothing, or not all, is computed.
    """

    article: str
    fixes: str
    value: str
    parameters: tuple[str, ...]
    computed_by: str
    reason: str
    reason_en: str


@cache
def national_rules() -> tuple[NationalRule, ...]:
    """The rows of areas/national_rules.tsv, in the order of the documents."""
    return tuple(
        NationalRule(
            article=row["article"],
            fixes=row["fixes"],
            value=row["value"],
            parameters=tuple(filter(None, row["parameters"].split(";"))),
            computed_by=row["computed_by"],
            reason=row["reason"],
            reason_en=row["reason_en"],
        )
        for row in read_tsv(data_folder("areas", "national_rules.tsv"), _COLUMNS)
    )
