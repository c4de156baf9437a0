"""Five million records: memory bounded, and the same bytes however the work is cut."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pa_parquet
import pytest

from grouper.records.user import UserTable
from grouper.records.write import write_results
from grouper.run.sample import sample_table
from grouper.scheme.load import load_scheme

SCHEME = "chs_drg_20"
#: tables of so many rows each, from seeds of their own
TABLES, ROWS = 25, 200_000
#: MB above the loaded program. Parquet is read and written by row groups, of 131,072 rows here, and
#: parts of a million rows are as large as that.
LIMITS = {("csv", 1000): 300, ("csv", 1_000_000): 300, ("parquet", 1000): 600}

_RUN = """
import re, sys
from pathlib import Path
from grouper.run.stream import Options, group_to_file
from grouper.scheme.load import load_scheme

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) >> 10

source, few, out = (Path(each) for each in sys.argv[1:4])
form, batch, threads = sys.argv[4], int(sys.argv[5]), int(sys.argv[6])
scheme, options = load_scheme("chs_drg_20"), Options(form=form)
group_to_file([few], scheme, out, options, threads=1)
before = peak()
done = group_to_file([source], scheme, out, options, batch=batch, threads=threads)
print(done.counts.rows, peak() - before)
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The records as CSV and as Parquet, and the first thousand of each."""
    folder = tmp_path_factory.mktemp("millions")
    scheme = load_scheme(SCHEME)
    found = {name: folder / f"all.{name}" for name in ("csv", "parquet")}
    writer = None
    with found["csv"].open("wb") as text:
        for seed in range(TABLES):
            table = sample_table(ROWS, seed + 1, scheme)
            # the ids of every table begin with a number of its own
            at = table.schema.get_field_index("id")
            ids = [f"{seed}-{each}" for each in table.column("id").to_pylist()]
            table = table.set_column(at, "id", [ids])
            writer = writer or pa_parquet.ParquetWriter(found["parquet"], table.schema)
            writer.write_table(table)
            body = as_csv(table, folder / "one.csv")
            text.write(body if seed == 0 else body.partition(b"\n")[2])
            if seed == 0:
                as_csv(table.slice(0, 1000), folder / "few.csv")
                pa_parquet.write_table(table.slice(0, 1000), folder / "few.parquet")
    assert writer is not None
    writer.close()
    return found


def as_csv(table: object, path: Path) -> bytes:
    columns = tuple(table.columns)  # type: ignore[attr-defined]
    names = tuple(table.column_names)  # type: ignore[attr-defined]
    user = UserTable(names, columns, "arrow", len(columns[0]))
    write_results(path, user, [], encoding="utf-8", overwrite="replace")
    return path.read_bytes()


@pytest.mark.large
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_results_and_memory_do_not_depend_on_how_the_work_is_cut(
    sources: dict[str, Path], form: str
) -> None:
    source, few = sources[form], sources[form].with_name(f"few.{form}")
    out = source.with_name(f"out.{form}")
    digests = {}
    for batch in (1000, 1_000_000):
        for threads in (1, 2):
            words = [str(source), str(few), str(out), form, str(batch), str(threads)]
            done = subprocess.run(
                [sys.executable, "-c", _RUN, *words], check=True, capture_output=True, text=True
            )
            match = re.fullmatch(r"(\d+) (\d+)", done.stdout.strip())
            assert match is not None
            rows, megabytes = int(match[1]), int(match[2])
            print(f"{form} batch {batch:,} threads {threads}: {megabytes} MB above the program")
            assert rows == TABLES * ROWS
            assert megabytes <= LIMITS.get((form, batch), 10_000)
            with out.open("rb") as file:
                digests[batch, threads] = hashlib.file_digest(file, "sha256").hexdigest()
    assert len(set(digests.values())) == 1, digests
