"""Lines written back as they stand are, byte for byte, what rendering their cells anew makes."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from grouper.records.read import read_records
from grouper.run import stream, textfile, textparts
from grouper.run.chunks import TextFeed
from grouper.run.stream import Options, group_to_file
from grouper.scheme.model import Scheme

HEADER = ["id", "sex", "age", "los", "dx", "px", "note"]
#: grouped, ambiguous, ungrouped, rejected; spellings to repair, blanks, characters of 1 to 4 bytes
KINDS = [
    ["1", "70", "9", "I63.900|I10.x00", "", "平常"],
    ["2", "50", "9", "I63.900|J96.000", "01.2400", ""],
    ["1", "50.0", "2", "G45.900", "47.0100", "é, no: é"],
    ["", "50", "2", "I63.900", "", " blanks "],
    ["2", "50", "2", "", "", "'x"],
    ["1", "x", "4", "I63.900|Q99.zzz", "", "="],
    ["2", "41岁", "4", "i63.900 |g45。900|", "", "㑇丂𠮷"],
    ["男", "3月", "", "||", "|", "\\"],
]
PLAIN = ["平常", "", " x ", "㑇", "𠮷", "a|b", "007", "'", "=1+1", "—·"]
QUOTED = ["a,b", 'say "no"', "two\nlines", "\r\n", "a\tb"]


def line(cells: Sequence[str], delimiter: str, *, quote: bool = False) -> str:
    text = io.StringIO(newline="")
    rule = csv.QUOTE_ALL if quote else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=delimiter, lineterminator="", quoting=rule).writerow(cells)
    return text.getvalue()


def file_text(chance: random.Random, n: int, marks: set[str], delimiter: str = ",") -> str:
    """A file whose lines are as they would be written anew, but for what the marks say."""
    order = list(range(len(HEADER)))
    if "other order" in marks:
        chance.shuffle(order)
    lines = [line([HEADER[at] for at in order], delimiter)]
    for i in range(n):
        cells = [str(i - (i % 11 == 10)), *chance.choice(KINDS)]
        cells[-1] = cells[-1].replace(",", "") if chance.random() < 0.5 else chance.choice(PLAIN)
        if "quotes" in marks and chance.random() < 0.1:
            cells[-1] = chance.choice(QUOTED)
        cells[-1] = cells[-1] if "quotes" in marks else cells[-1].replace(delimiter, " ")
        needless = "quotes" in marks and chance.random() < 0.05
        lines.append(line([cells[at] for at in order], delimiter, quote=needless))
        if "ragged" in marks and chance.random() < 0.05:
            lines[-1] += delimiter * chance.choice([1, 2]) if i % 2 else "x" + delimiter
        if "short" in marks and chance.random() < 0.05:
            lines[-1] = lines[-1].rpartition(delimiter)[0]
        if "blanks" in marks and chance.random() < 0.1:
            lines += [""] * chance.choice([1, 1, 3])
    end = "\r\n" if "crlf" in marks else "\n"
    return end.join(lines) + ("" if "open" in marks else end)


Run = Callable[..., tuple[bytes, int]]


@pytest.fixture
def run(mini: Scheme, tmp_path: Path) -> Run:
    """Groups files; returns the result and how many parts were written back as they stand."""

    def group(
        paths: Sequence[Path], options: Options, *, batch: int = 1000, threads: int = 1,
        ways: str = "lines",
    ) -> tuple[bytes, int]:  # fmt: skip
        out = tmp_path / f"out.{options.form}"
        with counted(ways) as kept:
            group_to_file(paths, mini, out, options, batch=batch, threads=threads)
        data = out.read_bytes()
        out.unlink()
        return data, len(kept)

    return group


@contextmanager
def counted(ways: str) -> Iterator[list[int]]:
    """Counts the parts that keep their lines, or makes that none does."""
    kept: list[int] = []
    append = stream.append_to_lines

    def counting(*args: object, **how: object) -> memoryview | None:
        found = None if ways == "cells" else append(*args, **how)  # type: ignore[arg-type]
        if found is not None:
            kept.append(1)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "append_to_lines", counting)
        if ways == "cells":
            patch.setattr(TextFeed, "writes_back", lambda *_: False)
        yield kept


def write(path: Path, text: str, codec: str) -> Path:
    path.write_bytes(text.encode(codec))
    return path


SIZES = [(1, 1), (7, 2), (1000, 1), (1_000_000, 2)]


def same_either_way(
    run: Run, paths: Sequence[Path], options: Options, sizes: Sequence[tuple[int, int]] = SIZES
) -> tuple[bytes, int]:
    """The bytes of a result, the same for all sizes and ways; most parts that kept their lines."""
    wanted, none = run(paths, options, ways="cells")
    assert none == 0
    most = 0
    for batch, threads in sizes:
        found, kept = run(paths, options, batch=batch, threads=threads)
        assert found == wanted, (batch, threads)
        most = max(most, kept)
    return wanted, most


CODECS = {
    "utf-8": ("utf-8", None),
    "utf-8 to utf-8 without mark": ("utf-8", "utf-8"),
    "utf-8 with mark": ("utf-8-sig", None),
    "utf-8 to gb18030": ("utf-8", "gb18030"),
    "gb18030 to utf-8": ("gb18030", None),
    "gb18030": ("gb18030", "gb18030"),
}


@pytest.mark.parametrize("cleaning", ["standard", "as_is"])
@pytest.mark.parametrize("codecs", CODECS)
@pytest.mark.parametrize("marks", [set(), {"crlf"}, {"open"}, {"crlf", "open"}], ids="-".join)
def test_plain_files_keep_their_lines(run, tmp_path, codecs, cleaning, marks):
    codec, encoding = CODECS[codecs]
    chance = random.Random(f"{codecs}{cleaning}{sorted(marks)}")
    path = write(tmp_path / "in.csv", file_text(chance, 40, marks), codec)
    options = Options(cleaning=cleaning, encoding=encoding)
    data, kept = same_either_way(run, [path], options)
    # in another encoding than that of the file or UTF-8, lines must be written anew
    assert kept == (0 if codecs == "utf-8 to gb18030" else 40)
    lines = data.removeprefix(b"\xef\xbb\xbf").decode(encoding or "utf-8").split("\n")
    assert {text.endswith("\r") for text in lines[:-1]} == {"crlf" in marks}
    source = path.read_bytes().decode(codec).splitlines()
    assert len(lines) == len(source) + 1
    for text, given in zip(lines[:-1], source, strict=True):
        assert text.startswith(f"{given},")


KIND_MARKS = ["crlf", "open", "blanks", "quotes", "ragged", "short"]


@pytest.mark.parametrize("seed", range(24))
def test_files_of_every_kind_are_written_as_their_cells_are(run, tmp_path, monkeypatch, seed):
    chance = random.Random(seed)
    marks = {mark for mark in KIND_MARKS if chance.random() < 0.35}
    codec, encoding = CODECS[chance.choice(list(CODECS))]
    # pieces of a file end anywhere
    monkeypatch.setattr(textfile, "_BLOCK", chance.choice([150, 1 << 22]))
    monkeypatch.setattr(textparts, "_MOST", chance.choice([150, 700, 1 << 23]))
    path = write(tmp_path / "in.csv", file_text(chance, chance.choice([1, 50]), marks), codec)
    options = Options(cleaning=chance.choice(["standard", "as_is"]), encoding=encoding)
    same_either_way(run, [path], options)


@pytest.mark.parametrize("seed", range(12))
def test_several_files_with_headers_in_any_order(run, tmp_path, seed):
    chance = random.Random(seed)
    paths = []
    for at in range(3):
        marks = {mark for mark in [*KIND_MARKS[:4], "other order"] if chance.random() < 0.4}
        text = file_text(chance, chance.choice([1, 20]), marks)
        paths.append(write(tmp_path / f"{at}.csv", text, chance.choice(["utf-8", "gb18030"])))
    encoding = chance.choice([None, "utf-8", "gb18030"])
    options = Options(cleaning=chance.choice(["standard", "as_is"]), encoding=encoding)
    same_either_way(run, paths, options, [(1, 1), (7, 2), (1000, 2)])


def test_many_rows_in_parts_of_a_thousand(run, tmp_path):
    text = file_text(random.Random(3), 2500, {"crlf"})
    path = write(tmp_path / "in.csv", text, "gb18030")
    _, kept = same_either_way(run, [path], Options(), [(1000, 2), (1_000_000, 1)])
    assert kept == 3


@pytest.mark.parametrize("codec", ["utf-8-sig", "gb18030"])
def test_the_cells_are_those_of_a_result_with_other_separators(run, tmp_path, codec):
    chance = random.Random(codec)
    path = write(tmp_path / "in.csv", file_text(chance, 60, {"blanks"}), codec)
    commas, kept = run([path], Options(), batch=7)
    tabs, none = run([path], Options(form="tsv"), batch=7)
    assert (kept > 0, none) == (True, 0)
    texts = [io.StringIO(data.decode("utf-8-sig"), newline="") for data in (commas, tabs)]
    assert list(csv.reader(texts[0])) == list(csv.reader(texts[1], delimiter="\t"))


def test_tables_with_tabs_keep_their_lines_too(run, tmp_path):
    path = write(tmp_path / "in.tsv", file_text(random.Random(8), 30, set(), "\t"), "utf-8")
    _, kept = same_either_way(run, [path], Options(form="tsv"))
    assert kept == 30
    assert same_either_way(run, [path], Options())[1] == 0


def test_quotes_in_one_part_leave_the_others_as_they_stand(run, tmp_path):
    text = file_text(random.Random(1), 30, set())
    lines = text.split("\n")
    lines[10] = line(["9", "1", "70", "9", "I63.900", "", 'a "b", c'], ",")
    lines[20] = line(["9", "1", "70", "9", "I63.900", "", "needless"], ",", quote=True)
    path = write(tmp_path / "in.csv", "\n".join(lines), "utf-8")
    data, kept = same_either_way(run, [path], Options(), [(10, 1), (10, 2)])
    assert 0 < kept < 3
    assert b'"a ""b"", c"' in data
    assert b'"needless"' not in data


@pytest.mark.parametrize(
    "headers", [("id", "", ""), ("", "id", ""), ("", "", "id")], ids=lambda names: ".".join(names)
)
@pytest.mark.parametrize("first", [("id", "", ""), ("", "id", ""), ("", "", "id")])
def test_columns_without_a_name_lose_nothing(run, tmp_path, first, headers):
    """Files with the same headers elsewhere are not the same line by line."""
    paths = []
    for number, names in enumerate((first, headers)):
        rest = iter("uv")
        cells = ["7" if name else next(rest) for name in names]
        lines = [[*names, "sex", "age", "los", "dx"], [*cells, "1", "70", "9", "I63.900"]]
        text = "".join(line(each, ",") + "\n" for each in lines)
        paths.append(write(tmp_path / f"{number}.csv", text, "utf-8"))
    data, kept = same_either_way(run, paths, Options(encoding="utf-8"), [(1000, 1)])
    rows = list(csv.reader(io.StringIO(data.decode())))
    # a column without a name is taken for the one at its place if that has none either
    assert [sorted(row[:3]) for row in rows[1:]] == [["7", "u", "v"]] * 2
    assert [row[first.index("id")] for row in rows[1:]] == ["7", "7"]
    assert kept == 1 + (first == headers)
    # and as the whole-file reader has it
    records = read_records(paths)
    assert [column.to_pylist() for column in records.user.columns[:3]] == [
        list(cells) for cells in zip(rows[1][:3], rows[2][:3], strict=True)
    ]
