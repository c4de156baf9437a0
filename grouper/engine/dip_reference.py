"""How a discharge is put into a group of a DIP catalogue: plain Python, one case at a time.

Written to be read. Every choice in which regions differ is an option of the preset. Catalogues of
the 2.0 form: core rows, then comprehensive rows, then where the region sends the rest; those of
the 3.0 form: exclusions and layers first (dip_layers).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property

from grouper.engine.dip_layers import choose_by_layers, keys_under
from grouper.engine.dip_ties import Candidate, Round, TieFigures, narrow
from grouper.engine.groups import Status
from grouper.scheme.dip import CLASSES, Catalogue, CatalogueRow
from grouper.scheme.dip_operations import Expression, hits, operation
from grouper.scheme.dip_preset import Layers, Preset
from grouper.sheet import half_width

#: lengths of a whole category, a 5-character diagnosis
_CATEGORY, _FIVE = 3, 5


@dataclass(frozen=True, slots=True)
class DipCase:
    """One discharge as DIP grouping sees it: codes as they stand, principal and main ones first.

    cost: yuan, None where it is not known; age_days: days of life; weight: grams.
    """

    dx: tuple[str, ...] = ()
    px: tuple[str, ...] = ()
    cost: Decimal | None = None
    age_days: int | None = None
    weight: Decimal | None = None


@dataclass(frozen=True, slots=True)
class DipOutcome:
    """What became of a case, and how.

    row: position in the catalogue, None when not grouped; kind: that of the row, or `primary` where
    the catalogue marks it so; reason: a token of docs/reference/dip.md; rounds: the candidates
    after every step and why each fell out; cost_used: whether the cost decided.
    """

    status: Status
    reason: str
    row: int | None = None
    kind: str = ""
    rounds: tuple[Round, ...] = field(default=())
    cost_used: bool = False

    def without_way(self) -> DipOutcome:
        """The end alone, as the kernel tells it."""
        return replace(self, rounds=(), cost_used=False)


class DipReference:
    """A catalogue, a preset and a table of operation classes, ready to group."""

    def __init__(
        self,
        catalogue: Catalogue,
        preset: Preset,
        classes: Mapping[str, str],
        layers: Layers,
        figures: TieFigures,
    ) -> None:
        self.catalogue, self.preset, self.layers = catalogue, preset, layers
        self.figures = figures
        self._classes = classes

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that groups depend on: the file of the catalogue, and the rules."""
        rules = [
            {name: _plain(getattr(each, name)) for name in each.__slots__}
            for each in (self.preset, self.layers)
        ]
        text = json.dumps([self.catalogue.digest, *rules, sorted(self._classes.items())])
        return hashlib.sha256(text.encode()).hexdigest()

    def group(self, case: DipCase) -> DipOutcome:
        """The group of one case. Raises SchemeError (SE62) where the preset leaves a tie."""
        printed = printed_dx(case.dx[0]) if case.dx else ""
        if not printed:
            return DipOutcome(Status.REJECTED, "dx_missing")
        principal = printed.upper()
        if principal in self.catalogue.excluded_dx:
            return DipOutcome(Status.UNGROUPED, "dx_excluded")
        px = tuple(dict.fromkeys(filter(None, map(operation, case.px))))
        px = tuple(code for code in px if code not in self.preset.excluded_ops)
        if self.catalogue.is_layered:
            return self._layered(case, principal, px)
        return self._by_rows(printed, px, case.cost)

    def _layered(self, case: DipCase, principal: str, px: tuple[str, ...]) -> DipOutcome:
        chosen = choose_by_layers(self.catalogue, self.layers, principal, case, px)
        if chosen.row is not None:
            main = chosen.main
            marks = self.catalogue.primary
            is_primary = any((key, main) in marks for key in keys_of(principal))
            kind = "primary" if is_primary else self.catalogue.rows[chosen.row].kind
            return self._grouped(chosen.row, chosen.rounds, "layer", kind)
        # local comprehensive rows stand behind all layers
        kept = (chosen.main, *chosen.others) if chosen.main else ()
        found = self.class_row("comprehensive", principal, self._class_of_case(kept))
        if found is not None:
            return self._grouped(found, chosen.rounds, "comprehensive")
        return self._rest(principal, kept, chosen.rounds)

    def _by_rows(self, printed: str, px: tuple[str, ...], cost: Decimal | None) -> DipOutcome:
        principal = printed.upper()
        candidates = list(self._core_candidates(principal, px))
        if candidates:
            return self._with_core(principal, px, cost, candidates)
        case_class = self._class_of_case(px)
        comprehensive = self.class_row("comprehensive", principal, case_class)
        plain = self.plain_row(printed) if self._is_conservative(px) else None
        # where classes compete, conservative care stands behind every group of an operation
        behind = self.preset.core_vs_comp != "core_first" and case_class != CLASSES[0]
        if plain is not None and not (behind and comprehensive is not None):
            return self._grouped(plain, (), "conservative")
        if comprehensive is not None:
            return self._grouped(comprehensive, (), "comprehensive")
        return self._rest(principal, px, ())

    def _with_core(
        self,
        principal: str,
        px: tuple[str, ...],
        cost: Decimal | None,
        candidates: Sequence[Candidate],
    ) -> DipOutcome:
        """One of the core rows, or the comprehensive row that the region puts before it."""
        core, rounds, cost_used = narrow(candidates, self.preset, px, cost, self.figures)
        case_class = self._class_of_case(px)
        if self._gives_way(core, px, case_class):
            wide = self.class_row("comprehensive", principal, case_class)
            if wide is not None:
                reason = self.preset.core_vs_comp
                return self._grouped(wide, rounds, reason, cost_used=cost_used)
        reason = rounds[-1].step if len(candidates) > 1 else "only_candidate"
        return self._grouped(core.at, rounds, reason, cost_used=cost_used)

    def _grouped(
        self,
        row: int,
        rounds: Sequence[Round],
        reason: str,
        kind: str = "",
        *,
        cost_used: bool = False,
    ) -> DipOutcome:
        kind = kind or self.catalogue.rows[row].kind
        return DipOutcome(Status.GROUPED, reason, row, kind, tuple(rounds), cost_used)

    # --- core rows

    def _core_candidates(self, principal: str, px: tuple[str, ...]) -> Iterator[Candidate]:
        """Rows of the diagnosis all of whose operations the case has, in the order of the file."""
        for at, row in self.core_rows(principal):
            if row.main:
                matched = satisfied(row.operations, px, self.preset.ext_match)
                if matched is not None:
                    yield Candidate(at, row, *matched)

    def core_rows(self, principal: str) -> Iterator[tuple[int, CatalogueRow]]:
        """The core rows of a diagnosis with their positions, as `keys_under` looks them up."""
        by_key, rows = self.catalogue.by_key, self.catalogue.rows
        for key in keys_under(self.catalogue, principal):
            for at in by_key.get(key, ()):
                if rows[at].kind in ("core", "primary", "tcm", "bedday"):
                    yield at, rows[at]

    def plain_row(self, printed: str) -> int | None:
        """The core row of a diagnosis without operations.

        A catalogue may print a diagnosis both as C56.x and as C56.X. The platform that made it
        takes them for two (published oracle of its rules); a case is of the one it is spelled as.
        """
        principal = printed.upper()
        rows = list(self.core_rows(principal))
        said = {at: row.code.partition(":")[0] for at, row in rows}
        if any(map(printed.startswith, said.values())):
            # only the other spelling gives way; what is coded otherwise stands
            rows = [
                (at, row)
                for at, row in rows
                if printed.startswith(said[at]) or not principal.startswith(said[at].upper())
            ]
        return next((at for at, row in rows if not row.main), None)

    def _is_conservative(self, px: tuple[str, ...]) -> bool:
        """Whether a case counts as treated without operation."""
        return not px or (
            self.preset.conservative_def == "class"
            and all(self.class_of(code) == CLASSES[0] for code in px)
        )

    # --- classes and comprehensive rows

    def class_of(self, code: str) -> str:
        """The class of an operation, as the region counts it."""
        named = self._classes.get(code, self.preset.unlisted_class)
        return self.preset.interventional if named == "interventional" else named

    def _highest(self, px: Sequence[str]) -> str:
        return max((self.class_of(code) for code in px), key=CLASSES.index, default=CLASSES[0])

    def _class_of_case(self, px: tuple[str, ...]) -> str:
        """The class of the main operation, or the highest of all."""
        return self._highest(px[:1] if self.preset.op_class_of_case == "main" else px)

    def class_row(self, kind: str, principal: str, case_class: str) -> int | None:
        """The row of a class, comprehensive or default, by `keys_under`."""
        catalogue = self.catalogue
        for key in keys_under(catalogue, principal):
            for at in catalogue.by_key.get(key, ()):
                row = catalogue.rows[at]
                if row.kind == kind and row.cls == case_class:
                    return at
        return None

    def _gives_way(self, core: Candidate, px: tuple[str, ...], case_class: str) -> bool:
        """Whether the core row chosen stands behind the comprehensive row of the case's class."""
        if self.preset.core_vs_comp == "core_first":
            return False
        order = CLASSES.index
        core_class = self._highest(core.matched)
        if self.preset.core_vs_comp == "unmatched_surgery":
            left = [code for code in px if code not in core.matched]
            if left and self._highest(left) == CLASSES[-1] == case_class:
                return True
        return order(case_class) > order(core_class)

    # --- the rest

    @cached_property
    def blank_row(self) -> int | None:
        """The row of 空白病种."""
        rows = enumerate(self.catalogue.rows)
        return next((at for at, row in rows if row.kind == "blank"), None)

    def letter_row(self, principal: str) -> int | None:
        """The first row of a diagnosis's letter."""
        return next(iter(self.catalogue.by_key.get(principal[:1], ())), None)

    def knows(self, principal: str) -> bool:
        """Whether any row names the diagnosis or its category."""
        return any(self.catalogue.by_key.get(key) for key in keys_of(principal))

    def _rest(self, principal: str, px: tuple[str, ...], rounds: Sequence[Round]) -> DipOutcome:
        """Where the region sends a case that no row takes, or why it has no group."""
        for way in self.preset.fallback:
            if way == "blank" and self.blank_row is not None:
                return self._grouped(self.blank_row, rounds, "blank")
            if way == "letter" and (row := self.letter_row(principal)) is not None:
                return self._grouped(row, rounds, "letter")
            if way == "chapter":
                row = self.class_row("default", principal, self._class_of_case(px))
                if row is not None:
                    return self._grouped(row, rounds, "default")
        reason = "dx_not_in_catalogue"
        if self.knows(principal):
            reason = "op_not_in_catalogue" if px else "no_conservative_row"
        return DipOutcome(Status.UNGROUPED, reason, rounds=tuple(rounds))


def _plain(value: object) -> object:
    """A value of an option as JSON knows it, always in the same order."""
    return sorted(value) if isinstance(value, frozenset) else repr(value)


def printed_dx(text: str) -> str:
    """A diagnosis as it is spelled, without blanks, half width; the letter case stands."""
    return "".join(half_width(text).split())


def keys_of(principal: str) -> tuple[str, ...]:
    """What a diagnosis is looked up as: whole, 5 characters (`K35.3`, `C73.X`), 3 characters."""
    return tuple(dict.fromkeys((principal, principal[:_FIVE], principal[:_CATEGORY])))


def satisfied(
    expression: Expression, px: Sequence[str], match: str
) -> tuple[int, tuple[str, ...]] | None:
    """The alternative of an expression that a case fulfils with most operations, None if none.

    Returns how many operations it names, and those of the case that fulfil it.
    """
    best: tuple[int, tuple[str, ...]] | None = None
    for part in expression:
        if not all(any(hits(token, code, match) for code in px) for token in part):
            continue
        used = tuple(c for c in px if any(hits(token, c, match) for token in part))
        if best is None or len(part) > best[0]:
            best = len(part), used
    return best
