"""`settle bill` in parts: row for row what the whole file gives, and nothing half-written."""

from __future__ import annotations

import json
from dataclasses import replace

import pyarrow.parquet as pa_parquet
import pytest

import grouper
from grouper import cli
from grouper.errors import SettlementError
from grouper.run.pipeline import group_files
from grouper.run.settled import settle_to_file
from grouper.run.settlement import settle_row, settle_run, settled_columns
from grouper.run.stream import Options
from grouper.settle import sums
from grouper.settle.sums import COLUMNS, added, case_sums

ROWS = 700


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    path = tmp_path_factory.mktemp("cases") / "cases.csv"
    assert cli.run(["sample", str(ROWS), "--seed", "7", "-o", str(path), "--quiet"]) == 0
    return path


@pytest.fixture(scope="module")
def scheme():
    return grouper.load_scheme("chs_drg_20")


@pytest.fixture(scope="module")
def whole(cases, scheme):
    return settle_run(group_files([cases], scheme), "demo")


@pytest.mark.parametrize(("batch", "threads"), [(64, 2), (1000, 1)])
def test_parts_give_what_the_whole_file_gives(batch, threads, cases, scheme, whole, tmp_path):
    target = tmp_path / "bills.parquet"
    options = Options(form="parquet", lang="en")
    done = settle_to_file([cases], scheme, "demo", target, options, batch=batch, threads=threads)
    table = pa_parquet.read_table(target)
    for name, column in settled_columns(whole, "en"):
        assert table.column(name).to_pylist() == column.to_pylist(), name
    assert done.sums == added([case_sums(whole.amounts)])
    assert done.sums.rows == ROWS


def test_the_same_run_twice_gives_the_same_bytes_however_it_is_cut(cases, scheme, tmp_path):
    files = []
    for batch, threads in ((50, 3), (333, 1), (50, 2)):
        for form in ("csv", "parquet"):
            target = tmp_path / f"{batch}-{threads}.{form}"
            settle_to_file(
                [cases], scheme, "demo", target, Options(form=form), batch=batch, threads=threads
            )
            files.append((form, target.read_bytes()))
    assert len(set(files)) == 2


def test_a_case_alone_is_paid_as_in_the_file(whole):
    amounts = whole.amounts
    for row in range(0, ROWS, 5):
        alone = settle_row(whole, row)
        assert alone.case_type == amounts.case_type[row]
        assert alone.payable_fen in (None, int(amounts.payable_fen[row]))
        assert alone.issue == amounts.issue_of(row)


@pytest.mark.parametrize("form", ["csv", "parquet", "xlsx"])
def test_a_broken_sum_stops_the_run_and_writes_nothing(form, cases, tmp_path, monkeypatch, capsys):
    honest = sums.total
    # the hook: one amount is summed a fen short
    monkeypatch.setattr(sums, "total", lambda fen: honest(fen) - 1)
    out = tmp_path / f"bills.{form}"
    assert (
        cli.run(["settle", "bill", str(cases), "--area", "demo", "-o", str(out), "--lang", "en"])
        == 3
    )
    assert "ST307" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["payable_fen", "difference_fen", "patient_fen"])
def test_a_column_that_lies_is_found(name, whole):
    column = getattr(whole.amounts, name).copy()
    column[3] += 1
    with pytest.raises(SettlementError) as caught:
        case_sums(replace(whole.amounts, **{name: column}))
    assert caught.value.issues[0].code == "ST307"


def test_sums_of_parts_sum_to_the_whole(whole):
    one = case_sums(whole.amounts)
    assert added([one, one]).of("payable_fen") == 2 * one.of("payable_fen")
    assert set(one.to_dict()) == {"rows", "counted", "types", *(c[:-4] for c in COLUMNS)}


def test_the_command_tells_its_sums(cases, tmp_path, capsys):
    out = tmp_path / "bills.csv"
    words = ["settle", "bill", str(cases), "--area", "demo", "-o", str(out), "--json", "--quiet"]
    assert cli.run(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["rows"] == sum(told["types"].values()) == ROWS
    assert told["total"]
