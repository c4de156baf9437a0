"""Step Y2: which special cases (特例单议) a year takes, and what each is paid.

Hospitals apply, the agency reviews by month or quarter (医保发〔2025〕18号 arts. 20-24); what it
decided is an input. The quota goes over the pooling area and the year, insurances together, unless
a region's document sets one for each hospital.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from grouper.errors import Issue
from grouper.money import round_half_up
from grouper.settle.special import Application, quota, review

QuotaScope = Literal["area", "hospital"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the review said of one application.

    list: hospital and id of the list. ratio: share of the recorded pool that is paid (by item);
    amount_fen: a reviewed amount in its place. where: the row of the entries, for messages.
    """

    list: str
    passed: bool
    ratio: Fraction = Fraction(1)
    amount_fen: int | None = None
    where: str = ""

    def paid_fen(self, recorded_fen: int) -> int:
        """What the fund pays for the case, half up."""
        if self.amount_fen is not None:
            return self.amount_fen
        return round_half_up(recorded_fen * self.ratio)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A case that applied: where it belongs, and its amounts in fen."""

    hospital: str
    application: Application


@dataclass(frozen=True, slots=True)
class QuotaRules:
    """How many cases a year takes: share of discharges, of what; cost over standard above which."""

    share: Fraction
    scope: QuotaScope = "area"
    min_ratio: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class YearReview:
    """The applications of a year: quota by scope ("" = the area), and what became of each id.

    paid_fen: id -> what the fund pays for an accepted case. The others are paid as grouped.
    """

    quota: Mapping[str, int]
    paid_fen: Mapping[str, int]
    over_quota: tuple[str, ...]
    no_loss: tuple[str, ...]
    failed: tuple[str, ...]
    issues: tuple[Issue, ...]


def review_year(
    candidates: Sequence[Candidate],
    decisions: Mapping[str, Decision],
    discharges: Mapping[str, int],
    rules: QuotaRules,
) -> YearReview:
    """Passed cases up to the quota, ranked by loss, the largest first, then by id.

    discharges: hospital -> all its discharges of the year. More passed cases than the quota takes
    is ST303, a warning: "in principle" is what the notice says, the rest is paid as grouped.
    """
    passed: dict[str, list[Application]] = {}
    failed = []
    for one in candidates:
        if decisions[one.application.id].passed:
            scope = one.hospital if rules.scope == "hospital" else ""
            passed.setdefault(scope, []).append(one.application)
        else:
            failed.append(one.application.id)
    counts = Counter(discharges) if rules.scope == "hospital" else Counter({"": 0})
    if rules.scope == "area":
        counts[""] = sum(discharges.values())
    found: dict[str, int] = {scope: quota(n, rules.share) for scope, n in counts.items()}
    paid: dict[str, int] = {}
    over, without, issues = [], [], []
    for scope, applications in sorted(passed.items()):
        enough = [one for one in applications if _costs_enough(one, rules.min_ratio)]
        without += [one.id for one in applications if not _costs_enough(one, rules.min_ratio)]
        made = review(enough, found[scope])
        for taken in made.accepted:
            paid[taken.id] = decisions[taken.id].paid_fen(taken.recorded_fen)
        over += [one.id for one in made.over_quota]
        if made.over_quota:
            params = {"n": len(made.over_quota), "of": len(enough), "quota": found[scope]}
            issues.append(Issue("ST303", scope, params))
    return YearReview(
        quota=found,
        paid_fen=paid,
        over_quota=tuple(sorted(over)),
        no_loss=tuple(sorted(without)),
        failed=tuple(sorted(failed)),
        issues=tuple(issues),
    )


def _costs_enough(one: Application, min_ratio: Fraction) -> bool:
    """Whether the case loses, and its cost over its standard is above the ratio."""
    return one.loss_fen > 0 and one.total_fen > min_ratio * one.standard_fen
