"""Records that try a scheme: aimed at its rules, then bent at every edge that a rule has.

Everything is drawn from a seed, so a failure is repeated by its seed alone. Used by the tests that
compare the kernel with the reference; whole invented schemes are made in `invented.py`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import numpy as np

from grouper.engine.groups import Groups, Status
from grouper.engine.reference import Record
from grouper.records.batch import MISSING, THOUSANDTHS, CaseBatch, CodeColumn
from grouper.scheme.condition import (
    And,
    Codes,
    Compare,
    Condition,
    Field,
    Flag,
    Hits,
    Member,
    Not,
    Number,
    Or,
    Sites,
    atoms,
)
from grouper.scheme.model import Scheme

#: spellings that no scheme knows, some of them easily taken for another
STRANGE_CODES = (
    "Z99.999x999", "a01.000", "i10.x00x002", "I10", "I10.x00x002 ", " I10.x00x002", "00.6600 ",
    "0.66", "", "左侧", "Ｊ18.900", "J18.900\x00", "A" * 16, "A" * 17, "A" * 300, "A54.301+H13.1",
)  # fmt: skip
THOUSANDTH_NUMBERS = ("weight", "icu_hours")
NUMBERS = ("age", "age_days", "weight", "los", "leaving", "icu_hours")
_USUAL: dict[str, tuple[Any, ...]] = {
    "age": (0, 0, 1, 5, 6, 13, 14, 16, 17, 35, 60, 69, 70, 71, 99, 150, -1, 32767, 2**31 - 1),
    "age_days": (0, 1, 2, 27, 28, 29, 30, 364, -1, 32768, 2**31 - 1),
    "weight": (0, 1, 1499, 1500, Decimal("1499.999"), Decimal("2499.5"), 2500, 4000, -1, 2147483),
    "los": (0, 1, 2, 7, 30, 60, 61, 365, -1, 2**31 - 1),
    "leaving": (1, 2, 3, 4, 5, 9, 255),
    "icu_hours": (0, Decimal("0.5"), 1, 119, 120, Decimal("120.001"), 121, -1, 2147483),
}


def batch_of(records: Sequence[Record], *, rejects: Sequence[int] = ()) -> CaseBatch:
    """The batch of these records; `rejects` marks cases as a reader would (1: RE01, 2: RE07)."""
    n = len(records)

    def column(name: str, missing: int, dtype: Any, scale: int = 1) -> Any:
        values = (getattr(record, name) for record in records)
        return np.array([missing if v is None else int(v * scale) for v in values], dtype)

    return CaseBatch(
        dx=CodeColumn.from_lists([record.dx for record in records]),
        px=CodeColumn.from_lists([record.px for record in records]),
        sex=column("sex", 0, np.uint8),
        age_years=column("age", MISSING, np.int32),
        age_days=column("age_days", MISSING, np.int32),
        admission_weight=column("weight", MISSING, np.int32, THOUSANDTHS),
        los_days=column("los", MISSING, np.int32),
        icu_hours=column("icu_hours", MISSING, np.int32, THOUSANDTHS),
        discharge_disposition=column("leaving", 0, np.uint8),
        reject=np.array(rejects or [0] * n, np.uint16),
        reject_codes=("RE01", "RE07") if rejects else (),
    )


def sliced(batch: CaseBatch, start: int, stop: int) -> CaseBatch:
    """Cases `start` to `stop` (exclusive) of a batch, as views into it."""
    columns = ("sex", "age_years", "age_days", "admission_weight", "los_days", "icu_hours")
    cut = {name: getattr(batch, name)[start:stop] for name in columns}
    return replace(
        batch,
        dx=batch.dx.slice(start, stop),
        px=batch.px.slice(start, stop),
        discharge_disposition=batch.discharge_disposition[start:stop],
        reject=batch.reject[start:stop],
        **cut,
    )


def outcome(groups: Groups, case: int) -> tuple[str, str, int, int, int]:
    """All that is said of one case, fit to compare and to print."""
    status = Status(int(groups.status[case])).word
    number = int(groups.reason[case])
    reason = groups.reasons[number - 1] if number else ""
    rule, group = int(groups.rule_id[case]), int(groups.group_id[case])
    return status, reason, rule, group, int(groups.severity[case])


def differing(one: Groups, other: Groups) -> list[int]:
    """The cases about which two results say anything different."""
    assert len(one) == len(other)
    return [case for case in range(len(one)) if outcome(one, case) != outcome(other, case)]


@dataclass
class _Aim:
    """What a record should have for some conditions to come out as wanted."""

    codes: list[tuple[Codes, str, bool]] = field(default_factory=list)
    flags: dict[str, bool] = field(default_factory=dict)
    numbers: dict[str, Any] = field(default_factory=dict)

    def wanted(self, kind: str, where: str) -> list[str]:
        """The lists that should hold the main (`main`) or some other (`other`) code of a kind."""
        inside = [
            (codes, name) for codes, name, want in self.codes if want and codes.endswith(kind)
        ]
        return [name for codes, name in inside if codes.startswith("main") == (where == "main")]

    def banned(self, kind: str) -> list[str]:
        """The lists that should hold no code of a kind."""
        return [name for codes, name, want in self.codes if not want and codes.endswith(kind)]


class RecordMaker:
    """Draws records that come close to the rules of one scheme, on either side of them."""

    def __init__(self, scheme: Scheme, *, strange: Sequence[str] = STRANGE_CODES) -> None:
        self.scheme = scheme
        self.strange = tuple(strange)
        self._sets = {name: frozenset(each.codes) for name, each in scheme.lists.items()}
        self._pools: dict[tuple[Any, ...], tuple[str, ...]] = {}
        self._mdc_when = {mdc.mdc: mdc.when for mdc in scheme.mdcs}
        self._drg_when: dict[str, list[Condition]] = {}
        for drg in scheme.drgs:
            self._drg_when.setdefault(drg.adrg, []).append(drg.when)
        kinds = {name: each.kind for name, each in scheme.lists.items()}
        known: dict[str, set[str]] = {"dx": {*scheme.cc, *scheme.exclusions}, "px": set()}
        for name, codes in self._sets.items():
            known[kinds[name]] |= codes
        self.known = {kind: tuple(sorted(codes)) or ("Z",) for kind, codes in known.items()}
        self.complications = tuple(sorted(scheme.cc))
        self.sharing: dict[str, list[str]] = {}  # exclusion table -> its complications
        for code in self.complications:
            self.sharing.setdefault(scheme.cc[code].table, []).append(code)
        self.excluding: dict[str, list[str]] = {}  # exclusion table -> its principal diagnoses
        for code, table in sorted(scheme.exclusions.items()):
            self.excluding.setdefault(table, []).append(code)
        self.edges = {name: _edges(scheme, name) for name in NUMBERS}

    def records(self, seed: int, n: int) -> list[Record]:
        """The n records of a seed."""
        rng = random.Random(seed)
        return [self.draw(rng) for _ in range(n)]

    def draw(self, rng: random.Random) -> Record:
        """One record: aimed at a rule nine times in ten, then bent."""
        aim = _Aim()
        if self.scheme.adrgs and rng.random() < 0.9:
            rule = rng.choice(self.scheme.adrgs)
            self._seek(self._mdc_when[rule.mdc], True, aim, rng)
            self._seek(rule.when, rng.random() < 0.95, aim, rng)
            if rule.adrg in self._drg_when:
                self._seek(rng.choice(self._drg_when[rule.adrg]), True, aim, rng)
        record = self._resolve(aim, rng)
        for bend in rng.sample(BENDS, rng.choice((0, 0, 1, 1, 2, 3))):
            record = bend(self, record, rng)
        return record

    def _seek(self, when: Condition, want: bool, aim: _Aim, rng: random.Random) -> None:
        """Note what would make a condition come out as wanted; no promise that it all fits."""
        match when:
            case And(operands=operands) | Or(operands=operands):
                every = isinstance(when, And) == want
                for part in operands if every else [rng.choice(operands)]:
                    self._seek(part, want, aim, rng)
            case Not(operand=inner):
                self._seek(inner, not want, aim, rng)
            case Member(codes=codes, list_name=name):
                aim.codes.append((codes, name, want))
            case Flag(name=level):
                aim.flags[level] = want
            case Compare():
                self._seek_compare(when, aim, rng)

    def _seek_compare(self, when: Compare, aim: _Aim, rng: random.Random) -> None:
        """Numbers on and beside the thresholds; of lists and hits as many as are compared with."""
        thresholds = [term.value for term in when.terms if isinstance(term, Number)]
        for term in when.terms:
            edge = rng.choice(thresholds) if thresholds else Decimal(rng.randrange(4))
            count = min(6, max(0, int(edge) + rng.choice((-1, 0, 0, 1))))
            match term:
                case Field(name="sex"):
                    aim.numbers["sex"] = int(edge)
                case Field(name=name):
                    step = Decimal("0.001") if name in THOUSANDTH_NUMBERS else 1
                    aim.numbers[name] = edge + rng.choice((-1, 0, 1)) * rng.choice((1, step))
                case Sites(lists=lists):
                    chosen = rng.sample(lists, min(count, len(lists)))
                    aim.codes += [("any_dx", name, True) for name in chosen]
                case Hits(codes=codes, list_name=name):
                    aim.codes += [(codes, name, True)] * count

    def _resolve(self, aim: _Aim, rng: random.Random) -> Record:
        numbers = {
            name: _storable(name, aim.numbers.get(name, self.number(name, rng))) for name in NUMBERS
        }
        sex = aim.numbers.get("sex", rng.choice((1, 2)))
        dx = self._codes("dx", aim, rng)
        if any(aim.flags.values()) and self.complications:
            dx += [rng.choice(self.complications) for _ in range(rng.choice((1, 1, 2)))]
        px = self._codes("px", aim, rng)
        return Record(sex=sex if sex in (1, 2) else 1, dx=tuple(dx), px=tuple(px), **numbers)

    def _codes(self, kind: str, aim: _Aim, rng: random.Random) -> list[str]:
        """Codes in the lists sought: the main one, if it can be, in all that are sought for it."""
        main, others = aim.wanted(kind, "main"), aim.wanted(kind, "other")
        if kind == "px" and not main and not others and rng.random() < 0.7:
            return []
        banned = aim.banned(kind)
        if not main and others and rng.random() < 0.5:
            main = others[:1]
        pool = self._pool(main, banned) or self._pool(main, []) or self._pool(main[:1], [])
        first = rng.choice(pool or self.known[kind])
        return [first, *(rng.choice(self._pool([name], [])) for name in others)]

    def _pool(self, names: Sequence[str], banned: Sequence[str]) -> tuple[str, ...]:
        """The codes in all of the lists `names` and in none of the banned."""
        if not names:
            return ()
        key = (tuple(sorted(set(names))), tuple(sorted(set(banned))))
        if key not in self._pools:
            inside = frozenset.intersection(*(self._sets[name] for name in key[0]))
            outside = (self._sets[name] for name in key[1])
            self._pools[key] = tuple(sorted(inside.difference(*outside)))
        return self._pools[key]

    def number(self, name: str, rng: random.Random) -> Any:
        """A value for a field: missing, on or beside a threshold of the scheme, or a usual one."""
        choice = rng.random()
        if choice < 0.15:
            return None
        return rng.choice(self.edges[name] if choice < 0.5 else _USUAL[name])


def _edges(scheme: Scheme, name: str) -> tuple[Any, ...]:
    """The thresholds of a field in a scheme's conditions, and what lies just beside them."""
    rows = (*scheme.mdcs, *scheme.adrgs, *scheme.drgs)
    compared = (atom for row in rows for atom in atoms(row.when) if isinstance(atom, Compare))
    found: set[Decimal] = set()
    for compare in compared:
        if any(isinstance(term, Field) and term.name == name for term in compare.terms):
            found |= {term.value for term in compare.terms if isinstance(term, Number)}
    steps = (Decimal("-0.001"), Decimal("0.001")) if name in THOUSANDTH_NUMBERS else ()
    near = {_storable(name, value + step) for value in found for step in (-1, 0, 1, *steps)}
    return tuple(sorted(near - {None})) or _USUAL[name]


