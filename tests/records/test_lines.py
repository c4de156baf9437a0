"""Bytes of text files: the fast functions are what naive Python makes of the same bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grouper.records import _lines
from grouper.records.delimited import find_head, read_delimited, read_part
from grouper.records.layout import known
from grouper.records.transcode import is_utf8, two_bytes, utf8_of

#: bytes in which line ends, and what resembles them, are common
BLOCKS = st.lists(
    st.sampled_from([b"\n", b"\r", b"\r\n", b"a", b"\0", b"\x0b", b"\x8a", "张".encode(), b'",']),
    max_size=40,
).map(b"".join)


def naive_cut(block: bytes, start: int, lines: int) -> tuple[int, int]:
    ends = [at + 1 for at in range(start, len(block)) if block[at] == 10][:lines]
    return (ends[-1] if ends else start, len(ends))


def naive_appended(body: bytes, endings: list[int], texts: list[bytes], end: bytes) -> bytes | None:
    lines = [line.removesuffix(b"\r") for line in body.split(b"\n")]
    lines = [line for line in lines if line]
    if len(lines) != len(endings):
        return None
    return b"".join(line + texts[k] + end for line, k in zip(lines, endings, strict=True))


@given(BLOCKS, st.sampled_from([10, 13, 34, 0, 0x8A, 255]))
@example(b"\n" * 255, 10)
@example(b"\n" * 256, 10)
@example(b"a" * 254 + b"\n\n" + b"a" * 300 + b"\n", 10)
@example(b"\n" * 1021, 10)
def test_a_byte_is_counted(block, wanted):
    assert _lines.occurrences(block, wanted) == block.count(bytes([wanted]))
    assert _lines.occurrences(memoryview(b"\n" + block)[1:], wanted) == block.count(bytes([wanted]))


@given(BLOCKS)
@example(b"\r")
@example(b"\r\r\n")
def test_a_return_is_alone_without_a_line_end_behind_it(block):
    assert _lines.lone_returns(block) == block.replace(b"\r\n", b"").count(b"\r")


@given(BLOCKS)
def test_lines_end_behind_every_line_feed(block):
    found = _lines.line_ends(block)
    assert found.dtype == np.int64
    assert found.tolist() == [at + 1 for at, byte in enumerate(block) if byte == 10]


@given(BLOCKS, st.integers(0, 60), st.integers(0, 5))
def test_a_block_is_cut_behind_so_many_lines(block, start, lines):
    start = min(start, len(block))
    assert _lines.cut_behind(block, start, lines) == naive_cut(block, start, lines)


#: lines without lone returns: bodies that the reader calls sound
BODIES = st.tuples(
    st.lists(st.sampled_from(["", "a", "1,张三", " ", "x" * 40]), max_size=12),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
).map(lambda how: (how[1].join(how[0]) + how[1] * how[2]).encode())


@given(BODIES, st.data())
def test_every_line_gets_its_own_ending(body, data):
    texts = data.draw(st.lists(st.binary(max_size=9), min_size=1, max_size=4))
    n = sum(bool(line.removesuffix(b"\r")) for line in body.split(b"\n"))
    n = max(n + data.draw(st.sampled_from([0, 0, 0, 0, -1, 1])), 0)
    endings = data.draw(st.lists(st.integers(0, len(texts) - 1), min_size=n, max_size=n))
    bounds = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    letters = np.frombuffer(b"".join(texts), np.uint8)
    for crlf, end in ((False, b"\n"), (True, b"\r\n")):
        numbers = np.array(endings, np.int32)
        found = _lines.appended(memoryview(body), numbers, letters, bounds, crlf)
        wanted = naive_appended(body, endings, texts, end)
        if n == 0:
            assert found is None
        else:
            assert (None if found is None else bytes(found)) == wanted


def test_lines_are_not_appended_to_if_they_are_more_or_fewer():
    texts, bounds = np.frombuffer(b",x", np.uint8), np.array([0, 2], np.int64)
    two = np.zeros(2, np.int32)
    assert bytes(_lines.appended(b"a\n\nb", two, texts, bounds, False)) == b"a,x\nb,x\n"
    assert bytes(_lines.appended(b"a\r\nb\r\n", two, texts, bounds, True)) == b"a,x\r\nb,x\r\n"
    assert _lines.appended(b"a\n", two, texts, bounds, False) is None
    assert _lines.appended(b"a\nb\nc\n", two, texts, bounds, False) is None


@given(
    st.lists(st.sampled_from(["", "", "1,1,A", '2,"x",B', '3,"two\nlines",C']), max_size=8),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
@example(["1,1,A", "", "1,1,A"], "\n", False)
@example(["1,1,A", "", '2,"x",B'], "\r\n", False)
def test_every_record_knows_its_line(lines, end, closed):
    lines = ["id,sex,dx", "0,1,A", *lines]
    data = (end.join(lines) + end * closed).encode()
    wanted, at = [], 1
    for line in lines:
        if line:
            wanted.append(at)
        at += 1 + line.count("\n")
    raw = read_delimited(data, "in.csv", "in.csv", known)
    assert raw.numbers.tolist() == wanted[1:]
    prefix = data[: data.index(b"\n") + 1]
    head = find_head(data.decode(), "in.csv", known)
    part = read_part(
        data[len(prefix) :], prefix, "in.csv", "in.csv", head,
        encoding="utf-8", first=2, sound=True,
    )  # fmt: skip
    assert part.numbers.tolist() == wanted[1:]


def characters(codec: str) -> list[bytes]:
    """Every character of two bytes, by Python's codec."""
    found = []
    for first in range(0x81, 0xFF):
        for second in range(0x40, 0xFF):
            pair = bytes((first, second))
            try:
                found.append(pair.decode(codec).encode(codec))
            except UnicodeDecodeError:
                continue
            # so that lines as they stand are what writing the text again makes of them
            assert found[-1] == pair
    return found


