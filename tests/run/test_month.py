"""A month from files to the book: versions that meet in it, bytes that stay, whole files."""

from __future__ import annotations

import csv
import json
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pytest

import weights
from grouper import cli
from grouper.datafile import data_folder
from grouper.dated import day_number
from grouper.errors import GrouperError, SettlementError, WeightError
from grouper.policy.load import load_policy
from grouper.records.read import read_records
from grouper.run.book import lock_year, read_book, read_sums
from grouper.run.month import close_month, read_calendar, received_of, settle_records
from grouper.run.pipeline import group_records
from grouper.run.schemes import load_scheme
from grouper.settle import statements as made_of
from grouper.settle.case import settle_batch

SWITCH = "2025-06-16"
POLICY = """
format = 1
title = "办法"
title_en = "policy"
valid_from = {start}
{to}
scheme = "{scheme}"
weight_table = "{table}"
source = "invented"
confidence = "constructed"

[base_rate]
unit = "yuan/weight"
by = "insurance"
source = "invented"
confidence = "constructed"
values = [{{ from = {start}, 310 = {rate}, 390 = 7000.00 }}]

[standard]
source = "invented"
confidence = "constructed"
values = [{{ from = {start}, rule = "S1", ratio_base = "w r" }}]

[fund]
source = "invented"
confidence = "constructed"
values = [{{ from = {start}, rule = "A", negative = "carry" }}]
"""


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> Path:
    """Three hundred made-up discharges of June 2025."""
    path = tmp_path_factory.mktemp("sample") / "june.csv"
    assert cli.run(["sample", "300", "-o", str(path), "--seed", "11", "--quiet"]) == 0
    return path


@pytest.fixture(scope="module")
def settled(sample):
    return settle_records(read_records(sample), "demo")


@pytest.fixture(scope="module")
def two_versions(tmp_path_factory) -> Path:
    """The demo area with another scheme and table before its own day of switch."""
    home = tmp_path_factory.mktemp("home")
    area, old = home / "area", home / "weights" / "old"
    area.mkdir()
    for name in ("area.toml", "hospitals.tsv"):
        shutil.copy(data_folder("areas", "demo", name), area)
    shutil.copytree(Path(weights.__file__).parent / "data" / "demo", old)
    table = (old / "table.toml").read_text("utf-8")
    table = table.replace('id = "demo"', 'id = "old"').replace("chs_drg_20", "chs_drg_11")
    (old / "table.toml").write_text(table, "utf-8")
    known = {one.drg for one in load_scheme("chs_drg_11").drgs}
    lines = (old / "weights.tsv").read_text("utf-8").splitlines()
    kept = [line for line in lines[1:] if line.split("\t")[0] in known]
    (old / "weights.tsv").write_text("\n".join([lines[0], *kept]) + "\n", "utf-8")
    before = {"start": "2025-01-01", "to": f"valid_to = {SWITCH}", "rate": "8000.00"}
    after = {"start": SWITCH, "to": "", "rate": "8300.00"}
    for file, own, scheme, of in (
        ("policy-1.toml", before, "chs_drg_11", "old"),
        ("policy-2.toml", after, "chs_drg_20", "demo"),
    ):
        text = POLICY.format(**own, scheme=scheme, table=of)
        (area / file).write_text(text, "utf-8")
    return home