def _storable(name: str, value: Any) -> Any:
    """The value as a batch can hold it: whole, or whole thousandths; within 32 bits; or missing."""
    if value is None:
        return None
    if name == "leaving":
        return int(value) if 0 < value < 256 else None
    scale = THOUSANDTHS if name in THOUSANDTH_NUMBERS else 1
    whole = int(value * scale)
    if not -(2**31) < whole < 2**31:
        return None
    return whole if scale == 1 else Decimal(whole) / scale


def _with(record: Record, kind: str, codes: Sequence[str]) -> Record:
    return replace(record, **{kind: tuple(codes)})


def _bend_drop(maker: RecordMaker, record: Record, rng: random.Random) -> Record:
    kind = rng.choice(("dx", "px"))
    codes = list(getattr(record, kind))
    if len(codes) > (kind == "dx"):
        del codes[rng.randrange(len(codes))]
    return _with(record, kind, codes)


def _bend_no_procedure(maker: RecordMaker, record: Record, rng: random.Random) -> Record:
    return replace(record, px=())


def _bend_order(maker: RecordMaker, record: Record, rng: random.Random) -> Record:
    kind = rng.choice(("dx", "px"))
    codes = list(getattr(record, kind))
    rng.shuffle(codes)
    return _with(record, kind, codes)


