"""Files to files: read, group and write against reading and writing one integer column more.

The file is the sample of the program: 29 columns, diagnoses and procedures joined in one each.
Both sides use one thread; time is that of all threads of the process, whatever libraries start.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
import pytest
from paired import Goal, paired, record
from python_calamine import CalamineWorkbook

from grouper.records.check import Findings
from grouper.records.read import header_score, read_source
from grouper.run.sample import sample_table
from grouper.run.stream import Options, group_to_file
from grouper.scheme.load import load_scheme

ROWS = 200_000
#: 200,000 rows, the load that the goals name for files, and a million
TIMES = (1, 5)
SCHEME = "chs_drg_20"

_PEAK = """
import re, sys
from pathlib import Path
from grouper.run.stream import Options, group_to_file
from grouper.scheme.load import load_scheme

def peak():
    # not getrusage: what it says of a child begins with the peak of its parent
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\\s+(\\d+)", status)[1]) >> 10

source, out, first, scheme = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
scheme = load_scheme(scheme)
# the dictionaries and the compiled scheme are there before anything is counted
group_to_file([first], scheme, out, Options(), threads=1)
before = peak()
group_to_file([source], scheme, out, Options(), threads=int(sys.argv[5]))
print(peak() - before)
"""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made-up discharges as CSV."""
    path = tmp_path_factory.mktemp("run") / "sample.csv"
    words = ["sample", str(ROWS), "-o", str(path), "--seed", "1", "--quiet"]
    subprocess.run([sys.executable, "-m", "grouper", *words], check=True)
    return path


def repeated(sample: Path, times: int) -> Path:
    """The rows of a file several times over."""
    path = sample.with_name(f"{times}.csv")
    head, _, body = sample.read_bytes().partition(b"\n")
    with path.open("wb") as file:
        file.write(head + b"\n")
        for _ in range(times):
            file.write(body)
    return path


def grouped(source: Path, out: Path, **options: Any) -> Callable[[], None]:
    """The command's work: files to a file, one thread."""
    scheme = load_scheme(SCHEME)
    return lambda: group_to_file([source], scheme, out, Options(**options), threads=1) and None


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def csv_copy(source: Path) -> Callable[[], None]:
    """Read every cell as text, write it back with a column of numbers."""
    names = source.open(encoding="utf-8-sig").readline().strip().split(",")
    texts = pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
    alone = pa_csv.ReadOptions(use_threads=False)

    def copy() -> None:
        table = pa_csv.read_csv(source, read_options=alone, convert_options=texts)
        column = pa.array(np.arange(len(table), dtype=np.int32))
        pa_csv.write_csv(table.append_column("n", column), source.with_name("plain.csv"))

    return copy


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize(
    ("cleaning", "goal"),
    # as it stands; with cleaning, and checks of every field and of the bill
    [("as_is", Goal(1.35, 1.2)), ("standard", Goal(2, 1.5))],
)
def test_csv_to_csv_against_one_column_more(
    benchmark: Any, sample: Path, cleaning: str, goal: Goal, times: int
) -> None:
    times = times if not benchmark.disabled else 1
    source, out = repeated(sample, times), sample.with_name("out.csv")
    group = grouped(source, out, encoding="utf-8", cleaning=cleaning)
    group()
    paired(
        benchmark,
        group,
        csv_copy(source),
        goal=goal,
        pairs=9,
        clock=time.process_time,
        rows=times * ROWS,
        digest=digest_of(out),
    )


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_gb18030_against_utf8(benchmark: Any, sample: Path, encoding: str) -> None:
    """To the usual UTF-8, and back to GB18030 when that is asked for."""
    chinese, out = sample.with_name("gb.csv"), sample.with_name("out.csv")
    chinese.write_bytes(sample.read_bytes().decode("utf-8-sig").encode("gb18030"))
    plain, there = grouped(sample, out, encoding="utf-8"), sample.with_name("there.csv")
    other = grouped(chinese, there, encoding=encoding)
    plain(), other()
    assert there.read_bytes().decode(encoding) == out.read_bytes().decode("utf-8")
    paired(
        benchmark,
        other,
        plain,
        goal=Goal(1.2, 1),
        pairs=9,
        clock=time.process_time,
        rows=ROWS,
        digest=digest_of(out),
    )


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize(("cleaning", "goal"), [("as_is", Goal(1.5, 1.3)), ("standard", None)])
def test_parquet_to_parquet_against_one_column_more(
    benchmark: Any, sample: Path, cleaning: str, goal: Goal | None, times: int
) -> None:
    source, out = sample.with_name("sample.parquet"), sample.with_name("out.parquet")
    times = times if not benchmark.disabled else 1
    table = sample_table(ROWS, 1, load_scheme(SCHEME))
    pa_parquet.write_table(pa.concat_tables([table] * times).combine_chunks(), source)
    group = grouped(source, out, form="parquet", cleaning=cleaning)

    def copy() -> None:
        table = pa_parquet.read_table(source, use_threads=False)
        column = pa.array(np.arange(len(table), dtype=np.int32))
        pa_parquet.write_table(table.append_column("n", column), source.with_name("plain.parquet"))

    group()
    paired(
        benchmark,
        group,
        copy,
        goal=goal,
        pairs=9,
        clock=time.process_time,
        rows=times * ROWS,
        digest=digest_of(out),
    )