def test_each_stay_is_settled_by_the_version_of_its_discharge(sample, two_versions, monkeypatch):
    monkeypatch.setenv("GROUPER_DATA", str(two_versions))
    records, area = read_records(sample), two_versions / "area"
    both = settle_records(records, area)
    runs = [group_records(records, load_scheme(name)) for name in ("chs_drg_11", "chs_drg_20")]
    alone = [
        settle_batch(
            records.batch,
            run.groups,
            weights.load(table),
            load_policy(area),
            scheme_status="national",
        )
        for run, table in zip(runs, ("old", "demo"), strict=True)
    ]
    newer = records.batch.discharge_date >= day_number(date.fromisoformat(SWITCH))
    assert 0 < newer.sum() < len(newer)
    for row, which in enumerate(newer.astype(int).tolist()):
        theirs = alone[which]
        for column in ("case_type", "payable_fen", "fund_fen", "standard_fen", "pool_fen"):
            assert getattr(both.amounts, column)[row] == getattr(theirs, column)[row], column
        assert both.amounts.issue_of(row) == theirs.issue_of(row)
        ours, theirs_ = both.run.groups, runs[which].groups
        for ids, names in (("group_id", ("drg", "drg_name")), ("rule_id", ("adrg", "mdc"))):
            at, there = getattr(ours, ids)[row], getattr(theirs_, ids)[row]
            for name in names:
                assert getattr(ours.codes, name)[at] == getattr(theirs_.codes, name)[there]
        assert ours.status[row] == theirs_.status[row]
        ours, cell = both.amounts.cell[row], theirs.cell[row]
        assert ours == cell == -1 or both.amounts.cells[ours] == theirs.cells[cell]
    assert both.run.counts.rows == len(newer)
    assert both.run.groups.reason_counts() == {
        reason: sum(
            run.groups.some(np.flatnonzero(newer == which)).reason_counts().get(reason, 0)
            for which, run in enumerate(runs)
        )
        for reason in both.run.groups.reason_counts()
    }
    made = close_month(both, area, "2025-06")
    counted = int(both.amounts.counted.sum())
    assert made.sums["M1"] == counted > 200
    assert made.closed.statements[0].scheme_id == "chs_drg_11 + chs_drg_20"


def test_a_version_whose_table_is_missing_stops(sample, two_versions, monkeypatch, tmp_path):
    monkeypatch.setenv("GROUPER_DATA", str(tmp_path))
    with pytest.raises(WeightError):
        settle_records(read_records(sample), two_versions / "area")


def december(sample: Path, folder: Path, accepted: str = "") -> Path:
    """The sample as stays from December to January, with ids of their own."""
    with sample.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows[:40]):
        row["id"] = f"D{number}"
        row["admit_time"], row["discharge_time"] = "2025-12-28", "2026-01-03"
        row["los"] = "6"
        row["declared_time"] = accepted
    path = folder / "december.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows[:40])
    return path


def test_a_stay_over_the_new_year_belongs_to_its_discharge(sample, tmp_path):
    path = december(sample, tmp_path)
    lists = settle_records(read_records(path), "demo")
    assert close_month(lists, "demo", "2025-12").sums["M1"] == 0
    assert close_month(lists, "demo", "2026-01").sums["M1"] == int(lists.amounts.counted.sum())


def test_the_day_of_acceptance_comes_from_the_file(sample, tmp_path):
    path = december(sample, tmp_path, accepted="2026-02-10 09:30:00")
    records = read_records(path)
    days = set(received_of(records).accepted.tolist())
    assert days == {date(2026, 2, 10).toordinal() - date(1970, 1, 1).toordinal()}
    lists = settle_records(records, "demo")
    book = tmp_path / "book"
    assert close_month(lists, "demo", "2026-01", book=book).sums["M1"] > 0
    late = december(sample, tmp_path, accepted="2026-02-11")
    lists = settle_records(read_records(late), "demo")
    other = tmp_path / "other"
    assert close_month(lists, "demo", "2026-01", book=other).sums["M1"] == 0
    made = close_month(lists, "demo", "2026-02", book=other)
    assert made.sums["M8b"] > 0
    assert {issue.code for issue in made.issues} == {"ST209"}


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_months_give_the_same_bytes(settled, sample, tmp_path):
    for name in ("a", "b"):
        for month in ("2025-06", "2025-07"):
            close_month(settled, "demo", month, book=tmp_path / name, inputs=[sample])
    assert files(tmp_path / "a") == files(tmp_path / "b")
    booked = read_book(tmp_path / "a")
    assert booked.months == ("2025-06", "2025-07")
    june = [one for one in read_sums(tmp_path / "a") if one.month == "2025-06"]
    head = json.loads((tmp_path / "a" / "2025-06" / "month.json").read_text("utf-8"))
    assert head["sums"]["M1"] == sum(one.cases for one in june)
    assert head["inputs"][0]["name"] == "june.csv"
    assert head["due"] == "2025-08-21", "30 working days from 11 July"