def _bend_add(maker: RecordMaker, record: Record, rng: random.Random) -> Record:
    kind = rng.choice(("dx", "px"))
    codes = list(getattr(record, kind))
    codes.insert(rng.randrange(len(codes) + 1), rng.choice(maker.known[kind]))
    return _with(record, kind, codes)


def _bend_main(maker: RecordMaker, record: Record, rng: random.Random) -> Record:
    """A main code from elsewhere, the former one behind it."""
    kind = rng.choice(("dx", "px"))
    return _with(record, kind, (rng.choice(maker.known[kind]), *getattr(record, kind)))


def _bend_complication(maker: RecordMaker, record: Record, rng: random.Random) -> Record:
    """An MCC or CC; half of the time one that the principal diagnosis excludes."""
    if not maker.complications:
        return record
    table = maker.scheme.exclusions.get(record.dx[0], "") if record.dx else ""
    excluded = maker.sharing.get(table, [])
    pool = excluded if excluded and rng.random() < 0.5 else maker.complications
    return replace(record, dx=(*record.dx, rng.choice(pool)))


def _bend_complication_first(maker: RecordMaker, record: Record, rng: random.Random) -> Record:
    """A complication as principal diagnosis, or a principal that excludes one of the others."""
    if not maker.complications:
        return record
    found = rng.choice(maker.complications)
    principals = maker.excluding.get(maker.scheme.cc[found].table, [])
    if principals and rng.random() < 0.6:
        return replace(record, dx=(rng.choice(principals), *record.dx[1:], found))
    return replace(record, dx=(found, *record.dx))


