"""`grouper demo --dip`: the whole chain of an area that pays by DIP."""

from __future__ import annotations

import json

import numpy as np
import pytest

from grouper.cli.demo_dip import FILES
from grouper.policy.load import load_policy
from grouper.records.read import read_records
from grouper.run.dip_indicators import indicators_of
from grouper.run.dip_settlement import settle_dip_records
from grouper.run.month import close_month
from grouper.run.year import settle_year

pytestmark = pytest.mark.cli


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    from grouper import cli

    folder = tmp_path_factory.mktemp("demo") / "dip"
    assert cli.run(["demo", str(folder), "--dip", "--quiet"]) == 0
    return folder


@pytest.fixture(scope="module")
def settled(made):
    records = read_records([made / "discharges.csv"], needs=("dx",))
    return settle_dip_records(records, "demo-dip")


def test_every_file_is_there_and_may_be_made_anew(made, run):
    assert {path.name for path in made.iterdir()} == set(FILES.values())
    answer = run("demo", made, "--dip", "--json")
    assert answer.code == 0
    assert json.loads(answer.out)["rows"] == 1200


def test_the_year_takes_as_many_special_cases_as_its_quota(made, settled):
    year = settle_year("demo-dip", 2025, settled=settled, entries=[made / "entries-2025.csv"])
    review = year.annual.review
    assert review.quota == {"": 6}
    assert len(review.paid_fen) == 6
    # one more loses, one costs less than twice what the year's point value pays
    assert (len(review.over_quota), len(review.no_loss)) == (1, 1)
    assert [issue.code for issue in year.annual.issues] == ["ST303"]
    for fund in year.annual.funds:
        accounts = fund.clearing.accounts.values()
        # the pool is spent to the fen, by scores
        assert sum(one.entitled_fen for one in accounts) == fund.clearing.pool.pool_fen
        special = fund.clearing.given("special_fen")
        reserve = fund.clearing.pool.reserve_fen
        assert fund.clearing.pool.pool_fen + reserve + special == fund.clearing.rules.budget_fen
    volume = sum(fund.clearing.volume for fund in year.annual.funds)
    names = {name for one in review.paid_fen for name in one.split()[1:]}
    ids = list(settled.run.records.batch.case_id)
    rest = [row for row, name in enumerate(ids) if name not in names]
    assert volume == settled.amounts.total_score(rest)


def test_a_set_of_special_cases_is_the_one_its_point_value_takes(made, settled):
    """Nobody left out loses more, at the value of the year, than one who is taken."""
    year = settle_year("demo-dip", 2025, settled=settled, entries=[made / "entries-2025.csv"])
    value = {fund.insurance: fund.clearing.unit_yuan for fund in year.annual.funds}
    batch, amounts = settled.run.records.batch, settled.amounts
    rows = {str(name): row for row, name in enumerate(batch.case_id)}

    def loss(one):
        row = rows[one.split()[1]]
        insurance = load_policy("demo-dip").insurance(str(batch.insurance[row]))
        paid = amounts.total_score([row]) * value[insurance] * 100
        return int(amounts.total_fen[row]) - paid

    review = year.annual.review
    assert min(map(loss, review.paid_fen)) > max(map(loss, review.over_quota))


def test_indicators_of_the_hospitals_sum_to_the_area(settled):
    area, *hospitals = indicators_of(settled, "en")
    assert area.cases == sum(one.cases for one in hospitals) == 1200
    assert area.score == sum(one.score for one in hospitals)
    assert area.surplus_fen == sum(one.surplus_fen for one in hospitals)
    assert 0.8 < area.cost_index < 1.3
    assert 0.6 < area.time_index < 1.4
    assert sum(area.kinds.values()) == 1


def test_a_year_without_a_budget_is_refused(made, settled, tmp_path, run):
    from grouper.datafile import data_folder

    for path in data_folder("areas", "demo-dip").iterdir():
        text = path.read_text("utf-8").replace(
            "[parameters.budget] #", "[parameters.budget_in_province] #"
        )
        (tmp_path / path.name).write_text(text, "utf-8")
    answer = run("settle", "year", made / "discharges.csv", "--area", tmp_path, "--year", "2025")
    assert answer.code == 3
    assert answer.err.splitlines()[0].startswith("ST103")
    chinese = run(
        "settle",
        "year",
        made / "discharges.csv",
        "--area",
        tmp_path,
        "--year",
        "2025",
        "--lang",
        "zh",
    )
    assert "预算" in chinese.err


