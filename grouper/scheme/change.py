"""One thing that differs between two schemes, and all of them together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from grouper.errors import Issue
from grouper.scheme.meaning import Relation
from grouper.scheme.model import Scheme

Subject = Literal["groups", "conditions", "lists", "cc", "exclusions", "notgrouped"]
SUBJECTS: tuple[Subject, ...] = get_args(Subject)

#: every kind of change by subject, in the order they are told; what it is seen from the other side
KINDS: Mapping[Subject, Mapping[str, str]] = {
    "groups": {
        "mdc_added": "mdc_removed",
        "mdc_removed": "mdc_added",
        "mdc_renamed": "mdc_renamed",
        "mdc_moved": "mdc_moved",
        "adrg_added": "adrg_removed",
        "adrg_removed": "adrg_added",
        "ambiguous_added": "ambiguous_removed",
        "ambiguous_removed": "ambiguous_added",
        "adrg_split": "adrg_merged",
        "adrg_merged": "adrg_split",
        "adrg_redrawn": "adrg_redrawn",
        "adrg_recoded": "adrg_recoded",
        "adrg_renamed": "adrg_renamed",
        "adrg_kind": "adrg_kind",
        "rule_moved": "rule_moved",
        "drg_added": "drg_removed",
        "drg_removed": "drg_added",
        "drg_split": "drg_merged",
        "drg_merged": "drg_split",
        "drg_redrawn": "drg_redrawn",
        "drg_recoded": "drg_recoded",
        "drg_renamed": "drg_renamed",
        "drg_moved": "drg_moved",
    },
    "conditions": {
        "mdc_condition": "mdc_condition",
        "rule_added": "rule_removed",
        "rule_removed": "rule_added",
        "rule_condition": "rule_condition",
        "drg_condition": "drg_condition",
    },
    "lists": {
        "list_added": "list_removed",
        "list_removed": "list_added",
        "list_renamed": "list_renamed",
        "code_moved": "code_moved",
        "code_added": "code_removed",
        "code_removed": "code_added",
    },
    "cc": {
        "cc_added": "cc_removed",
        "cc_removed": "cc_added",
        "cc_to_mcc": "mcc_to_cc",
        "mcc_to_cc": "cc_to_mcc",
        "cc_table": "cc_table",
    },
    "exclusions": {
        "table_added": "table_removed",
        "table_removed": "table_added",
        "table_renumbered": "table_renumbered",
        "principal_moved": "principal_moved",
        "principal_added": "principal_removed",
        "principal_removed": "principal_added",
    },
    "notgrouped": {
        "notgrouped_added": "notgrouped_removed",
        "notgrouped_removed": "notgrouped_added",
        "notgrouped_reason": "notgrouped_reason",
    },
}
_MIRROR: Mapping[Relation, Relation] = {"wider": "narrower", "narrower": "wider"}


@dataclass(frozen=True, slots=True)
class Side:
    """What one of the two schemes has.

    codes   the groups, the list, the table or the code it is about; several after a split
    names   the names of these groups
    text    a condition, a level with its table, a kind, a reason, a place in the order
    lists   the lists that hold the code
    groups  the groups whose rules use these lists; the DRGs of an ADRG
    count   how many codes the list or the table holds
    """

    codes: tuple[str, ...]
    names: tuple[str, ...] = ()
    text: str = ""
    lists: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    count: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Stable keys for `--json`."""
        return {
            "codes": list(self.codes),
            "names": list(self.names),
            "text": self.text,
            "lists": list(self.lists),
            "groups": list(self.groups),
            "count": self.count,
        }


@dataclass(frozen=True, slots=True)
class Change:
    """A difference: what it is, before and after (None: not there), in which MDCs (letters).

    code_kind is `dx` or `px` for a list or a code, else "". relation says of a condition whether
    it is now met more often (`wider`), less often, otherwise, or `unknown`; a further way into an
    ADRG makes it wider.
    """

    subject: Subject
    kind: str
    before: Side | None
    after: Side | None
    mdcs: tuple[str, ...] = ()
    code_kind: str = ""
    relation: Relation = "same"

    def mirrored(self) -> Change:
        """The same difference seen from the other scheme."""
        return replace(
            self,
            kind=KINDS[self.subject][self.kind],
            before=self.after,
            after=self.before,
            relation=_MIRROR.get(self.relation, self.relation),
        )

    @property
    def place(self) -> tuple[object, ...]:
        """Where it stands among all: by subject, kind, then codes."""
        sides = (self.before, self.after)
        codes = tuple(side.codes for side in sides if side)
        texts = tuple((side.text, side.lists) for side in sides if side)
        kinds = list(KINDS[self.subject])
        subject = SUBJECTS.index(self.subject)
        return subject, kinds.index(self.kind), codes, self.code_kind, texts

    def to_dict(self) -> dict[str, Any]:
        """Stable keys for `--json`."""
        return {
            "subject": self.subject,
            "kind": self.kind,
            "before": self.before.to_dict() if self.before else None,
            "after": self.after.to_dict() if self.after else None,
            "mdcs": list(self.mdcs),
            "code_kind": self.code_kind,
            "relation": self.relation if self.subject == "conditions" else "",
        }


@dataclass(frozen=True)
class Diff:
    """All that differs between two schemes, in a fixed order.

    notes: what the reader must know of the pair (SW21 the same rules, SW22 other code editions);
    subjects, mdcs: those that were asked for (mdcs None: all).
    """

    first: Scheme = field(repr=False)
    second: Scheme = field(repr=False)
    changes: tuple[Change, ...]
    notes: tuple[Issue, ...] = ()
    subjects: tuple[Subject, ...] = SUBJECTS
    mdcs: tuple[str, ...] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing was left out."""
        return self.subjects == SUBJECTS and self.mdcs is None

    def counts(self) -> dict[Subject, dict[str, int]]:
        """How many changes there are of each kind, by subject; kinds without any left out."""
        found = Counter((change.subject, change.kind) for change in self.changes)
        return {
            subject: {kind: found[subject, kind] for kind in kinds if found[subject, kind]}
            for subject, kinds in KINDS.items()
        }

    def of(self, subject: Subject, kind: str = "") -> Iterator[Change]:
        """The changes of a subject, or of one kind."""
        return (c for c in self.changes if c.subject == subject and kind in ("", c.kind))

    def only(
        self, *, subjects: Collection[Subject] = SUBJECTS, mdcs: Collection[str] | None = None
    ) -> Diff:
        """The changes of some subjects, and of some MDCs (letters; None: all)."""
        wanted = None if mdcs is None else frozenset(mdcs)
        kept = (
            change
            for change in self.changes
            if change.subject in subjects and (wanted is None or not wanted.isdisjoint(change.mdcs))
        )
        return replace(
            self,
            changes=tuple(kept),
            subjects=tuple(subject for subject in SUBJECTS if subject in subjects),
            mdcs=None if mdcs is None else tuple(mdcs),
        )


def in_order(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Changes in their fixed order."""
    return tuple(sorted(changes, key=lambda change: change.place))
