"""The language of the `when` columns: what it accepts, how it prints, what it rejects."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.scheme import condition as language
from grouper.scheme.condition import (
    CODES,
    FALSE,
    FLAGS,
    NUMBER_NAMES,
    TRUE,
    And,
    Compare,
    Condition,
    ConditionError,
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
    to_text,
)
from grouper.scheme.lint_conditions import problem_of

A, B, C = (Member("main_dx", name) for name in ("A", "B", "C"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("True", TRUE),
        ("False", FALSE),
        ("mcc or cc", Or((Flag("mcc"), Flag("cc")))),
        ("any_px in L_2", Member("any_px", "L_2")),
        ("not main_dx in A and main_dx in B", And((Not(A), B))),
        ("not (main_dx in A and main_dx in B)", Not(And((A, B)))),
        ("main_dx in A or main_dx in B and main_dx in C", Or((A, And((B, C))))),
        ("(main_dx in A or main_dx in B) and main_dx in C", And((Or((A, B)), C))),
        ("main_dx in A and (main_dx in B and main_dx in C)", And((A, B, C))),
        (
            "1 <= los <= 7",
            Compare((Number(Decimal(1)), Field("los"), Number(Decimal(7))), ("<=", "<=")),
        ),
        ("weight < 1499.5", Compare((Field("weight"), Number(Decimal("1499.5"))), ("<",))),
        ("age == age_days", Compare((Field("age"), Field("age_days")), ("==",))),
        ("sites(A, B) >= 2", Compare((Sites(("A", "B")), Number(Decimal(2))), (">=",))),
        ("hits(any_px, A) > 1", Compare((Hits("any_px", "A"), Number(Decimal(1))), (">",))),
    ],
)
def test_a_condition_is_read_as_the_grammar_says(text: str, expected: Condition) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("main_dx  in   A ", "main_dx in A"),
        ("((mcc))", "mcc"),
        ("(main_dx in A) and (main_dx in B)", "main_dx in A and main_dx in B"),
        ("not(mcc or cc)", "not (mcc or cc)"),
        ("not (main_dx in A)", "not main_dx in A"),
        ("(age<1) or ((mcc and cc) or cc)", "age < 1 or mcc and cc or cc"),
        ("sites( A,B )>=2", "sites(A, B) >= 2"),
        ("weight > 0.0000001", "weight > 0.0000001"),
    ],
)
def test_a_condition_is_written_one_way_only(written: str, canonical: str) -> None:
    assert to_text(parse(written)) == canonical


@pytest.mark.parametrize(
    ("text", "kind", "column", "near"),
    [
        ("", "syntax", 1, ""),
        ("   ", "syntax", 1, ""),
        ("  mcc", "syntax", 2, ""),
        ("age !=3", "syntax", 1, ""),
        ("main_dx not in A", "syntax", 1, ""),
        ("main_dx is A", "syntax", 1, ""),
        ("main_dx in A in B", "syntax", 1, ""),
        ("age > 1 + 1", "syntax", 7, ""),
        ("age > -1", "syntax", 7, ""),
        ("age > 1e3", "syntax", 7, ""),
        ("age > 0x10", "syntax", 7, ""),
        ("age > 1_0", "syntax", 7, ""),
        ("age > True", "syntax", 7, ""),
        ("age > 1j", "syntax", 7, ""),
        ("3 > 2", "syntax", 1, ""),
        ("'a' in A", "syntax", 1, ""),
        ("main_dx in 'A'", "syntax", 12, ""),
        ("main_dx in [A]", "syntax", 12, ""),
        ("main_dx[0] in A", "syntax", 1, ""),
        ("main_dx.x in A", "syntax", 1, ""),
        ("mcc if cc else mcc", "syntax", 1, ""),
        ("lambda: mcc", "syntax", 1, ""),
        ("(x := mcc)", "syntax", 2, ""),
        ("1", "syntax", 1, ""),
        ("None", "syntax", 1, ""),
        ("mcc # cc", "syntax", 5, ""),
        ("main_dx in Ä", "syntax", 12, ""),
        ("main_dx in A；", "syntax", 13, ""),
        ("mcc \\\n or cc", "syntax", 5, ""),
        ("__import__('os')", "syntax", 1, ""),
        ("sites(A, B=2) > 1", "syntax", 1, ""),
        ("mccc", "name", 1, "mcc"),
        ("age", "name", 1, ""),
        ("main_dx", "name", 1, ""),
        ("main_dy in A", "name", 1, "main_dx"),
        ("agee > 3", "name", 1, "age"),
        ("mcc > 3", "name", 1, ""),
        ("open(A) > 3", "name", 1, ""),
        ("sites() > 3", "name", 1, ""),
        ("hits(A) > 3", "name", 1, ""),
        ("hits(A, any_px) > 3", "name", 6, ""),
    ],
)
def test_what_is_outside_the_language_is_rejected_with_its_place(
    text: str, kind: str, column: int, near: str
) -> None:
    with pytest.raises(ConditionError) as caught:
        parse(text)
    error = caught.value
    assert (error.kind, error.column, error.near) == (kind, column, near)
    issue = problem_of(error, "adrg.tsv:9:when", text)
    assert issue.params["problem"] != "other"
    assert re.search("[\u4e00-\u9fff]", issue.what("zh").replace("无法读取条件", ""))


@pytest.mark.parametrize("text", ["(" * 5000, "not " * 5000 + "mcc", "9" * 5000 + " < age < "])
def test_monstrous_text_is_an_ordinary_error(text: str) -> None:
    with pytest.raises(ConditionError):
        parse(text)


def test_every_complaint_of_the_parser_has_a_chinese_text() -> None:
    source = Path(str(language.__file__)).read_text("utf-8")
    raised = re.findall(r"raise ConditionError\(\s*(f?\"[^\n]*?\")(?=[,\n])", source)
    assert len(raised) >= 12
    for literal in raised:
        what = re.sub(r"\{[^}]*!r\}", "'x'", literal.removeprefix("f").strip('"'))
        what = re.sub(r"\{[^}]*\}", "x", what)
        issue = problem_of(ConditionError(what, 1), "adrg.tsv:2:when", "text")
        assert issue.params["problem"] != "other", what


NAMES = st.from_regex(r"[A-Z][A-Za-z0-9_]{0,5}", fullmatch=True)
NUMBERS = st.one_of(
    st.integers(0, 10**6).map(Decimal),
    st.decimals(0, 10**5, places=3, allow_nan=False, allow_infinity=False),
)
COUNTS = st.one_of(
    st.sampled_from(NUMBER_NAMES).map(Field),
    st.lists(NAMES, min_size=1, max_size=4).map(lambda names: Sites(tuple(names))),
    st.builds(Hits, st.sampled_from(CODES), NAMES),
)


@st.composite
def comparisons(draw: st.DrawFn) -> Compare:
    terms = [draw(COUNTS), draw(st.one_of(COUNTS, NUMBERS.map(Number)))]
    if draw(st.booleans()):
        terms.insert(0, draw(NUMBERS.map(Number)))
    ops = tuple(draw(st.sampled_from(["<", "<=", ">", ">=", "=="])) for _ in terms[1:])
    return Compare(tuple(terms), ops)


def joined(kind: type[And] | type[Or], parts: list[Condition]) -> Condition:
    """`And` and `Or` are kept flat, as the parser keeps them."""
    flat: list[Condition] = []
    for part in parts:
        flat.extend(part.operands if isinstance(part, kind) else (part,))
    return kind(tuple(flat))


CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    st.one_of(
        st.booleans().map(Constant),
        st.sampled_from(FLAGS).map(Flag),
        st.builds(Member, st.sampled_from(CODES), NAMES),
        comparisons(),
    ),
    lambda inner: st.one_of(
        inner.map(Not),
        st.builds(joined, st.sampled_from([And, Or]), st.lists(inner, min_size=2, max_size=4)),
    ),
    max_leaves=12,
)


@pytest.mark.property
@given(CONDITIONS)
def test_a_condition_survives_printing_and_reading(condition: Condition) -> None:
    text = to_text(condition)
    assert parse(text) == condition
    assert to_text(parse(text)) == text
