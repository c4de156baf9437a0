"""What changed from one DIP catalogue to another: groups, their keys, names, figures, lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from grouper.scheme.dip import CatalogueRow, Published
from grouper.scheme.dip_form import LIST_COLUMNS, ROW_COLUMNS, list_texts, row_texts

ChangeKind = Literal["added", "removed", "recoded", "changed", "listed", "unlisted"]
#: in the order in which they are told
CHANGE_KINDS: tuple[ChangeKind, ...] = (
    "added",
    "removed",
    "recoded",
    "changed",
    "listed",
    "unlisted",
)


@dataclass(frozen=True, slots=True)
class CatalogueChange:
    """One difference.

    code: the group, or the list; field: the canonical column that differs, "" where the whole row
    is meant; before, after: texts of the canonical form.
    """

    kind: ChangeKind
    code: str
    field: str = ""
    before: str = ""
    after: str = ""


def diff_catalogues(first: Published, second: Published) -> list[CatalogueChange]:
    """Every difference, by kind, then in the order of the catalogues.

    Rows are compared by code; one whose code is new but whose keys are those of a row that went
    is the same group with another code.
    """
    before, after = _by_code(first), _by_code(second)
    renamed = dict(_recoded(first, second, before, after))
    found = [CatalogueChange("recoded", new, "code", old, new) for old, new in renamed.items()]
    for code, row in after.items():
        if code not in before and code not in renamed.values():
            found.append(CatalogueChange("added", code, after=_keys_text(row)))
    for code, row in before.items():
        if code not in after and code not in renamed:
            found.append(CatalogueChange("removed", code, before=_keys_text(row)))
    for code, row in before.items():
        other = after.get(renamed.get(code, code))
        if other is not None:
            found += _fields(renamed.get(code, code), row, other)
    found += _lists(first, second)
    return sorted(found, key=lambda one: CHANGE_KINDS.index(one.kind))


def _by_code(published: Published) -> dict[str, Mapping[str, str]]:
    rows = (dict(zip(ROW_COLUMNS, row, strict=True)) for row in row_texts(published))
    return {row["code"]: row for row in rows}


def _recoded(
    first: Published,
    second: Published,
    before: Mapping[str, object],
    after: Mapping[str, object],
) -> Iterator[tuple[str, str]]:
    """Old and new codes of rows with the same keys, where either side has just one."""
    gone = _by_keys(row for row in first.catalogue.rows if row.code not in after)
    new = _by_keys(row for row in second.catalogue.rows if row.code not in before)
    for keys, old in gone.items():
        found = new.get(keys, [])
        if len(old) == len(found) == 1:
            yield old[0], found[0]


def _by_keys(rows: Iterator[CatalogueRow]) -> dict[object, list[str]]:
    found: dict[object, list[str]] = {}
    for row in rows:
        asked = (row.age_days_below, row.weight_lo, row.weight_hi, row.resistant, row.other_dx)
        keys = (row.kind, row.layer, row.cls, row.dx_keys, row.main, row.related, asked)
        found.setdefault(keys, []).append(row.code)
    return found


def _fields(
    code: str, before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[CatalogueChange]:
    for name in ROW_COLUMNS[1:]:
        if before[name] != after[name]:
            yield CatalogueChange("changed", code, name, before[name], after[name])


def _lists(first: Published, second: Published) -> Iterator[CatalogueChange]:
    before, after = (dict.fromkeys(list_texts(one.catalogue)) for one in (first, second))
    for row in after:
        if row not in before:
            yield CatalogueChange("listed", row[0], after=_list_text(row))
    for row in before:
        if row not in after:
            yield CatalogueChange("unlisted", row[0], before=_list_text(row))


def _list_text(row: tuple[str, ...]) -> str:
    cells = dict(zip(LIST_COLUMNS, row, strict=True))
    return " ".join(filter(None, (cells["dx"], cells["operation"], cells["scope"])))


def _keys_text(row: Mapping[str, str]) -> str:
    """What a row is about, in short: diagnosis, operations, class."""
    return ":".join(filter(None, (row["dx_key"], row["main_ops"], row["related_ops"], row["cls"])))
