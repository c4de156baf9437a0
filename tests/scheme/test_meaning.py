"""Conditions compared by what they say: the same only where no record tells them apart."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import tiny_scheme

from grouper.engine.reference import Facts, Record, Reference, holds
from grouper.scheme.condition import (
    And,
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
    Sites,
    parse,
)
from grouper.scheme.meaning import Grid, relation, with_names

DX = ("D1", "D2")
NUMBERS = ("age", "age_days", "weight", "los", "icu_hours", "sex")
THRESHOLDS = st.sampled_from(["0", "1", "2", "2.5", "6", "28", "70", "1500"]).map(Decimal)
OPS = st.sampled_from(["<", "<=", ">", ">=", "=="])
MEMBERS = st.one_of(
    st.builds(Member, st.sampled_from(["main_dx", "other_dx", "any_dx"]), st.sampled_from(DX)),
    st.builds(Member, st.sampled_from(["main_px", "any_px"]), st.just("P1_px")),
)
COMPARES = st.builds(
    lambda field, op, value, turned: (
        Compare((Number(value), Field(field)), (op,))
        if turned
        else Compare((Field(field), Number(value)), (op,))
    ),
    st.sampled_from(NUMBERS), OPS, THRESHOLDS, st.booleans(),
)  # fmt: skip
COUNTS = st.builds(
    lambda term, op, n: Compare((term, Number(Decimal(n))), (op,)),
    st.sampled_from([Sites(("D1", "D2")), Hits("any_px", "P1_px")]), OPS, st.integers(0, 3),
)  # fmt: skip
ATOMS = st.one_of(
    MEMBERS, COMPARES, COUNTS, st.builds(Flag, st.sampled_from(["mcc", "cc"])),
    st.builds(Constant, st.booleans()),
)  # fmt: skip


def _joined(children: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(children, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(Not, children), st.builds(And, several), st.builds(Or, several))


CONDITIONS = st.recursive(ATOMS, _joined, max_leaves=6)


SUBJECT = Reference(
    tiny_scheme(
        mdcs={"B": "True"},
        rules=[("BR1", "True")],
        lists={"D1": "A00 B00", "D2": "A00 C00", "P1_px": "01.1 01.2 01.3"},
        cc={"B00": "MCC", "C00": "CC"},
    )
)
VALUES = (None, 0, 1, 2, 3, 5, 6, 7, 27, 28, 29, 69, 70, 71, 1499, 1500, 1501)


def _facts(rng: random.Random) -> Facts:
    """What conditions may ask about a random record."""
    parts: dict[str, Any] = {n: rng.choice(VALUES) for n in ("age", "age_days", "los", "leaving")}
    for name in ("weight", "icu_hours"):
        parts[name] = rng.choice((*VALUES, Decimal("0.5"), Decimal("2.25"), Decimal("2.5")))
    dx = rng.choices(("A00", "B00", "C00", "Z00"), k=rng.randint(1, 3))
    px = rng.choices(("01.1", "01.2", "01.3", "99.9"), k=rng.randint(0, 4))
    return SUBJECT.facts(Record(dx=tuple(dx), px=tuple(px), sex=rng.choice((1, 2)), **parts))


@given(CONDITIONS, CONDITIONS, st.integers(0, 10**6))
def test_no_record_contradicts_what_is_said_of_two_conditions(
    first: Condition, second: Condition, seed: int
) -> None:
    found = relation(first, second)
    rng = random.Random(seed)
    for _ in range(40):
        facts = _facts(rng)
        one, other = holds(first, facts), holds(second, facts)
        if found in ("same", "wider"):
            assert other or not one
        if found in ("same", "narrower"):
            assert one or not other


@given(CONDITIONS, CONDITIONS)
def test_from_the_other_side_the_relation_is_the_reverse(
    first: Condition, second: Condition
) -> None:
    reverse = {"wider": "narrower", "narrower": "wider"}
    found = relation(first, second)
    assert relation(second, first) == reverse.get(found, found)


@given(CONDITIONS, CONDITIONS, CONDITIONS)
def test_laws_of_logic_are_no_difference(a: Condition, b: Condition, c: Condition) -> None:
    for one, other in (
        (a, Not(Not(a))),
        (Not(And((a, b))), Or((Not(a), Not(b)))),
        (And((a, Or((b, c)))), Or((And((a, b)), And((a, c))))),
        (And((a, b)), And((b, a))),
        (Or((a, And((a, b)))), a),
    ):
        assert relation(one, other) in ("same", "unknown")
    assert relation(a, Or((a, b))) in ("same", "wider", "unknown")
    assert relation(a, And((a, b))) in ("same", "narrower", "unknown")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("age > 6", "age >= 7", "same"),  # whole years
        ("weight > 6", "weight >= 7", "narrower"),
        ("not age < 70", "age >= 70", "narrower"),  # an age that is missing
        ("sex == 1", "not sex == 2", "same"),  # of no other sex is any record grouped
        ("1 <= los <= 7", "los >= 1 and los <= 7", "same"),
        ("sites(D1, D2) >= 1", "sites(D2, D1) > 0", "same"),
        ("sites(D1, D2) >= 3", "False", "same"),
        ("hits(any_px, P1_px) >= 2", "2 <= hits(any_px, P1_px)", "same"),
        ("main_dx in D1", "any_dx in D1", "wider"),
        ("any_dx in D1", "main_dx in D1 or other_dx in D1", "same"),
        ("mcc or cc", "cc", "narrower"),
        ("mcc", "cc", "other"),
        ("age < weight", "age <= weight", "unknown"),  # two numbers of the record
    ],
)
def test_relations_of_plain_conditions(first: str, second: str, expected: str) -> None:
    names = {name: name for name in ("D1", "D2", "P1_px")}
    assert relation(*(with_names(parse(text), names) for text in (first, second))) == expected


def test_too_many_parts_are_not_decided() -> None:
    many = And(tuple(Member("main_dx", f"L{n}") for n in range(17)))
    assert Grid.of([many]) is None
    assert relation(many, Not(many)) == "unknown"
    assert relation(many, many) == "same"
