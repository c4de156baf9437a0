"""What is wrong with a weight table beyond its form: every finding with file and row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from grouper.errors import Issue
from grouper.money import decimal_text
from weights.cells import matches
from weights.proof import adjusted_amounts, compare_amounts
from weights.table import Facts, WeightTable, near_groups
from weights.words import words


@dataclass(frozen=True, slots=True)
class Report:
    """Findings in the order of the rows, and how much was looked at.

    compared: printed amounts held against computed ones; by_hand: amounts set by hand, left out.
    """

    issues: tuple[Issue, ...]
    rows: int
    groups: int
    priced: int
    compared: int
    by_hand: int

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(issue.severity == "error" for issue in self.issues)


def check(table: WeightTable, *, scheme_groups: Sequence[str] | None = None) -> Report:
    """Every finding of a loaded table (defects of form stop the loading: WT102 to WT104).

    scheme_groups: the group codes of its scheme (None: not at hand, WT204). WT110 weights not
    above 0, WT114 groups unknown to the scheme, WT115 amounts that do not follow from the weight,
    WT201 and WT202 groups without weight, WT203 severity inversions.
    """
    proof = table.head.proof
    compared = list(compare_amounts(table, proof)) if proof else []
    issues = [
        *_unknown_groups(table, scheme_groups),
        *_not_positive(table),
        *_unpriced(table),
        *_inversions(table),
        *(
            Issue(
                "WT115",
                table.places[one.row],
                {
                    "group": table.groups[one.row],
                    "facts": table.facts[one.row],
                    "printed": one.printed,
                    "computed": decimal_text(one.computed, places=4),
                    "allowed": decimal_text(one.allowed, places=4),
                },
            )
            for one in compared
            if not one.holds
        ),
    ]
    order = {place: number for number, place in enumerate(table.places)}
    issues.sort(key=lambda issue: order.get(issue.where, len(order)))
    return Report(
        issues=tuple(issues),
        rows=len(table),
        groups=len(table.group_codes),
        priced=sum(map(table.has_weight, table.group_codes)),
        compared=len(compared),
        by_hand=adjusted_amounts(table, proof) if proof else 0,
    )


def is_residual(table: WeightTable, group: str) -> bool:
    """Whether a code stands outside the scheme: not grouped, ambiguous, and their like."""
    return matches(group, table.head.residual or words().residual)


def _unknown_groups(table: WeightTable, scheme: Sequence[str] | None) -> Iterator[Issue]:
    if scheme is None:
        yield Issue("WT204", table.id, {"scheme": table.scheme_id})
        return
    known = frozenset(scheme)
    for group in table.group_codes:
        if group not in known and not is_residual(table, group):
            params = {"group": group, "scheme": table.scheme_id, "near": near_groups(group, scheme)}
            yield Issue("WT114", _place(table, group), params)
    # `lacking` also names groups without weight, which have a row and are told with it
    yield from (issue for issue in table.lacking(scheme) if issue.code == "WT201")


def _not_positive(table: WeightTable) -> Iterator[Issue]:
    for name in ("weight", "points"):
        for row, units in enumerate(table.numbers[name].units.tolist()):
            if units == 0:
                text = table.numbers[name].decimal(row)
                yield Issue("WT110", table.places[row], {"text": text})


def _unpriced(table: WeightTable) -> Iterator[Issue]:
    for group in table.group_codes:
        if not table.has_weight(group) and not is_residual(table, group):
            params = {"group": group, "table": table.id}
            yield Issue("WT202", _place(table, group), params)


def _inversions(table: WeightTable) -> Iterator[Issue]:
    """Severer groups that weigh less than milder ones of their ADRG, for the same facts."""
    order = table.head.severity_order or words().severity_order
    rank = {mark: number for number, mark in enumerate(order)}
    families: dict[tuple[str, Facts], list[tuple[int, int]]] = {}
    for row, (group, facts) in enumerate(zip(table.groups, table.facts, strict=True)):
        mark = group[-1:]
        if mark in rank and _worth(table, row) is not None and not is_residual(table, group):
            families.setdefault((group[:-1], facts), []).append((rank[mark], row))
    for members in families.values():
        members.sort()
        for (_, severe), (_, mild) in _pairs(members):
            first, second = _worth(table, severe), _worth(table, mild)
            if first is not None and second is not None and first < second:
                params = {
                    "group": table.groups[severe],
                    "weight": first,
                    "other": table.groups[mild],
                    "other_weight": second,
                }
                yield Issue("WT203", table.places[severe], params)


def _pairs(
    members: list[tuple[int, int]],
) -> Iterable[tuple[tuple[int, int], tuple[int, int]]]:
    return ((a, b) for at, a in enumerate(members) for b in members[at + 1 :])


def _worth(table: WeightTable, row: int) -> Decimal | None:
    weight = table.numbers["weight"].decimal(row)
    return table.numbers["points"].decimal(row) if weight is None else weight


def _place(table: WeightTable, group: str) -> str:
    return table.places[table.rows_of(group)[0]]
