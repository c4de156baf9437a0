"""What groups have cost: exact, mergeable statistics of grouped cases.

A `History` counts, for each group and year, how often each cost occurs. That is all an estimate
needs, whatever it trims: quantiles are exact, sums are sums of whole fen. A summary of fixed size
could not be: an exact quantile of values seen once, in any order, takes the values themselves. So
its size is that of the distinct (group, cost, year), 12 bytes each, and neither the order of the
rows nor the way they are cut into parts changes a bit of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from grouper.errors import Issue, WeightError
from grouper.money import yuan

#: a key holds group, cost and year in this order, so that sorted keys are sorted costs of a group
YEAR_BITS = 5
COST_BITS = 40
#: the largest cost of a case in fen: eleven thousand million yuan
MAX_COST_FEN = (1 << COST_BITS) - 1
_MOST_GROUPS = 1 << (63 - YEAR_BITS - COST_BITS)
_MOST_YEARS = 1 << YEAR_BITS
_HOSPITAL_BITS = 32
#: years so far apart are told apart by sorting them
_MOST_SPAN = 10_000
#: year of cases whose year is not known
NO_YEAR = 0
#: stands for the cost of a case whose cost is not known, as in the record batches
NO_COST = -(2**63)
#: what is done with cases whose cost is 0, below 0, missing or beyond all measure
BadCosts = Literal["refuse", "leave_out"]
#: issue of a bad cost -> why its case was left out
_REASONS = {"WT133": "zero", "WT134": "negative", "WT135": "no_cost"}

_Ints = NDArray[np.int64]
_Counts = NDArray[np.uint32]
_Value = TypeVar("_Value", str, int)


def _no_keys() -> _Ints:
    return np.zeros(0, np.int64)


def _no_counts() -> _Counts:
    return np.zeros(0, np.uint32)


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Counted costs of grouped cases.

    groups: their codes, sorted; adrgs: the ADRG of each, "" for none; names: of each, may be "";
    years: sorted; keys: (m,) int64, distinct and sorted, `group | cost in fen | year`; counts: (m,)
    how often; hospitals: sorted codes; pairs, pair_counts: the same for `group | hospital`;
    left_out: rows that are no cases of a group, by reason.
    """

    groups: tuple[str, ...] = ()
    adrgs: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    keys: _Ints = field(default_factory=_no_keys)
    counts: _Counts = field(default_factory=_no_counts)
    hospitals: tuple[str, ...] = ()
    pairs: _Ints = field(default_factory=_no_keys)
    pair_counts: _Counts = field(default_factory=_no_counts)
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def cases(self) -> int:
        """All cases."""
        return int(self.counts.sum(dtype=np.int64))

    @staticmethod
    def group_of(keys: _Ints) -> _Ints:
        """The group of each key, by position."""
        return keys >> (YEAR_BITS + COST_BITS)

    @staticmethod
    def fen_of(keys: _Ints) -> _Ints:
        """The cost of each key in fen."""
        return (keys >> YEAR_BITS) & MAX_COST_FEN

    @staticmethod
    def year_of(keys: _Ints) -> NDArray[np.uint8]:
        """The year of each key, by position."""
        return (keys & (_MOST_YEARS - 1)).astype(np.uint8)

    def starts(self) -> _Ints:
        """Where the keys of each group begin, (groups + 1,)."""
        edges = np.arange(len(self.groups) + 1, dtype=np.int64) << (YEAR_BITS + COST_BITS)
        return np.searchsorted(self.keys, edges).astype(np.int64)

    def hospital_counts(self) -> tuple[_Ints, _Ints]:
        """Hospitals of each group, and the cases of its largest one; (groups,) each."""
        group = self.pairs >> _HOSPITAL_BITS
        many = np.bincount(group, minlength=len(self.groups)).astype(np.int64)
        largest = np.zeros(len(self.groups), np.int64)
        np.maximum.at(largest, group, self.pair_counts)
        return many, largest

    def merge(self, *others: History) -> History:
        """The history of all cases of several; in whatever order, the same."""
        return merged((self, *others))