def test_xlsx_against_calamine(benchmark: Any, tmp_path: Path) -> None:
    """Reading a sheet as records' cells against handing it to Python as rows."""
    rows = 20_000 if not benchmark.disabled else 500
    book = tmp_path / "sample.xlsx"
    words = ["sample", str(rows), "-o", str(book), "--seed", "1", "--quiet"]
    subprocess.run([sys.executable, "-m", "grouper", *words], check=True)
    score = header_score(None)

    def cells() -> int:
        return len(read_source(book, score, None, Findings()))

    def bare() -> list[list[object]]:
        sheet: Any = CalamineWorkbook.from_path(str(book)).get_sheet_by_index(0)
        return sheet.to_python()

    assert cells() == len(bare()) - 1 == rows
    paired(benchmark, cells, bare, goal=Goal(1.3), pairs=9, clock=time.process_time, rows=rows)


def test_two_threads_end_to_end(benchmark: Any, sample: Path) -> None:
    """One thread against two, by the clock; two need two free processors."""
    out, scheme = sample.with_name("out.csv"), load_scheme(SCHEME)

    def run(threads: int) -> Callable[[], None]:
        options = Options(encoding="utf-8")
        return lambda: group_to_file([sample], scheme, out, options, threads=threads) and None

    run(1)()
    one = digest_of(out)
    run(2)()
    assert digest_of(out) == one
    paired(benchmark, run(1), run(2), goal=None, clock=time.perf_counter, rows=ROWS, digest=one)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("threads", [1, 2])
def test_peak_memory_does_not_grow_with_rows(benchmark: Any, sample: Path, threads: int) -> None:
    small, scheme = repeated(sample, 0), SCHEME
    with small.open("ab") as file:
        file.write(b"".join(sample.open("rb").readlines()[1:1001]))

    def peak(times: int) -> int:
        source, out = repeated(sample, times), sample.with_name("out.csv")
        words = [str(source), str(out), str(small), scheme, str(threads)]
        found = subprocess.run(
            [sys.executable, "-c", _PEAK, *words], check=True, capture_output=True, text=True
        )
        source.unlink()
        return int(found.stdout)

    most = 25 if not benchmark.disabled else 2
    few, more, many = peak(1), peak(min(most, 5)), peak(most)
    benchmark.pedantic(lambda: None, rounds=1)
    facts = {f"{ROWS:,}": f"{few} MB", f"{min(most, 5) * ROWS:,}": f"{more} MB"}
    record(benchmark, many, "MB", Goal(300), rows=most * ROWS, **facts)
