"""Keys that a spreadsheet damaged find the only key they can come from, and no other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.run.keys import clean_key, match, repeated


def joined(ours, theirs):
    found = match([clean_key(text) for text in ours], [clean_key(text) for text in theirs])
    kinds = {repair.ours: repair.kind for repair in found.repairs}
    return {ours[a]: (theirs[b], kinds.get(a, "")) for a, b in found.pairs}, found


LONG = "330102199001011234"


@pytest.mark.parametrize(
    ("ours", "theirs", "kind"),
    [
        ("A17", "A17", ""),
        ("A17", " A17\u3000", "blanks"),
        ("A17", "Ａ１７", "blanks"),
        ("A17", "'A17", "apostrophe"),
        ("017", '="017"', "apostrophe"),
        ("17", "17.0", "decimal"),
        ("00017", "17", "leading_zeros"),
        ("000000", "0", "leading_zeros"),
        ("0017|2025-06-02", "17|2025-06-02", "leading_zeros"),
        ("0017|04|x", "17|4|x", "leading_zeros"),
        ("123456789012345", "1.23457E+14", "exponent"),
        ("120000000000000", "1.2E+14", "exponent"),
        (LONG, "330102199001011000", "digits_lost"),
        (LONG, "330102199001011200", "digits_lost"),
        (LONG, str(int(float(LONG))), "digits_lost"),
        (LONG, "3.30102E+17", "exponent"),
        ("12345678901234567", "12345678901234500", "digits_lost"),
        ("12345678901234567", "12345678901234600", "digits_lost"),
    ],
)
def test_each_damage_has_its_name(ours, theirs, kind):
    pairs, _ = joined([ours, "other"], ["something", theirs])
    assert pairs == {ours: (theirs, kind)}
    pairs, _ = joined(["something", theirs], [ours, "other"])
    assert pairs == {theirs: (ours, kind)}


def test_a_damaged_key_of_two_records_is_joined_with_neither():
    ours = [LONG, LONG[:-1] + "5", "1"]
    pairs, found = joined(ours, [LONG[:15] + "000", "1"])
    assert pairs == {"1": ("1", "")}
    assert found.unclear_theirs == {0: (0, 1)}
    pairs, found = joined(ours, [LONG[:15] + "000", LONG[:15] + "000"])
    assert pairs == {}
    assert set(found.unclear_theirs) == {0, 1}


def test_serial_numbers_one_apart_are_not_taken_for_each_other():
    """Rows that one file lacks and rows that the other lacks, in a column of intact numbers."""
    near = "12345678901234567"
    other = str(int(float(near)))
    pairs, _ = joined([near, "12345678901234561"], [other, "12345678901234563"])
    assert pairs == {}
    # a column in which every long number went through a binary one
    pairs, _ = joined([near, "12345678901239561"], [other, str(int(float("12345678901239561")))])
    assert pairs[near] == (other, "digits_lost")


def test_an_exact_key_is_never_taken_for_a_damaged_one():
    pairs, _ = joined(["17", "0017"], ["17", "0017"])
    assert pairs == {"17": ("17", ""), "0017": ("0017", "")}
    pairs, _ = joined(["0017", "00017"], ["17"])
    assert pairs == {}
    for ours, theirs in (
        ("0017", "017"),
        ("0017|2025-06-02", "17|2025-06-03"),
        ("0017|2025-06-02", "17"),
        ("0017|004", "017|4"),
    ):
        assert joined([ours], [theirs])[0] == {}


def test_rows_without_key_match_nothing():
    pairs, _ = joined(["", "a"], ["a", "", " "])
    assert pairs == {"a": ("a", "")}


def test_only_undamaged_keys_count_as_repeated():
    texts = ["a", "a", "b", "1.2E+17", "1.2E+17", "330102199001011000", "330102199001011000", ""]
    assert repeated([clean_key(text) for text in texts]) == {"a": 2}


@given(st.lists(st.integers(10**16, 10**18).map(str), unique=True, max_size=30), st.randoms())
def test_rounding_joins_only_the_true_origin(keys, random):
    theirs = [str(int(float(key))) if random.random() < 0.5 else key for key in keys]
    random.shuffle(theirs)
    for mine, (other, _) in joined(keys, theirs)[0].items():
        assert other in (mine, str(int(float(mine))))


@given(st.lists(st.text("0123456789aA-", min_size=1, max_size=8), unique=True, max_size=20))
def test_the_same_keys_in_any_order_are_all_joined(keys):
    pairs, found = joined(keys, keys[::-1])
    cleaned = {clean_key(key).text for key in keys}
    if len(cleaned) == len(keys):
        assert {mine: other for mine, (other, _) in pairs.items()} == dict.fromkeys(keys) | {
            key: key for key in keys
        }
        assert not found.unclear_ours
