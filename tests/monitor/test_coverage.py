"""Coverage of areas, institutions, diseases and fund, counted from single cases."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grouper.errors import SettlementError
from grouper.monitor.cases import MISSING_FEN, Area, Cases, Category, Hospital
from grouper.monitor.coverage import measure_coverage
from grouper.monitor.targets import load_targets

HOSPITALS = (
    Hospital("H1", "A", "三级"),
    Hospital("H2", "A", "二级"),
    Hospital("H3", "B", "三级"),
    Hospital("H4", "B", "二级", excluded_only=True),
    Hospital("H5", "B", "一级"),
)
#: hospital, area, insurance, ADRG, month, paid, pool in fen, excluded
ROWS = [
    ("H1", "A", "职工", "BR2", 202201, True, 100, False),
    ("H1", "A", "居民", "BR2", 202202, True, 200, False),
    ("H1", "A", "职工", "ES2", 202203, False, 300, False),
    ("H1", "B", "职工", "FR2", 202204, True, 1000, False),
    ("H2", "A", "居民", "BR2", 202205, False, 400, True),
    ("H3", "B", "职工", "GB1", 202206, True, 500, False),
    ("H3", "", "居民", "", 202206, False, 50, False),
    ("H4", "B", "居民", "TR1", 202207, True, 70, True),
]


def table(rows):
    columns = list(zip(*rows, strict=True)) or [()] * 8
    return Cases(
        hospital=Category.of(columns[0]),
        area=Category.of(columns[1]),
        insurance=Category.of(columns[2]),
        disease_type=Category.of(columns[3]),
        month=np.array(columns[4], np.int32),
        paid=np.array(columns[5], bool),
        pool_fen=np.array(columns[6], np.int64),
        excluded=np.array(columns[7], bool),
    )


def shares(**options):
    result = measure_coverage(table(ROWS), HOSPITALS, **options)
    return {row.name: (row.num, row.den) for row in result.rows}


def test_areas_with_payment_over_all_areas():
    assert shares(measures=["area"]) == {"area": (2, 2)}
    province = [Area("A"), Area("B"), Area("C")]
    assert shares(measures=["area"], areas=province) == {"area": (2, 3)}


def test_an_area_stays_covered_after_the_month_it_started():
    result = measure_coverage(table(ROWS), HOSPITALS, measures=["area"], period="month", by=())
    assert [(row.period, row.num) for row in result.rows][:4] == [
        ("2022-01", 1),
        ("2022-02", 1),
        ("2022-03", 1),
        ("2022-04", 2),
    ]
    assert result.rows[-1].num == 2


def test_institutions_are_counted_where_they_lie_and_only_eligible_ones():
    assert shares(measures=["institution"]) == {
        "institution|A": (1, 2),
        "institution|B": (1, 1),
        "institution|*": (2, 3),
    }


def test_institutions_under_contract_count_without_cases():
    assert shares(measures=["institution"], institutions="contracted") == {
        "institution|A": (1, 2),
        "institution|B": (1, 3),
        "institution|*": (2, 5),
    }


def test_institution_dimension_and_level():
    assert shares(measures=["institution"], by=["level"]) == {
        "institution|三级": (2, 2),
        "institution|二级": (0, 1),
    }
    assert shares(measures=["institution"], by=["institution", "area"]) == {
        "institution|A|H1": (1, 1),
        "institution|A|H2": (0, 1),
        "institution|B|H3": (1, 1),
        "institution|*|H1": (1, 1),
        "institution|*|H2": (0, 1),
        "institution|*|H3": (1, 1),
    }


def test_disease_cases_look_only_at_covered_institutions():
    # H2 pays nothing by DRG and H4 is not eligible: neither is above or below the line
    assert shares(measures=["disease_cases"]) == {
        "disease_cases|A": (3, 4),
        "disease_cases|B": (1, 2),
        "disease_cases|*": (4, 6),
    }


def test_disease_types_are_distinct_and_leave_ungrouped_cases_out():
    assert shares(measures=["disease_types"]) == {
        "disease_types|A": (2, 3),
        "disease_types|B": (1, 1),
        "disease_types|*": (3, 4),
    }


def test_fund_counts_for_the_area_that_pays_and_an_empty_area_is_the_hospitals():
    assert shares(measures=["fund"]) == {
        "fund|A": (300, 1000),
        "fund|B": (1570, 1620),
        "fund|*": (1870, 2620),
    }


def test_eligible_fund_leaves_excluded_stays_out_above_and_below():
    assert shares(measures=["fund_eligible"]) == {
        "fund_eligible|A": (300, 600),
        "fund_eligible|B": (1500, 1550),
        "fund_eligible|*": (1800, 2150),
    }


def test_insurances_are_kept_apart():
    assert shares(measures=["fund"], by=["insurance"]) == {
        "fund|居民": (270, 720),
        "fund|职工": (1600, 1900),
    }


def test_periods_split_the_cases():
    result = measure_coverage(table(ROWS), HOSPITALS, measures=["fund"], by=(), period="quarter")
    assert [(row.period, row.num, row.den) for row in result.rows] == [
        ("2022-Q1", 300, 600),
        ("2022-Q2", 1500, 1950),
        ("2022-Q3", 70, 70),
    ]


def test_unknown_institution_is_named_with_its_cases():
    with pytest.raises(SettlementError) as caught:
        measure_coverage(table(ROWS), HOSPITALS[1:])
    (issue,) = caught.value.issues
    assert (issue.code, issue.params["hospital"], issue.params["count"]) == ("ST407", "H1", 4)


def test_unknown_dimension_or_measure_is_refused():
    with pytest.raises(ValueError, match="county"):
        measure_coverage(table(ROWS), HOSPITALS, by=["county"])
    with pytest.raises(ValueError, match="patients"):
        measure_coverage(table(ROWS), HOSPITALS, measures=["patients"])


def test_no_cases_no_rows():
    result = measure_coverage(table([]), HOSPITALS)
    assert (result.rows, result.issues) == ((), ())


def test_missing_money_and_month_are_told_and_left_out():
    rows = [*ROWS, ("H1", "A", "职工", "BR2", 202201, True, MISSING_FEN, False)]
    rows.append(("H1", "A", "职工", "BR2", 0, True, 10**9, False))
    result = measure_coverage(table(rows), HOSPITALS, measures=["fund"], by=())
    assert [(row.num, row.den) for row in result.rows] == [(1870, 2620)]
    assert [issue.code for issue in result.issues] == ["ST409", "ST411"]


def judged(targets, **options):
    result = measure_coverage(table(ROWS), HOSPITALS, targets=targets, **options)
    return {row.name: row for row in result.rows if row.target}, result


def test_henan_holds_every_area_to_one_half():
    rows, _ = judged(load_targets(["henan-2022-5"]), measures=["fund", "institution"])
    assert {name: (row.status, row.gap) for name, row in rows.items()} == {
        "fund|A": ("not_met", 200),
        "fund|B": ("met", 0),
        "fund|*": ("not_met", 200),
        "institution|A": ("met", 0),
        "institution|B": ("met", 0),
        "institution|*": ("met", 0),
    }
    assert rows["fund|A"].target_text == "50.00%"
    assert rows["fund|A"].gap_text == "2.00"


def test_all_areas_together_do_not_hide_the_one_that_misses():
    rows, _ = judged(load_targets(["henan-2022-5"]), measures=["fund"])
    together = rows["fund|*"]
    assert Fraction(together.num, together.den) > Fraction(1, 2)
    assert together.status == "not_met"


def test_target_of_each_area_gives_no_verdict_when_areas_are_mixed():
    rows, result = judged(load_targets(["henan-2022-5"]), measures=["fund"], by=["insurance"])
    assert not rows
    assert {row.status for row in result.rows} == {"reported_only"}


def test_national_target_counts_the_areas_of_the_province():
    province = [Area(name) for name in "ABCDEF"]
    rows, _ = judged(load_targets(["national-2022-20"]), measures=["area"], areas=province)
    assert (rows["area"].status, rows["area"].gap) == ("not_met", 1)


def test_measures_named_by_targets_are_added():
    result = measure_coverage(table(ROWS), HOSPITALS, targets=load_targets(["xifeng-2022-47"]))
    measures = list(dict.fromkeys(row.measure for row in result.rows))
    assert measures == [
        "area",
        "institution",
        "disease_cases",
        "disease_types",
        "fund",
        "fund_eligible",
    ]


def test_unverified_step_decides_only_with_leave():
    plan = load_targets(["national-2021-48"])
    areas = [Area("A", 2022), Area("B", 2020)]
    options = {"measures": ["fund"], "areas": areas}
    rows, result = judged(plan, **options)
    # B is in its third year, whose goal is published; the step of A's first year is not
    assert {name: row.status for name, row in rows.items()} == {"fund|B": "met"}
    assert [issue.code for issue in result.issues] == ["ST410"]
    rows, result = judged(plan, allow="unverified", **options)
    assert rows["fund|A"].status == "met"
    assert rows["fund|A"].target.value == Fraction(3, 10)
    assert not result.issues


def test_two_documents_give_two_rows():
    targets = load_targets(["henan-2022-5", "national-2021-48"])
    result = measure_coverage(
        table(ROWS),
        HOSPITALS,
        targets=targets,
        measures=["institution"],
        areas=[Area("A", 2022), Area("B", 2022)],
    )
    a_rows = [row for row in result.rows if row.name == "institution|A"]
    assert [row.target.number for row in a_rows] == ["豫医保〔2022〕5号", "医保发〔2021〕48号"]


def test_no_data_is_said_and_listed():
    rows = [("H4", "B", "居民", "TR1", 202207, True, 0, True)]
    result = measure_coverage(table(rows), HOSPITALS, measures=["fund"], by=["area"])
    assert [row.status for row in result.rows] == ["no_data"] * len(result.rows)
    assert {issue.code for issue in result.issues} == {"ST401"}


def test_rows_speak_json_with_stable_keys():
    rows, _ = judged(load_targets(["henan-2022-5"]), measures=["fund"])
    assert rows["fund|A"].to_dict() == {
        "name": "fund|A",
        "measure": "fund",
        "period": "2022",
        "dimension": {"area": "A"},
        "num": "3.00",
        "den": "10.00",
        "unit": "yuan",
        "ratio": "30.00%",
        "status": "not_met",
        "gap": "2.00",
        "target": "50.00%",
        "document": "豫医保〔2022〕5号",
        "due": "2022",
        "confidence": "official",
    }


CASE_ROWS = st.lists(
    st.tuples(
        st.sampled_from(["H1", "H2", "H3", "H4", "H5"]),
        st.sampled_from(["", "A", "B"]),
        st.sampled_from(["职工", "居民"]),
        st.sampled_from(["", "BR2", "ES2", "FR2"]),
        st.sampled_from([202112, 202201, 202206]),
        st.booleans(),
        st.integers(0, 10**13),
        st.booleans(),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(CASE_ROWS)
def test_fund_by_cell_equals_a_plain_loop_and_sums_to_the_whole(rows):
    result = measure_coverage(
        table(rows), HOSPITALS, measures=["fund"], by=["area", "insurance"], areas=[Area("A")]
    )
    home = {hospital.code: hospital.area for hospital in HOSPITALS}
    expected: dict[tuple[str, str], list[int]] = {}
    for hospital, area, insurance, _, month, paid, pool, _ in rows:
        pair = expected.setdefault(
            (str(month // 100), f"fund|{area or home[hospital]}|{insurance}"), [0, 0]
        )
        pair[0] += pool * paid
        pair[1] += pool
    found = {(row.period, row.name): [row.num, row.den] for row in result.rows}
    assert found == expected


@settings(max_examples=60, deadline=None)
@given(CASE_ROWS, st.randoms())
def test_order_of_cases_changes_nothing(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert measure_coverage(table(rows), HOSPITALS) == measure_coverage(table(shuffled), HOSPITALS)
