"""What a report says, as plain values: texts, counts and fen. Page and workbook only draw it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from grouper.dated import Confidence
from grouper.errors import Lang
from grouper.monitor.coverage import CoverageRow

#: stands for the amount of a case whose cost is not known, as in the record batches
_MISSING_FEN = -(2**63)


@dataclass(frozen=True, slots=True)
class Basis:
    """One thing the report rests on: scheme, weight table, policy, input file."""

    label: str
    value: str
    confidence: Confidence | None = None


@dataclass(frozen=True, slots=True)
class StatusCount:
    """How many cases ended so: `grouped`, `ambiguous`, `ungrouped` or `rejected`."""

    status: str
    count: int


@dataclass(frozen=True, slots=True)
class Problem:
    """A common problem of the records: its code, what is wrong, what to do, how often."""

    code: str
    text: str
    remedy: str
    count: int


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group: cases, their cost and what they are worth in fen (None = not known)."""

    code: str
    name: str
    cases: int
    cost_fen: int | None
    standard_fen: int | None = None

    @property
    def difference_fen(self) -> int | None:
        """Standard minus cost: what the group gains (positive) or loses."""
        if self.cost_fen is None or self.standard_fen is None:
            return None
        return self.standard_fen - self.cost_fen


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line of a month statement: id (M6), label, amount in fen or a count, how it is made."""

    id: str
    label: str
    amount: int
    unit: Literal["fen", "count"]
    formula: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """The month statement of one hospital and insurance; no hospital = a total over several."""

    hospital: str
    hospital_name: str
    insurance: str
    month: str
    lines: tuple[StatementLine, ...]
    place: str = ""


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything a page or workbook shows; texts are already in the language of `lang`.

    program     name and version of the program
    made        when it was made, as text; empty = not said (the same input, the same bytes)
    confidence  lowest mark of all it rests on
    area        name of the pooling area
    origin      `invented`: the data are a demonstration, said plainly at the top
    counts      cases by status; groups in any order; coverage as the monitor returns it
    """

    title: str
    lang: Lang
    program: str
    basis: tuple[Basis, ...]
    confidence: Confidence
    origin: Literal["real", "invented"]
    counts: tuple[StatusCount, ...] = ()
    problems: tuple[Problem, ...] = ()
    groups: tuple[GroupRow, ...] = ()
    statements: tuple[Statement, ...] = ()
    coverage: tuple[CoverageRow, ...] = ()
    notes: tuple[str, ...] = ()
    made: str = ""
    area: str = ""

    @property
    def total(self) -> int:
        """All cases of all statuses."""
        return sum(count.count for count in self.counts)

    @property
    def groups_by_cost(self) -> tuple[GroupRow, ...]:
        """Groups, the dearest first; unknown cost last, then by code."""
        return tuple(
            sorted(
                self.groups,
                key=lambda group: (group.cost_fen is None, -(group.cost_fen or 0), group.code),
            )
        )


def summarize_groups(
    group: NDArray[np.integer],
    codes: Sequence[str],
    names: Sequence[str],
    cost_fen: NDArray[np.int64],
    standard_fen: NDArray[np.int64] | None = None,
) -> tuple[GroupRow, ...]:
    """One row for each group that has cases, in the order of the codes' table.

    group: (n,) position in `codes` and `names`; position 0 and empty codes are no group.
    cost_fen, standard_fen: (n,) int64, the smallest int64 = not known; a group with a case of
    unknown amount has an unknown sum.
    """
    rows = []
    n = np.bincount(group, minlength=len(codes))
    cost = _sums(group, cost_fen, len(codes))
    standard = None if standard_fen is None else _sums(group, standard_fen, len(codes))
    for k in np.flatnonzero(n).tolist():
        if k == 0 or not codes[k]:
            continue
        worth = None if standard is None else standard[k]
        rows.append(GroupRow(codes[k], names[k], int(n[k]), cost[k], worth))
    return tuple(rows)


def _sums(group: NDArray[np.integer], fen: NDArray[np.int64], length: int) -> list[int | None]:
    known = fen != _MISSING_FEN
    sums = np.zeros(length, np.int64)
    np.add.at(sums, group[known], fen[known])
    unknown = np.zeros(length, bool)
    unknown[group[~known]] = True
    return [
        None if gap else int(value)
        for value, gap in zip(sums.tolist(), unknown.tolist(), strict=True)
    ]


def line_titles(statements: Iterable[Statement]) -> tuple[StatementLine, ...]:
    """Every line that occurs, once, in the order of first sight (its amount is of no meaning)."""
    lines: dict[str, StatementLine] = {}
    for statement in statements:
        for line in statement.lines:
            lines.setdefault(line.id, line)
    return tuple(lines.values())


def sum_statements(statements: Sequence[Statement], *, label: str) -> tuple[Statement, ...]:
    """A total for each insurance and, if there are several, one over all; `label` names them.

    Every line is the plain sum of the statements' lines: the parts are the total, to the fen.
    """
    insurances = tuple(dict.fromkeys(statement.insurance for statement in statements))
    groups = [(name, [s for s in statements if s.insurance == name]) for name in insurances]
    if len(groups) > 1:
        groups.append(("", list(statements)))
    titles = line_titles(statements)
    return tuple(
        Statement("", label, insurance, "", _summed(titles, parts)) for insurance, parts in groups
    )


def _summed(
    titles: Sequence[StatementLine], parts: Sequence[Statement]
) -> tuple[StatementLine, ...]:
    sums = dict.fromkeys((title.id for title in titles), 0)
    for part in parts:
        for line in part.lines:
            sums[line.id] += line.amount
    return tuple(
        StatementLine(title.id, title.label, sums[title.id], title.unit, title.formula)
        for title in titles
    )
