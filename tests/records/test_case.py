"""One discharge at the border."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from grouper.errors import RecordError
from grouper.records.batch import MISSING, MISSING_FEN
from grouper.records.case import Case, batch_of


def test_plain_names_and_names_of_case_mean_the_same():
    plain = {
        "id": 7, "sex": "男", "age": "45", "weight": "2500.5", "los": 3, "leaving": "死亡",
        "dx": ["I10.x00", "E11.900"], "px": ["51.2300"], "discharge_time": "2024-01-02 10:00",
        "total_cost": "1234.5", "icu_hours": 12.5, "unknown": object(),
    }  # fmt: skip
    case = Case(
        case_id="7", sex=1, age_years=45, admission_weight_g=Decimal("2500.5"), los_days=3,
        discharge_disposition=5, principal_dx="I10.x00", other_dx=("E11.900",),
        procedures=("51.2300",), discharge_date=date(2024, 1, 2), total_cost=Decimal("1234.5"),
        icu_hours=Decimal("12.5"),
    )  # fmt: skip
    assert Case.from_mapping(plain) == case
    assert Case.from_mapping(case.model_dump()) == case


@pytest.mark.parametrize(
    ("written", "sex"),
    [(1, 1), ("1", 1), ("M", 1), ("m", 1), ("男", 1), (2, 2), ("F", 2), ("女", 2), (2.0, 2),
     (0, None), (9, None), (3, None), ("未知", None), ("", None), (None, None)],
)  # fmt: skip
def test_sex(written, sex):
    assert Case.from_mapping({"sex": written}).sex == sex
    assert Case(sex=written).sex == sex


@pytest.mark.parametrize(
    ("field", "value"),
    [("sex", "X"), ("sex", True), ("age", -1), ("age", 131), ("age", "x"), ("los", -1),
     ("weight", -1), ("discharge_time", "01/02/2024"), ("total_cost", "x"), ("dx", 5),
     ("total_cost", "1.005"), ("leaving", "x"), ("icu_hours", "NaN")],
)  # fmt: skip
def test_an_impossible_value_is_told_with_its_field(field, value):
    with pytest.raises(RecordError) as raised:
        Case.from_mapping({field: value})
    assert raised.value.issues[0].code == "RE08"
    assert raised.value.text("zh")


def test_unknown_fields_of_a_case_are_refused():
    with pytest.raises(ValidationError):
        Case(principal="I10.x00")  # type: ignore[call-arg]


def test_codes_stand_as_they_are():
    case = Case.from_mapping({"dx": [" i10.X00", "", "i10.X00"], "px": "51.23|"})
    assert case.dx == (" i10.X00", "", "i10.X00")
    assert case.procedures == ("51.23", "")
    assert Case(other_dx=("I10.x00",)).dx == ()


def test_cases_as_columns():
    cases = [
        Case.from_mapping({"sex": 2, "dx": ["I10.x00"], "weight": 1499.999, "total_cost": "0.01"}),
        Case(),
    ]
    batch = batch_of(cases)
    assert len(batch) == 2
    assert batch.dx.codes(0) == ("I10.x00",)
    assert batch.admission_weight.tolist() == [1_499_999, MISSING]
    assert batch.total_cost_fen.tolist() == [1, MISSING_FEN]
    assert batch.sex.tolist() == [2, 0]
    assert batch.age_years.tolist() == [MISSING, MISSING]
