"""Disks, inputs and neighbours that spoil a run: one clear error, and nothing finished is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grouper import cli
from grouper.cli.progress import Progress
from grouper.run.lock import folder_lock

pytestmark = [
    pytest.mark.cli,
    pytest.mark.skipif(sys.platform == "win32", reason="limits, mounts and signals of POSIX"),
]
PARTS = ["--batch", "100"]
#: more than one row makes, less than all of them
FEW_BYTES = 60_000


@pytest.fixture
def words(mini_path) -> Callable[..., list[str]]:
    """`words(path, "-o", out)`: the words of a `grouper group`."""
    return lambda *given: [
        str(word) for word in ["group", *given, "-s", mini_path, "--lang", "en", "--quiet"]
    ]


_LIMITED = """
import contextlib, io, json, resource, sys
from grouper import cli
n, commands = json.loads(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (n, n))
ends = []
for words in commands:
    with contextlib.redirect_stderr(io.StringIO()) as told:
        ends.append((cli.run(words), told.getvalue()))
print(json.dumps(ends))
"""


def limited(n: int, *commands: list[str]) -> list[tuple[int, str]]:
    """Exit code and stderr of commands in a process that can make no file longer than n bytes."""
    line = [sys.executable, "-c", _LIMITED, json.dumps([n, commands])]
    made = subprocess.run(line, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    ends: list[tuple[int, str]] = json.loads(made.stdout)
    return ends


def one_error(code: int, told: str, family: str) -> None:
    """Exit code 3 and one message of what, why and what to do."""
    assert code == 3, told
    lines = told.splitlines()
    assert lines[0].startswith(family), told
    assert [line.split()[0] for line in lines[1:]] == ["why", "fix"], told


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_an_output_too_large_for_the_disk_leaves_nothing(discharges, words, tmp_path):
    path = discharges(3000)
    outs = ("out.csv", "out.parquet", "out.xlsx", "out.jsonl")
    ends = limited(FEW_BYTES // 4, *(words(path, "-o", tmp_path / out) for out in outs))
    assert len(ends) == len(outs)
    for code, told in ends:
        one_error(code, told, "DF142")
    assert left(tmp_path) == {"in.csv"}


def test_the_results_of_a_run_too_large_for_the_disk_keep_its_parts(discharges, words, tmp_path):
    path, folder, out = discharges(3000), tmp_path / "run", tmp_path / "out.csv"
    (end,) = limited(FEW_BYTES, words(path, "--run", folder, "-o", out, *PARTS))
    one_error(*end, "RN116")
    assert len(left(folder / "parts")) == 30
    assert left(folder) == {"run.json", "parts"}
    assert cli.run(["run", "resume", str(folder), "--quiet"]) == 1
    whole(path, words, folder, out)


def whole(path: Path, words: Callable[..., list[str]], folder: Path, out: Path | None) -> None:
    """A run is what it would have been without trouble."""
    other = folder.with_name("untroubled")
    assert cli.run(words(path, "--run", other)) == 1
    form = "parquet" if (folder / "results.parquet").exists() else "csv"
    for name in (f"results.{form}", "rejects.csv", "manifest.json"):
        assert (folder / name).read_bytes() == (other / name).read_bytes()
    if out:
        assert out.read_bytes() == (folder / f"results.{form}").read_bytes()
    assert left(folder) == left(other)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[tuple[Path, Callable[[str], None]]]:
    """A disk of 200 kB, and how to give it another size."""
    disk = tmp_path / "disk"
    disk.mkdir()

    def mount(size: str, how: str = "") -> subprocess.CompletedProcess[bytes]:
        line = ["mount", "-t", "tmpfs", "-o", f"{how}size={size}", "tmpfs", str(disk)]
        return subprocess.run(line, capture_output=True, check=False)

    try:
        mounted = mount("200k")
    except OSError as error:
        pytest.skip(f"no disk can be mounted here: {error}")
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield disk, lambda size: mount(size, "remount,").check_returncode()
    subprocess.run(["umount", str(disk)], check=False)


def test_a_run_on_a_full_disk_goes_on_when_there_is_room(discharges, words, small_disk, capsys):
    path, (disk, resize) = discharges(3000), small_disk
    assert cli.run(words(path, "-o", disk / "out.csv", "--batch", "1000")) == 3
    assert "the disk is full" in capsys.readouterr().err
    assert left(disk) == set()
    assert cli.run(words(path, "--run", disk / "run", *PARTS)) == 3
    said = capsys.readouterr().err
    one_error(3, said, "RN116")
    assert "the disk is full" in said
    kept = len(left(disk / "run" / "parts"))
    assert 0 < kept < 31
    # still full: nothing more, nothing less
    assert cli.run(["run", "resume", str(disk / "run"), "--quiet", "--lang", "en"]) == 3
    one_error(3, capsys.readouterr().err, "RN116")
    resize("40m")
    assert cli.run(["run", "resume", str(disk / "run"), "--quiet"]) == 1
    whole(path, words, disk / "run", None)


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="a folder that root cannot write to")
def test_a_folder_that_may_not_be_written(discharges, words, capsys):
    path, place = discharges(20), Path("/sys/kernel")
    for way, name, family in (("-o", "out.csv", "DF142"), ("--run", "run", "RN116")):
        code = cli.run(words(path, way, place / name))
        said = capsys.readouterr().err
        one_error(code, said, family)
        assert str(place / name) in said


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="may write everywhere")
def test_a_read_only_folder_is_named_before_any_work(discharges, words, tmp_path, capsys):
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o500)
    for way, family in (("-o", "DF142"), ("--run", "RN116")):
        code = cli.run(words(discharges(20), way, folder / "out.csv"))
        one_error(code, capsys.readouterr().err, family)


@pytest.mark.parametrize("way", ["-o", "--run"])
def test_an_input_that_changes_meanwhile(discharges, words, tmp_path, way, monkeypatch, capsys):
    path, target = discharges(300), tmp_path / ("run" if way == "--run" else "out.csv")
    before = path.read_bytes()

    def change(progress: Progress, rows: int, share: float) -> None:
        path.write_bytes(before.replace(b"I63.900", b"I63.901"))

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "__call__", change)
        code = cli.run(words(path, way, target, "--batch", "20", "--threads", "1"))
    said = capsys.readouterr().err
    one_error(code, said, "RN115")
    assert "in.csv" in said
    if way == "-o":
        assert left(tmp_path) == {"in.csv"}
        return
    assert cli.run(["run", "resume", str(target), "--lang", "en"]) == 3
    one_error(3, capsys.readouterr().err, "RN115")
    assert left(target / "parts")
    path.write_bytes(before)
    assert cli.run(["run", "resume", str(target), "--quiet"]) == 1
    whole(path, words, target, None)


def parquet(path: Path, n: int = 400) -> Path:
    cells = {"id": [str(i) for i in range(n)], "sex": ["1"] * n}
    cells["dx"] = [f"I63.{i}" for i in range(n)]
    pq.write_table(pa.table(cells), path, row_group_size=n // 8)
    return path


@pytest.mark.parametrize("way", ["-o", "--run"])
@pytest.mark.parametrize("cut", [1, 8, 200, 0.5, 0.99])
def test_a_truncated_parquet_file(words, tmp_path, way, cut, capsys):
    path, target = parquet(tmp_path / "in.parquet"), tmp_path / "target.csv"
    data = path.read_bytes()
    path.write_bytes(data[: -cut if isinstance(cut, int) else int(len(data) * (1 - cut))])
    code = cli.run(words(path, way, target))
    said = capsys.readouterr().err
    one_error(code, said, "DF13")
    assert "in.parquet" in said
    assert left(tmp_path) == {"in.parquet"}


def test_a_parquet_file_damaged_in_its_middle_keeps_what_was_read_before(words, tmp_path, capsys):
    # the first 2,000 rows are looked at before the first part is made
    path, run = parquet(tmp_path / "in.parquet", 4000), tmp_path / "run"
    data, at = path.read_bytes(), pq.ParquetFile(path).metadata.row_group(6).column(2)
    start = at.dictionary_page_offset or at.data_page_offset
    path.write_bytes(data[:start] + b"\xff" * 200 + data[start + 200 :])
    assert cli.run(words(path, "-o", tmp_path / "out.csv", *PARTS)) == 3
    one_error(3, capsys.readouterr().err, "DF135")
    assert left(tmp_path) == {"in.parquet"}
    assert cli.run(words(path, "--run", run, *PARTS, "--threads", "1")) == 3
    one_error(3, capsys.readouterr().err, "DF135")
    assert len(left(run / "parts")) == 30
    assert cli.run(["run", "status", str(run)]) == 0


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("way", ["-o", "--run"])
def test_a_csv_file_cut_in_a_character_loses_its_last_row_only(words, tmp_path, codec, way, capsys):
    path, target = tmp_path / "in.csv", tmp_path / ("run" if way == "--run" else "out.csv")
    text = "id,sex,dx,note\n1,1,I63.900,张三\n2,2,G45.900,李四"
    path.write_bytes(text.encode(codec)[:-1])
    assert cli.run([word for word in words(path, way, target) if word != "--quiet"]) == 1
    said = capsys.readouterr().err
    assert "RE03" in said
    assert "breaks off inside a character" in said
    out = target / "results.csv" if way == "--run" else target
    rows = out.read_text("utf-8-sig").splitlines()
    assert rows[1].startswith("1,1,I63.900,张三,grouped")
    assert ",rejected," in rows[2]


def test_two_runs_in_one_folder(discharges, words, tmp_path, capsys):
    path, folder = discharges(300), tmp_path / "run"
    folder.mkdir()
    with folder_lock(folder):
        for line in (words(path, "--run", folder), words(path, "--run", folder, "--force")):
            assert cli.run(line) == 3
            said = capsys.readouterr().err
            one_error(3, said, "RN114")
            assert str(os.getpid()) in said
    assert cli.run(words(path, "--run", folder)) == 1
    before = (folder / "manifest.json").read_bytes()
    with folder_lock(folder):
        assert cli.run(["run", "resume", str(folder), "--lang", "en"]) == 3
        one_error(3, capsys.readouterr().err, "RN114")
    assert (folder / "manifest.json").read_bytes() == before


def test_a_run_stopped_by_ctrl_c_says_how_it_goes_on(discharges, words, tmp_path):
    path, folder, out = discharges(6000), tmp_path / "run", tmp_path / "out.csv"
    line = [sys.executable, "-m", "grouper", *words(path, "--run", folder, "-o", out, *PARTS)]
    process = subprocess.Popen(line, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not list((folder / "parts").glob("0*")):
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    said = process.communicate()[1]
    assert process.returncode == 130, said
    assert f"grouper run resume {folder}" in said
    assert "Traceback" not in said
    assert cli.run(["run", "resume", str(folder), "--quiet"]) == 1
    whole(path, words, folder, out)
