"""`grouper settle year`: a year from files and from a book, locked, corrected, refused."""

from __future__ import annotations

import csv
import json
import shutil
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import xlsxwriter
from openpyxl import load_workbook

from grouper import cli

pytestmark = pytest.mark.cli

ENTRIES = """kind,hospital,insurance,amount,reason,score,list,ratio,month,date,schedule,place
score,H99000000001,,,,93,,,,,,
score,H99000000003,,,,55,,,,,,
audit,H99000000001,310,1234.56,重复收费,,,,2025-06,,,
audit,H99000000002,390,500,年终检查,,,,,,,
taken,,310,120000,床日付费,,,,,,,
fund_budget,,390,4400000,按程序调整,,,,,2025-11-01,,
advance,H99000000001,310,50000,,,,,,,5000,
approved,{name[0]},,,,,{name[1]},0.9,,,,
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A year of invented discharges, and a table of entries."""
    folder = tmp_path_factory.mktemp("year")
    year, entries = folder / "year.csv", folder / "entries.csv"
    words = ["sample", "400", "-o", str(year), "--seed", "7", "--period", "2025", "--quiet"]
    assert cli.run(words) == 0
    # the cheapest case of a large hospital: it costs less than its standard
    rows = csv.DictReader(year.read_text("utf-8-sig").splitlines())
    own = [row for row in rows if row["hospital"] == "H99000000003"]
    cheap = min(own, key=lambda row: Decimal(row["total_cost"]))
    text = ENTRIES.format(name=(cheap["hospital"], cheap["id"]))
    entries.write_text(text, "utf-8")
    return year, entries


def settle(run, *args, files=(), entries=None):
    more = ("--entries", entries) if entries else ()
    return run("settle", "year", *files, "--area", "demo", "--year", "2025", *more, *args)


def test_a_year_from_discharges_with_entries(run, files):
    year, entries = files
    answer = settle(run, "--json", files=[year], entries=entries)
    assert answer.code in (0, 1)
    made = json.loads(answer.out)
    assert [(one["insurance"], one["place"]) for one in made["funds"]] == [
        ("310", "local"),
        ("390", "local"),
    ]
    employee, resident = made["funds"]
    assert employee["deductions"] == {"床日付费": "120000.00"}
    assert resident["area"]["budget"] == "4400000.00"
    assert resident["budgets"] == [
        {"from": "2025-11-01", "amount": "4400000.00", "source": "按程序调整"}
    ]
    for fund in made["funds"]:
        assert fund["area"]["entitled"] == fund["area"]["pool"]
        assert all(check["left"] == check["right"] for check in fund["checks"])
        rows = fund["hospitals"]
        for column in ("entitled", "final", "clearing", "cash"):
            total = sum(Decimal(row[column]) for row in rows)
            if column in fund["area"]:
                assert total == Decimal(fund["area"][column])
        # every value has its formula, every parameter its source
        assert set(rows[0]) - {"hospital", "hospital_name"} == set(made["formulas"])
        assert all(one["source"] and one["confidence"] for one in fund["parameters"])
    first = employee["hospitals"][0]
    assert (first["score"], first["audit"]) == ("93", "1234.56")
    # a case without loss is not taken, whatever the review said
    assert len(made["special"]["no_loss"]) == 1
    assert made["special"]["no_loss"][0].startswith("H99000000003 S")
    assert made["confidence"] == "constructed"
    assert made["due"] == "2026-05-31"
    assert made["publish_by"] == "2026-06-30"


def test_every_form_has_the_same_amounts_and_the_same_bytes_twice(run, files, tmp_path):
    year, entries = files
    for suffix in ("json", "xlsx", "html", "parquet", "csv"):
        content = []
        for name in ("one", "two"):
            target = tmp_path / f"{name}.{suffix}"
            assert settle(run, "-o", target, files=[year], entries=entries).code in (0, 1)
            content.append(target.read_bytes())
        assert content[0] == content[1], suffix
    made = json.loads((tmp_path / "one.json").read_text("utf-8"))
    cash = [Decimal(row["cash"]) for fund in made["funds"] for row in fund["hospitals"]]
    assert pq.read_table(tmp_path / "one.parquet")["cash"].to_pylist() == cash
    sheet = load_workbook(tmp_path / "one.xlsx")["Year clearing"]
    titles = [cell.value for cell in sheet[1]]
    written = [row[titles.index("cash")].value for row in sheet.iter_rows(min_row=2)]
    assert [Decimal(str(value)).quantize(Decimal("0.01")) for value in written[: len(cash)]] == cash
    page = (tmp_path / "one.html").read_text("utf-8")
    assert "invented demonstration data" in page
    assert f"{cash[0]:,}" in page