def history(
    groups: Sequence[str],
    group: NDArray[np.integer],
    cost_fen: _Ints,
    *,
    adrgs: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    year: NDArray[np.integer] | None = None,
    hospitals: Sequence[str] = (),
    hospital: NDArray[np.integer] | None = None,
    left_out: Mapping[str, int] | None = None,
    bad_costs: BadCosts = "refuse",
    where: Callable[[int], str] = lambda row: f"row {row + 1}",
) -> History:
    """The history of some cases.

    group: (n,) position in `groups`; cost_fen: (n,) whole fen, above 0; year: (n,); hospital: (n,)
    position in `hospitals`, -1 where it is not known; adrgs: of each group, None = the first three
    letters of a code of four (CHS-DRG 2.0: the ADRG, then the severity); left_out: rows left out
    before, by reason; where: names the place of a row in messages.

    Raises WeightError WT133 for a cost of 0, WT134 below 0, WT135 missing or above `MAX_COST_FEN`
    unless `bad_costs` says to leave such cases out, WT136 for an empty group code, WT143 for more
    groups or years than a history holds.
    """
    if "" in groups:
        raise WeightError("WT136")
    left_out = dict(left_out or {})
    bad = _bad_costs(cost_fen)
    if bad and bad_costs == "refuse":
        raise WeightError.of(_cost_issues(bad, groups, group, cost_fen, where))
    if bad:
        good = ~np.any(list(bad.values()), axis=0)
        group, cost_fen = group[good], cost_fen[good]
        year = None if year is None else year[good]
        hospital = None if hospital is None else hospital[good]
        left_out |= {_REASONS[code]: int(rows.sum()) for code, rows in bad.items()}
    order = sorted(range(len(groups)), key=lambda k: groups[k])
    rank = np.empty(len(groups), np.int64)
    rank[order] = np.arange(len(groups))
    years, year_at = ((NO_YEAR,), None) if year is None else _positions(year)
    if len(groups) >= _MOST_GROUPS or len(years) > _MOST_YEARS:
        raise WeightError("WT143", groups=len(groups), years=len(years))
    keys = rank[group]
    keys <<= COST_BITS
    keys |= cost_fen
    keys <<= YEAR_BITS
    if year_at is not None:
        keys |= year_at
    keys.sort()
    adrgs = [adrg_of(code) for code in groups] if adrgs is None else adrgs
    names = [""] * len(groups) if names is None else names
    places = sorted(range(len(hospitals)), key=lambda k: hospitals[k])
    pairs = np.zeros(0, np.int64)
    if hospital is not None and len(hospitals):
        place = np.empty(len(hospitals), np.int64)
        place[places] = np.arange(len(hospitals))
        told = hospital >= 0
        pairs = np.sort((rank[group[told]] << _HOSPITAL_BITS) | place[hospital[told]])
    return _without_idle(
        History(
            tuple(groups[k] for k in order),
            tuple(adrgs[k] for k in order),
            tuple(names[k] for k in order),
            years,
            *_counted(keys),
            tuple(hospitals[k] for k in places),
            *_counted(pairs),
            left_out,
        )
    )


def adrg_of(code: str) -> str:
    """The ADRG of a DRG code of four places, "" for other codes (DIP)."""
    return code[:3] if len(code) == 4 else ""


def _positions(years: NDArray[np.integer]) -> tuple[tuple[int, ...], _Ints]:
    """The distinct years, sorted, and the position of each of (n,) years among them."""
    first = int(years.min(initial=NO_YEAR + 9999))
    off = years.astype(np.int64) - first
    if off.max(initial=0) >= _MOST_SPAN:
        distinct, at = np.unique(years, return_inverse=True)
        return tuple(distinct.tolist()), at.astype(np.int64)
    seen = np.bincount(off) > 0
    return tuple((np.flatnonzero(seen) + first).tolist()), (np.cumsum(seen) - 1)[off]


def _bad_costs(cost_fen: _Ints) -> dict[str, NDArray[np.bool_]]:
    """The rows of each kind of cost that is none, by issue code."""
    if cost_fen.min(initial=1) > 0 and cost_fen.max(initial=1) <= MAX_COST_FEN:
        return {}
    missing = cost_fen == NO_COST
    rows = {
        "WT133": cost_fen == 0,
        "WT134": (cost_fen < 0) & ~missing,
        "WT135": missing | (cost_fen > MAX_COST_FEN),
    }
    return {code: found for code, found in rows.items() if found.any()}


def _cost_issues(
    bad: Mapping[str, NDArray[np.bool_]],
    groups: Sequence[str],
    group: NDArray[np.integer],
    cost_fen: _Ints,
    where: Callable[[int], str],
) -> list[Issue]:
    """One issue a kind, with its first row."""
    issues = []
    for code, rows in bad.items():
        at = int(rows.argmax())
        cost = int(cost_fen[at])
        shown = "-" if cost == NO_COST else yuan(cost)
        params = {"count": int(rows.sum()), "group": groups[int(group[at])], "cost": shown}
        issues.append(Issue(code, where(at), params))
    return issues


def _counted(keys: _Ints) -> tuple[_Ints, _Counts]:
    """Distinct keys of a sorted array and how often each occurs."""
    if not len(keys):
        return keys, np.zeros(0, np.uint32)
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    counts = np.diff(np.append(first, len(keys))).astype(np.uint32)
    return (keys, counts) if len(first) == len(keys) else (keys[first], counts)


def _summed(keys: Sequence[_Ints], counts: Sequence[_Counts]) -> tuple[_Ints, _Counts]:
    """Sorted runs of counted keys as one."""
    if len(keys) == 1:
        return keys[0], counts[0]
    every = np.concatenate(keys)
    # a stable sort finds the runs and merges them
    order = np.argsort(every, kind="stable")
    every, often = every[order], np.concatenate(counts)[order]
    first = np.flatnonzero(np.concatenate([[True], every[1:] != every[:-1]])[: len(every)])
    if len(first) == len(every):
        return every, often
    return every[first], np.add.reduceat(often, first, dtype=np.uint32)


