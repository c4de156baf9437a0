"""A book of several months against sums that DuckDB makes of its files and of the lists fed in."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pytest

from grouper import cli
from grouper.records.read import read_records
from grouper.run.book import read_book
from grouper.run.month import close_month, settle_records

#: every line of the statements, from the ledger alone
FROM_LEDGER = """
select line_.month, hospital, insurance, place,
  count(*) filter (line = 'accepted') as cases,
  count(*) filter (line = 'late') as late_cases,
  coalesce(sum(total_fen) filter (line = 'accepted'), 0) as M2_fen,
  coalesce(sum(payment_fen) filter (line = 'accepted' and special = 0), 0) as M3_fen,
  coalesce(sum(patient_fen) filter (line = 'accepted' and special = 0), 0) as M4_fen,
  coalesce(sum(accrued_fen) filter (line = 'accepted' and special = 0), 0) as M6_fen,
  coalesce(sum(accrued_fen) filter (special = 1), 0) as M7_fen,
  coalesce(sum(accrued_fen) filter (line = 'late' and special = 0), 0) as M8b_fen,
  coalesce(sum(accrued_fen) filter (line not in ('accepted', 'late') and special = 0), 0) as M8_fen,
  sum(pool_fen) as recorded_fen,
from line_ group by all
"""


def year_of_lists(folder: Path, months: int, rows: int) -> tuple[Path, Path]:
    """One file with the discharges of several months, and entries to the second of them."""
    made, header = [], []
    for number in range(1, months + 1):
        path = folder / f"{number}.csv"
        words = ["sample", str(rows), "-o", str(path), "--seed", str(number), "--quiet"]
        assert cli.run([*words, "--period", f"2025-{number:02d}"]) == 0
        with path.open(encoding="utf-8-sig", newline="") as file:
            for at, row in enumerate(csv.DictReader(file)):
                header = list(row)
                row["id"] = f"{number}-{at}"
                row["special"] = "1" if at % 31 == 0 else ""
                row["area_insured"] = "110000" if at % 7 == 0 else ""
                # every ninth list comes in after the claim day of its month
                day = "15" if at % 9 == 0 else "08"
                row["declared_time"] = f"2025-{number + 1:02d}-{day}" if number < 12 else ""
                made.append(row)
    file_ = folder / "year.csv"
    with file_.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, [*header, "special", "area_insured", "declared_time"])
        writer.writeheader()
        writer.writerows(made)
    lines = ["kind,hospital,list,new_list,amount,reason,rule,total_cost,fund_basic,payment"]
    for row in made[1 : rows // 2]:
        at = int(row["id"].split("-")[1])
        head = f"{row['hospital']},{row['id']}"
        if at % 31 == 0 or at % 9 == 0:
            continue
        if at % 5 == 1:
            lines.append(f"audit,{head},,{at}00.00,r,F01,,,")
        elif at % 5 == 2:
            lines.append(f"correction,{head},{row['id']}-2,,,,9000.00,5000.00,8{at % 10}00.00")
    entries = folder / "entries.csv"
    entries.write_text("\n".join(lines) + "\n", "utf-8")
    return file_, entries


@pytest.mark.parametrize(
    ("months", "rows"), [(3, 120), pytest.param(12, 5_000, marks=pytest.mark.large)]
)
def test_the_statements_are_the_sums_of_the_ledger(tmp_path, months, rows):
    file, entries = year_of_lists(tmp_path, months, rows)
    settled = settle_records(read_records(file), "demo")
    book = tmp_path / "book"
    counts = []
    for number in range(1, months + 1):
        month = f"2025-{number:02d}"
        extra = {"entries": entries} if number == 2 else {}
        counts.append(close_month(settled, "demo", month, book=book, **extra).closed.counts)
    db = duckdb.connect()
    db.execute(
        "create view line_ as select split_part(filename, '/', -2) as month, * exclude (filename)"
        f" from read_csv('{book}/*/lists.csv', filename = true, all_varchar = false)"
    )
    db.execute(
        "create view stated as select * exclude (filename)"
        f" from read_csv('{book}/*/statements.tsv', delim = '\t', filename = true)"
    )
    db.execute(f"create table theirs as {FROM_LEDGER}")
    names = [name for name, *_ in db.execute("describe theirs").fetchall()]
    columns = ", ".join(f"cast({name} as varchar)" for name in names)
    # what stands open without a list has a statement too: its lines from the ledger are zero
    idle = " and ".join(f"{name} = 0" for name in names[4:])
    key = ", ".join(names[:4])
    ours = db.execute(
        f"select {columns} from stated"
        f" where not (({idle}) and ({key}) not in (select ({key}) from theirs)) order by all"
    ).fetchall()
    assert ours == db.execute(f"select {columns} from theirs order by all").fetchall()
    # lists fed in: each entered once, in time or late; nothing else was accepted
    entered = db.execute(
        "select count(*), count(distinct (hospital, list)) from line_"
        " where line in ('accepted', 'late')"
    ).fetchone()
    assert entered == (sum(one["in_time"] + one["late"] for one in counts),) * 2
    assert entered[0] > 0.5 * months * rows
    assert any(one["late"] for one in counts[1:])
    sums = read_book(book).sums
    taken = db.execute(f"select sum(taken_fen) from read_csv('{book}/*/deductions.tsv')").fetchone()
    assert sum(one.lines["M9"] for one in sums) == int(taken[0] or 0) > 0
    # the identity of every month on the total basis: M6 - recorded pool = payment - cost
    left, right = db.execute(
        "select sum(accrued_fen - pool_fen), sum(payment_fen - total_fen)"
        " from line_ where line = 'accepted' and special = 0"
    ).fetchone()
    assert left == right
