"""Run folders: what they hold, that kills lose nothing, and what they refuse."""

from __future__ import annotations

import csv
import errno
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from grouper import cli
from grouper.errors import GrouperError, RunError
from grouper.run import folder as folders
from grouper.run.folder import resume_run, start_run, status
from grouper.run.lock import folder_lock, holder_of
from grouper.run.stream import Options

MINI = Path(__file__).parents[1] / "data" / "schemes" / "mini"
_SPEC = importlib.util.spec_from_file_location("kills", Path(__file__).with_name("kills.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
kills = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(kills)


class Killed(Exception):
    """Stands for a process that is gone."""


def begin(folder: Path, *paths: Path, mini, batch: int = 7, threads: int = 1, **how):
    form = how.pop("form", "csv")
    options = Options(form=form, lang=how.pop("lang", "en"))
    return start_run(
        folder,
        paths,
        mini,
        scheme_name=str(MINI),
        options=options,
        batch=batch,
        threads=threads,
        **how,
    )


def files(folder: Path) -> dict[str, bytes]:
    """All that must be the same for the same input."""
    found = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    return {name: data for name, data in found.items() if name not in ("run.json", "timings.json")}


@pytest.mark.parametrize("form", ["csv", "tsv", "parquet"])
def test_the_same_bytes_whatever_the_parts_and_threads(discharges, mini, tmp_path, form):
    path, made = discharges(60), []
    for batch, threads in ((1, 2), (7, 1), (1000, 2)):
        folder = tmp_path / f"run-{batch}"
        begin(folder, path, mini=mini, batch=batch, threads=threads, form=form)
        made.append(files(folder))
    assert sorted(made[0]) == ["manifest.json", "rejects.csv", f"results.{form}"]
    assert made[0] == made[1] == made[2]


def test_the_manifest_accounts_for_every_row(discharges, mini, tmp_path):
    paths = [discharges(30), discharges(13, "b.csv", codec="gb18030")]
    found = begin(tmp_path / "run", *paths, mini=mini)
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text("utf-8"))
    rows = manifest["rows"]
    ends = ("grouped", "ambiguous", "ungrouped", "rejected")
    assert rows["all"] == sum(rows[end] for end in ends) == 43
    assert [each["rows"] for each in manifest["inputs"]] == [30, 13]
    assert [each["encoding"] for each in manifest["inputs"]] == ["utf-8", "gb18030"]
    assert sum(manifest["reasons"].values()) == rows["rejected"] == found.counts.rejected
    with (tmp_path / "run" / "rejects.csv").open(encoding="utf-8-sig", newline="") as file:
        rejects = list(csv.DictReader(file))
    assert len(rejects) == rows["rejected"]
    assert {reject["code"] for reject in rejects} == set(manifest["reasons"])
    assert {reject["source"] for reject in rejects} == {"in.csv", "b.csv"}
    timings = json.loads((tmp_path / "run" / "timings.json").read_text("utf-8"))
    assert {"read", "group", "render", "join"} <= set(timings["seconds"])
    assert status(tmp_path / "run").state == "finished"


def test_bad_rows_are_rejected_and_the_others_group_as_without_them(discharges, mini, tmp_path):
    good, path = discharges(200), tmp_path / "bad.csv"
    begin(tmp_path / "good", good, mini=mini)
    lines = good.read_bytes().split(b"\n")
    bad = [b"x,1,1,1,\xff\xfe,,", b"y,1,1,1,I63.900,", b'z,1,1,1,I"63.900,,', b"w,1,1,1,\0,,"]
    for at, line in enumerate(bad):
        lines.insert(1 + at, line)
    path.write_bytes(b"\n".join(lines))
    found = begin(tmp_path / "run", path, mini=mini)
    assert found.counts.reasons["RE03"] == len(bad)
    results = [
        (tmp_path / name / "results.csv").read_bytes().split(b"\n", 1)[1].split(b"\n")
        for name in ("good", "run")
    ]
    assert results[1][len(bad) :] == results[0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize(
    ("form", "every"),
    [
        ("csv", 2),
        ("parquet", 3),
        pytest.param("csv", 1, marks=pytest.mark.large),
        pytest.param("parquet", 1, marks=pytest.mark.large),
    ],
)
def test_a_run_killed_before_any_step_is_resumed_to_the_same_bytes(
    discharges, tmp_path, form, every
):
    (tmp_path / "runs").mkdir()
    script, batch = (
        Path(__file__).with_name("steps.py"),
        ["--batch", "20", "--form", form, "--every", str(every)],
    )
    words = [sys.executable, script, discharges(40), MINI, tmp_path / "runs", *batch]
    told = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    assert int(told.stdout.split()[0]) > 40


def test_killed_processes_lose_nothing(discharges, tmp_path):
    hits, found = kills.kill_and_resume(
        tmp_path / "run", discharges(3000), str(MINI), batch=150, form="csv", kills=2, seed=5
    )
    assert hits
    assert not found


@pytest.mark.large
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_ten_kills_over_half_a_million_rows(tmp_path, form):
    source = tmp_path / f"in.{form}"
    words = ("sample", "500000", "-o", str(source), "--seed", "1")
    subprocess.run(kills.command(*words), check=True)
    hits, found = kills.kill_and_resume(
        tmp_path / "run", source, "chs_drg_20", batch=10_000, form=form, kills=10, seed=1
    )
    assert len(hits) == 10
    assert not found


def test_two_runs_cannot_share_a_folder(discharges, mini, tmp_path):
    path, folder = discharges(20), tmp_path / "run"
    folder.mkdir()
    with folder_lock(folder):
        with pytest.raises(RunError, match="RN114"):
            begin(folder, path, mini=mini)
        assert holder_of(folder) == os.getpid()
    # a number left behind by a process that died is no lock
    (folder / "lock").write_text("1")
    assert holder_of(folder) is None
    begin(folder, path, mini=mini)
    with pytest.raises(RunError, match="RN111"):
        begin(folder, path, mini=mini)
    begin(folder, path, mini=mini, overwrite=True, form="parquet")
    assert sorted(files(folder)) == ["manifest.json", "rejects.csv", "results.parquet"]


def test_a_folder_of_other_files_is_left_alone(discharges, mini, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.txt").write_text("precious")
    with pytest.raises(RunError, match="RN113"):
        begin(folder, discharges(20), mini=mini, overwrite=True)
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]
    for word in ("resume", "status"):
        assert cli.run(["run", word, str(folder)]) == 3


def interrupted(folder: Path, path: Path, mini) -> None:
    """A run that was stopped after two parts."""

    def stop(rows: int, share: float) -> None:
        if rows >= 14:
            raise Killed

    with pytest.raises(Killed):
        begin(folder, path, mini=mini, progress=stop)


def test_resuming_makes_the_copy_that_was_asked_for(discharges, mini, tmp_path, monkeypatch):
    folder, out = tmp_path / "run", tmp_path / "out.csv"

    def stop(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        # when all is whole but the copy
        patch.setattr(folders, "_hand_over", stop)
        with pytest.raises(Killed):
            begin(folder, discharges(40), mini=mini, out=out)
    assert status(folder).state == "finished"
    out.write_text("of somebody else")
    with pytest.raises(GrouperError, match="DF140"):
        resume_run(folder, mini)
    out.unlink()
    assert resume_run(folder, mini) is None
    assert out.read_bytes() == (folder / "results.csv").read_bytes()
    assert not (folder / "parts").exists()
    # a copy that was handed over is its owner's
    out.write_text("edited")
    assert resume_run(folder, mini) is None
    assert out.read_text() == "edited"


def test_a_changed_input_is_not_resumed(discharges, mini, tmp_path):
    path, folder = discharges(40), tmp_path / "run"
    interrupted(folder, path, mini)
    found = status(folder)
    assert (found.state, found.rows, found.parts) == ("interrupted", 14, 2)
    assert 0 < found.share < 1
    before = path.read_bytes()
    path.write_bytes(before.replace(b"I63.900", b"I63.901", 1))
    with pytest.raises(RunError, match="RN115"):
        resume_run(folder, mini)
    path.unlink()
    with pytest.raises(GrouperError, match="DF130"):
        resume_run(folder, mini)
    path.write_bytes(before)
    assert resume_run(folder, mini) is not None
    assert resume_run(folder, mini) is None


def test_an_input_that_changes_under_a_run_stops_it(discharges, mini, tmp_path):
    path, folder = discharges(40), tmp_path / "run"
    before = path.read_bytes()

    def change(rows: int, share: float) -> None:
        path.write_bytes(before.replace(b"I63.900", b"I63.901"))

    with pytest.raises(RunError, match="RN115"):
        begin(folder, path, mini=mini, progress=change)
    path.write_bytes(before)
    resume_run(folder, mini)
    begin(tmp_path / "whole", path, mini=mini)
    assert files(folder) == files(tmp_path / "whole")


def test_another_scheme_or_program_does_not_go_on(discharges, mini, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    interrupted(folder, discharges(40), mini)
    monkeypatch.setattr(folders, "__version__", "99")
    with pytest.raises(RunError, match="RN117"):
        resume_run(folder, mini)


def test_a_full_disk_keeps_what_is_finished(discharges, mini, tmp_path, monkeypatch):
    path, folder, sync, calls = discharges(40), tmp_path / "run", os.fsync, 0

    def full(handle: int) -> None:
        nonlocal calls
        calls += 1
        if calls > 20:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(RunError, match="RN116"):
            begin(folder, path, mini=mini)
    assert status(folder).parts >= 2
    resume_run(folder, mini)
    begin(tmp_path / "whole", path, mini=mini)
    assert files(folder) == files(tmp_path / "whole")


def test_what_cannot_be_read_leaves_no_folder(mini, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("a,b\n1,2\n", "utf-8")
    for source in (path, tmp_path / "nowhere.csv"):
        with pytest.raises(GrouperError):
            begin(tmp_path / "run", source, mini=mini)
        assert not (tmp_path / "run").exists()
    with pytest.raises(RunError, match="RN116"):
        begin(tmp_path / "no" / "run", path, mini=mini)


@pytest.mark.cli
def test_the_commands(discharges, tmp_path, capsys):
    path, folder, out = discharges(30), tmp_path / "run", tmp_path / "out.csv"
    words = ["group", path, "-s", MINI, "--run", folder, "-o", out, "--batch", "7", "--json"]
    assert cli.run([str(word) for word in words]) == 1
    summary = json.loads(capsys.readouterr().out)
    assert (summary["rows"], summary["run"]) == (30, str(folder))
    assert out.read_bytes() == (folder / "results.csv").read_bytes()
    assert cli.run(["run", "status", str(folder), "--json"]) == 0
    state = json.loads(capsys.readouterr().out)
    assert (state["state"], state["rows"]) == ("finished", 30)
    assert cli.run(["run", "resume", str(folder), "--lang", "en"]) == 0
    assert "finished" in capsys.readouterr().out
    assert cli.run([str(w) for w in ["group", path, "-s", MINI]]) == 2
    assert cli.run([str(w) for w in ["group", "-", "-s", MINI, "--run", folder]]) == 2
    assert (
        cli.run([str(w) for w in ["group", path, "-s", MINI, "--run", folder, "-o", "x.xlsx"]]) == 2
    )


def test_workbooks_and_json_lines_make_runs_too(mini, tmp_path, capsys):
    path = tmp_path / "in.jsonl"
    record = {"id": "1", "sex": 1, "age": 70, "dx": ["I63.900"], "px": [], "more": 1.5}
    lines = [json.dumps({**record, "id": str(i)}) for i in range(9)] + ["no json"]
    path.write_text("\n".join(lines), "utf-8")
    for form in ("csv", "parquet"):
        made = []
        for batch in (2, 100):
            folder = tmp_path / f"{form}{batch}"
            begin(folder, path, mini=mini, batch=batch, form=form)
            made.append(files(folder))
        assert made[0] == made[1]


@pytest.mark.skipif(sys.platform == "win32", reason="no such terminals there")
def test_progress_is_shown_on_a_terminal_only(discharges, tmp_path):
    path = discharges(3000)
    words = [sys.executable, "-m", "grouper", "group", str(path), "-s", str(MINI), "--batch", "100"]
    environment = {**os.environ, "PYTHONIOENCODING": "gbk", "LANG": "zh_CN.GBK", "LC_ALL": ""}
    import pty

    for name, quiet, shown in (("a", [], True), ("b", ["--quiet"], False)):
        ours, theirs = pty.openpty()
        out = ["-o", str(tmp_path / f"{name}.csv"), *quiet]
        process = subprocess.Popen([*words, *out], stderr=theirs, env=environment)
        os.close(theirs)
        said = b""
        with open(ours, "rb", buffering=0) as screen:
            try:
                while data := screen.read(4096):
                    said += data
            except OSError:
                pass
        process.wait()
        for word in ("行，每秒", "还需"):
            assert (word.encode("gbk") in said) == shown
    silent = subprocess.run(
        [*words, "-o", str(tmp_path / "c.csv")], capture_output=True, check=False
    )
    assert b"\r" not in silent.stderr