def merged(parts: Iterable[History]) -> History:
    """Several histories as one.

    Raises WeightError WT137 when they give a group different ADRGs, WT143 for too many groups.
    """
    listed = [part for part in parts if part.groups or part.left_out]
    if not listed:
        return History()
    groups = _union(part.groups for part in listed)
    years = _union(part.years for part in listed)
    hospitals = _union(part.hospitals for part in listed)
    if len(groups) >= _MOST_GROUPS or len(years) > _MOST_YEARS:
        raise WeightError("WT143", groups=len(groups), years=len(years))
    adrgs, names = dict[str, str](), dict[str, str]()
    for part in listed:
        for code, adrg, name in zip(part.groups, part.adrgs, part.names, strict=True):
            if adrgs.setdefault(code, adrg) != adrg:
                first, second = sorted((adrg, adrgs[code]))
                raise WeightError("WT137", group=code, first=first, second=second)
            # of several spellings the first in order: no matter which part came first
            names[code] = min(filter(None, (names.get(code), name)), default="")
    left_out: dict[str, int] = {}
    for part in listed:
        for reason, count in part.left_out.items():
            left_out[reason] = left_out.get(reason, 0) + count
    group_at, year_at = _ranks(groups), _ranks(years)
    hospital_at = _ranks(hospitals)
    keys = [_renumbered(part, group_at, year_at) for part in listed]
    pairs = [_renumbered_pairs(part, group_at, hospital_at) for part in listed]
    return History(
        groups,
        tuple(adrgs[code] for code in groups),
        tuple(names[code] for code in groups),
        years,
        *_summed(keys, [part.counts for part in listed]),
        hospitals,
        *_summed(pairs, [part.pair_counts for part in listed]),
        dict(sorted(left_out.items())),
    )


def _union(parts: Iterable[tuple[_Value, ...]]) -> tuple[_Value, ...]:
    return tuple(sorted({value for part in parts for value in part}))


def _ranks(values: Sequence[_Value]) -> dict[_Value, int]:
    return {value: k for k, value in enumerate(values)}


def _renumbered(part: History, groups: Mapping[str, int], years: Mapping[int, int]) -> _Ints:
    """The keys of a part under the positions of the whole; they stay sorted."""
    group = np.array([groups[code] for code in part.groups], np.int64)
    year = np.array([years[one] for one in part.years], np.int64)
    if _same(group) and _same(year):
        return part.keys
    keys = group[History.group_of(part.keys)]
    keys <<= COST_BITS + YEAR_BITS
    keys |= History.fen_of(part.keys) << YEAR_BITS
    keys |= year[History.year_of(part.keys)]
    return keys


def _renumbered_pairs(
    part: History, groups: Mapping[str, int], hospitals: Mapping[str, int]
) -> _Ints:
    group = np.array([groups[code] for code in part.groups], np.int64)
    hospital = np.array([hospitals[code] for code in part.hospitals], np.int64)
    low = (1 << _HOSPITAL_BITS) - 1
    pairs: _Ints = group[part.pairs >> _HOSPITAL_BITS] << _HOSPITAL_BITS
    pairs |= hospital[part.pairs & low]
    return pairs


def _same(rank: _Ints) -> bool:
    return bool((rank == np.arange(len(rank))).all())


def _without_idle(found: History) -> History:
    """The history without groups and hospitals that have no case."""
    here = np.zeros(len(found.groups), bool)
    here[History.group_of(found.keys)] = True
    seen = np.zeros(len(found.hospitals), bool)
    seen[found.pairs & ((1 << _HOSPITAL_BITS) - 1)] = True
    if here.all() and seen.all():
        return found
    group, hospital = np.cumsum(here) - 1, np.cumsum(seen) - 1
    keys = group[History.group_of(found.keys)] << (COST_BITS + YEAR_BITS)
    keys |= found.keys & ((1 << (COST_BITS + YEAR_BITS)) - 1)
    pairs = group[found.pairs >> _HOSPITAL_BITS] << _HOSPITAL_BITS
    pairs |= hospital[found.pairs & ((1 << _HOSPITAL_BITS) - 1)]

    def kept(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(value for value, used in zip(values, here.tolist(), strict=True) if used)

    return replace(
        found,
        groups=kept(found.groups),
        adrgs=kept(found.adrgs),
        names=kept(found.names),
        keys=keys,
        hospitals=tuple(h for h, used in zip(found.hospitals, seen.tolist(), strict=True) if used),
        pairs=pairs,
    )


class HistoryStream:
    """Collects parts of a history that arrive one after the other.

    Parts of like size are merged as they come, so that a case is moved once for each doubling of
    the rows, and not once for each part.
    """

    def __init__(self) -> None:
        self._held: list[History] = []

    def add(self, part: History) -> None:
        """Take in a further part."""
        self._held.append(part)
        while len(self._held) > 1 and len(self._held[-2].keys) <= 2 * len(self._held[-1].keys):
            last = self._held.pop()
            self._held[-1] = self._held[-1].merge(last)

    def result(self) -> History:
        """All parts as one."""
        return merged(self._held)
