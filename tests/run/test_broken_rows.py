"""One broken row in a hundred, of every kind: rejected with its reason, the others as without."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from xlsxwriter import Workbook

from grouper import cli

MINI = Path(__file__).parents[1] / "data" / "schemes" / "mini"
FIELDS = [
    "id",
    "sex",
    "age",
    "los",
    "admit_time",
    "discharge_time",
    "total_cost",
    "dx",
    "px",
    "note",
]
RESULTS = ["status", "reason", "mdc", "adrg", "drg", "drg_name"]
GOOD = [
    ["1", "70", "9", "2024-01-01", "2024-01-10", "100.00", "I63.900|I10.x00", "", "平常"],
    ["2", "50", "9", "2024-01-01", "2024-01-10", "9.5", "I63.900|J96.000", "01.2400", 'a "b", c'],
    ["女", "50", "2", "2024/1/1", "2024/1/3", "", "G45.900", "47.0100", "两行\n第二行"],
    ["2", "50岁", "2", "", "", "", "K35.900", "", ""],
    ["2", "41", "4", "", "", "", "i63.900 |g45。900", "", "㑇丂𠮷"],
    ["1", "70", "9", "", "", "", "I63.900|Q99.zzz", "", "an unknown code alone rejects no row"],
]
#: by name: which cells, and the code of the reason
VALUES: dict[str, tuple[dict[str, str], str]] = {
    "no id": ({"id": ""}, "RE01"),
    "an id that lost its digits": ({"id": "6.05E+12"}, "RE07"),
    "no sex": ({"sex": ""}, "sex"),
    "another sex": ({"sex": "7"}, "RE04"),
    "no number": ({"age": "old"}, "RE04"),
    "older than anyone": ({"age": "150"}, "RE04"),
    "not born": ({"age": "-1"}, "RE04"),
    "too large a number": ({"age": "9" * 40}, "RE04"),
    "out before in": ({"admit_time": "2024-02-02", "discharge_time": "2024-01-31"}, "RE04"),
    "no such day": ({"discharge_time": "2024-02-30"}, "RE04"),
    "a stay of minus days": ({"los": "-3"}, "RE04"),
    "money that is none": ({"total_cost": "12,3x"}, "RE05"),
    "money below zero": ({"total_cost": "-5"}, "RE04"),
    "no diagnosis": ({"dx": ""}, "no_dx"),
    "other diagnoses only": ({"dx": "|I10.x00"}, "RE02"),
}
#: by name: a line of text from a sound one, and what stands in the row then
Broken = Callable[[bytes], bytes]
LINES: dict[str, Broken] = {
    "too few cells": lambda line: line.rpartition(b",")[0],
    "too many cells": lambda line: line + b",more",
    "one cell": lambda line: line.partition(b",")[0],
    "a NUL": lambda line: line.replace(b"I63", b"I\0", 1),
    "bytes of no encoding": lambda line: line + b"\xff\xff",
    "half a character": lambda line: line + "张".encode()[:1] + b" x",
    "a quote that is never closed": lambda line: line.replace(b",I63", b',"I63', 1),
    "a quote amid a cell": lambda line: line.replace(b",I63", b',I"63', 1),
    "a quote closed too early": lambda line: line.replace(b"I63.900", b'"I63".900', 1),
}
JSON_LINES: dict[str, Broken] = {
    "an object cut short": lambda line: line[: len(line) // 2],
    "a word": lambda line: b"nothing",
    "a list": lambda line: b"[1, 2]",
    "a number": lambda line: b"7",
    "a NUL": lambda line: line.replace(b"I63", b"I\0", 1),
    "two objects": lambda line: line + line,
    "bytes of no encoding": lambda line: line.replace(b"I63", b"I\xff\xff", 1),
}
#: odd, but nothing that would reject a row
HARMLESS: dict[str, Broken] = {
    "a lone carriage return": lambda line: line + b"x\ry",
    "a very long cell": lambda line: line + b"x" * 100_000,
    "a carriage return at the end": lambda line: line + b"\r",
}


@dataclass(frozen=True)
class Row:
    """A row of a file: cells, or its bytes where the form cannot hold it as cells.

    reason: the code for which it must be rejected, "" for a sound row, None for an odd one that
    must not be rejected.
    """

    content: list[str] | bytes
    reason: str | None = ""


def with_value(name: str) -> Row:
    changed, reason = VALUES[name]
    row = dict(zip(FIELDS, [f"V {name}", *GOOD[0]], strict=True)) | changed
    return Row(list(row.values()), reason)


def planted(form: str, codec: str) -> list[Row]:
    """Sound rows, and among them one broken row in a hundred, of every kind the form can hold."""
    broken = [with_value(name) for name in VALUES]
    for name, change in {"csv": LINES, "jsonl": JSON_LINES}.get(form, {}).items():
        line = line_of(form, [f"L {name}", *GOOD[0]], codec)
        broken.append(Row(change(line), "RE03"))
    for name, change in HARMLESS.items() if form == "csv" else ():
        broken.append(Row(change(line_of(form, [f"H {name}", *GOOD[0]], codec)), None))
    chance = random.Random(f"{form} {codec}")
    rows = [Row([f"R{i:05}", *GOOD[i % len(GOOD)]]) for i in range(100 * len(broken))]
    for row in broken:
        rows.insert(chance.randrange(len(rows) + 1), row)
    return rows


def line_of(form: str, cells: list[str], codec: str) -> bytes:
    if form == "jsonl":
        return json.dumps(dict(zip(FIELDS, cells, strict=True)), ensure_ascii=False).encode(codec)
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().removesuffix("\n").encode(codec)


def write(path: Path, rows: Sequence[Row], codec: str) -> Path:
    """A file in the form of its suffix."""
    form = path.suffix[1:]
    if form in ("csv", "jsonl"):
        lines = [FIELDS] if form == "csv" else []
        lines += [row.content for row in rows]
        made = [each if isinstance(each, bytes) else line_of(form, each, codec) for each in lines]
        path.write_bytes(b"\n".join(made) + b"\n")
    elif form == "parquet":
        columns = [list(cells) for cells in zip(*(row.content for row in rows), strict=True)]
        pq.write_table(pa.table(columns, names=FIELDS), path, row_group_size=300)
    else:
        with Workbook(path, {"strings_to_numbers": False}) as book:
            sheet = book.add_worksheet()
            for at, cells in enumerate([FIELDS, *(row.content for row in rows)]):
                sheet.write_row(at, 0, cells)
    return path


def group(path: Path, way: str, *more: str) -> tuple[int, list[list[str]]]:
    """The exit code, and the result columns of every row."""
    target = path.with_name(f"{path.stem}-{len(list(path.parent.iterdir()))}")
    out = target.with_suffix(".csv")
    words = ["group", path, "-s", MINI, "-o", out, "--lang", "en", "--quiet", *more]
    words += ["--run", target] if way == "--run" else []
    code = cli.run([str(word) for word in words])
    with out.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    assert header[-6:] == RESULTS
    return code, [row[-6:] for row in rows]


WAYS = {
    "at once": ("-o", []),
    "in parts": ("-o", ["--batch", "397", "--threads", "2"]),
    "in small parts": ("-o", ["--batch", "23", "--threads", "1"]),
    "as a run": ("--run", ["--batch", "500", "--threads", "2"]),
}
FORMS = [("csv", "utf-8"), ("csv", "gb18030"), ("jsonl", "utf-8"), ("parquet", ""), ("xlsx", "")]


@pytest.mark.parametrize(("form", "codec"), FORMS)
def test_broken_rows_are_rejected_and_change_nothing_else(form, codec, tmp_path, capfd):
    rows = planted(form, codec)
    sound = [row for row in rows if row.reason == ""]
    code, expected = group(write(tmp_path / f"good.{form}", sound, codec), "-o")
    assert code == 0
    assert {row[0] for row in expected} == {"grouped", "ambiguous", "ungrouped"}
    path = write(tmp_path / f"bad.{form}", rows, codec)
    made = {}
    for name, (way, more) in WAYS.items():
        code, results = group(path, way, *more)
        assert code == 1, name
        assert len(results) == len(rows), name
        made[name] = results
    assert [results for row, results in zip(rows, made["at once"], strict=True)
            if row.reason == ""] == expected  # fmt: skip
    for row, (status, reason, *groups) in zip(rows, made["at once"], strict=True):
        if row.reason:
            assert (status, groups) == ("rejected", [""] * 4), row
            assert row.reason in reason, row
        elif row.reason is None:
            assert status == "grouped", row
    for name, results in made.items():
        assert results == made["at once"], name
    accounted(rows, next(path for path in tmp_path.iterdir() if path.is_dir()))


def accounted(rows: list[Row], run: Path) -> None:
    """Every row is in the manifest's counts, every rejected one in the list of them."""
    manifest = json.loads((run / "manifest.json").read_text("utf-8"))
    reasons = [row.reason for row in rows if row.reason]
    counts = manifest["rows"]
    assert counts["all"] == len(rows)
    assert counts["rejected"] == len(reasons) == sum(manifest["reasons"].values())
    assert sum(counts.values()) == 2 * len(rows)
    with (run / "rejects.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(reasons)
