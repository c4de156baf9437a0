"""What parts of a run found, counted and put together as if they had been read at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grouper.codes.dictionary import load_dictionary
from grouper.engine.dip import DipGroups
from grouper.engine.groups import Groups, Status
from grouper.errors import Issue
from grouper.records.batch import CaseBatch
from grouper.records.check import COMMONEST, EXAMPLES, Findings
from grouper.run.pipeline import Counts, Engine
from grouper.scheme.dip import Catalogue
from grouper.scheme.model import Scheme

#: warnings that the whole-file reader lists commonest first
_BY_COUNT = ("RW01", "RW03")
#: told row by row; all others once for what they are about
_ROW_BY_ROW = ("RE01", "RE02", "RE03")
#: found over all rows only
_REPEATED = "RW08"


@dataclass(frozen=True)
class Outcome:
    """How a run ended: what summaries and manifests say.

    notes: as in `Records.notes`; slow: cases that took the kernel's slow path.
    """

    counts: Counts
    issues: list[Issue]
    notes: Mapping[str, object]
    scheme: Scheme | Catalogue
    engine: Engine
    slow: int


@dataclass(frozen=True)
class PartFacts:
    """What one part found, as values that JSON knows.

    sources: input -> rows; status: rows by `Status`; unusable: rejected by the reader, by code;
    issues: (code, where, params); words: cells of codes, and those with words; seconds: by stage.
    """

    rows: int = 0
    sources: Mapping[str, int] = field(default_factory=dict)
    status: Sequence[int] = (0, 0, 0, 0)
    reasons: Mapping[str, int] = field(default_factory=dict)
    unusable: Mapping[str, int] = field(default_factory=dict)
    slow: int = 0
    issues: Sequence[Sequence[Any]] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    repairs: Mapping[str, int] = field(default_factory=dict)
    unknown: Sequence[Mapping[str, Any]] = ()
    words: Mapping[str, int] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """For a JSON file."""
        return asdict(self)


def part_facts(
    batch: CaseBatch, groups: Groups | DipGroups, found: Findings, sources: Mapping[str, int]
) -> PartFacts:
    """The facts of a part that has been grouped."""
    unusable = np.bincount(batch.reject, minlength=len(batch.reject_codes) + 1)[1:]
    return PartFacts(
        rows=len(batch),
        sources=sources,
        status=np.bincount(groups.status, minlength=len(Status)).tolist(),
        reasons=groups.reason_counts(),
        unusable=_named(batch.reject_codes, unusable),
        slow=groups.slow,
        issues=[(each.code, each.where, _plain(each.params)) for each in found.issues],
        counts=dict(found.counts),
        repairs=dict(found.repairs),
        unknown=found.unknown,
        words=dict(found.words),
    )


def _named(names: Sequence[str], counts: NDArray[np.int64]) -> dict[str, int]:
    return {name: int(n) for name, n in zip(names, counts, strict=True) if n}


def _plain(params: Mapping[str, object]) -> dict[str, object]:
    return {k: v if isinstance(v, int | str) else str(v) for k, v in params.items()}


@dataclass
class Tally:
    """The sum of parts, added in order."""

    parts: int = 0
    rows: int = 0
    status: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(Status), np.int64))
    slow: int = 0
    sources: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    unusable: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    repairs: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)
    unknown: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    _issues: dict[str, dict[object, Issue]] = field(default_factory=dict)

    def add(self, facts: PartFacts) -> None:
        """One more part, the next in order."""
        self.parts += bool(facts.rows)
        self.rows += facts.rows
        self.status += np.array(facts.status, np.int64)
        self.slow += facts.slow
        for mine, its in (
            (self.sources, facts.sources),
            (self.reasons, facts.reasons),
            (self.unusable, facts.unusable),
            (self.counts, facts.counts),
            (self.repairs, facts.repairs),
            (self.words, facts.words),
        ):
            mine.update(its)
        for stage, seconds in facts.seconds.items():
            self.seconds[stage] += seconds  # type: ignore[assignment]
        for entry in facts.unknown:
            self.unknown[str(entry["kind"]), str(entry["code"])] += int(entry["count"])
        for code, where, params in facts.issues:
            self._add_issue(Issue(code, where, params))

    def _add_issue(self, issue: Issue) -> None:
        """Findings about the same thing as one, with the first place."""
        kept = self._issues.setdefault(issue.code, {})
        params = dict(issue.params)
        times = params.pop("count", 1)
        same = len(kept) if issue.code in _ROW_BY_ROW else tuple(params.items())
        if same in kept:
            first = kept[same]
            total = int(str(first.params.get("count", 1))) + int(str(times))
            kept[same] = Issue(first.code, first.where, {**first.params, "count": total})
        elif len(kept) < EXAMPLES * 10:
            kept[same] = issue

    def repeated(self, count: int, issue: Issue) -> None:
        """RW08 over all rows, in place of what single parts saw of it."""
        self.counts[_REPEATED] = count
        self._issues[_REPEATED] = {0: issue}

    def forget_repeated(self) -> None:
        """Drop what single parts found of RW08."""
        self.counts.pop(_REPEATED, None)
        self._issues.pop(_REPEATED, None)

    def issues(self) -> list[Issue]:
        """Errors first, then by code; the first `EXAMPLES` of each."""
        found: list[Issue] = []
        for code, kept in self._issues.items():
            each = list(kept.values())
            if code in _BY_COUNT and self.parts > 1:
                each.sort(key=lambda issue: -int(str(issue.params.get("count", 1))))
            found += each[:EXAMPLES]
        return sorted(found, key=lambda issue: (issue.severity != "error", issue.code))

    def case_counts(self) -> Counts:
        """The rows by status, and by reason as single parts count them."""
        return Counts(
            rows=self.rows,
            grouped=int(self.status[Status.GROUPED]),
            ambiguous=int(self.status[Status.AMBIGUOUS]),
            ungrouped=int(self.status[Status.UNGROUPED]),
            rejected=int(self.status[Status.REJECTED]),
            reasons=dict(sorted(self.reasons.items(), key=lambda item: _rank(item[0]))),
        )

    def summary(self) -> dict[str, object]:
        """The figures of `check.Summary`."""
        return {
            "rows": self.rows,
            "usable": self.rows - sum(self.unusable.values()),
            "rejected": dict(sorted(self.unusable.items())),
            "counts": dict(sorted(self.counts.items())),
            "repairs": dict(sorted(self.repairs.items())),
            "unknown_codes": self._unknown_codes(),
        }

    def _unknown_codes(self) -> list[dict[str, object]]:
        """The commonest, in an order that does not depend on how parts were cut."""
        ranked = sorted(self.unknown.items(), key=lambda item: (-item[1], item[0]))[:EXAMPLES]
        return [
            {
                "kind": kind,
                "code": code,
                "count": n,
                "suggestion": _near(kind, code) if place < COMMONEST else "",
            }
            for place, ((kind, code), n) in enumerate(ranked)
        ]


def _near(kind: str, code: str) -> str:
    return " ".join(load_dictionary().table("dx" if kind == "dx" else "px").near(code))


def _rank(token: str) -> tuple[bool, str]:
    # `sex` and `no_dx` stand before the codes of the reader, `sex` first
    return token.startswith("RE"), {"sex": "0", "no_dx": "1"}.get(token, token)


def repetitions(prints: Sequence[NDArray[np.uint64]]) -> tuple[int, int, int] | None:
    """Rows that share an id, as far as the whole-file reader counts them; prints part by part.

    Returns the rows of the hundred commonest ids, how often the commonest occurs, and the first
    row (0-based) with it; None if no id occurs twice.
    """
    # a copy and a mask, and no more: millions of rows have millions of prints
    ordered = np.concatenate([*prints, np.zeros(0, np.uint64)])
    ordered.sort()
    ordered = ordered[np.searchsorted(ordered, 1) :]
    again = ordered[1:] == ordered[:-1]
    if not again.any():
        return None
    # where a run of equal prints begins, and where it ends
    edges = np.flatnonzero(np.diff(again, prepend=False, append=False))
    begins, times = edges[::2], edges[1::2] - edges[::2] + 1
    most = int(times.max())
    commonest = ordered[begins[times == most]]
    counted = np.sort(times)[-EXAMPLES:]
    return int(counted.sum()), most, _first_row(prints, commonest)


def _first_row(prints: Sequence[NDArray[np.uint64]], wanted: NDArray[np.uint64]) -> int:
    """The first row whose print is one of some (sorted)."""
    before = 0
    for part in prints:
        place = np.minimum(np.searchsorted(wanted, part), len(wanted) - 1)
        hits = np.flatnonzero(wanted[place] == part)
        if len(hits):
            return before + int(hits[0])
        before += len(part)
    raise AssertionError("prints that were counted are there")