def test_months_of_dip_are_closed_in_a_book_and_the_year_is_cleared_from_it(settled, tmp_path):
    book = tmp_path / "book"
    for month in (f"2025-{number:02}" for number in range(1, 13)):
        closed = close_month(settled, "demo-dip", month, book=book).closed
        assert closed.statements
    year = settle_year("demo-dip", 2025, settled=None, book=book)
    assert year.manifest["sums"]["entitled"] == "9062400.00"
    # the book keeps payments, not scores: payment / point value is the score but for rounding
    volume = sum(fund.clearing.volume for fund in year.annual.funds)
    scores = settled.amounts.total_score(np.arange(len(settled.amounts)))
    assert abs(volume - scores) < scores / 10**5


def test_an_insurance_with_a_budget_and_no_case_is_told(settled, made, tmp_path, run):
    rows = (made / "discharges.csv").read_text("utf-8-sig").splitlines()
    at = rows[0].split(",").index("insurance")
    kept = [rows[0], *(row for row in rows[1:] if row.split(",")[at] == "310")]
    path = tmp_path / "employees.csv"
    path.write_text("\n".join(kept) + "\n", "utf-8")
    answer = run("settle", "year", path, "--area", "demo-dip", "--year", "2025", "--lang", "zh")
    assert "ST144" in answer.err
    assert "390" in answer.err
    assert "4460000.00" in answer.err


def test_indicators_are_a_command(made, tmp_path, run):
    answer = run("monitor", "indicators", made / "discharges.csv", "--area", "demo-dip", "--json")
    area = json.loads(answer.out)["indicators"][0]
    assert area["cases"] == 1200
    assert float(area["upcoded_share"]) < 0.2
    out = tmp_path / "i.csv"
    assert (
        run("monitor", "indicators", made / "discharges.csv", "--area", "demo-dip", "-o", out).code
        == 0
    )
    assert out.read_text("utf-8-sig").startswith("hospital,cases,groups,score,CMI")
    wrong = run("monitor", "indicators", made / "discharges.csv", "--area", "demo")
    assert wrong.code == 2
    assert "DIP" in wrong.err


def test_the_rules_of_a_dip_area_are_shown(run):
    rules = json.loads(run("policy", "show", "demo-dip", "--json").out)["rules"]
    text = next(one["value"] for one in rules if one["key"] == "dip")
    assert "high r > 2: excess(r-2), K inside" in text
    assert "blank: form ratio, factor 0.7" in text


def test_samples_are_drawn_from_a_catalogue(made, tmp_path, run):
    out = tmp_path / "sample.csv"
    assert run("sample", "50", "-o", out, "-s", made / "demo_dip_2025.tsv").code == 0
    answer = run("settle", "bill", out, "--area", "demo-dip", "-o", tmp_path / "b.csv", "--json")
    assert json.loads(answer.out)["rows"] == 50


def test_audit_deductions_come_off_after_the_share_that_is_kept(settled, tmp_path):
    plain = close_month(settled, "demo-dip", "2025-06").closed.statements
    first = plain[0]
    batch, amounts = settled.run.records.batch, settled.amounts
    june = batch.discharge_date.astype("datetime64[D]").astype("datetime64[M]") == np.datetime64(
        "2025-06"
    )
    paid = np.array([str(code) == first.hospital for code in batch.hospital]) & june
    row = max(np.flatnonzero(paid).tolist(), key=lambda at: amounts.fund_fen[at])
    entries = tmp_path / "audit.csv"
    entries.write_text(
        f"kind,hospital,list,amount,reason,rule\naudit,{first.hospital},{batch.case_id[row]},350.00,x,r1\n",
        "utf-8",
    )
    less = close_month(settled, "demo-dip", "2025-06", entries=entries).closed.statements
    for one, other in zip(plain, less, strict=True):
        taken = other.line("M9").amount_fen
        assert other.line("M11").amount_fen == one.line("M11").amount_fen
        assert other.line("M15").amount_fen == one.line("M15").amount_fen - taken
        assert "M10 + M9" in other.line("M11").formula_en
    assert sum(one.line("M9").amount_fen for one in less) == 35000


def test_dip_is_simulated_under_another_point_value(made, run):
    answer = run(
        "settle", "simulate", made / "discharges.csv", "--area", "demo-dip",
        "--set", "point_value.310=6.5", "--by", "insurance", "--json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
