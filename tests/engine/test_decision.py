"""The rule named as deciding otherwise really does, on published cases under pairs of schemes."""

from __future__ import annotations

import json
import lzma
from decimal import Decimal
from pathlib import Path

import pytest
from tiny import tiny_scheme

from grouper.engine.decision import Judge, difference_text, first_difference, verdict_text
from grouper.engine.reference import Record, Reference, holds

CASES = Path(__file__).parents[1] / "data" / "cases"
NUMBERS = ("sex", "age", "age_days", "weight", "los", "leaving", "icu_hours")


def records(scheme_id: str, step: int) -> list[Record]:
    with lzma.open(CASES / f"{scheme_id}.jsonl.xz", "rt", encoding="utf-8") as lines:
        cases = [json.loads(line, parse_float=Decimal) for line in lines][::step]
    return [
        Record(dx=tuple(c["dx"]), px=tuple(c["px"]), **{n: c.get(n) for n in NUMBERS})
        for c in cases
        if c["dx"] and c.get("sex") in (1, 2)
    ]


def rows(scheme, level, code):
    """The rows of a code: MDC, ADRG rules or DRG."""
    found = {"mdc": scheme.mdcs, "adrg": scheme.adrgs, "drg": scheme.drgs}[level]
    return [row for row in found if getattr(row, level) == code]


@pytest.mark.parametrize(
    ("before", "after"),
    [("chs_drg_20", "chs_drg_30"), ("chs_drg_11", "guangxi_2022"), ("henan_2024", "chs_drg_20")],
)
def test_the_first_rule_that_decides_otherwise_does(load, before, after):
    sides = {"from": Reference(load(before)), "to": Reference(load(after))}
    seen = set()
    for record in [*records(before, 12), *records(after, 12)]:
        judges = {side: Judge(one, record) for side, one in sides.items()}
        places = {side: judge.place for side, judge in judges.items()}
        found = first_difference(sides["from"], sides["to"], record)
        if places["from"] == places["to"]:
            assert found is None
            continue
        assert found is not None
        seen.add((found.level, found.here, found.why))
        levels = ("mdc", "adrg", "drg")
        for level in levels[: levels.index(found.level)]:
            assert getattr(places["from"], level) == getattr(places["to"], level)
        chosen = {side: getattr(place, found.level) for side, place in places.items()}
        assert chosen["from"] != chosen["to"]
        # the choice of one side, judged by the other
        assert found.rule == chosen["from" if found.here == "to" else "to"] != chosen[found.here]
        judge = judges[found.here]
        listed = rows(judge.reference.scheme, found.level, found.rule)
        true = [row for row in listed if holds(row.when, judge.evidence.facts)]
        assert (not listed) == (found.why == "absent")
        if found.why == "fails":
            assert listed
            assert not true
        elif found.why in ("order", "nothing_fits"):
            assert true
        if found.why == "order":
            assert found.verdict.order > judge.verdict(found.level, chosen[found.here]).order
        for lang in ("zh", "en"):
            text = difference_text(found, record, lang, before=before, after=after)
            assert found.rule in text
            assert "{" not in text
    assert len(seen) > 4


@pytest.mark.parametrize("scheme_id", ["chs_drg_20", "foshan_2022"])
def test_what_keeps_a_record_out_of_a_group_is_false_of_it(load, scheme_id):
    reference = Reference(load(scheme_id))
    adrgs = {rule.adrg: rule for rule in reference.scheme.adrgs}
    drgs = reference.scheme.drgs[:: len(reference.scheme.drgs) // 23]
    for record in records(scheme_id, 120):
        judge = Judge(reference, record)
        for drg in drgs:
            said = judge.against(adrgs[drg.adrg].mdc, drg.adrg, drg.drg)
            if judge.place.drg == drg.drg:
                assert said.said == "holds"
            for lang in ("zh", "en"):
                assert said.code in verdict_text(said, record, lang)
            if said.said == "fails":
                listed = rows(reference.scheme, said.level, said.code)
                assert not any(holds(row.when, judge.evidence.facts) for row in listed)


OLD = tiny_scheme(
    mdcs={"B": "main_dx in B_dx"},
    rules=[("BA1", "main_px in A_px"), ("BB1", "main_px in B_px"), ("BR1", "True")],
    drgs=[("BR11", "mcc"), ("BR15", "True")],
    lists={"B_dx": "I1 I2", "A_px": "1", "B_px": "1 2"},
    cc={"M1": "MCC 5"},
)


def changed(**how):
    parts = {
        "mdcs": {"B": "main_dx in B_dx"},
        "rules": [("BA1", "main_px in A_px"), ("BB1", "main_px in B_px"), ("BR1", "True")],
        "drgs": [("BR11", "mcc"), ("BR15", "True")],
        "lists": {"B_dx": "I1 I2", "A_px": "1", "B_px": "1 2"},
        "cc": {"M1": "MCC 5"},
    }
    return tiny_scheme(**(parts | how))


@pytest.mark.parametrize(
    ("new", "px", "expected"),
    [
        # the order of two rules that both hold
        (
            changed(
                rules=[("BB1", "main_px in B_px"), ("BA1", "main_px in A_px"), ("BR1", "True")]
            ),
            ("1",),
            ("adrg", "BB1", "from", "order"),
        ),
        # a code left a list
        (
            changed(lists={"B_dx": "I1", "A_px": "9", "B_px": "1 2"}),
            ("1",),
            ("adrg", "BA1", "to", "fails"),
        ),
        # a category lost the diagnosis
        (
            changed(lists={"B_dx": "I2", "A_px": "1", "B_px": "1 2"}),
            ("1",),
            ("mdc", "B", "to", "fails"),
        ),
        # a rule is gone
        (
            changed(rules=[("BA1", "main_px in A_px"), ("BR1", "True")]),
            ("2",),
            ("adrg", "BB1", "to", "absent"),
        ),
        # a new rule before the old one
        (
            changed(rules=[("BN1", "any_px in B_px"), ("BA1", "main_px in A_px"), ("BR1", "True")]),
            ("1",),
            ("adrg", "BN1", "from", "absent"),
        ),
        # an MCC is none any more
        (changed(cc={}), (), ("drg", "BR11", "to", "fails")),
    ],
)
def test_each_kind_of_change_is_named(new, px, expected):
    record = Record(sex=1, age=40, dx=("I1", "M1"), px=px)
    found = first_difference(Reference(OLD), Reference(new), record)
    assert found is not None
    assert (found.level, found.rule, found.here, found.why) == expected
    back = first_difference(Reference(new), Reference(OLD), record)
    assert back is not None
    assert back.level == found.level


def test_a_complication_that_changes_is_told():
    record = Record(sex=1, age=40, dx=("I1", "M1"), px=())
    found = first_difference(Reference(OLD), Reference(changed(cc={"M1": "CC 5"})), record)
    assert found is not None
    assert found.complications == ({"code": "M1", "from": "MCC", "to": "CC"},)
    excluded = changed(exclusions={"I1": "5"})
    found = first_difference(Reference(OLD), Reference(excluded), record)
    assert found is not None
    assert found.complications[0]["to"] == "MCC excluded"
    text = difference_text(found, record, "en", before="old", after="new")
    assert "MCC that does not count" in text
