"""Auxiliary types of cases: severity, malignant severity, age, intensive care, comorbidity."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grouper.datafile import data_folder
from grouper.engine.dip_auxiliary import AuxiliaryTable, GroupTypes, TypeWorth
from grouper.engine.dip_types import Shares, described, types_of, unknown_shares
from grouper.errors import SchemeError
from grouper.records.batch import MISSING, MISSING_FEN, THOUSANDTHS, CaseBatch, CodeColumn
from grouper.scheme.dip_auxiliary import load_auxiliary

RULES = load_auxiliary()


def batch(
    dx: Sequence[Sequence[str]],
    *,
    los: int = MISSING,
    leaving: int = 1,
    years: int = MISSING,
    days: int = MISSING,
    icu_hours: int | None = None,
    cost: int = 100_000,
) -> CaseBatch:
    n = len(dx)

    def whole(value: int) -> np.ndarray:
        return np.full(n, value, np.int32)

    return CaseBatch(
        dx=CodeColumn.from_lists(dx),
        px=CodeColumn.from_lists([()] * n),
        sex=np.ones(n, np.uint8),
        age_years=whole(years),
        age_days=whole(days),
        admission_weight=whole(MISSING),
        los_days=whole(los),
        icu_hours=whole(MISSING if icu_hours is None else icu_hours * THOUSANDTHS),
        discharge_disposition=np.full(n, leaving, np.uint8),
        reject=np.zeros(n, np.uint16),
        total_cost_fen=np.full(n, cost, np.int64),
    )


def types(dx: Sequence[str], *, dear: bool = False, **more: int) -> tuple[str, ...]:
    one = batch([dx], **more)
    return described(types_of(one, RULES, unknown_shares(1), np.array([dear]))[0].tolist(), RULES)


@pytest.mark.parametrize(
    ("dx", "more", "expected"),
    [
        (["K35.300"], {"los": 9}, "light"),
        (["K35.300", "J96.000"], {"los": 3}, "severe"),
        (["K35.300", "J96.000"], {"los": 2}, "light"),
        (["K35.300", "J96.000"], {}, "light"),
        (["J96.000", "I10.x00"], {"los": 9}, "light"),
        (["K35.300", "J18.900"], {"los": 3}, "moderate"),
        (["K35.300", "J18.900", "A41.900"], {"los": 3}, "severe"),
        (["K35.300", "J18.900"], {"los": 3, "leaving": 5}, "death"),
        (["C34.100"], {"leaving": 5}, "malignant_death"),
        (["C34.100", "C78.700", "A41.900"], {"los": 3}, "malignant_second"),
        (["C34.100", "C34.900", "A41.900"], {"los": 3}, "malignant_severe"),
        (["C34.100", "J18.900"], {"los": 5}, "malignant_moderate"),
        (["C34.100", "J18.900"], {"los": 1}, "malignant_rest"),
        (["D12.600", "C34.100"], {"los": 9}, "light"),
    ],
)
def test_severity(dx, more, expected):
    assert types(dx, **more)[0] == expected


@pytest.mark.parametrize(
    ("treatment", "drugs", "dear", "expected"),
    [
        (50_000, 50_000, True, "malignant_treatment"),
        (49_999, 50_000, True, "malignant_drugs"),
        (49_999, 49_999, True, "malignant_rest"),
        (MISSING_FEN, 60_000, True, "malignant_drugs"),
        (60_000, 60_000, False, "malignant_rest"),
    ],
)
def test_dear_malignant_cases_by_what_they_cost(treatment, drugs, dear, expected):
    shares = Shares(np.array([treatment]), np.array([drugs]))
    found = types_of(batch([["C34.100"]]), RULES, shares, np.array([dear]))
    assert described(found[0].tolist(), RULES)[0] == expected


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"years": 0, "days": 0}, "age_newborn"),
        ({"years": 0, "days": 28}, "age_newborn"),
        ({"years": 0, "days": 29}, "age_infant"),
        ({"years": 0}, "age_infant"),
        ({"years": 1}, "age_1_6"),
        ({"years": 6}, "age_1_6"),
        ({"years": 7}, "age_7_17"),
        ({"years": 17}, "age_7_17"),
        ({"years": 18}, None),
        ({"years": 64}, None),
        ({"years": 65}, "age_65"),
        ({}, None),
        ({"icu_hours": 24}, None),
        ({"icu_hours": 25}, "icu_2_7"),
        ({"icu_hours": 168}, "icu_2_7"),
        ({"icu_hours": 169}, "icu_8_14"),
        ({"icu_hours": 720}, "icu_15_30"),
        ({"icu_hours": 721}, "icu_31"),
    ],
)
def test_age_and_intensive_care(more, expected):
    assert types(["K35.300"], **more) == ("light", *([expected] if expected else []))


def test_old_age_is_combined_with_severity():
    assert types(["K35.300", "A41.900"], los=5, years=70)[:2] == ("severe", "age_65_severe")
    assert types(["C34.100", "J18.900"], los=5, years=70)[:2] == (
        "malignant_moderate",
        "age_65_moderate",
    )
    assert types(["K35.300"], leaving=5, years=70) == ("death", "age_65_death")


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], None),
        (["I10.x00"], None),
        (["I25.100"], "cci_1_2"),
        (["I25.100", "I25.200"], "cci_1_2"),
        (["E11.900", "I25.100"], "cci_1_2"),
        (["E11.500", "I25.100"], "cci_3_4"),
        (["E11.500", "E11.900", "I50.900"], "cci_3_4"),
        (["C78.700"], "cci_5"),
        (["K72.900", "N18.900"], "cci_5"),
    ],
)
def test_comorbidity_counts_a_category_once(others, expected):
    found = types(["K35.300", *others])
    assert (found[-1] if len(found) > 1 else None) == expected


CODES = st.sampled_from(
    ["K35.300", "C34.100", "J96.000", "J18.900", "I25.100", "E11.500", "C78.700"]
)


@settings(max_examples=60)
@given(
    st.lists(st.lists(CODES, min_size=1, max_size=6), min_size=1, max_size=8),
    st.integers(0, 8),
    st.integers(0, 90),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_a_case_alone_is_typed_as_in_a_table_whatever_the_order_of_its_others(
    dx, los, years, dear, random
):
    more = {"los": los, "years": years}
    found = types_of(batch(dx, **more), RULES, unknown_shares(len(dx)), np.full(len(dx), dear))
    for codes, row in zip(dx, found.tolist(), strict=True):
        others = codes[1:]
        random.shuffle(others)
        assert described(row, RULES) == types([codes[0], *others], dear=dear, **more)


def test_the_highest_trigger_counts_and_its_coefficient_alone():
    worths = (
        TypeWorth("light", Decimal("0.7"), Decimal("0.72")),
        TypeWorth("age_65", Decimal("1.3"), Decimal("1.25")),
        TypeWorth("icu_2_7", Decimal("1.3"), Decimal("1.28")),
    )
    table = AuxiliaryTable(RULES, {"K35.3": GroupTypes(Fraction(100_001, 3), worths)})
    assert table.chosen("K35.3", ["light", "age_65", "icu_2_7"]) == worths[1]
    assert table.chosen("K35.3", ["light"]) == worths[0]
    assert table.chosen("K35.3", ["cci_5"]) is None
    assert table.chosen("K35.8", ["light"]) is None
    assert (table.dear_from("K35.3"), table.dear_from("K35.8")) == (100_001, None)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('other = "severe"', 'other = "severest"'),
        ("stay_from = 3", "stay_form = 3"),
        ('with = ["death", "malignant_death"]', 'with = ["icu_31"]'),
        ('id = "icu_31"', 'id = "icu_2_7"'),
        ("icu_days = [2, 7]", 'icu_days = ["two"]'),
        ("cost_from = 3", "cost_from = 2"),
        ("kinds = [", "kind = ["),
    ],
)
def test_rules_that_make_no_sense_are_an_error(tmp_path: Path, before, after):
    text = data_folder("dip", "auxiliary.toml").read_text("utf-8")
    assert before in text
    path = tmp_path / "rules.toml"
    path.write_text(text.replace(before, after, 1), "utf-8")
    with pytest.raises(SchemeError) as raised:
        load_auxiliary(path)
    assert raised.value.issues[0].code == "SE81"
