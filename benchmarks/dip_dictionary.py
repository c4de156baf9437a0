"""The DIP matcher that one would write in an afternoon: dictionaries, sets, the rules of one city.

Honest work with the rules of the preset `base` on a catalogue of the 2.0 form, no options and no
explanations. It is a yardstick for the benchmarks, not a part of the program.
"""

from __future__ import annotations

from decimal import Decimal

from grouper.engine.dip import case_at
from grouper.engine.dip_reference import DipReference
from grouper.records.batch import CaseBatch

_RANK = {"conservative": 0, "diagnostic": 1, "therapeutic": 2, "surgical": 3, "interventional": 3}

Record = tuple[str, tuple[str, ...], Decimal | None]


class DipDictionary:
    """Core rows by diagnosis, comprehensive rows by diagnosis and class."""

    def __init__(self, reference: DipReference, classes: dict[str, str]) -> None:
        self._rank = {code: _RANK[name] for code, name in classes.items()}
        self._core: dict[str, list[tuple[frozenset[str], int, Decimal | None]]] = {}
        self._plain: dict[str, int] = {}
        self._wide: dict[tuple[str, int], int] = {}
        for at, row in enumerate(reference.catalogue.rows):
            for key in row.dx_keys:
                if row.kind == "comprehensive":
                    self._wide.setdefault((key, _RANK[row.cls]), at)
                elif row.kind != "core":
                    continue
                elif row.main:
                    mean = reference.figures.mean_cost(at)
                    ops = frozenset(row.operations[0])
                    self._core.setdefault(key, []).append((ops, at, mean))
                else:
                    self._plain.setdefault(key, at)

    def group(self, record: Record) -> int:
        """The row of a case, -1 if it has none."""
        principal, px, cost = record
        principal, done = principal.upper(), frozenset(code.upper() for code in px)
        keys = (principal, principal[:5], principal[:3])
        found = [one for key in keys for one in self._core.get(key, ()) if one[0] <= done]
        if found:
            return found[0][1] if len(found) == 1 else self._one_of(found, cost)
        rank = max((self._rank.get(code, 0) for code in done), default=0)
        if rank == 0:
            for key in keys:
                if key in self._plain:
                    return self._plain[key]
        for key in keys:
            if (key, rank) in self._wide:
                return self._wide[key, rank]
        return -1

    def _one_of(
        self, found: list[tuple[frozenset[str], int, Decimal | None]], cost: Decimal | None
    ) -> int:
        most = max(len(ops) for ops, _, _ in found)
        found = [one for one in found if len(one[0]) == most]
        if len(found) > 1 and cost is not None and all(one[2] is not None for one in found):
            return min(found, key=lambda one: abs(one[2] - cost))[1]  # type: ignore[operator]
        return found[0][1]


def records(batch: CaseBatch) -> list[Record]:
    """The cases of a batch as the matcher takes them."""
    some = (case_at(batch, at) for at in range(len(batch)))
    return [(case.dx[0] if case.dx else "", case.px, case.cost) for case in some]
