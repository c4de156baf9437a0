"""A grouping scheme as published: rules, lists, complications; frozen and checked by the loader.

Form and meaning: the scheme folder (docs/reference/scheme-format.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from grouper.scheme.condition import Condition

CodeKind = Literal["dx", "px"]
RuleKind = Literal["surgical", "procedure", "medical", "ambiguous"]
Status = Literal["national", "regional", "draft"]


@dataclass(frozen=True, slots=True)
class Mdc:
    """A major diagnostic category (主要诊断大类); `row` is the line in mdc.tsv."""

    order: int
    mdc: str
    name: str
    when: Condition
    row: int


@dataclass(frozen=True, slots=True)
class AdrgRule:
    """One row of adrg.tsv: a way into an ADRG (核心分组), or an ambiguous row (歧义)."""

    order: int
    mdc: str
    adrg: str
    name: str
    kind: RuleKind
    when: Condition
    row: int

    @property
    def is_ambiguous(self) -> bool:
        """Whether the rule ends grouping with status ambiguous."""
        return self.kind == "ambiguous"


@dataclass(frozen=True, slots=True)
class Drg:
    """One row of drg.tsv: a refinement (细分组) of an ADRG."""

    order: int
    adrg: str
    drg: str
    name: str
    when: Condition
    row: int


@dataclass(frozen=True, slots=True)
class CodeList:
    """A named list of diagnosis (`dx`) or procedure (`px`) codes, sorted by code."""

    name: str
    kind: CodeKind
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Complication:
    """An MCC or CC and the exclusion table it belongs to ("" = none, never excluded)."""

    level: Literal["MCC", "CC"]
    table: str


@dataclass(frozen=True)
class Scheme:
    """Everything needed to put a discharge into a DRG of one place and year.

    `mdcs`, `adrgs` and `drgs` are in the order they are tried. `cc` maps an other diagnosis to its
    complication, `exclusions` a principal diagnosis to its exclusion table.
    `not_for_grouping` maps (kind, code) to `gray` or `not_for_grouping`; findings only.
    `extends` is the id of the scheme from which the folder holds the difference, "" if it is whole;
    the scheme itself is whole either way, and so is its `digest`.
    """

    id: str
    title: str
    base: str
    status: Status
    publication: str
    date: str
    source: str
    confidence: str
    codes: str
    folder: str
    mdcs: tuple[Mdc, ...]
    adrgs: tuple[AdrgRule, ...]
    drgs: tuple[Drg, ...]
    lists: Mapping[str, CodeList]
    cc: Mapping[str, Complication]
    exclusions: Mapping[str, str]
    not_for_grouping: Mapping[tuple[CodeKind, str], str]
    digest: str
    extends: str = ""
    kind: Literal["drg"] = "drg"
    readme: str = field(default="", repr=False)

    @property
    def is_draft(self) -> bool:
        """A draft may be grouped with and compared; settlement refuses it."""
        return self.status == "draft"


def same_edition(first: Scheme, second: Scheme) -> bool:
    """Whether two schemes state one edition of codes; blanks and letter case say nothing."""
    one, other = ("".join(scheme.codes.split()).casefold() for scheme in (first, second))
    return one == other


def names_apart(first: Scheme, second: Scheme) -> tuple[str, str]:
    """What two schemes are called side by side: their ids, followed by the digests if those agree.

    The draft of a version and its official workbook bear one id.
    """
    if first.id != second.id or first.digest == second.digest:
        return first.id, second.id
    return f"{first.id} {first.digest[:12]}", f"{second.id} {second.digest[:12]}"
