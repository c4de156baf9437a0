"""Text files cut into parts: together the parts are what the whole-file reader makes of them."""

from __future__ import annotations

import random

import pytest

from grouper.errors import GrouperError
from grouper.records.delimited import read_delimited
from grouper.records.layout import known
from grouper.run import textfile, textparts

HEADER = "id,sex,dx,note"
CELLS = ["张三", '"a,b"', '"q""q"', '"x\ny"', '"x\r\n\r\ny"', "", "㑇丂", '="007"']
FAULTS = ['"', 'x"y', '"a,b"', "\r\r", "\0", ",more"]


def text_of(chance: random.Random, n: int, marks: set[str]) -> str:
    end = "\r\n" if "crlf" in marks else "\n"
    lines = [HEADER, *(f"{i},{i % 2 + 1},I10.x00,{chance.choice(CELLS)}" for i in range(n))]
    for _ in range(n // 15 if "faults" in marks else 0):
        lines[chance.randrange(1, len(lines))] += chance.choice(FAULTS)
    for _ in range(n // 10 if "blanks" in marks else 0):
        lines.insert(chance.randrange(1, len(lines)), chance.choice(["", "   ", ",,,", HEADER]))
    if "title" in marks:
        lines.insert(0, "出院病例,,,")
    return end.join(lines) + ("" if "open" in marks else end)


def bytes_of(chance: random.Random, text: str, codec: str) -> bytes:
    if codec == "mixed":
        codecs = ("utf-8", "gb18030")
        return b"\n".join(line.encode(chance.choice(codecs)) for line in text.split("\n"))
    if codec.endswith(" cut"):
        whole = text.rstrip("\r\n").encode(codec.removesuffix(" cut"))
        return whole + "张".encode(codec.removesuffix(" cut").removesuffix("-sig"))[:-1]
    if codec == "broken":
        lines = text.encode().split(b"\n")
        for _ in range(3):
            lines[chance.randrange(1, len(lines))] += "张".encode()[:2]
        return b"\n".join(lines)
    return text.encode(codec)


CODECS = ["utf-8", "utf-8-sig", "gb18030", "mixed", "broken"]
CUT = ["utf-8 cut", "utf-8-sig cut", "gb18030 cut"]


@pytest.mark.parametrize("codec", [*CODECS, *CUT])
@pytest.mark.parametrize("seed", range(6))
def test_parts_are_what_the_whole_is(tmp_path, monkeypatch, codec, seed):
    chance = random.Random(f"{codec}{seed}")
    kinds = ["crlf", "faults", "blanks", "title", "open"]
    marks = {mark for mark in kinds if chance.random() < 0.5}
    data = bytes_of(chance, text_of(chance, chance.choice([1, 40, 150]), marks), codec)
    path = tmp_path / "in.csv"
    path.write_bytes(data)
    monkeypatch.setattr(textfile, "_BLOCK", chance.choice([37, 400, 1 << 22]))
    whole = read_delimited(data, path.name, str(path), known)
    file = textfile.scan_text(path, known, None)
    assert file is not None
    assert (file.facts, file.crlf) == (whole.facts, whole.crlf)
    for size in (1, 7, 1000):
        raws = [part.read() for part in textparts.cut_text(file, size)]
        numbers = [number for raw in raws for number in raw.numbers.tolist()]
        assert numbers == whole.numbers.tolist(), marks
        starts = [sum(map(len, raws[:at])) for at in range(len(raws))]
        faults = {
            s + row: fault
            for s, raw in zip(starts, raws, strict=True)
            for row, fault in raw.faults.items()
        }
        assert faults == dict(whole.faults), marks
        for at, column in enumerate(whole.columns):
            assert [c for raw in raws for c in raw.columns[at].to_pylist()] == column.to_pylist()


@pytest.mark.parametrize("codec", CUT)
def test_a_file_that_breaks_off_in_a_character_loses_its_last_row_only(tmp_path, codec):
    # two of three bytes of a character in UTF-8 would be one in GB18030
    path = tmp_path / "in.csv"
    path.write_bytes(
        bytes_of(random.Random(1), f"{HEADER}\n1,1,I10.x00,张三\n2,2,I10.x00,李", codec)
    )
    file = textfile.scan_text(path, known, None)
    assert file is not None
    assert file.facts["encoding"] == codec.removesuffix(" cut")
    for raw in (
        read_delimited(path.read_bytes(), path.name, str(path), known),
        *(part.read() for part in textparts.cut_text(file, 100)),
    ):
        assert dict(raw.faults) == {1: "encoding"}
        assert raw.columns[3].to_pylist()[0] == "张三"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "DF131"),
        (b"  \n\n", "DF131"),
        (b"%PDF-1.7 ...", "DF132"),
        (b"id,sex,dx\n\n\n", "RE17"),
        (b"id,sex,dx", "RE17"),
    ],
)
def test_what_is_no_table_is_refused_as_by_the_whole_file_reader(tmp_path, data, code):
    path = tmp_path / "in.csv"
    path.write_bytes(data)
    with pytest.raises(GrouperError, match=code):
        _ = textfile.scan_text(path, known, None) or read_delimited(data, "in", str(path), known)


@pytest.mark.parametrize("data", ["id,sex,dx\n1,1,A\n".encode("utf-16"), b"id,sex,dx\r1,1,A\r"])
def test_what_cannot_be_cut_is_left_to_the_whole_file_reader(tmp_path, data):
    path = tmp_path / "in.csv"
    path.write_bytes(data)
    assert textfile.scan_text(path, known, None) is None
