"""Scheme -> CompiledScheme: dense arrays in which the kernel finds a group with a few look-ups.

1. Diagnoses with equal remaining rules form a class (`residuals`); a class that asks for numbers
   is split by their intervals into *cells*; each cell has a list of candidate rules, and a second,
   shorter one for cases whose other diagnoses touch none of its lists (`candidacy`).
2. Procedures with equal list memberships form a class; two rows for each list of candidates say
   which candidate a procedure brings about (`booking`).
3. What these rows leave open is decided by decision graphs over bit rows (`program`).
4. MCC and CC are one word a diagnosis (`vocabulary`); an ADRG that is refined by them alone has a
   table of four.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grouper.scheme.candidacy import Candidacy, candidacy_of
from grouper.scheme.condition import FALSE, TRUE, Condition, Constant, Flag, atoms
from grouper.scheme.model import Scheme
from grouper.scheme.program import Program, ProgramBuilder
from grouper.scheme.residuals import Residuals
from grouper.scheme.simplify import in_pairs, substitute
from grouper.scheme.vocabulary import CC, MCC, Vocabulary, vocabulary_of

U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]
I32 = NDArray[np.int32]

#: DRGs of an ADRG in the order they are tried: group id and condition
Drgs = dict[str, list[tuple[int, Condition]]]


@dataclass(frozen=True, slots=True)
class Refinement:
    """From a rule (by position in scheme.adrgs) to its DRG.

    table            group id by flags (CC | MCC), four for each rule; 0 = none, or not by flags
    flags            3 where the refinement asks for MCC or CC, else 0
    plain            1 where `table` says all; status: what a case is that the rule takes
    start, stop      span in entry and group, where not plain
    entry, group     of each DRG in order: entry of its condition, group id
    """

    table: U32
    flags: U8
    plain: U8
    status: U8
    start: U32
    stop: U32
    entry: I32
    group: U32


@dataclass(frozen=True, slots=True)
class CompiledScheme:
    """The arrays of one scheme.

    bounds, bound_start (8): by number of the record, where the cells of its values begin.
    """

    scheme_id: str
    digest: str
    vocabulary: Vocabulary
    candidacy: Candidacy
    refinement: Refinement
    program: Program
    bounds: I32
    bound_start: I32


def compile_scheme(scheme: Scheme) -> CompiledScheme:
    """The compiled form of a loaded scheme.

    Raises SchemeError (SE20) when lists, rules or exclusion tables are more than the kernel's
    tables can number; no known scheme comes near.
    """
    vocabulary = vocabulary_of(scheme)
    drgs: Drgs = {rule.adrg: [] for rule in scheme.adrgs}
    for position, drg in enumerate(scheme.drgs):
        drgs[drg.adrg].append((position + 1, in_pairs(drg.when)))
    builder = ProgramBuilder(
        {name: bit for bit, name in enumerate(vocabulary.dx_lists)},
        {name: bit for bit, name in enumerate(vocabulary.px_lists)},
    )
    residuals = Residuals(
        scheme, {adrg: any(when == TRUE for _, when in rows) for adrg, rows in drgs.items()}
    )
    candidacy = candidacy_of(scheme, vocabulary, residuals, builder)
    refinement = _refinement(scheme, drgs, builder)
    return CompiledScheme(
        scheme_id=scheme.id,
        digest=scheme.digest,
        vocabulary=vocabulary,
        candidacy=candidacy,
        refinement=refinement,
        program=builder.finish(),
        bounds=np.array([b for bounds in residuals.bounds for b in bounds], np.int32),
        bound_start=np.cumsum([0, *map(len, residuals.bounds)]).astype(np.int32),
    )


def _refinement(scheme: Scheme, drgs: Drgs, builder: ProgramBuilder) -> Refinement:
    spans: dict[str, tuple[int, int]] = {}
    entries: list[int] = []
    groups: list[int] = []
    asked = {
        adrg: [atom for _, when in rows for atom in atoms(when)] for adrg, rows in drgs.items()
    }
    plain = {adrg: all(isinstance(a, Flag) for a in asked[adrg]) for adrg in drgs}
    table = {adrg: [0] * 4 for adrg in drgs}
    for adrg, rows in drgs.items():
        start = len(entries)
        if plain[adrg]:
            table[adrg] = [_first_group(rows, seen) for seen in range(4)]
        else:
            entries += [builder.entry(when) for _, when in rows]
            groups += [group for group, _ in rows]
        spans[adrg] = (start, len(entries))
    rules = [rule.adrg for rule in scheme.adrgs]
    # as written: severity is told wherever the text of a refinement asks for it
    by_flags = {
        drg.adrg for drg in scheme.drgs if any(isinstance(a, Flag) for a in atoms(drg.when))
    }
    return Refinement(
        table=np.array([table[adrg] for adrg in rules], np.uint32).reshape(-1),
        flags=np.array([(CC | MCC) * (adrg in by_flags) for adrg in rules], np.uint8),
        plain=np.array([plain[adrg] for adrg in rules], np.uint8),
        status=np.array([rule.is_ambiguous for rule in scheme.adrgs], np.uint8),
        start=np.array([spans[adrg][0] for adrg in rules], np.uint32),
        stop=np.array([spans[adrg][1] for adrg in rules], np.uint32),
        entry=np.array(entries, np.int32),
        group=np.array(groups, np.uint32),
    )


def _first_group(rows: Iterable[tuple[int, Condition]], seen: int) -> int:
    def known(atom: Condition) -> Condition:
        assert isinstance(atom, Flag)
        return Constant(bool(seen & (MCC if atom.name == "mcc" else CC)))

    return next((group for group, when in rows if substitute(when, known) != FALSE), 0)
