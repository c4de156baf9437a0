"""DIP through the parts of a run: same bytes at once, in parts, in a folder, by either engine."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dip_catalogues import DATA, cases, layered, real, reference

from grouper.engine.dip import DipGrouper
from grouper.errors import RunError
from grouper.records.read import read_records
from grouper.records.write import write_results
from grouper.run import folder as folders
from grouper.run.dip import COLUMNS, NEEDED, group_records, result_columns
from grouper.run.folder import resume_run, start_run
from grouper.run.grouping import load_grouping
from grouper.run.stream import Options, group_to_file

WAYS = [(1, 1), (7, 2), (100_000, 1)]


@cache
def grouper(preset: str = "jining", *, of: str = "real") -> DipGrouper:
    return DipGrouper.of(reference(real() if of == "real" else layered(), preset))


def rows() -> list[dict[str, object]]:
    """Published cases, dirty and clean, some of them no cases at all."""
    found: list[dict[str, object]] = []
    for at, one in enumerate(list(cases())[:60]):
        dx, px = one["principal_dx"], one["procedures"]
        found.append(
            {
                "id": one["id"],
                "dx": [dx.lower() if at % 5 == 1 else dx, "I10.x00"][: 1 + at % 2],
                "px": [f" {code}" for code in px] if at % 7 == 2 else px,
                "total_cost": "?" if at % 11 == 3 else one["total_cost"],
                "remark": 'said "so", twice',
            }
        )
    found.append({"id": "none", "dx": [], "px": [], "total_cost": "1.00", "remark": ""})
    return found


def source(form: str, folder: Path) -> Path:
    path = folder / f"discharges.{form}"
    table = rows()
    if form == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in table), "utf-8")
    elif form == "parquet":
        pq.write_table(pa.Table.from_pylist(table), path)
    else:
        flat = [{**row, "dx": "|".join(row["dx"]), "px": "|".join(row["px"])} for row in table]
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(flat[0]), delimiter="," if form == "csv" else "\t")
            writer.writeheader()
            writer.writerows(flat)
    return path


@pytest.mark.parametrize("cleaning", ["standard", "as_is"])
@pytest.mark.parametrize(
    ("form", "out"),
    [("csv", "csv"), ("tsv", "tsv"), ("jsonl", "csv"), ("parquet", "parquet"), ("csv", "parquet")],
)
def test_in_parts_as_at_once(tmp_path, form, out, cleaning):
    path, whole, parts = (
        source(form, tmp_path),
        tmp_path / f"whole.{out}",
        tmp_path / f"parts.{out}",
    )
    records = read_records([path], needs=NEEDED, cleaning=cleaning)
    run = group_records(records, grouper())
    write_results(whole, records.user, result_columns(run, "en"), lang="en")
    for batch, threads in WAYS:
        for engine in ("kernel", "reference"):
            options = Options(cleaning=cleaning, form=out, lang="en", engine=engine)
            found = group_to_file([path], grouper(), parts, options, batch=batch, threads=threads)
            assert found.counts == run.counts
            assert found.notes["rules"] == {
                "preset": "jining",
                "digest": grouper().reference.digest,
            }
            if out == "parquet":
                assert pq.read_table(parts).to_pylist() == pq.read_table(whole).to_pylist()
            else:
                assert parts.read_bytes() == whole.read_bytes(), (batch, threads, engine)
    assert list(COLUMNS) == [name for name, _ in result_columns(run, "en")]


def test_scores_have_the_decimals_of_the_catalogue(tmp_path):
    """Whatever groups a part happens to hold."""
    path = source("parquet", tmp_path)
    kinds = set()
    for batch in (1, 1000):
        out = tmp_path / f"{batch}.parquet"
        options = Options(form="parquet", lang="en")
        group_to_file([path], grouper(), out, options, batch=batch, threads=1)
        table = pq.read_table(out)
        kinds.add(table.schema.field("score").type)
        assert table["score"][0].as_py() == Decimal("543.330998")
    assert kinds == {pa.decimal128(38, 6)}


def start(folder: Path, path: Path, **how):
    options = Options(lang="en", form=how.pop("form", "csv"))
    how = {"batch": 7, "threads": 1, **how}
    return start_run(folder, [path], grouper(), scheme_name="city.tsv", options=options, **how)


def test_run_folders_hold_the_same_bytes(tmp_path):
    path = source("csv", tmp_path)
    whole = tmp_path / "whole.csv"
    group_to_file([path], grouper(), whole, Options(lang="en"))
    for batch, threads in WAYS:
        folder = tmp_path / f"run-{batch}"
        start(folder, path, batch=batch, threads=threads)
        assert (folder / "results.csv").read_bytes() == whole.read_bytes()
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        assert manifest["rules"]["preset"] == "jining"
        assert manifest["rows"]["rejected"] == sum(manifest["reasons"].values()) == 7
        with (folder / "rejects.csv").open(encoding="utf-8-sig", newline="") as file:
            assert len(list(csv.DictReader(file))) == 7


def test_a_run_that_was_stopped_is_resumed(tmp_path, monkeypatch):
    path, folder, whole = source("csv", tmp_path), tmp_path / "run", tmp_path / "whole.csv"
    group_to_file([path], grouper(), whole, Options(lang="en"))
    kept = []

    def stop_at_three(*args):
        if len(kept) == 3:
            raise KeyboardInterrupt
        kept.append(args)
        keep(*args)

    keep = folders.keep_part
    monkeypatch.setattr(folders, "keep_part", stop_at_three)
    with pytest.raises(KeyboardInterrupt):
        start(folder, path)
    monkeypatch.setattr(folders, "keep_part", keep)
    # by other rules the rest would not be of a piece
    with pytest.raises(RunError, match="RN117"):
        resume_run(folder, grouper("base"))
    assert resume_run(folder, grouper()) is not None
    assert (folder / "results.csv").read_bytes() == whole.read_bytes()


def test_the_digest_is_of_all_that_groups_depend_on(tmp_path):
    table = tmp_path / "classes.tsv"
    table.write_text("code\tclass\n47.0100\tsurgical\n", "utf-8")
    named = DATA / "national-3.0-partial.tsv"
    found = [load_grouping(named, preset=preset).reference.digest for preset in ("base", "jining")]
    found.append(load_grouping(named, preset="base", op_classes=table).reference.digest)
    assert len(set(found)) == 3
    assert load_grouping(named, preset="base").reference.digest == found[0]