@pytest.mark.parametrize(("codec", "n"), [("gb18030", 23_940), ("gbk", 21_791)])
def test_all_characters_of_two_bytes_are_those_of_the_codec(codec, n):
    pairs = characters(codec)
    assert len(pairs) == n
    table = two_bytes(codec)
    for pair in pairs:
        assert bytes(table.to_utf8(pair)) == pair.decode(codec).encode()
    everything = b"".join(pairs)
    assert bytes(table.to_utf8(everything)) == everything.decode(codec).encode()


@pytest.mark.parametrize("codec", ["gb18030", "gbk"])
def test_pairs_of_bytes_that_are_no_character_are_left_to_the_codec(codec):
    letters, table = set(characters(codec)), two_bytes(codec)
    for first in range(0x80, 0x100):
        for second in range(0x100):
            pair = bytes((first, second))
            assert table.fits(pair) == (table.to_utf8(pair) is not None) == (pair in letters), pair


GB_TEXTS = st.lists(
    st.one_of(
        # all of these are in GBK; of the others some have four bytes
        st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), max_size=8),
        st.text(st.characters(min_codepoint=0x80, max_codepoint=0xD7FF), max_size=3),
        st.sampled_from(["a" * 7, "1,2,I10.x00", "\r\n", "㑇", "𠮷", "€", "¥", "·", "—"]),
    ),
    max_size=8,
).map("".join)


@given(GB_TEXTS, st.sampled_from(["gb18030", "gbk"]))
@example("", "gbk")
@example("㑇丂𠮷", "gb18030")
@example("一" * 5000 + "a", "gb18030")
def test_text_of_any_length_of_character_is_what_the_codec_says(text, codec):
    data = text.encode(codec, "ignore")
    assert bytes(utf8_of(data, codec)) == data.decode(codec).encode()
    found = two_bytes(codec).to_utf8(memoryview(b"#" + data)[1:])
    longer = any(len(letter.encode(codec)) == 4 for letter in data.decode(codec))
    assert (found is None) == longer
    assert two_bytes(codec).fits(data) != longer


@given(GB_TEXTS, st.integers(0, 60), st.binary(max_size=2))
def test_damaged_text_is_refused_as_by_the_codec(text, keep, tail):
    for codec in ("gb18030", "gbk"):
        data = text.encode(codec, "ignore")[:keep] + tail
        try:
            wanted = data.decode(codec).encode()
        except UnicodeDecodeError:
            assert not two_bytes(codec).fits(data)
            with pytest.raises(UnicodeDecodeError):
                utf8_of(data, codec)
        else:
            assert bytes(utf8_of(data, codec)) == wanted


def decodes(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@given(
    st.one_of(
        st.binary(max_size=12),
        st.text(st.sampled_from("a\x7fé\u07ff\u0800张\uffff𠮷\U0010ffff"), max_size=6).map(
            str.encode
        ),
    ),
    st.integers(0, 12),
)
@example(b"", 0)
@example(b"\xed\xa0\x80", 3)  # a surrogate
@example(b"\xc0\x80", 2)  # longer than need be
@example(b"\xe0\x80\x80", 3)
@example(b"\xf4\x90\x80\x80", 4)  # beyond the last character
@example(b"\xf8\x88\x80\x80\x80", 5)
@example(b"a" * 64 + b"\xff", 65)
@example(b"a" * 64 + "张".encode()[:2], 66)
def test_utf8_is_what_the_codec_decodes(data, keep):
    for block in (data, data[:keep]):
        assert is_utf8(block) == decodes(block)
        assert is_utf8(memoryview(b"\xff" + block)[1:]) == decodes(block)


def test_utf8_of_every_pair_and_lead_of_three():
    blocks = [bytes((a, b)) for a in range(256) for b in range(0, 256, 3)]
    blocks += [bytes((a, b, 0x80)) for a in range(0xE0, 0xF0) for b in range(256)]
    assert [block for block in blocks if is_utf8(block) != decodes(block)] == []
