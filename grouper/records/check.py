"""What is wrong with records: collected, counted, and told with the place and the remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from grouper.codes.dictionary import CodeTable
from grouper.errors import Issue
from grouper.records.batch import MISSING, MISSING_FEN, CaseBatch
from grouper.records.code_column import CleanCodes
from grouper.records.textcolumn import fingerprints

#: where a row is, for a message
Place = Callable[[int], str]

#: so many issues of one code are kept one by one; the rest is only counted
EXAMPLES = 100
#: so many unknown codes are listed with a suggestion
COMMONEST = 10


@dataclass
class Findings:
    """Issues as they are found: the first of each code kept, all of them counted.

    repairs: kind of repair -> cells; unknown: the commonest unknown codes with suggestions; words:
    for a part of a table, `dx:filled` and `dx:words`, cells of codes and those that hold words.
    """

    issues: list[Issue] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    repairs: Counter[str] = field(default_factory=Counter)
    unknown: list[dict[str, object]] = field(default_factory=list)
    kept: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)

    def add(self, code: str, where: str, *, times: int = 1, **params: object) -> None:
        """One finding that holds for `times` rows or cells."""
        self.counts[code] += times
        if self.kept[code] < EXAMPLES:
            self.kept[code] += 1
            self.issues.append(Issue(code, where, {**params, "count": times}))

    def ordered(self) -> list[Issue]:
        """Errors first, then by code, in the order found."""
        return sorted(self.issues, key=lambda issue: (issue.severity != "error", issue.code))


@dataclass(frozen=True)
class Summary:
    """Counts a reader wants to see: rows, rows by reason of rejection, findings by code."""

    rows: int
    usable: int
    rejected: dict[str, int]
    counts: dict[str, int]
    repairs: dict[str, int]
    unknown_codes: list[dict[str, object]]

    def to_dict(self) -> dict[str, object]:
        """Stable keys for `--json`."""
        return {
            "rows": self.rows,
            "usable": self.usable,
            "rejected": self.rejected,
            "counts": self.counts,
            "repairs": self.repairs,
            "unknown_codes": self.unknown_codes,
        }


def summarize(batch: CaseBatch, findings: Findings) -> Summary:
    """What reading found, in figures."""
    found = np.bincount(batch.reject, minlength=len(batch.reject_codes) + 1)
    rejected = {code: int(n) for code, n in zip(batch.reject_codes, found[1:], strict=True) if n}
    commonest = sorted(findings.unknown, key=lambda entry: -int(str(entry["count"])))
    return Summary(
        len(batch),
        int(found[0]),
        rejected,
        dict(sorted(findings.counts.items())),
        dict(sorted(findings.repairs.items())),
        commonest[:EXAMPLES],
    )


def short(value: object, *, limit: int = 40) -> str:
    """A value fit for a message: one line, not longer than a line."""
    text = str(value)[: limit + 1]
    if not text.isprintable():
        text = "".join(char if char.isprintable() else "�" for char in text)
    return text if len(text) <= limit else f"{text[:limit]}..."


def check_codes(
    clean: CleanCodes, table: CodeTable, findings: Findings, place: Place, *, part: bool
) -> None:
    """RW01 unknown, RW02 repaired, RW03 gray, RW05 gaps and repetitions.

    Near codes are looked for where the rows are no part of more: it costs far more than knowing
    that a code is unknown.
    """
    for at, (code, times, row) in enumerate(clean.unknown):
        near = "" if part or at >= COMMONEST else " ".join(table.near(code))
        where = place(row) if findings.kept["RW01"] < EXAMPLES else ""
        told = {"kind": table.kind, "text": short(code), "near": near or "-"}
        findings.add("RW01", where, times=times, **told)
        entry = {"kind": table.kind, "code": short(code), "count": times, "suggestion": near}
        findings.unknown.append(entry)
    for change in clean.changed:
        for how in change.how:
            findings.repairs[how] += change.count
        findings.add(
            "RW02",
            place(change.row),
            times=change.count,
            text=short(change.text),
            to=" ".join(change.codes),
            how=" ".join(change.how),
        )
    for code, times, row in clean.gray:
        where = place(row) if findings.kept["RW03"] < EXAMPLES else ""
        findings.add("RW03", where, times=times, kind=table.kind, text=code)
    for what, mask in (("gap", clean.gaps), ("duplicate", clean.duplicates)):
        if mask.any():
            at = int(mask.argmax())
            findings.add("RW05", place(at), times=int(mask.sum()), found=what, kind=table.kind)


def check_newborns(batch: CaseBatch, findings: Findings, place: Place) -> None:
    """RW07: age 0 without days, or under 29 days without weight: newborn rules need them."""
    infant = batch.age_years == 0
    no_days = infant & (batch.age_days == MISSING)
    newborn = infant & (batch.age_days != MISSING) & (batch.age_days <= 28)
    no_weight = newborn & (batch.admission_weight == MISSING)
    for what, mask in (("age_days", no_days), ("weight", no_weight)):
        if mask.any():
            findings.add("RW07", place(int(mask.argmax())), times=int(mask.sum()), field=what)


def check_ids(batch: CaseBatch, findings: Findings, place: Place) -> None:
    """RW08: the same id in several rows; all of them are kept."""
    prints = np.sort(fingerprints(batch.case_id))
    if not ((prints[1:] == prints[:-1]) & (prints[1:] != 0)).any():
        return
    counts = Counter(batch.case_id)
    counts.pop("", None)
    for case_id, n in counts.most_common(EXAMPLES):
        if n < 2:
            break
        first = batch.case_id.index(case_id)
        findings.add("RW08", place(first), times=n, id=short(case_id))


def check_bill(total: NDArray[np.int64], parts: Sequence[NDArray[np.int64]]) -> NDArray[np.bool_]:
    """Rows (mask) whose parts are all known and do not add up to the total, in fen."""
    known = total != MISSING_FEN
    added = np.zeros(len(total), np.int64)
    for part in parts:
        known &= part != MISSING_FEN
        added += np.where(part == MISSING_FEN, 0, part)
    broken: NDArray[np.bool_] = known & (added != total)
    return broken