def _bend_repeat(maker: RecordMaker, record: Record, rng: random.Random) -> Record:
    kind = rng.choice(("dx", "px"))
    codes = getattr(record, kind)
    return _with(record, kind, (*codes, *rng.choices(codes, k=2)) if codes else codes)


def _bend_many(maker: RecordMaker, record: Record, rng: random.Random) -> Record:
    kind = rng.choice(("dx", "px"))
    more = rng.choices(maker.known[kind], k=rng.choice((39, 40, 41, 70)))
    return _with(record, kind, (*getattr(record, kind), *more))


def _bend_strange(maker: RecordMaker, record: Record, rng: random.Random) -> Record:
    """An unknown code, or a procedure among the diagnoses and the reverse."""
    kind, elsewhere = rng.choice((("dx", "px"), ("px", "dx")))
    codes = list(getattr(record, kind))
    code = rng.choice(rng.choice((maker.strange, maker.known[elsewhere])))
    position = rng.randrange(len(codes) + 1)
    codes[position : position + rng.choice((0, 1))] = [code]
    return _with(record, kind, codes)


def _bend_case(maker: RecordMaker, record: Record, rng: random.Random) -> Record:
    """A code in lower or upper case or with a blank is another code."""
    kind = rng.choice(("dx", "px"))
    spell = rng.choice((str.lower, str.upper, lambda code: code + " ", lambda code: code[:-1]))
    return _with(record, kind, [spell(code) for code in getattr(record, kind)])


def _bend_number(maker: RecordMaker, record: Record, rng: random.Random) -> Record:
    name = rng.choice(NUMBERS)
    return replace(record, **{name: _storable(name, maker.number(name, rng))})


def _bend_missing(maker: RecordMaker, record: Record, rng: random.Random) -> Record:
    return replace(record, **dict.fromkeys(rng.sample(NUMBERS, rng.randrange(1, 7))))


def _bend_newborn(maker: RecordMaker, record: Record, rng: random.Random) -> Record:
    days = _storable("age_days", maker.number("age_days", rng))
    return replace(record, age=0, age_days=days, weight=maker.number("weight", rng))


def _bend_sex(maker: RecordMaker, record: Record, rng: random.Random) -> Record:
    return replace(record, sex=rng.choice((1, 2, 1, 2, 1, 2, None, 3, 9)))


def _bend_nothing_left(maker: RecordMaker, record: Record, rng: random.Random) -> Record:
    return replace(record, dx=()) if rng.random() < 0.3 else record


Bend = Callable[[RecordMaker, Record, random.Random], Record]
BENDS: tuple[Bend, ...] = (
    _bend_drop,
    _bend_no_procedure,
    _bend_order,
    _bend_add,
    _bend_main,
    _bend_complication,
    _bend_complication_first,
    _bend_repeat,
    _bend_many,
    _bend_strange,
    _bend_case,
    _bend_number,
    _bend_missing,
    _bend_newborn,
    _bend_sex,
    _bend_nothing_left,
)
