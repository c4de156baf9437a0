"""Look-up: the most specific row of the one table in force, or an error with the nearest."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import weights
from grouper.dated import Span
from grouper.errors import WeightError
from weights.table import Facts, fits

DAY = date(2025, 6, 1)
HEAD = weights.Head(
    id="city-2025",
    title="表",
    title_en="table",
    scheme_id="s",
    area="999900",
    area_name="某市",
    span=Span(date(2025, 1, 1), date(2026, 1, 1)),
    source="s",
    confidence="constructed",
)
ROWS = {
    "group": ["ES31"] * 5 + ["ES35", "BR21"],
    "insurance": ["", "", "", "310", "310", "", "310"],
    "level": ["", "三级", "二级", "", "三级", "", ""],
    "hospital": [""] * 7,
    "weight": ["1.0", "", "", "1.1", "", "0.5", "2"],
    "coefficient": ["", "1.2", "0.9", "", "1.3", "", ""],
}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty data folder; `home(head, columns)` installs a table there."""
    monkeypatch.setenv("GROUPER_DATA", str(tmp_path))

    def install(head=HEAD, columns=ROWS, **more):
        return weights.install(head, columns, **more)

    return install


def look(group="ES31", day=DAY, area="999900", **facts):
    return weights.lookup(group, area=area, day=day, facts=Facts(**facts))


def error(*args, **more):
    with pytest.raises(WeightError) as caught:
        look(*args, **more)
    (issue,) = caught.value.issues
    assert all(issue.text(lang) for lang in ("zh", "en"))
    return issue


def test_every_value_comes_from_the_most_specific_row(home):
    home()
    assert look().numbers == {"weight": Decimal("1.0")}
    got = look(level="三级", insurance="310")
    assert got.numbers == {"weight": Decimal("1.1"), "coefficient": Decimal("1.3")}
    assert look(level="二级", insurance="310").numbers["coefficient"] == Decimal("0.9")
    assert look(area="某市").numbers["weight"] == 1


def test_an_insurance_has_its_usual_names(home):
    home(HEAD, {**ROWS, "insurance": ["", "", "", "职工", "城镇职工医保", "", "310"]})
    for name in ("310", "职工", "职工医保"):
        assert look(level="三级", insurance=name).numbers["coefficient"] == Decimal("1.3")


def test_no_other_year_is_ever_used(home):
    home()
    home(replace(HEAD, id="city-2023", span=Span(date(2023, 1, 1), date(2024, 1, 1))))
    for day, near in (
        (date(2026, 1, 1), "city-2025 [2025-01-01, 2026-01-01)"),
        (date(2022, 12, 31), "city-2023 [2023-01-01, 2024-01-01)"),
        (date(2024, 2, 1), "city-2023 [2023-01-01, 2024-01-01)"),
        (date(2024, 12, 1), "city-2025 [2025-01-01, 2026-01-01)"),
    ):
        issue = error(day=day)
        assert (issue.code, issue.params["near"]) == ("WT107", near)
    assert look(day=date(2023, 12, 31)).table.id == "city-2023"
    assert look(day=date(2025, 12, 31)).table.id == "city-2025"


def test_an_area_without_table_names_those_that_have_one(home):
    home()
    issue = error(area="999901")
    assert issue.code == "WT109"
    assert "999900 某市" in str(issue.params["known"])


def test_two_tables_in_force_are_an_error_unless_only_one_has_the_group(home):
    home()
    second = replace(HEAD, id="city-2025b")
    home(second, {"group": ["FR11"], "weight": ["3"]})
    assert look("FR11").table.id == "city-2025b"
    assert look("BR21", insurance="310").table.id == "city-2025"
    home(second, {"group": ["ES31"], "weight": ["3"]}, overwrite="replace")
    issue = error()
    assert (issue.code, issue.params["found"]) == ("WT107", "city-2025, city-2025b")
    with pytest.raises(WeightError, match="WT107"):
        weights.find(area="999900", day=DAY)


def test_a_group_that_is_not_there_names_its_relatives(home):
    home()
    issue = error("ES33")
    assert (issue.code, issue.params["near"]) == ("WT101", "ES31, ES35")


@pytest.mark.parametrize("level", ["一级", "三"])
def test_a_level_the_group_has_no_row_for_is_an_error(home, level):
    home()
    issue = error(level=level)
    assert issue.code == "WT111"
    assert "weights.tsv:" in str(issue.params["near"])


def test_a_level_the_table_lists_may_have_no_row_of_its_own(home):
    home(replace(HEAD, levels=("三级", "二级", "一级")))
    assert look(level="一级").numbers == {"weight": Decimal("1.0")}
    assert error(level="三").params["near"].startswith("三级 (")


