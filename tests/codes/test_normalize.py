"""What a spelling of a code stands for."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.codes.dictionary import load_dictionary
from grouper.codes.normalize import fold, has_shape, repair
from grouper.datafile import read_tsv

CASES = Path(__file__).parent.parent / "data" / "records" / "codes.tsv"
DICTIONARY = load_dictionary()
KINDS = ("dx", "px")


@pytest.mark.parametrize(
    ("kind", "cell", "codes", "how"), list(zip(*read_tsv(CASES).cells, strict=True))
)
def test_cell_stands_for_codes(kind, cell, codes, how):
    found = repair(cell, DICTIONARY.table(kind))
    assert found.codes == tuple(codes.split("|"))
    assert found.how == (() if how == "-" else (how,))


@pytest.mark.parametrize("kind", KINDS)
def test_every_code_of_the_dictionary_stays_itself(kind):
    table = DICTIONARY.table(kind)
    assert all(repair(code, table) == ((code,), ()) for code in table.codes)


@pytest.mark.parametrize("kind", KINDS)
def test_lower_case_full_width_and_lost_dot_lead_back_to_the_code(kind):
    table = DICTIONARY.table(kind)
    for code in table.codes[::37]:
        wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in code)
        for spelling in (code.lower(), code.upper(), wide, f" \u3000{code}\u200b ", f"'{code}"):
            assert repair(spelling, table).codes == (code,), spelling


def test_every_code_that_a_spreadsheet_turned_into_a_number_is_recovered():
    table = DICTIONARY.px
    numeric = [code for code in table.codes if code.replace(".", "").isdecimal()]
    assert len(numeric) == len(table.by_number) == 8291
    for code in numeric:
        assert repair(repr(float(code)), table, is_number=True).codes == (code,)


def test_no_diagnosis_reads_as_a_number():
    assert not load_dictionary().dx.by_number


@pytest.mark.parametrize("kind", KINDS)
def test_all_codes_have_the_shape_of_their_kind_and_are_folded(kind):
    table = DICTIONARY.table(kind)
    assert all(has_shape(code, table.kind) and fold(code) == code for code in table.codes)


@given(st.text(max_size=30), st.sampled_from(KINDS))
def test_repair_ends_in_known_codes_or_keeps_the_text(text, kind):
    table = DICTIONARY.table(kind)
    found = repair(text, table)
    again = [repair(code, table).codes for code in found.codes if code in table]
    assert all(len(codes) == 1 for codes in again)
    if found.how and found.how[0] not in ("split", "name"):
        assert all(code in table for code in found.codes)


@given(st.sampled_from(DICTIONARY.dx.codes), st.sampled_from(DICTIONARY.px.codes))
def test_neighbours_of_a_code_are_codes(dx, px):
    for table, code in ((DICTIONARY.dx, dx), (DICTIONARY.px, px)):
        assert all(near in table for near in table.near(code[:-1] + "?"))