def test_the_order_of_rows_does_not_matter(run, files, tmp_path):
    year, entries = files
    head, *rows = year.read_text("utf-8-sig").splitlines()
    turned = tmp_path / "turned.csv"
    turned.write_text("\n".join([head, *reversed(rows)]), "utf-8")
    answers = [
        json.loads(settle(run, "--json", files=[one], entries=entries).out)
        for one in (year, turned)
    ]
    assert answers[0]["funds"] == answers[1]["funds"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_broken_sum_stops_the_run_and_writes_nothing(run, files, tmp_path, monkeypatch, lang):
    from grouper.settle import year as steps

    def lose(clearing):
        next(iter(clearing.accounts.values())).payable_fen -= 1

    broken = (*steps.STEPS[:7], ("hook", lose), *steps.STEPS[7:])
    monkeypatch.setattr(steps.clear_year, "__kwdefaults__", {"steps": broken})
    target = tmp_path / "clearing.xlsx"
    answer = settle(run, "-o", target, "--lang", lang, files=[files[0]])
    assert answer.code == 3
    assert answer.err.startswith("ST307")
    assert {"zh": "处理", "en": "fix"}[lang] in answer.err
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def closed(files, tmp_path_factory):
    """A book with the twelve months of the year closed."""
    folder = tmp_path_factory.mktemp("closed") / "book"
    for month in range(1, 13):
        words = ["settle", "month", str(files[0]), "--area", "demo", "--quiet"]
        words += ["--month", f"2025-{month:02d}", "--book", str(folder)]
        assert cli.run(words) in (0, 1)
    return folder


@pytest.fixture
def book(closed, tmp_path):
    return Path(shutil.copytree(closed, tmp_path / "book"))


def test_a_book_gives_the_year_its_files_give_and_locks_it(run, files, book, tmp_path):
    year = files[0]
    by_files = json.loads(settle(run, "--json", files=[year]).out)
    target = tmp_path / "clearing.json"
    answer = settle(run, "--book", book, "-o", target, files=[year])
    assert answer.code in (0, 1), answer.err
    by_book = json.loads(target.read_text("utf-8"))
    assert by_book["funds"] == by_files["funds"]
    assert by_book["manifest"]["months"] == [f"2025-{month:02d}" for month in range(1, 13)]
    again = settle(run, "--book", book, "-o", tmp_path / "again.json", files=[year])
    assert again.code == 3
    assert again.err.startswith("ST306")
    assert "--correction" in again.err
    assert not (tmp_path / "again.json").exists()
    locked = run(
        *("settle", "month", year, "--area", "demo", "--month", "2025-12"), *("--book", book)
    )
    assert locked.code == 3
    assert "ST306" in locked.err


def test_a_year_from_the_book_alone_spends_the_same_pool(run, files, book):
    from_book = json.loads(settle(run, "--book", book, "--json").out)
    from_files = json.loads(settle(run, "--json", files=[files[0]]).out)
    for one, other in zip(from_book["funds"], from_files["funds"], strict=True):
        assert one["area"]["pool"] == other["area"]["pool"] == one["area"]["entitled"]
        # weights are told by payments there: the same but for what rounding to the fen leaves
        assert abs(Decimal(one["area"]["volume"]) - Decimal(other["area"]["volume"])) < 1
        for mine, theirs in zip(one["hospitals"], other["hospitals"], strict=True):
            for column in ("recorded", "patient", "deposit", "before", "audit", "advance"):
                assert mine[column] == theirs[column], column


def test_a_list_corrected_after_closing_gives_difference_lines(run, files, book, tmp_path):
    first = json.loads(settle(run, "--book", book, "--json").out)
    old = next(row for fund in first["funds"] for row in fund["hospitals"])
    lists = (book / "2025-03" / "lists.csv").read_text("utf-8").splitlines()
    columns = [name.strip('"') for name in lists[0].split(",")]
    cells = [cell.strip('"') for cell in lists[1].split(",")]
    hospital, list_id = cells[columns.index("hospital")], cells[columns.index("list")]
    correction = tmp_path / "correction.csv"
    correction.write_text(
        "kind,hospital,list,new_list,total_cost,fund_basic,other_funds,payment,reason\n"
        f"correction,{hospital},{list_id},{list_id}A,5000.00,3000.00,0.00,5200.00,改正费用\n",
        "utf-8",
    )
    month = run(
        *("settle", "month", files[0], "--area", "demo", "--month", "2026-01"),
        *("--book", book, "--entries", correction, "--json"),
    )
    assert month.code in (0, 1), month.err
    answer = settle(run, "--book", book, "--correction", "--json")
    assert answer.code in (0, 1), answer.err
    made = json.loads(answer.out)
    found = made["differences"]
    assert found
    assert {one["hospital"] for one in found} >= {hospital}
    before = {
        (fund["insurance"], fund["place"], row["hospital"]): row
        for fund in first["funds"]
        for row in fund["hospitals"]
    }
    after = {
        (fund["insurance"], fund["place"], row["hospital"]): row
        for fund in made["funds"]
        for row in fund["hospitals"]
    }
    told = {(o["insurance"], o["place"], o["hospital"], o["column"]): o for o in found}
    for key, row in after.items():
        for column in ("entitled", "recorded", "final", "clearing", "cash"):
            change = told.get((*key, column), {"difference": "0.00"})["difference"]
            assert Decimal(before[key][column]) + Decimal(change) == Decimal(row[column])
    assert old
    assert json.loads((book / "year-2025.json").read_text("utf-8"))["corrections"] == 1


def test_a_year_that_is_not_closed_cannot_be_cleared_from_its_book(run, files, tmp_path):
    book = tmp_path / "book"
    run("settle", "month", files[0], "--area", "demo", "--month", "2025-01", "--book", book)
    answer = settle(run, "--book", book)
    assert answer.code == 3
    assert answer.err.startswith("ST306")
    assert "2025-02" in answer.err
    assert not (book / "year-2025.json").exists()


@pytest.mark.parametrize(
    ("row", "code", "place", "said"),
    [
        ("score,H1,,,,101,,,,,,", "ST106", "entries.csv:2:A", "101"),
        ("score,H1,,,,x,,,,,,", "ST320", "entries.csv:2:F", "x"),
        ("score,,,,,90,,,,,,", "ST320", "entries.csv:2:", "hospital"),
        ("score,H1,,5,,90,,,,,,", "ST320", "entries.csv:2:D", "5"),
        ("score,H1,,,,90,,,,,,\nscore,H1,,,,91,,,,,,", "ST322", "entries.csv:3:A", "H1"),
        ("audit,H1,310,-5,错,,,,,,,", "ST207", "entries.csv:2:D", ""),
        ("audit,H1,999,5,错,,,,,,,", "ST320", "entries.csv:2:C", "999"),
        ("audit,H1,310,5.005,错,,,,,,,", "ST320", "entries.csv:2:D", "5.005"),
        ("audit,H1,310,5,错,,,,2025-13,,,", "ST320", "entries.csv:2:I", "2025-13"),
        ("approved,H1,,,,,NONE,,,,,", "ST321", "entries.csv:2:A", "NONE"),
        ("audit,H99000000001,310,5,a,,,,2024-12,,,", "ST322", "entries.csv:2:A", "2024-12"),
        ("score,H77,,,,90,,,,,,", "ST105", "entries.csv:2:A", "H77"),
        ("audit,H78,310,5,a,,,,,,,", "ST105", "entries.csv:2:A", "H78"),
        ("fund_budget,,310,5,late,,,,,2026-01-01,,\nscore,H79,,,,1,,,,,,", "ST105", ":3:A", "H79"),
        ("fund_budget,,310,5,减少,,,,,2025-02-30,,", "ST320", "entries.csv:2:J", "2025-02-30"),
        ("fund_budget,,310,0,减少,,,,,2025-02-01,,", "ST301", "", "0.00"),
        ("correction,H1,,,,,,,,,,", "ST320", "entries.csv:2:A", "correction"),
        ("taken,,310,1,a,,,,,,,moon", "ST320", "entries.csv:2:L", "moon"),
    ],
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_wrong_entry_names_place_value_and_remedy(
    run, files, tmp_path, row, code, place, said, lang
):
    entries = tmp_path / "entries.csv"
    entries.write_text(f"{ENTRIES.splitlines()[0]}\n{row}\n", "utf-8")
    target = tmp_path / "clearing.json"
    answer = settle(run, "-o", target, "--lang", lang, files=[files[0]], entries=entries)
    assert answer.code == 3
    assert answer.err.startswith(code)
    assert place in answer.err
    assert said in answer.err
    assert {"zh": "处理", "en": "fix"}[lang] in answer.err
    assert "Traceback" not in answer.err
    assert not target.exists()


def test_a_wrong_cell_of_a_workbook_is_named_by_sheet_and_cell(run, files, tmp_path):
    entries = tmp_path / "entries.xlsx"
    with xlsxwriter.Workbook(entries) as file:
        sheet = file.add_worksheet("考核")
        sheet.write_row(0, 0, ["类型", "医疗机构代码", "考核得分"])
        sheet.write_row(1, 0, ["考核得分", "H99000000001", "九十"])
    answer = settle(run, files=[files[0]], entries=entries)
    assert answer.code == 3
    assert answer.err.startswith("ST320 entries.xlsx:考核!C2")
    assert "九十" in answer.err


def test_a_book_has_the_deductions_of_its_months(run, book, tmp_path):
    entries = tmp_path / "entries.csv"
    text = f"{ENTRIES.splitlines()[0]}\naudit,H99000000001,310,5,a,,,,2025-03,,,\n"
    entries.write_text(text, "utf-8")
    answer = settle(run, "--book", book, entries=entries)
    assert answer.code == 3
    assert answer.err.startswith("ST322 entries.csv:2:A")
    assert not (book / "year-2025.json").exists()


def test_values_that_nobody_verified_are_refused_unless_asked_for(run, files, tmp_path):
    from grouper.datafile import data_folder

    folder = tmp_path / "area"
    folder.mkdir()
    source = data_folder("areas", "demo")
    for path in source.iterdir():
        text = path.read_text("utf-8").replace("demo = true\n", "")
        (folder / path.name).write_text(text, "utf-8")
    asked = ("settle", "year", files[0], "--area", folder, "--year", "2025", "--json")
    assert run(*asked).err.startswith("PO112")
    answer = run(*asked, "--allow-unverified")
    assert answer.code in (0, 1)
    assert json.loads(answer.out)["confidence"] == "constructed"


def test_a_year_needs_files_or_a_book(run):
    assert settle(run).code == 2
    assert settle(run, "--correction", files=[Path(__file__)]).code == 2


def test_the_day_of_payment_is_held_against_the_due_date(run, files):
    answer = settle(run, "--paid-on", "2026-06-01", "--json", files=[files[0]])
    issues = json.loads(answer.out)["issues"]
    late = next(one for one in issues if one["code"] == "ST308")
    assert "2026-05-31" in late["what"]


def test_lists_accepted_after_the_freeze_stay_out(run, files, tmp_path):
    head, *rows = files[0].read_text("utf-8-sig").splitlines()
    late = tmp_path / "late.csv"
    days = ["2026-02-01" if at % 10 == 0 else "2025-12-31" for at in range(len(rows))]
    lines = [f"{row},{day}" for row, day in zip(rows, days, strict=True)]
    late.write_text("\n".join([f"{head},declared_time", *lines]), "utf-8")
    made = json.loads(settle(run, "--frozen", "2026-01-31", "--json", files=[late]).out)
    assert made["after_freeze"] == 40


def test_a_list_that_stands_twice_counts_once(run, files, tmp_path):
    head, *rows = files[0].read_text("utf-8-sig").splitlines()
    doubled = tmp_path / "doubled.csv"
    doubled.write_text("\n".join([head, *rows, *rows[:5]]), "utf-8")
    once, twice = (
        json.loads(settle(run, "--as-is", "--json", files=[path]).out)
        for path in (files[0], doubled)
    )
    assert twice["not_counted"]["ST206"] == 5
    assert twice["funds"] == once["funds"]


def test_a_list_without_a_day_of_discharge_is_told(run, files, tmp_path):
    rows = list(csv.DictReader(files[0].read_text("utf-8-sig").splitlines()))[:3]
    rows[1] |= {"admit_time": "", "discharge_time": ""}
    undated = tmp_path / "undated.csv"
    with undated.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    answer = settle(run, files=[undated])
    assert answer.code == 1
    assert "1 lists not counted: ST103" in answer.err


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_lists_and_months_of_different_files_are_told_apart(run, files, book, tmp_path, lang):
    head, *rows = files[0].read_text("utf-8-sig").splitlines()
    fewer = tmp_path / "fewer.csv"
    fewer.write_text("\n".join([head, *rows[1:]]), "utf-8")
    answer = settle(run, "--book", book, "--json", "--lang", lang, files=[fewer])
    assert answer.code in (0, 1), answer.err
    issues = json.loads(answer.out)["issues"]
    apart = [one for one in issues if one["code"] == "ST327"]
    assert len(apart) == 1
    assert rows[0].split(",")[1] in apart[0]["what"]
    assert apart[0]["fix"]


def test_clearing_of_2026_in_april_2027_goes_by_2026(run, tmp_path):
    lists = tmp_path / "lists.csv"
    assert cli.run(["sample", "300", "-o", str(lists), "--period", "2026", "--quiet"]) == 0
    answer = run(
        *("settle", "year", lists, "--area", "demo", "--year", "2026"),
        *("--paid-on", "2027-04-20", "--json"),
    )
    assert answer.code in (0, 1), answer.err
    made = json.loads(answer.out)
    # elastic in 2026, fixed and scaled in 2027
    assert {fund["method"] for fund in made["funds"]} == {"elastic"}
    assert made["due"] == "2027-04-30"
    assert "ST308" not in {one["code"] for one in made["issues"]}
    assert {
        p["value"] for f in made["funds"] for p in f["parameters"] if p["key"] == "reserve"
    } == {"0.04"}


def test_what_the_months_decided_on_special_cases_stands_in_the_year(run, files, tmp_path):
    lists, folder = files[0], tmp_path / "book"
    rows = list(csv.DictReader(lists.read_text("utf-8-sig").splitlines()))
    january = [row for row in rows if row["discharge_time"].startswith("2025-01")]
    dear = max(january, key=lambda row: Decimal(row["total_cost"]))
    cheap = min(january, key=lambda row: Decimal(row["total_cost"]))
    head = "kind,hospital,list,ratio,reason\n"
    name = f"{dear['hospital']},{dear['id']}"
    other = f"{cheap['hospital']},{cheap['id']}"
    decisions = {
        1: f"special,{name},,applied\nspecial,{other},,applied\n",
        2: f"approved,{name},0.9,passed\nrefused,{other},,no loss\n",
    }
    for month in range(1, 13):
        more = []
        if month in decisions:
            entries = tmp_path / f"{month}.csv"
            entries.write_text(head + decisions[month], "utf-8")
            more = ["--entries", entries]
        answer = run(
            *("settle", "month", lists, "--area", "demo", "--month", f"2025-{month:02d}"),
            *("--book", folder, "--json", *more),
        )
        assert answer.code in (0, 1), answer.err
    paid = (Decimal(dear["fund_basic"]) * Decimal("0.9")).quantize(Decimal("0.01"), ROUND_HALF_UP)
    whole = json.loads(settle(run, "--json", files=[lists]).out)
    for source in ([lists], []):
        book = Path(shutil.copytree(folder, tmp_path / f"book{len(source)}"))
        made = json.loads(settle(run, "--book", book, "--json", files=source).out)
        key = " ".join((dear["hospital"], dear["id"]))
        assert made["special"]["accepted"] == {key: str(paid)}
        assert made["special"]["failed"] == [" ".join((cheap["hospital"], cheap["id"]))]
        fund = next(one for one in made["funds"] if one["insurance"] == dear["insurance"])
        assert fund["area"]["special"] == str(paid)
        assert fund["area"]["entitled"] == fund["area"]["pool"]
        # the months paid the approved amount: both parts of the year know the case
        rows_now = {row["hospital"]: row for row in fund["hospitals"]}
        plain = next(one for one in whole["funds"] if one["insurance"] == dear["insurance"])
        before = {row["hospital"]: row for row in plain["hospitals"]}
        assert rows_now[dear["hospital"]]["recorded"] == before[dear["hospital"]]["recorded"]
        assert rows_now[dear["hospital"]]["special"] == str(paid)
        assert Decimal(rows_now[dear["hospital"]]["volume"]) < Decimal(
            before[dear["hospital"]]["volume"]
        )
