"""A catalogue and a region's rules as arrays: what the kernel looks up instead of comparing texts.

What a principal diagnosis or an operation means is worked out by the twin's own look-ups when a
spelling first occurs, and kept (`Meanings`): codes are matched by their beginnings, so there is no
list of all that may come. What does not depend on spellings: `grouper.engine.dip_layout`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from grouper.engine.dip_layers import rows_of_layer
from grouper.engine.dip_layout import BITS, I32, U8, Layout, layout_of, starts
from grouper.engine.dip_reference import DipReference, keys_of, printed_dx
from grouper.scheme.dip import CLASSES, dx_key, fits
from grouper.scheme.dip_operations import hits, operation

U64 = NDArray[np.uint64]

#: principal diagnoses that end a case; others are numbered from 0
NO_DX, EXCLUDED = -2, -3
#: an operation that is left out, one for which there is no number left
DROPPED, NO_NUMBER = -1, -2
#: more spellings and operations than that are not remembered: garbage must not fill the memory
MOST = 1 << 18
#: how an operation is excluded; scopes are numbered from `_SCOPE`
_NOT_MAIN, _CONSERVATIVE, _HAND, _SCOPE = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Tables:
    """What the spellings met so far mean: P principal diagnoses that differ, O operations.

    plain, letter (P,): rows, -1 none; comprehensive, default (P, 4): rows by class; known (P,)
    spans (P, L + 1): candidates by layer (one layer in 2.0); cand_row, cand_key: row, length of key
    scope (P,): bits of the scopes that hold; asks_others (P,): whether other diagnoses
        count (1), and whether the principal one says resistant itself (2)
    mark_start, mark: operations that make a group a primary one, -1 for none
    op_class, op_excluded (O,); token_start, token: the tokens that an operation is
    """

    plain: I32
    letter: I32
    comprehensive: I32
    default: I32
    known: U8
    spans: I32
    cand_row: I32
    cand_key: I32
    scope: U64
    asks_others: U8
    mark_start: I32
    mark: I32
    op_class: U8
    op_excluded: U8
    token_start: I32
    token: I32


@dataclass(frozen=True, slots=True)
class _Principal:
    """What a principal diagnosis means; many spellings share one."""

    plain: int | None
    letter: int | None
    comprehensive: tuple[int | None, ...]
    default: tuple[int | None, ...]
    known: bool
    candidates: tuple[tuple[tuple[int, int], ...], ...]
    scope: int
    marks: tuple[int, ...]
    resistant: bool


class Meanings:
    """From spellings to numbers, and the tables behind the numbers. May be shared by threads."""

    def __init__(self, reference: DipReference) -> None:
        self.reference = reference
        catalogue = reference.catalogue
        layered = catalogue.is_layered
        self._match = reference.layers.ext_match if layered else reference.preset.ext_match
        self._layers = [layer.code for layer in reference.layers.layers] if layered else [""]
        expressions = [
            expression
            for row in catalogue.rows
            for expression in ((row.main, row.related) if layered else (row.operations,))
        ]
        names = dict.fromkeys(token for e in expressions for part in e for token in part)
        self._tokens = {token: number for number, token in enumerate(names)}
        self._by_base: dict[str, list[str]] = {}
        for token in names:
            self._by_base.setdefault(token[:7], []).append(token)
        scopes = dict.fromkeys(
            each.scope
            for each in catalogue.excluded_ops.values()
            if each.problem not in ("not_main", "conservative")
        )
        self._scopes = {scope: bit for bit, scope in enumerate(scopes)}
        others = dict.fromkeys(row.other_dx for row in catalogue.rows if row.other_dx)
        self._others = {keys: bit for bit, keys in enumerate(others)}
        self.layout: Layout = layout_of(reference, self._tokens, self._others)
        self._lock = Lock()
        self._ops: dict[str, int] = {}
        self._op_facts: list[tuple[int, int, tuple[int, ...]]] = []
        self._principals: dict[_Principal, int] = {}
        self._tables: Tables | None = None
        self._spelled: dict[str, dict[str, int]] = {"principal": {}, "operation": {}, "other": {}}

    @property
    def asks_others(self) -> bool:
        """Whether any row asks for other diagnoses."""
        rows = self.reference.catalogue.rows
        return bool(self._others) or any(row.resistant for row in rows)

    def numbers(self, kind: str, texts: Iterable[str]) -> list[int]:
        """The numbers of spellings: principal diagnoses, operations, or bits of other diagnoses."""
        meaning = {
            "principal": self._principal,
            "operation": self._operation,
            "other": self._other,
        }[kind]
        spelled = self._spelled[kind]
        with self._lock:
            found = []
            for text in texts:
                number = spelled.get(text)
                if number is None:
                    number = meaning(text)
                    if len(spelled) < MOST:
                        spelled[text] = number
                found.append(number)
            return found

    def tables(self) -> Tables:
        """The tables of all numbers given so far."""
        with self._lock:
            found = self._tables
            if found is None:
                found = self._tables = self._made()
            return found

    # --- one spelling

    def _principal(self, text: str) -> int:
        printed = printed_dx(text)
        principal = printed.upper()
        reference = self.reference
        if not printed:
            return NO_DX
        if principal in reference.catalogue.excluded_dx:
            return EXCLUDED
        meaning = _Principal(
            reference.plain_row(printed),
            reference.letter_row(principal),
            tuple(reference.class_row("comprehensive", principal, each) for each in CLASSES),
            tuple(reference.class_row("default", principal, each) for each in CLASSES),
            reference.knows(principal),
            tuple(self._candidates(code, principal) for code in self._layers),
            sum(1 << bit for keys, bit in self._scopes.items() if fits(keys, principal))
            if len(self._scopes) <= BITS
            else 0,
            self._marks(principal),
            reference.catalogue.is_resistant(principal),
        )
        found = self._principals.get(meaning)
        if found is None:
            found = self._principals[meaning] = len(self._principals)
            self._tables = None
        return found

    def _candidates(self, layer: str, principal: str) -> tuple[tuple[int, int], ...]:
        catalogue = self.reference.catalogue
        if catalogue.is_layered:
            return tuple(rows_of_layer(catalogue, layer, principal))
        return tuple((at, 0) for at, row in self.reference.core_rows(principal) if row.main)

    def _marks(self, principal: str) -> tuple[int, ...]:
        """The operations with which a group is a primary one, -1 for none at all."""
        keys = keys_of(principal)
        marked = {op for key, op in self.reference.catalogue.primary if key in keys}
        return tuple(sorted(self._op_number(op) if op else -1 for op in marked))

    def _operation(self, text: str) -> int:
        code = operation(text)
        if not code or code in self.reference.preset.excluded_ops:
            return DROPPED
        return self._op_number(code)

    def _op_number(self, code: str) -> int:
        found = self._ops.get(code)
        if found is None:
            if len(self._ops) >= MOST:
                return NO_NUMBER
            found = self._ops[code] = len(self._ops)
            klass = CLASSES.index(self.reference.class_of(code))
            self._op_facts.append((klass, self._exclusion(code), self._hit(code)))
            self._tables = None
        return found

    def _exclusion(self, code: str) -> int:
        found = self.reference.catalogue.excluded_ops.get(code)
        if found is None:
            return 0
        if found.problem in ("not_main", "conservative"):
            return _NOT_MAIN if found.problem == "not_main" else _CONSERVATIVE
        # whatever else: it stands under the diagnoses of its scope only
        bit = self._scopes.get(found.scope)
        return _HAND if bit is None or len(self._scopes) > BITS else _SCOPE + bit

    def _hit(self, code: str) -> tuple[int, ...]:
        """The tokens that an operation is, by the region's way of comparing."""
        near = {code, *self._by_base.get(code[:7], ()), *(code[:n] for n in range(1, 7))}
        found = (token for token in near if token in self._tokens)
        return tuple(sorted(self._tokens[t] for t in found if hits(t, code, self._match)))

    def _other(self, text: str) -> int:
        """Bit of each set of other diagnoses that holds it; the highest: a sign of resistance."""
        code = dx_key(text)
        bits = sum(
            1 << bit for keys, bit in self._others.items() if bit < BITS and fits(keys, code)
        )
        resistant = fits(self.reference.layers.resistant_other_dx, code)
        # as a signed number: the highest bit is its sign
        return bits - (1 << BITS) * resistant

    # --- arrays

    def _asks(self, meaning: _Principal) -> int:
        """Whether other diagnoses count: 0 no, 1 yes, 2 the principal one says resistant itself."""
        rows = (self.reference.catalogue.rows[at] for each in meaning.candidates for at, _ in each)
        if not any(row.other_dx or row.resistant for row in rows):
            return 0
        return 2 if meaning.resistant else 1

    def _made(self) -> Tables:
        meanings = list(self._principals)
        spans, cand = [], list[tuple[int, int]]()
        for each in meanings:
            for layer in each.candidates:
                spans.append(len(cand))
                cand += layer
            spans.append(len(cand))
        asks = [self._asks(each) for each in meanings]
        return Tables(
            plain=_rows(each.plain for each in meanings),
            letter=_rows(each.letter for each in meanings),
            comprehensive=_rows(at for m in meanings for at in m.comprehensive).reshape(-1, 4),
            default=_rows(at for m in meanings for at in m.default).reshape(-1, 4),
            known=np.array([each.known for each in meanings], np.uint8),
            spans=np.array(spans, np.int32).reshape(-1, len(self._layers) + 1),
            cand_row=np.array([at for at, _ in cand], np.int32),
            cand_key=np.array([key for _, key in cand], np.int32),
            scope=np.array([each.scope for each in meanings], np.uint64),
            asks_others=np.array(asks, np.uint8),
            mark_start=starts(each.marks for each in meanings),
            mark=np.array([op for each in meanings for op in each.marks], np.int32),
            op_class=np.array([klass for klass, _, _ in self._op_facts], np.uint8),
            op_excluded=np.array([how for _, how, _ in self._op_facts], np.uint8),
            token_start=starts(tokens for _, _, tokens in self._op_facts),
            token=np.array([t for _, _, tokens in self._op_facts for t in tokens], np.int32),
        )


def _rows(found: Iterable[int | None]) -> I32:
    return np.array([-1 if at is None else at for at in found], np.int32)
