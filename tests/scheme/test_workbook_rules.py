"""The official rule language: every refinement rule, rules of every shape, and faults."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from official_workbook import rule

from grouper.scheme.condition import (
    TRUE,
    And,
    Compare,
    Condition,
    Field,
    Flag,
    Hits,
    Member,
    Not,
    Number,
    Or,
    parse,
    to_text,
)
from grouper.scheme.workbook_layout import fold
from grouper.scheme.workbook_rules import RuleError, joined, translate

OFFICIAL = Path(__file__).parents[1] / "data" / "official"
SET = re.compile(r"\b(DI|OP)\d*_\w+")
KINDS = {"DI_A": "dx", "DI_B": "dx", "OP_A": "px", "OP_B": "px", "OP_ALL": "px"}


def rows(name: str) -> list[list[str]]:
    lines = (OFFICIAL / name).read_text("utf-8").splitlines()[1:]
    return [line.split("\t") for line in lines]


def kinds(text: str) -> dict:
    return {found[0]: "dx" if found[1] == "DI" else "px" for found in SET.finditer(text)}


def test_all_825_refinement_rules_mean_the_condition_beside_them():
    found = rows("drg_rules_3.tsv")
    assert len(found) == 825
    wrong = [
        (drg, text, to_text(translate(fold(text), kinds(text))))
        for _, drg, text, when in found
        if to_text(translate(fold(text), kinds(text))) != when
    ]
    assert not wrong


@pytest.mark.parametrize(("code", "text", "when"), rows("rules_3.tsv"), ids=lambda v: v[:4])
def test_real_rules_of_every_shape(code, text, when):
    text = text.replace("\\n", "\n")
    assert to_text(translate(fold(text), kinds(text))) == when


@pytest.mark.parametrize("line_end", ["\n", "_x000D_\n", "_x000a_", "\\\n", "\u3000", "\u200b\xa0"])
def test_line_ends_in_any_guise_are_blanks(line_end):
    text = f"(ZYZD in DI_A) or {line_end}(QTZD in DI_B)"
    assert to_text(translate(fold(text), KINDS)) == "main_dx in DI_A or other_dx in DI_B"


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("zyzd IN di_a AND Not QTZD In DI_B", "main_dx in DI_A and not other_dx in DI_B"),
        ("{QTSS,ZYSS} not in {OP_A, OP_B}", "not (any_px in OP_A or any_px in OP_B)"),
        ("QTZD in {MCC, DI_A}", "mcc or other_dx in DI_A"),
        ("QTZD not in CC", "not cc"),
        ("{QTSS} in OP_A", "other_px in OP_A"),
        ("length({ZYZD, QTZD} ∩ DI_A) > 1", "hits(any_dx, DI_A) > 1"),
        ("1 <= NL < 6.5", "1 <= age < 6.5"),
        ("（NL≥70）and（XB＝2）", "age >= 70 and sex == 2"),
        ("not not NL = 0", "age == 0"),
        ("ZYZD in DI_A and 1", "main_dx in DI_A and True"),
        ("NL=0 or NL=1 and NL=2", "age == 0 or age == 1 and age == 2"),
        ("(NL=0 or NL=1) and NL=2", "(age == 0 or age == 1) and age == 2"),
    ],
)
def test_letter_case_precedence_and_signs(text, when):
    assert to_text(translate(fold(text), KINDS)) == when


@pytest.mark.parametrize(
    ("text", "problem", "at", "word"),
    [
        ("ZYZD in DI_C", "set", 9, "DI_C"),
        ("ZYZZ in DI_A", "name", 1, "ZYZZ"),
        ("DI_A in ZYZD", "name", 1, "DI_A"),
        ("{ZYZD, ZYSS} in DI_A", "fields", 1, "ZYZD, ZYSS"),
        ("{ZYZD, NL} in DI_A", "name", 8, "NL"),
        ("ZYSS in DI_A", "kind", 9, "DI_A"),
        ("ZYZD in MCC", "flag", 9, "MCC"),
        ("length(DI_A ∩ {ZYSS}) >= 2", "kind", 8, "DI_A"),
        ("NL != 3", "character", 4, "!"),
        ("ZYZD like DI_A", "expected", 6, "like"),
        ("ZYZD in", "end", 8, ""),
        ("ZYZD in {DI_A", "end", 14, ""),
        ("(ZYZD in DI_A", "end", 14, ""),
        ("ZYZD in DI_A)", "expected", 13, ")"),
        ("ZYZD in DI_A QTZD in DI_B", "expected", 14, "QTZD"),
        ("NL", "end", 3, ""),
        ("0", "end", 2, ""),
        ("1 < 2", "constant", 1, "1"),
        ("AGE >= 3", "name", 1, "AGE"),
        ("ZYZD >= 3", "expected", 6, ">="),
        ("and", "expected", 1, "and"),
        ("length(OP_A) >= 2", "expected", 12, ")"),
        ("(" * 200 + "NL=0" + ")" * 200, "deep", 101, ""),
    ],
)
def test_what_is_not_understood_is_an_error_at_its_character(text, problem, at, word):
    with pytest.raises(RuleError) as caught:
        translate(text, KINDS)
    assert (caught.value.problem, caught.value.at, caught.value.word) == (problem, at, word)


def test_the_nearest_known_word_is_named():
    with pytest.raises(RuleError) as caught:
        translate("ZYZD in DI_AA", KINDS)
    assert caught.value.near == "DI_A"


def conditions() -> st.SearchStrategy[Condition]:
    numbers = st.integers(0, 3000).map(lambda n: Number(parse(f"age < {n}").terms[1].value))
    members = st.sampled_from(
        [Member(c, s) for c in ("main_dx", "other_dx", "any_dx") for s in ("DI_A", "DI_B")]
        + [Member(c, s) for c in ("main_px", "other_px", "any_px") for s in ("OP_A", "OP_B")]
    )
    compares = st.builds(
        lambda left, op, right: Compare((left, right), (op,)),
        st.sampled_from(
            [*map(Field, ("age", "sex", "age_days", "weight")), Hits("any_px", "OP_A")]
        ),
        st.sampled_from(["<", "<=", ">", ">=", "=="]),
        numbers,
    )
    leaves = members | compares | st.sampled_from([TRUE, Flag("mcc"), Flag("cc")])
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            inner.map(lambda one: one.operand if isinstance(one, Not) else Not(one)),
            st.lists(inner, min_size=2, max_size=4).map(lambda found: joined(And, found)),
            st.lists(inner, min_size=2, max_size=4).map(lambda found: joined(Or, found)),
        ),
    )


@pytest.mark.property
@given(conditions())
def test_a_condition_said_in_the_official_language_comes_back(condition):
    assert translate(rule(condition, {name: name for name in KINDS}), KINDS) == condition


@pytest.mark.property
@given(st.text("ZYDQTSNLXBand orti_(){},<>=1∩\\DIOP_A"))
def test_any_text_is_a_condition_or_an_error(text):
    try:
        found = translate(fold(text), KINDS)
    except RuleError:
        return
    assert parse(to_text(found)) == found
