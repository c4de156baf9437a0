"""Several core rows fit a case: the steps that leave one, and what each step dropped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from grouper.errors import SchemeError
from grouper.scheme.dip import CatalogueRow
from grouper.scheme.dip_operations import hits
from grouper.scheme.dip_preset import Preset


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row that fits: its position, the operations it asks for, those of the case it uses."""

    at: int
    data: CatalogueRow
    asks: int
    matched: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TieFigures:
    """What steps may ask about the worth of rows, by their position; yuan for the means.

    Grouping knows no weight table: whoever has one hands these over. Empty: none is known.
    """

    scores: Sequence[Decimal | None] = ()
    mean_costs: Sequence[Decimal | None] = ()

    def score(self, at: int) -> Decimal | None:
        """The score of a row, None where there is none."""
        return self.scores[at] if self.scores else None

    def mean_cost(self, at: int) -> Decimal | None:
        """The mean cost of a row, None where there is none."""
        return self.mean_costs[at] if self.mean_costs else None


@dataclass(frozen=True, slots=True)
class Round:
    """One step: the rows (positions) it kept and those it dropped."""

    step: str
    kept: tuple[int, ...]
    dropped: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Case:
    px: tuple[str, ...]
    cost: Decimal | None
    match: str
    figures: TieFigures


Step = Callable[[Sequence[Candidate], _Case], list[Candidate]]


def narrow(
    candidates: Sequence[Candidate],
    preset: Preset,
    px: tuple[str, ...],
    cost: Decimal | None,
    figures: TieFigures,
) -> tuple[Candidate, tuple[Round, ...], bool]:
    """The row that the preset's steps leave, the rounds, and whether the cost took part.

    Raises SchemeError SE62 when more than one is left at the end.
    """
    left = list(candidates)
    rounds = [Round("candidates", tuple(one.at for one in left))]
    case, cost_used = _Case(px, cost, preset.ext_match, figures), False
    for step in preset.tie:
        if len(left) == 1:
            break
        # asked, whether the cost is there or not: a case with another cost may end otherwise
        cost_used = cost_used or step == "nearest_cost"
        kept = STEPS[step](left, case)
        if len(kept) < len(left):
            dropped = tuple(one.at for one in left if one not in kept)
            rounds.append(Round(step, tuple(one.at for one in kept), dropped))
            left = kept
    if len(left) > 1:
        code = left[0].data.code
        raise SchemeError("SE62", left[0].data.where, code=code, n=len(left) - 1, name=preset.id)
    return left[0], tuple(rounds), cost_used


def _most(
    value: Callable[[Candidate], int], left: Sequence[Candidate], _: _Case
) -> list[Candidate]:
    best = max(map(value, left))
    return [one for one in left if value(one) == best]


def _if_two(left: Sequence[Candidate], case: _Case) -> list[Candidate]:
    """Rows with most operations, but only where some row has two or more."""
    if max(one.asks for one in left) < 2:
        return list(left)
    return _most(lambda one: one.asks, left, case)


def _only(test: Callable[[Candidate, _Case], bool]) -> Step:
    """The rows that pass a test; all of them if none does."""

    def step(left: Sequence[Candidate], case: _Case) -> list[Candidate]:
        return [one for one in left if test(one, case)] or list(left)

    return step


def _is_exact(one: Candidate, case: _Case) -> bool:
    return one.asks == len(case.px) and set(one.matched) == set(case.px)


def _all_matched(one: Candidate, case: _Case) -> bool:
    return set(one.matched) == set(case.px)


def _names_main(one: Candidate, case: _Case) -> bool:
    parts = one.data.operations
    return any(hits(token, case.px[0], case.match) for part in parts for token in part)


def _nearest_cost(left: Sequence[Candidate], case: _Case) -> list[Candidate]:
    """The rows whose mean cost is nearest; all where the cost, or a mean, is not known."""
    cost = case.cost
    means = [case.figures.mean_cost(one.at) for one in left]
    if cost is None or any(mean is None for mean in means):
        return list(left)
    gaps = [abs(mean - cost) for mean in means if mean is not None]
    return [one for one, gap in zip(left, gaps, strict=True) if gap == min(gaps)]


def _highest_score(left: Sequence[Candidate], case: _Case) -> list[Candidate]:
    scores = [case.figures.score(one.at) or Decimal(0) for one in left]
    return [one for one, score in zip(left, scores, strict=True) if score == max(scores)]


#: how presets narrow candidates down, by the name of the step
STEPS: Mapping[str, Step] = {
    "core_before_primary": _only(lambda one, _: one.data.kind != "primary"),
    "exact": _only(_is_exact),
    "most_related": partial(_most, lambda one: len(one.data.related[0]) if one.data.related else 0),
    "most_operations_if_two": _if_two,
    "most_operations": partial(_most, lambda one: one.asks),
    "most_matched": partial(_most, lambda one: len(one.matched)),
    "all_matched": _only(_all_matched),
    "with_main_operation": _only(_names_main),
    "nearest_cost": _nearest_cost,
    "highest_score": _highest_score,
    "first": lambda left, _: [min(left, key=lambda one: one.at)],
    "last": lambda left, _: [max(left, key=lambda one: one.at)],
    "code": lambda left, _: [min(left, key=lambda one: one.data.code)],
}