def test_an_insurance_without_row_of_its_own_has_the_row_for_all(home):
    home()
    assert look(insurance="390").numbers == {"weight": Decimal("1.0")}


def test_a_price_by_insurance_needs_the_insurance(home):
    home()
    issue = error("BR21")
    assert issue.code == "WT111"
    assert str(issue.params["near"]).startswith("310 (")


def test_a_group_that_has_one_row_for_all_fits_everyone(home):
    home()
    assert look("ES35", level="一级", insurance="390").numbers["weight"] == Decimal("0.5")


def test_a_hospital_without_row_of_its_own_is_paid_as_its_level(home):
    columns = {
        "group": ["ES31"] * 3,
        "level": ["", "三级", ""],
        "hospital": ["", "", "H1"],
        "weight": ["1", "", ""],
        "coefficient": ["", "1.2", "1.4"],
    }
    home(HEAD, columns)
    assert look(level="三级", hospital="H1").numbers["coefficient"] == Decimal("1.4")
    assert look(level="三级", hospital="H2").numbers["coefficient"] == Decimal("1.2")


def test_rows_that_contradict_each_other_are_an_error(home):
    columns = {
        "group": ["ES31", "ES31"],
        "insurance": ["310", ""],
        "level": ["", "三级"],
        "weight": ["1", "2"],
    }
    home(HEAD, columns)
    issue = error(insurance="310", level="三级")
    assert issue.code == "WT112"
    assert "310" in str(issue.params["near"])
    assert "三级" in str(issue.params["near"])
    assert look(level="三级").numbers["weight"] == 2
    home(HEAD, {**columns, "weight": ["1", "1"]}, overwrite="replace")
    assert look(insurance="310", level="三级").numbers["weight"] == 1


def test_rows_under_a_condition_are_used_only_when_asked_for(home):
    columns = {"group": ["ES31"] * 2, "condition": ["", "6岁以下"], "weight": ["1", "0.6"]}
    home(HEAD, columns)
    assert look().numbers["weight"] == 1
    assert look(condition="6岁以下").numbers["weight"] == Decimal("0.6")
    assert look().others == (1,)


def test_an_installed_table_is_never_replaced_unasked(home):
    from grouper.errors import DataFileError

    folder = home()
    before = (folder / "weights.tsv").read_bytes()
    with pytest.raises(DataFileError, match="DF122"):
        home(HEAD, {"group": ["AA19"], "weight": ["1"]})
    assert (folder / "weights.tsv").read_bytes() == before
    assert weights.installed_ids() == ("city-2025",)
    assert [path.name for path in folder.parent.iterdir()] == ["city-2025"]


def test_the_id_of_a_table_of_the_package_is_taken(home, published):
    with pytest.raises(WeightError, match="WT122"):
        home(replace(HEAD, id="demo"))
    made = published("shanghai-2023")
    assert home(made.head, made.columns).is_dir()


def test_a_head_survives_writing_and_reading(home):
    head = replace(
        HEAD,
        title='"引号" 和 \\',
        base_rate=Decimal("10000.10"),
        point_value=Decimal("48"),
        standard_rounding="half_up",
        levels=("三级", "二级"),
        severity_order=("1", "2"),
        residual=("0000", "?QY"),
        proof=weights.Proof(formula="p v c", within_relative=Decimal("0.0000000021")),
    )
    folder = home(head)
    assert weights.read_head(folder) == head


WORDS = st.sampled_from(["", "a", "b"])
FACTS = st.builds(Facts, WORDS, WORDS, WORDS)


@given(st.lists(st.tuples(FACTS, st.integers(1, 3)), unique_by=lambda pair: pair[0]), FACTS)
def test_lookup_agrees_with_its_definition(rows, facts):
    """No other fitting row says more than the one that counts, or they all say the same."""
    if not rows:
        return
    columns = {
        "group": ["A"] * len(rows),
        "insurance": [row.insurance for row, _ in rows],
        "level": [row.level for row, _ in rows],
        "hospital": [row.hospital for row, _ in rows],
        "weight": [str(weight) for _, weight in rows],
    }
    table = weights.from_columns(HEAD, columns)

    def named(row):
        level = row.level or row.hospital
        pairs = (("i", row.insurance), ("l", level), ("h", row.hospital))
        return {key for key, text in pairs if text}

    fitting = [(named(row), weight) for row, weight in rows if fits(row, facts)]
    best = [w for names, w in fitting if not any(names < other for other, _ in fitting)]
    try:
        got = table.find("weight", "A", facts)
    except WeightError:
        assert len(set(best)) > 1
    else:
        assert [got] == sorted(set(best)) if best else got is None
