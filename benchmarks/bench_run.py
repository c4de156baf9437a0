"""Files to files: CSV -> groups -> CSV against reading it and writing one integer column more.

The file is the sample of the program, 46 columns of which 31 are read and checked. Time is that of
all threads of the process: Arrow reads and writes with several.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest
from paired import Goal, paired, record

from grouper.run.stream import Options, group_to_file
from grouper.scheme.load import load_scheme

ROWS = 200_000
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


def test_csv_to_csv_against_one_column_more(benchmark: Any, sample: Path) -> None:
    scheme, out, plain = load_scheme(SCHEME), sample.with_name("out.csv"), sample.with_name("p.csv")
    names = sample.open(encoding="utf-8-sig").readline().strip().split(",")
    texts = pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))

    def group() -> None:
        group_to_file([sample], scheme, out, Options(encoding="utf-8"), threads=1)

    def copy() -> None:
        table = pa_csv.read_csv(sample, convert_options=texts)
        column = pa.array(np.arange(len(table), dtype=np.int32))
        pa_csv.write_csv(table.append_column("n", column), plain)

    group()
    digest = hashlib.sha256(out.read_bytes()).hexdigest()[:12]
    # the goal of the design is 2 for reading with checks of every field
    paired(
        benchmark,
        group,
        copy,
        goal=None,
        pairs=5,
        clock=time.process_time,
        rows=ROWS,
        digest=digest,
    )


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

    few, many = peak(1), peak(5)
    benchmark.pedantic(lambda: None, rounds=1)
    goal = Goal(300)
    record(benchmark, many, "MB", goal, rows=5 * ROWS, few_rows=ROWS, few_MB=few)
