"""Which list, table or group of one scheme is which of another, by what they hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence, Set

Pairs = Mapping[tuple[str, str], float]


def matched(
    first: Mapping[str, Set[Hashable]],
    second: Mapping[str, Set[Hashable]],
    *,
    bonus: Pairs,
    least: float = 0.5,
) -> dict[str, str]:
    """The names of `first` with their counterparts in `second`, one to one.

    A pair scores the share of its members that both have (0 to 1), and its bonus. The best pairs
    are taken first, none below `least`. Of the same sets the other way round come the same pairs.
    """
    scores: dict[tuple[str, str], float] = dict(bonus)
    for (one, other), common in _overlaps(first, second).items():
        share = common / (len(first[one]) + len(second[other]) - common)
        scores[one, other] = scores.get((one, other), 0.0) + share
    found: dict[str, str] = {}
    taken: set[str] = set()
    for one, other in sorted(scores, key=lambda pair: (-scores[pair], sorted(pair), pair)):
        if scores[one, other] < least:
            break
        if one not in found and other not in taken:
            found[one] = other
            taken.add(other)
    return found


def _overlaps(
    first: Mapping[str, Set[Hashable]], second: Mapping[str, Set[Hashable]]
) -> dict[tuple[str, str], int]:
    """How many members each two sets share, where they share any."""
    holders: dict[Hashable, list[str]] = defaultdict(list)
    for name, members in first.items():
        for member in members:
            holders[member].append(name)
    found: dict[tuple[str, str], int] = {}
    for other, members in second.items():
        counts: dict[str, int] = defaultdict(int)
        for member in members:
            for one in holders.get(member, ()):
                counts[one] += 1
        found.update({(one, other): n for one, n in counts.items()})
    return found


def components(
    first: Sequence[str], second: Sequence[str], edges: Set[tuple[str, str]]
) -> list[tuple[list[str], list[str]]]:
    """What hangs together by edges, each as its names of `first` and of `second`, in their order.

    A name without an edge is alone.
    """
    group: dict[tuple[int, str], int] = {}
    for side, names in enumerate((first, second)):
        for name in names:
            group[side, name] = len(group)
    for one, other in edges:
        kept, left = sorted((group[0, one], group[1, other]))
        for key, number in group.items():
            if number == left:
                group[key] = kept
    found: dict[int, tuple[list[str], list[str]]] = {}
    for (side, name), number in group.items():
        found.setdefault(number, ([], []))[side].append(name)
    return list(found.values())


def regrouping(before: int, after: int) -> str:
    """What became of so many groups that hang together, now so many: the end of a kind."""
    match before, after:
        case 0, _:
            return "added"
        case _, 0:
            return "removed"
        case 1, 1:
            return "recoded"
        case 1, _:
            return "split"
        case _, 1:
            return "merged"
    return "redrawn"


def out_of_order(places: Sequence[int], names: Sequence[str]) -> set[int]:
    """Few of the items (by index) whose moving would put the others in order.

    places: where each item, in the order of the first sequence, stands in the second. The item
    that most others are on the wrong side of is taken out first; of several, the one that went
    farthest, then the last by name, so that it is the same one from either side.
    """
    left = list(range(len(places)))
    moved: set[int] = set()
    while True:
        wrong = {i: sum((i < j) != (places[i] < places[j]) for j in left if j != i) for i in left}
        worst = max(wrong.values(), default=0)
        if not worst:
            return moved
        index = max(
            (i for i in left if wrong[i] == worst), key=lambda i: (abs(i - places[i]), names[i])
        )
        left.remove(index)
        moved.add(index)
