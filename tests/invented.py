"""Whole schemes drawn from a seed, using all of the condition language at odd places.

They mean nothing; they exist to catch a kernel that is right for the published schemes only:
more lists than a machine word has bits, thresholds no field can reach, ambiguous rules anywhere,
ADRGs that no DRG covers, the same code in every role.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from grouper.scheme.condition import (
    And,
    Codes,
    Compare,
    Condition,
    Constant,
    Field,
    Flag,
    Hits,
    Member,
    Not,
    Number,
    Or,
    RelOp,
    Sites,
    Term,
    parse,
    to_text,
)
from grouper.scheme.model import (
    AdrgRule,
    CodeKind,
    CodeList,
    Complication,
    Drg,
    Mdc,
    RuleKind,
    Scheme,
)

_OPS: tuple[RelOp, ...] = ("<", "<=", ">", ">=", "==")
_TABLES = ("", "1", "01", "2", "12", "999", "a")
_THRESHOLDS: dict[str, tuple[str, ...]] = {
    "age": ("0", "1", "1.0", "6", "14", "69.5", "70", "0.001", "150", "32768", "4294967296"),
    "age_days": ("0", "1", "28", "28.0", "28.5", "29", "365", "65536"),
    "weight": ("0", "0.001", "0.0005", "999.9995", "1500", "1999.999", "2000.5", "2500", "2147484"),
    "los": ("0", "1", "2", "7", "60", "60.1", "2147483648", "99999999999999999999"),
    "icu_hours": ("0", "0.5", "1", "96", "119.9999", "120", "120.001", "9223372036854775808"),
    "sex": ("0", "1", "1.5", "2", "3"),
    "leaving": ("0", "1", "2", "5", "5.5", "9", "255", "256"),
}
_KINDS: dict[str, RuleKind] = {"A": "surgical", "K": "procedure", "R": "medical"}


@dataclass(frozen=True)
class _Make:
    """What one invented scheme is drawn with.

    plain: the share of conditions of usual form; narrow: the share of rules that also ask for a
    code of one list, so that records get past the first rules.
    """

    rng: random.Random
    dx_lists: tuple[str, ...]
    px_lists: tuple[str, ...]
    plain: float
    narrow: float

    def condition(self, place: str) -> Condition:
        """A condition for a row of `mdc`, `adrg` or `drg`, as the loader would have parsed it."""
        usual = self.rng.random() < self.plain
        made = self._usual(place) if usual else self._any(self.rng.randrange(5))
        if place != "drg" and self.rng.random() < self.narrow:
            ways: tuple[Codes, ...] = ("main_dx", "main_dx", "main_px", "any_px", "other_dx")
            codes = self.rng.choice(ways if place == "adrg" else ways[:2])
            member = Member(codes, self.rng.choice(self._lists(codes)))
            made = And(self.rng.choice(((member, made), (made, member))))
        return parse(to_text(made))

    def _usual(self, place: str) -> Condition:
        pick = self.rng.choice
        if place == "mdc":
            return pick(
                (Member("main_dx", pick(self.dx_lists)), Constant(True), self._member("dx"))
            )
        if place == "drg":
            flags: tuple[Condition, ...] = (Flag("mcc"), Flag("cc"), Or((Flag("mcc"), Flag("cc"))))
            return pick((*flags, Constant(True), And((pick(flags), self._compare()))))
        first = Member(pick(("main_px", "any_px", "main_dx")), "")  # its list follows its kind
        member = Member(first.codes, pick(self._lists(first.codes)))
        second = pick(
            (self._member("px"), self._member("dx"), self._any(1), Not(self._member("px")))
        )
        return pick((member, member, And((member, second)), Or((member, second))))

    def _any(self, depth: int) -> Condition:
        pick = self.rng.choice
        if depth == 0 or self.rng.random() < 0.15:
            form = self.rng.randrange(10)
            if form == 0:
                return Constant(pick((True, False)))
            if form == 1:
                return Flag(pick(("mcc", "cc")))
            return self._member(pick(("dx", "px"))) if form < 7 else self._compare()
        parts = tuple(self._any(depth - 1) for _ in range(self.rng.choice((2, 2, 3))))
        return pick(
            (And(parts), And(parts), Or(parts), Not(parts[0]), Not(And(parts)), Not(Or(parts)))
        )

    def _lists(self, codes: Codes) -> tuple[str, ...]:
        return self.dx_lists if codes.endswith("dx") else self.px_lists

    def _codes(self, kind: str) -> Codes:
        dx: tuple[Codes, ...] = ("main_dx", "other_dx", "any_dx")
        px: tuple[Codes, ...] = ("main_px", "other_px", "any_px")
        return self.rng.choice(dx if kind == "dx" else px)

    def _member(self, kind: str) -> Member:
        codes = self._codes(kind)
        return Member(codes, self.rng.choice(self._lists(codes)))

    def _compare(self) -> Compare:
        """One to four terms beside the first; never numbers alone."""
        count = self.rng.choice((2, 2, 2, 2, 3, 3, 4, 5))
        fields = [self.rng.choice(tuple(_THRESHOLDS)) for _ in range(count)]
        if self.rng.random() < 0.7:
            fields = [fields[0]] * count
        terms = [self._term(name) for name in fields]
        if all(isinstance(term, Number) for term in terms):
            terms[self.rng.randrange(count)] = self._asked(fields[0])
        if not any(isinstance(term, Number) for term in terms) and self.rng.random() < 0.7:
            terms[-1] = Number(Decimal(self.rng.choice(_THRESHOLDS[fields[-1]])))
        if all(isinstance(term, Number) for term in terms):
            terms[0] = self._asked(fields[0])
        return Compare(tuple(terms), tuple(self.rng.choice(_OPS) for _ in terms[1:]))

    def _term(self, name: str) -> Term:
        if self.rng.random() < 0.5:
            small = (*_THRESHOLDS[name], "0", "1", "2", "2", "3")
            return Number(Decimal(self.rng.choice(small)))
        return self._asked(name)

    def _asked(self, name: str) -> Term:
        form = self.rng.randrange(6)
        if form == 0:
            count = min(len(self.dx_lists), self.rng.choice((1, 2, 3, 5, 9, 12, 40, 70)))
            return Sites(tuple(self.rng.sample(self.dx_lists, count)))
        if form == 1:
            codes = self._codes(self.rng.choice(("dx", "px")))
            return Hits(codes, self.rng.choice(self._lists(codes)))
        return Field(name)  # type: ignore[arg-type]


def vocabulary(rng: random.Random) -> dict[CodeKind, tuple[str, ...]]:
    """A few codes of each kind: near spellings, long ones, and some that are both kinds."""
    size = rng.choice((3, 12, 40, 120))
    both = [f"{n:02}.{n:04}" for n in range(rng.choice((0, 3)))]
    dx = [f"{rng.choice('ABS')}{n:02}.{rng.choice(('0', '000', '000x001'))}" for n in range(size)]
    px = [f"{rng.randrange(100):02}.{n:02}{rng.choice(('', '00', '00x001'))}" for n in range(size)]
    longer = ["A54.301+H13.1*", "A54.301+H13.1*1", "A54.301+H13.1*12", "A54.301+H13.1*123", "a00.0"]
    return {"dx": tuple(dict.fromkeys(dx + both + longer)), "px": tuple(dict.fromkeys(px + both))}


def _code_lists(
    rng: random.Random, kind: CodeKind, codes: Sequence[str], count: int
) -> dict[str, CodeList]:
    lists = {}
    for number in range(count):
        name = f"{'D' if kind == 'dx' else 'P'}{number}_{kind}"
        few, some = len(codes) // 12 + 1, len(codes) // 3 + 1
        share = rng.choices((1, 2, few, some, len(codes)), (4, 4, 8, 4, 1))[0]
        lists[name] = CodeList(name, kind, tuple(sorted(rng.sample(codes, share))))
    return lists


def invented_scheme(seed: int) -> Scheme:
    """The scheme of a seed; the same seed gives the same scheme."""
    rng = random.Random(seed)
    codes = vocabulary(rng)
    count = rng.choice((1, 4, 12, 12, 40, 70, 140))
    dx_lists = _code_lists(rng, "dx", codes["dx"], count)
    px_lists = _code_lists(rng, "px", codes["px"], rng.choice((1, 4, 12, 12, 40, 70, 140)))
    make = _Make(
        rng,
        tuple(dx_lists),
        tuple(px_lists),
        rng.choice((0.0, 0.5, 0.8, 1.0)),
        rng.choice((0.0, 0.6, 0.9, 1.0)),
    )
    letters = rng.sample("ABCDEFGHIJKLMNOPQRSTUVWXYZ", rng.choice((1, 2, 4, 6, 8, 26)))
    mdcs = [Mdc(n, letter, "", make.condition("mdc"), n + 1) for n, letter in enumerate(letters, 1)]
    rules: list[AdrgRule] = []
    drgs: list[Drg] = []
    for letter in letters:
        for adrg, kind in _adrgs_of(rng, letter):
            row = len(rules) + 1
            rules.append(AdrgRule(row, letter, adrg, "", kind, make.condition("adrg"), row + 1))
    for adrg in dict.fromkeys(rule.adrg for rule in rules if not rule.is_ambiguous):
        for last in rng.sample("123456789", rng.choice((1, 1, 2, 3, 5))):
            row = len(drgs) + 1
            drgs.append(Drg(row, adrg, adrg + last, "", make.condition("drg"), row + 1))
    return Scheme(
        id=f"invented_{seed}", title="", base="CHS-DRG 2.0", status="draft", publication="",
        date="", source="invented", confidence="constructed", codes="", folder="", mdcs=tuple(mdcs),
        adrgs=tuple(rules), drgs=tuple(drgs), lists=dx_lists | px_lists,
        cc={
            code: Complication(rng.choice(("MCC", "CC", "CC")), rng.choice(_TABLES))
            for code in sorted({*rng.sample(codes["dx"], len(codes["dx"]) // 3), "Y00.000"})
        },
        exclusions={
            code: rng.choice(_TABLES[1:])
            for code in sorted({*rng.sample(codes["dx"], len(codes["dx"]) // 2), "Y01.000"})
        },
        not_for_grouping={}, digest="test",
    )  # fmt: skip


def _adrgs_of(rng: random.Random, letter: str) -> list[tuple[str, RuleKind]]:
    """The rules of one MDC: ambiguous ones anywhere, some ADRGs twice, perhaps none at all."""
    rows: list[tuple[str, RuleKind]] = []
    for _ in range(rng.choice((0, 1, 3, 6, 12, 30))):
        if rng.random() < 0.12:
            rows.append((f"{letter}QY", "ambiguous"))
        elif rows and rng.random() < 0.15:
            rows.append(rng.choice(rows))
        else:
            second = rng.choice("AKR")
            rows.append((f"{letter}{second}{rng.randrange(1, 10)}", _KINDS[second]))
    return rows


def described(scheme: Scheme) -> str:
    """The whole scheme as text, for the message of a failing test."""
    lines = [f"MDC {mdc.mdc}: {to_text(mdc.when)}" for mdc in scheme.mdcs]
    lines += [f"rule {n} {r.adrg}: {to_text(r.when)}" for n, r in enumerate(scheme.adrgs, 1)]
    lines += [f"group {n} {g.drg}: {to_text(g.when)}" for n, g in enumerate(scheme.drgs, 1)]
    lines += [f"{name} = {' '.join(each.codes)}" for name, each in scheme.lists.items()]
    lines += [f"{code} {found.level} table {found.table!r}" for code, found in scheme.cc.items()]
    lines += [f"principal {code} in table {table!r}" for code, table in scheme.exclusions.items()]
    return "\n".join(lines)
