"""JSON lines in parts: the same rows, counts and findings as at once, whatever stands in them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from grouper import cli
from grouper.errors import GrouperError
from grouper.records.write import write_results
from grouper.run import jsonfeed, textfile
from grouper.run.chunks import WholeFeed, open_feed
from grouper.run.pipeline import group_files
from grouper.run.results import result_columns
from grouper.run.stream import Options, group_to_file

VALUES: list[Any] = [
    "1", 1, 1.50, True, False, None, "", "女", [], ["a", None], {"b": [1]}, 2**70, 0.1, "-", "[1]",
    "two\nlines", "\u2028", "x" * 300,
]  # fmt: skip
DX = [["I63.900", "I10.x00"], "I63.900|J96.000", [], None, ["G45.900"], "i63.900", 7, ["Q99.zzz"]]
BROKEN = ["no json", "[1, 2]", '{"id": 1', "7", "{}", '"text"', "\0", "   "]


def lines_of(chance: random.Random, n: int) -> list[str]:
    """Objects whose keys and types vary, and lines that hold none."""
    lines = []
    for at in range(n):
        row: dict[str, Any] = {
            "id": f"R{at - (at % 9 == 8)}",
            "sex": chance.choice([1, 2, "男", None]),
        }
        row |= {"age": chance.choice([70, "50", 4.5, None]), "dx": chance.choice(DX)}
        for key in chance.sample(["note", "px", "more", "后加"], chance.randrange(4)):
            row[key] = chance.choice([["47.0100"], "01.2400", []] if key == "px" else VALUES)
        keys = chance.sample(list(row), len(row)) if chance.random() < 0.2 else list(row)
        lines.append(
            json.dumps({key: row[key] for key in keys}, ensure_ascii=chance.random() < 0.5)
        )
        if chance.random() < 0.1:
            lines.append(chance.choice(BROKEN))
    return lines


def write(path: Path, lines: list[str], *, codec: str = "utf-8", end: str = "\n") -> Path:
    path.write_bytes(end.join(lines).encode(codec))
    return path


@pytest.mark.parametrize("cleaning", ["standard", "as_is"])
@pytest.mark.parametrize("seed", range(6))
def test_parts_are_what_the_whole_is(tmp_path, mini, monkeypatch, seed, cleaning):
    chance = random.Random(f"{seed} {cleaning}")
    how = {"codec": chance.choice(["utf-8", "utf-8-sig"]), "end": chance.choice(["\n", "\r\n"])}
    paths = [
        write(tmp_path / f"{k}.jsonl", lines_of(chance, 40), **how) for k in range(1 + seed % 2)
    ]
    monkeypatch.setattr(textfile, "_BLOCK", chance.choice([50, 700, 1 << 22]))
    monkeypatch.setattr(jsonfeed, "_MOST", chance.choice([900, 1 << 23]))
    run = group_files(paths, mini, cleaning=cleaning)
    whole, out = tmp_path / "whole.csv", tmp_path / "parts.csv"
    write_results(whole, run.records.user, result_columns(run.groups, "zh"), overwrite="replace")
    for batch, threads in ((1, 1), (7, 2), (1000, 1)):
        found = group_to_file(
            paths, mini, out, Options(cleaning=cleaning), batch=batch, threads=threads
        )
        assert out.read_bytes() == whole.read_bytes(), batch
        assert found.counts == run.counts
        assert found.notes["sources"] == run.records.notes["sources"]
        assert found.notes["counts"] == run.records.notes["counts"]
        assert found.notes["mapping"] == run.records.notes["mapping"]
        first = [
            {issue.code: (issue.where, issue.what()) for issue in reversed(issues)}
            for issues in (found.issues, run.records.issues)
        ]
        assert first[0] == first[1]


def test_no_more_than_a_part_is_in_memory(tmp_path):
    path = write(tmp_path / "in.jsonl", ['{"id": "1", "sex": 1, "dx": ["I63.900"]}'] * 500)
    feed = open_feed([path])
    assert isinstance(feed, jsonfeed.LinesFeed)
    parts = [part.table() for part in feed.parts(64)]
    assert [len(part) for part in parts] == [64] * 7 + [52]
    assert [int(part.numbers[0]) for part in parts] == list(range(1, 501, 64))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "DF131"),
        (b"\xef\xbb\xbf", "DF131"),
        (b" \n\n", "DF131"),
        (b"PK\x03\x04 {}\n", "DF132"),
    ],
)
def test_what_is_no_json_is_refused_as_by_the_whole_file_reader(tmp_path, data, code):
    path = tmp_path / "in.jsonl"
    path.write_bytes(data)
    with pytest.raises(GrouperError, match=code):
        open_feed([path])
    with pytest.raises(GrouperError, match=code):
        group_files([path], scheme=None)  # type: ignore[arg-type]


@pytest.mark.parametrize("codec", ["gb18030", "utf-16"])
def test_other_encodings_are_read_at_once(tmp_path, codec):
    path = write(tmp_path / "in.jsonl", ['{"id": "张三", "sex": 1, "dx": "I63.900"}'], codec=codec)
    assert isinstance(open_feed([path]), WholeFeed)
    assert isinstance(open_feed([path], encoding=codec), WholeFeed)


def test_parquet_results_have_one_type_a_column(tmp_path, mini_path, capsys):
    path = write(tmp_path / "in.jsonl", ['{"id": "1", "sex": 1, "dx": "I63.900", "more": 1}'] * 9)
    with path.open("a") as file:
        file.write('\n{"id": "2", "sex": 1, "dx": "I63.900", "more": "text"}')
    made = set()
    for batch in (2, 100):
        out = tmp_path / f"{batch}.parquet"
        words = ["group", path, "-s", mini_path, "-o", out, "--batch", batch]
        assert cli.run([str(word) for word in words]) == 0
        made.add(out.read_bytes())
    assert len(made) == 1
