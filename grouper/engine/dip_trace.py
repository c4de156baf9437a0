"""Why a case has its DIP group: the rows considered, step by step, and why each fell out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from grouper.engine.dip_reference import DipCase, DipOutcome, DipReference, keys_of
from grouper.scheme.dip import CatalogueRow, dx_key
from grouper.scheme.dip_operations import hits, operation

#: a text of the messages by its key, places filled
Say = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Miss:
    """A row of the diagnosis that is no candidate, and the operations it lacks."""

    row: CatalogueRow
    lacks: tuple[str, ...]


@dataclass(frozen=True)
class DipTrace:
    """An outcome with all that explains it."""

    reference: DipReference
    case: DipCase
    outcome: DipOutcome

    @property
    def group(self) -> CatalogueRow | None:
        """The row that took the case."""
        row = self.outcome.row
        return None if row is None else self.reference.catalogue.rows[row]

    @property
    def score(self) -> Decimal | None:
        """The score of the group, as far as grouping was told."""
        row = self.outcome.row
        return None if row is None else self.reference.figures.score(row)

    def misses(self) -> list[Miss]:
        """Rows of the principal diagnosis for which the case lacks operations."""
        if not self.case.dx or not self.case.dx[0]:
            return []
        catalogue = self.reference.catalogue
        match = self.reference.preset.ext_match
        if catalogue.is_layered:
            match = self.reference.layers.ext_match
        px = [operation(code) for code in self.case.px]
        found = []
        for key in keys_of(dx_key(self.case.dx[0])):
            for at in catalogue.by_key.get(key, ()):
                row = catalogue.rows[at]
                lacking = [
                    tuple(t for t in part if not any(hits(t, code, match) for code in px))
                    for part in row.operations
                ]
                least = min(lacking, key=len, default=())
                if least:
                    found.append(Miss(row, least))
        return found

    def to_dict(self) -> dict[str, object]:
        """For `explain --json`: stable keys, codes only."""
        outcome, group = self.outcome, self.group
        rows = self.reference.catalogue.rows
        return {
            "status": outcome.status.word,
            "reason": outcome.reason,
            "dip": group.code if group else None,
            "dip_name": group.name if group else None,
            "kind": outcome.kind or None,
            "layer": (group.layer or None) if group else None,
            "score": str(self.score) if self.score is not None else None,
            "scheme": self.reference.catalogue.id,
            "preset": self.reference.preset.id,
            "dx": list(self.case.dx),
            "px": list(self.case.px),
            "steps": [
                {
                    "step": one.step,
                    "kept": [rows[at].code for at in one.kept],
                    "dropped": [rows[at].code for at in one.dropped],
                }
                for one in outcome.rounds
            ],
            "not_candidates": [
                {"dip": miss.row.code, "lacks": list(miss.lacks)} for miss in self.misses()
            ],
        }

    def text(self, words: Mapping[str, Mapping[str, str]]) -> str:
        """For a reader; `words` are those of results in one language."""
        said, rows = words["dip_trace"], self.reference.catalogue.rows
        lines = [said["dx"].format(code=self.case.dx[0] if self.case.dx else "-")]
        lines.append(said["px"].format(codes=", ".join(self.case.px) or "-"))
        for one in self.outcome.rounds:
            step = words["dip_step"].get(one.step, one.step)
            lines.append(said["step"].format(step=step, kept=_codes(rows, one.kept)))
            if one.dropped:
                lines.append(said["dropped"].format(rows=_codes(rows, one.dropped)))
        for miss in self.misses():
            lines.append(said["lacks"].format(code=miss.row.code, lacks=", ".join(miss.lacks)))
        reason = words["dip_reason"].get(self.outcome.reason) or self.outcome.reason
        reason = words["dip_step"].get(reason, reason)
        lines.append(self._end(said, words["kind"], reason))
        return "\n".join(lines)

    def _end(self, said: Mapping[str, str], kinds: Mapping[str, str], reason: str) -> str:
        group = self.group
        if group is None:
            return said["ungrouped"].format(reason=reason)
        kind = kinds.get(self.outcome.kind, self.outcome.kind)
        return said["grouped"].format(
            code=group.code, name=group.name, kind=kind, score=self.score or "-", reason=reason
        )


def explain(reference: DipReference, case: DipCase) -> DipTrace:
    """The group of a case with the way there."""
    return DipTrace(reference, case, reference.group(case))


def _codes(rows: tuple[CatalogueRow, ...], places: tuple[int, ...]) -> str:
    return ", ".join(rows[at].code for at in places)