def test_a_broken_sum_writes_nothing(settled, tmp_path, monkeypatch):
    book = tmp_path / "book"
    real = made_of.close_month
    monkeypatch.setattr(
        made_of, "close_month", lambda *a, **k: {**real(*a, **k), "M15": real(*a, **k)["M15"] + 1}
    )
    written: list[object] = []
    with pytest.raises(SettlementError) as caught:
        close_month(settled, "demo", "2025-06", book=book, write=written.append)
    assert caught.value.issues[0].code == "ST307"
    assert list(files(book)) == ["book.json"]
    assert not written


def test_an_output_that_fails_leaves_the_book_as_it_was(settled, tmp_path):
    def fails(made):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        close_month(settled, "demo", "2025-06", book=tmp_path / "book", write=fails)
    assert read_book(tmp_path / "book").months == ()


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda book: (book / "2025-06" / "lists.csv").write_text("x", "utf-8"), "file"),
        (lambda book: (book / "2025-06" / "statements.tsv").unlink(), "file"),
        (lambda book: (book / "2025-06" / "month.json").write_text("{", "utf-8"), "file"),
        (lambda book: (book / "book.json").unlink(), "foreign"),
        (
            lambda book: (book / "book.json").write_text('{"format": 1, "area": "x"}', "utf-8"),
            "area",
        ),
    ],
    ids=["lists", "sums", "head", "foreign", "area"],
)
def test_a_book_that_was_changed_by_hand_is_not_gone_on_with(settled, tmp_path, damage, problem):
    book = tmp_path / "book"
    close_month(settled, "demo", "2025-06", book=book)
    damage(book)
    before = files(book)
    with pytest.raises(SettlementError) as caught:
        close_month(settled, "demo", "2025-07", book=book)
    (issue,) = caught.value.issues
    assert (issue.code, issue.params["problem"]) == ("ST326", problem)
    assert all("{" not in issue.text(lang) for lang in ("zh", "en"))
    assert files(book) == before


def test_what_a_killed_run_left_is_passed_over(settled, tmp_path):
    book = tmp_path / "book"
    close_month(settled, "demo", "2025-06", book=book)
    (book / ".2025-07-x1" / "new").mkdir(parents=True)
    (book / ".2025-07-x1" / "new" / "month.json").write_text("{", "utf-8")
    (book / "lock").write_text("1", "utf-8")
    close_month(settled, "demo", "2025-07", book=book)
    assert read_book(book).months == ("2025-06", "2025-07")


def test_a_cleared_year_is_locked(settled, tmp_path):
    book = tmp_path / "book"
    close_month(settled, "demo", "2025-06", book=book)
    lock_year(book, 2025, {"by": "clearing"})
    with pytest.raises(SettlementError) as caught:
        close_month(settled, "demo", "2025-07", book=book)
    assert caught.value.issues[0].code == "ST306"
    assert "cleared" in caught.value.text("en")


def test_a_payment_after_its_due_date_is_said(settled):
    made = close_month(settled, "demo", "2025-06", paid_on=date(2025, 8, 22))
    assert [issue.code for issue in made.issues] == ["ST308"]
    in_time = close_month(settled, "demo", "2025-06", paid_on=date(2025, 8, 21))
    assert in_time.issues == ()


def test_a_list_of_days_goes_before_the_library(settled, tmp_path):
    days = tmp_path / "days.tsv"
    days.write_text("date\tworking\tsource\n2025-07-11\t0\tnotice\n", "utf-8")
    made = close_month(settled, "demo", "2025-06", calendar=days)
    assert made.due == date(2025, 8, 22)
    days.write_text("date\tworking\tsource\n2025-07-11\tno\tnotice\nx\t1\tn\n", "utf-8")
    with pytest.raises(GrouperError) as caught:
        read_calendar(days)
    assert [issue.where for issue in caught.value.issues] == [
        "days.tsv:2:working",
        "days.tsv:3:date",
    ]
    assert all("{" not in caught.value.text(lang) for lang in ("zh", "en"))


def test_years_not_announced_yet_are_said(sample, tmp_path):
    with sample.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))[:3]
    for row in rows:
        row["admit_time"], row["discharge_time"] = "2039-12-01", "2039-12-09"
    path = tmp_path / "far.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    made = close_month(settle_records(read_records(path), "demo"), "demo", "2039-12")
    assert {issue.code for issue in made.issues} == {"ST108"}
