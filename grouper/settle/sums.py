"""What a run of cases sums to, by case type: checked against the cases before anything is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from grouper.errors import Issue, SettlementError
from grouper.money import total, yuan
from grouper.records.batch import MISSING_FEN
from grouper.settle.amounts import Amounts, CaseType

#: the amounts that are summed
COLUMNS = ("total_fen", "payable_fen", "fund_fen", "pool_fen", "patient_fen", "other_fen")


@dataclass(frozen=True, slots=True)
class CaseSums:
    """Cases by type, and the amounts of the priced ones in fen; what is missing is nothing.

    counted: cases that enter statements. issues: what is said of rows, with the first row as its
    place, and of how many.
    """

    rows: int = 0
    counted: int = 0
    cases: Counter[CaseType] = field(default_factory=Counter)
    fen: Counter[tuple[str, CaseType]] = field(default_factory=Counter)
    issues: tuple[tuple[Issue, int], ...] = ()

    def of(self, column: str) -> int:
        """The sum of an amount over all types."""
        return sum(fen for (name, _), fen in self.fen.items() if name == column)

    def to_dict(self) -> dict[str, object]:
        """Stable keys for `--json` and manifests; amounts as text in yuan."""
        return {
            "rows": self.rows,
            "counted": self.counted,
            "types": {kind.word("en"): n for kind, n in sorted(self.cases.items())},
            **{name.removesuffix("_fen"): yuan(self.of(name)) for name in COLUMNS},
        }


def case_sums(amounts: Amounts) -> CaseSums:
    """The sums of some cases. Raises SettlementError ST307 when they do not meet the cases."""
    priced = amounts.case_type != CaseType.UNPRICED
    sums = CaseSums(
        rows=len(amounts),
        counted=int(np.count_nonzero(amounts.counted)),
        cases=Counter({kind: n for kind, n in amounts.type_counts().items() if n}),
        fen=_by_type(amounts, priced),
        issues=_said(amounts),
    )
    _check(sums, amounts, priced)
    return sums


def added(parts: Iterable[CaseSums]) -> CaseSums:
    """The sums of parts, in their order."""
    rows = counted = 0
    cases: Counter[CaseType] = Counter()
    fen: Counter[tuple[str, CaseType]] = Counter()
    first: dict[str, Issue] = {}
    said: Counter[str] = Counter()
    for part in parts:
        rows, counted = rows + part.rows, counted + part.counted
        cases.update(part.cases)
        fen.update(part.fen)
        for issue, n in part.issues:
            key = repr(replace(issue, where=""))
            first.setdefault(key, issue)
            said[key] += n
    ordered = sorted(said.items(), key=lambda item: -item[1])
    issues = tuple((first[key], n) for key, n in ordered)
    return CaseSums(rows, counted, cases, fen, issues)


def _by_type(amounts: Amounts, priced: NDArray[np.bool_]) -> Counter[tuple[str, CaseType]]:
    found: Counter[tuple[str, CaseType]] = Counter()
    for kind in CaseType:
        rows = priced & (amounts.case_type == kind)
        for name in COLUMNS:
            column = getattr(amounts, name)[rows]
            if len(column):
                found[name, kind] = total(column[column != MISSING_FEN])
    return found


def _said(amounts: Amounts) -> tuple[tuple[Issue, int], ...]:
    counts = np.bincount(amounts.notice, minlength=len(amounts.notices) + 1)[1:].tolist()
    noticed = zip(amounts.notices, counts, strict=True)
    return (*amounts.issue_counts(), *noticed)


def _check(sums: CaseSums, amounts: Amounts, priced: NDArray[np.bool_]) -> None:
    """Types against all cases, and the bill's parts against its total.

    Another road to the same sums: column by column, not type by type.
    """
    whole = amounts.patient_fen != MISSING_FEN
    parts = ("pool_fen", "other_fen", "patient_fen")
    checks = [("cases = rows", sum(sums.cases.values()), len(amounts))]
    for name in COLUMNS:
        column = getattr(amounts, name)[priced]
        known = column[column != MISSING_FEN]
        checks.append((f"{name} by type", sums.of(name), int(known.sum(dtype=object))))
    bill = sum(total(getattr(amounts, name)[whole]) for name in parts)
    checks.append(("total = pool + other + patient", total(amounts.total_fen[whole]), bill))
    gain = amounts.difference_fen[priced]
    payable, cost = sums.of("payable_fen"), sums.of("total_fen")
    checks.append(("difference = payment - cost", total(gain), payable - cost))
    for check, left, right in checks:
        if left != right:
            raise SettlementError("ST307", check=check, left=left, right=right)
