"""Rules that failed by one condition, and trials with another principal diagnosis."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import tiny_scheme

from grouper.engine.evidence import Evidence
from grouper.engine.near import near_misses
from grouper.engine.reference import Record, Reference
from grouper.engine.trial import side_by_side, with_principal

SCHEME = tiny_scheme(
    mdcs={"P": "age == 0 and main_dx in P_dx", "B": "main_dx in B_dx"},
    rules=[
        ("BA1", "main_px in BA1_px and main_dx in BA1_dx"),
        ("BB1", "main_px in BB1_px and other_dx in X_dx and age < 14"),
        ("BC1", "main_px in BC1_px"),
        ("BR1", "main_dx in B_dx"),
        ("BS1", "age > 90"),
    ],
    drgs=[("BR11", "mcc"), ("BR13", "cc and age >= 60"), ("BR15", "True")],
    lists={
        "P_dx": "P1",
        "B_dx": "I1 P1 I2",
        "BA1_dx": "I1",
        "BA1_px": "1",
        "BB1_px": "2",
        "BC1_px": "3",
        "X_dx": "X1",
    },
    cc={"M1": "MCC 5"},
    exclusions={"I1": "5"},
)


def near(**record):
    reference = Reference(SCHEME)
    one = Record(**{"sex": 1, "age": 40, "dx": ("I1",), "px": ()} | record)
    facts = reference.facts(one)
    evidence = Evidence(facts, tuple(reference.complications(one)))
    return {
        step["drg"] or step["adrg"] or step["mdc"]: step
        for step in near_misses(reference, reference.group(one), evidence)
    }


def texts_of(parts):
    return [part["test"] for part in parts]


def test_a_rule_is_near_when_one_part_is_missing():
    found = near()
    assert texts_of(found["BA1"]["lacks"]) == ["main_px in BA1_px"]
    assert texts_of(found["BA1"]["meets"]) == ["main_dx in BA1_dx"]
    assert texts_of(found["BC1"]["lacks"]) == ["main_px in BC1_px"]
    assert "BB1" not in found  # three parts are missing
    assert "BS1" not in found  # stands after the rule that took the record


def test_a_refinement_is_near_and_an_excluded_code_does_not_help():
    found = near(dx=("I1", "M1"))
    assert texts_of(found["BR11"]["lacks"]) == ["mcc"]
    assert found["BR11"]["lacks"][0]["codes"] == []
    assert "BR13" not in found  # neither cc nor the age


def test_a_category_is_near_only_with_some_evidence_for_it():
    assert texts_of(near(dx=("P1",))["MDCP"]["lacks"]) == ["age == 0"]
    assert texts_of(near(dx=("I2",), age=0)["MDCP"]["meets"]) == ["age == 0"]
    assert "MDCP" not in near(dx=("I2",))


@given(
    st.integers(0, 100),
    st.lists(st.sampled_from(["I1", "I2", "P1", "X1", "M1"]), min_size=1, max_size=4),
    st.lists(st.sampled_from(["1", "2", "3", "9"]), max_size=2),
)
def test_near_rules_are_false_and_never_hold_the_result(age, dx, px):
    record = Record(sex=1, age=age, dx=tuple(dx), px=tuple(px))
    reference = Reference(SCHEME)
    outcome = reference.group(record)
    plain, shown = reference.trace(record), reference.trace(record, near="show")
    assert [s for s in shown.steps if s["step"] != "near"] == list(plain.steps)
    for step in shown.steps:
        if step["step"] == "near":
            assert step["lacks"]
            assert step["drg"] is None or step["drg"] != plain.steps[-1]["drg"]
    assert shown.outcome == outcome


def test_a_trial_moves_one_diagnosis_to_the_front():
    record = Record(sex=1, dx=("I1", "X1", "I2", "X1"), px=())
    assert with_principal(record, "I2").dx == ("I2", "I1", "X1", "X1")
    with pytest.raises(ValueError):  # noqa: PT011
        with_principal(record, "I1")


def test_trials_stand_in_the_order_asked_for():
    reference = Reference(SCHEME)
    record = Record(sex=1, age=70, dx=("I1", "X1", "I2"), px=("1",))
    codes = ["X1", "I2"]
    traces = [reference.trace(record)]
    traces += [reference.trace(with_principal(record, code)) for code in codes]
    for lang in ("zh", "en"):
        titles, rows = side_by_side(traces, lang)
        assert [code in title for code, title in zip(codes, titles[2:], strict=True)] == [True] * 2
        assert [row[1:] for row in rows if row[0] == "ADRG"] == [["BA1", "-", "BR1"]]
