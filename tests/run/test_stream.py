"""Files in parts: the same rows, counts and findings as at once, whatever the parts."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from grouper.errors import GrouperError, RunError
from grouper.records.textcolumn import fingerprints
from grouper.records.write import write_results
from grouper.run import stream
from grouper.run.pipeline import group_files
from grouper.run.results import result_columns
from grouper.run.stream import Options, group_to_file
from grouper.run.tally import Outcome, repetitions

WAYS = [(1, 1), (7, 2), (1000, 2), (100_000, 1)]


def at_once(paths: list[Path], scheme, out: Path, **how):
    run = group_files(paths, scheme, **how)
    write_results(out, run.records.user, result_columns(run.groups, "zh"), overwrite="replace")
    return run, out.read_bytes()


def agrees(found: Outcome, run) -> None:
    """Everything a summary says; the commonest problem of a kind is the same one."""
    assert found.counts == run.counts
    assert found.slow == run.groups.slow
    ours, theirs = dict(found.notes), dict(run.records.notes)
    codes = [
        {(each["kind"], each["code"], each["count"]) for each in notes.pop("unknown_codes")}
        for notes in (ours, theirs)
    ]
    assert codes[0] == codes[1]
    assert ours == theirs
    first = [{i.code: i for i in reversed(issues)} for issues in (found.issues, run.records.issues)]
    assert {c: i.what() for c, i in first[0].items()} == {c: i.what() for c, i in first[1].items()}
    assert {c: i.where for c, i in first[0].items()} == {c: i.where for c, i in first[1].items()}


@pytest.mark.parametrize("how", [{}, {"codec": "gb18030"}, {"end": "\r\n"}, {"codec": "utf-8-sig"}])
@pytest.mark.parametrize("cleaning", ["standard", "as_is"])
def test_csv_in_parts_is_csv_at_once(discharges, mini, tmp_path, how, cleaning):
    path = discharges(60, **how)
    run, expected = at_once([path], mini, tmp_path / "whole.csv", cleaning=cleaning)
    for batch, threads in WAYS:
        out = tmp_path / "parts.csv"
        options = Options(cleaning=cleaning)
        found = group_to_file([path], mini, out, options, batch=batch, threads=threads)
        assert out.read_bytes() == expected, (batch, threads)
        agrees(found, run)


def test_several_files_may_have_their_columns_in_another_order(discharges, mini, tmp_path):
    first = discharges(20)
    second = tmp_path / "second.csv"
    table = pa_csv.read_csv(
        discharges(15, "x.csv"),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types={n: pa.string() for n in ("id", "sex", "age", "los", "dx", "px")}
        ),
    )
    pa_csv.write_csv(table.select(["note", "px", "dx", "los", "age", "sex", "id"]), second)
    paths = [first, second]
    run, expected = at_once(paths, mini, tmp_path / "whole.csv")
    for batch, threads in WAYS:
        out = tmp_path / "parts.csv"
        found = group_to_file(paths, mini, out, Options(), batch=batch, threads=threads)
        assert out.read_bytes() == expected
        agrees(found, run)


def tables(path: Path, n: int) -> dict[str, pa.Table]:
    """The rows of a CSV file as Parquet users have them."""
    parse = pa_csv.ParseOptions(newlines_in_values=True)
    kinds = {name: pa.string() for name in ("id", "sex", "age", "dx", "px")}
    convert = pa_csv.ConvertOptions(column_types=kinds, strings_can_be_null=False)
    joined = pa_csv.read_csv(path, parse_options=parse, convert_options=convert)
    lists = joined
    for name in ("dx", "px"):
        cells = [text.split("|") if text else [] for text in joined[name].to_pylist()]
        at = joined.schema.get_field_index(name)
        lists = lists.set_column(at, name, pa.array(cells, pa.list_(pa.string())))
    coded = joined.set_column(1, "sex", joined["sex"].dictionary_encode())
    return {"joined": joined, "lists": lists, "coded": coded}


@pytest.mark.parametrize("kind", ["joined", "lists", "coded"])
def test_parquet_in_parts_is_parquet_at_once(discharges, mini, tmp_path, kind):
    path = tmp_path / "in.parquet"
    pq.write_table(tables(discharges(60), 60)[kind], path, row_group_size=13)
    run, _ = at_once([path], mini, tmp_path / "whole.parquet")
    expected = pq.read_table(tmp_path / "whole.parquet")
    made = set()
    for batch, threads in WAYS:
        out = tmp_path / "parts.parquet"
        options = Options(form="parquet")
        found = group_to_file([path], mini, out, options, batch=batch, threads=threads)
        table = pq.read_table(out)
        assert table.schema == expected.schema
        assert table.to_pylist() == expected.to_pylist()
        agrees(found, run)
        made.add(out.read_bytes())
    assert len(made) == 1


def test_row_groups_do_not_depend_on_parts(discharges, mini, tmp_path, monkeypatch):
    monkeypatch.setattr("grouper.run.sinks.GROUP_ROWS", 16)
    path, made = discharges(60), set()
    for batch in (1, 7, 16, 1000):
        out = tmp_path / "parts.parquet"
        group_to_file([path], mini, out, Options(form="parquet"), batch=batch, threads=1)
        assert pq.ParquetFile(out).metadata.num_row_groups == 4
        made.add(out.read_bytes())
    assert len(made) == 1


def test_a_column_of_names_is_refused_whatever_the_parts(mini, tmp_path):
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    # the first parts hold codes, most rows do not
    cells = ["I63.900"] * 10 + ["脑梗死"] * 20
    path.write_text("id,sex,dx\n" + "".join(f"{i},1,{c}\n" for i, c in enumerate(cells)), "utf-8")
    for batch in (1, 10, 1000):
        with pytest.raises(GrouperError, match="RE15"):
            group_to_file([path], mini, out, Options(), batch=batch)
        assert not out.exists()
    path.write_text(path.read_text("utf-8").replace("脑梗死", "I63.900", 10), "utf-8")
    assert group_to_file([path], mini, out, Options(), batch=1).counts.grouped == 20


def test_the_separator_of_codes_is_that_of_the_whole(mini, tmp_path):
    path = tmp_path / "in.csv"
    # in the last rows alone another separator would seem commoner
    lines = [f"{i},1,I63.900;J96.000\n" for i in range(30)] + ["98,1,I63.900/J96.000\n"] * 3
    path.write_text("id,sex,dx\n" + "".join(lines), "utf-8")
    run, expected = at_once([path], mini, tmp_path / "whole.csv")
    for batch in (1, 3):
        found = group_to_file([path], mini, tmp_path / "parts.csv", Options(), batch=batch)
        assert (tmp_path / "parts.csv").read_bytes() == expected
        agrees(found, run)


def test_an_input_that_changes_meanwhile_stops_the_run(discharges, mini, tmp_path):
    path, out = discharges(60), tmp_path / "out.csv"

    def change(rows: int, share: float) -> None:
        path.write_bytes(path.read_bytes() + b"x,1,1,1,I63.900,,\n")

    with pytest.raises(RunError, match="RN115"):
        group_to_file([path], mini, out, Options(), batch=7, threads=1, progress=change)
    assert not out.exists()


def test_truncated_parquet_is_named(discharges, mini, tmp_path):
    path, out = tmp_path / "in.parquet", tmp_path / "out.csv"
    pq.write_table(tables(discharges(60), 60)["joined"], path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(GrouperError, match="DF135"):
        group_to_file([path], mini, out, Options())
    assert not out.exists()


def test_results_come_in_order_and_few_are_under_way():
    under_way = most = 0

    def items():
        nonlocal under_way, most
        for item in range(50):
            under_way += 1
            most = max(most, under_way)
            yield item

    found = []
    for item in stream.in_order(items(), lambda item: item * 2, threads=3):
        under_way -= 1
        found.append(item)
    assert found == [2 * item for item in range(50)]
    assert most <= 4


def test_fingerprints_tell_ids_apart():
    ids = [str(number) for number in range(20_000)] + ["", "a", "ab", "ba", "é", "x" * 5000]
    prints = fingerprints(ids)
    assert len(set(prints.tolist())) == len(ids)
    assert prints[20_000] == 0
    assert repetitions([prints]) is None
    assert repetitions([fingerprints(["a", "b", "", "b", "a", "b", ""])]) == (5, 3, 1)


def test_threads_are_few():
    assert 1 <= stream.default_threads() <= min(4, os.cpu_count() or 1)
