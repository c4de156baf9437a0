"""What changed from one scheme to another, by meaning and not by line.

Lists, groups and exclusion tables are first paired by what they hold, so that a list under another
name is no change of the rules that use it; conditions are compared as what they say.
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.errors import Issue
from grouper.scheme.change import Change, Diff, in_order
from grouper.scheme.diff_codes import CodeChanges, matched_lists
from grouper.scheme.diff_groups import GroupChanges
from grouper.scheme.model import Scheme, same_edition
from grouper.scheme.source import finding


def diff(first: Scheme, second: Scheme) -> Diff:
    """All that differs, in a fixed order; seen from the other side it is the same mirrored."""
    notes = tuple(_notes(first, second))
    if first.digest == second.digest:
        return Diff(first, second, (), notes)
    lists = matched_lists(first, second)
    changes: list[Change] = [*GroupChanges(first, second, lists).all()]
    changes += CodeChanges(first, second, lists).all()
    return Diff(first, second, in_order(changes), notes)


def _notes(first: Scheme, second: Scheme) -> Iterator[Issue]:
    if first.digest == second.digest:
        yield finding("SW21", "", "", first.id, other=second.id, digest=first.digest)
    if not same_edition(first, second):
        yield finding("SW22", "", "", f"{first.id}: {first.codes}",
                      other=f"{second.id}: {second.codes}")  # fmt: skip
