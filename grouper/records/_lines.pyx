# distutils: language = c
"""Text files as bytes: where lines end, what a block holds, results appended to lines as they are.

Every function has a plain twin in the tests (tests/records/test_lines.py).
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from libc.string cimport memchr, memcpy

import numpy as np

cdef extern from "_bits.h":
    int64_t bits_ascii_end(const uint8_t* text, int64_t at, int64_t length) noexcept nogil
    int64_t bits_count(const uint8_t* text, int64_t length, uint8_t wanted) noexcept nogil

cdef enum:
    LF = 10
    CR = 13


def occurrences(const uint8_t[::1] block, uint8_t wanted):
    """How often a byte occurs."""
    cdef int64_t count = 0
    if block.shape[0]:
        with nogil:
            count = bits_count(&block[0], block.shape[0], wanted)
    return count


def lone_returns(const uint8_t[::1] block):
    """How many carriage returns do not stand before a line end."""
    cdef Py_ssize_t n = block.shape[0], lone = 0
    cdef const uint8_t* end
    cdef const uint8_t* at
    if n == 0:
        return 0
    at = &block[0]
    end = at + n
    with nogil:
        while at < end:
            at = <const uint8_t*> memchr(at, CR, end - at)
            if at == NULL:
                break
            at += 1
            lone += at == end or at[0] != LF
    return lone


def line_ends(const uint8_t[::1] block):
    """Places behind every line end, (n,) int64."""
    cdef Py_ssize_t expected = occurrences(block, LF)
    found = np.empty(expected, np.int64)
    cdef int64_t[::1] out = found
    cdef Py_ssize_t n = block.shape[0], k = 0
    cdef const uint8_t* start
    cdef const uint8_t* end
    cdef const uint8_t* at
    if n == 0:
        return found
    start = at = &block[0]
    end = start + n
    with nogil:
        while k < expected:
            at = <const uint8_t*> memchr(at, LF, end - at) + 1
            out[k] = at - start
            k += 1
    return found


def cut_behind(const uint8_t[::1] block, Py_ssize_t start, Py_ssize_t lines):
    """The place behind so many lines from `start` on, or behind the last whole one, and how many.

    (start, 0) when no line ends.
    """
    cdef Py_ssize_t found = 0
    cdef const uint8_t* end
    cdef const uint8_t* at
    cdef const uint8_t* behind
    if start >= block.shape[0]:
        return start, 0
    at = behind = &block[start]
    end = &block[0] + block.shape[0]
    with nogil:
        while found < lines and at < end:
            at = <const uint8_t*> memchr(at, LF, end - at)
            if at == NULL:
                break
            at += 1
            behind = at
            found += 1
    return behind - &block[0], found


def appended(
    const uint8_t[::1] body, const int32_t[::1] endings, const uint8_t[::1] texts,
    const int64_t[::1] bounds, bint crlf,
):
    """Every line of a body with an ending of its own: bytes, or None if the lines are not n.

    endings: (n,) the ending of each line that is not blank; ending k is texts[bounds[k]:bounds[k +
    1]]; crlf: lines of the result end with CR LF. No line end may stand inside a cell.
    """
    cdef Py_ssize_t n = endings.shape[0], size = 0, k, row = 0, length
    cdef const uint8_t* at
    cdef const uint8_t* end
    cdef const uint8_t* stop
    cdef const uint8_t* ending
    cdef uint8_t* out
    cdef uint8_t* begin
    cdef uint8_t[::1] result
    cdef const uint8_t* first_text
    if n == 0 or body.shape[0] == 0:
        return None
    # endings may all be empty
    first_text = &texts[0] if texts.shape[0] else &body[0]
    for k in range(n):
        size += bounds[endings[k] + 1] - bounds[endings[k]]
    # a last line without an end gets one
    memory = np.empty(body.shape[0] + size + 2 * n, np.uint8)
    result = memory
    begin = out = &result[0]
    at = &body[0]
    end = at + body.shape[0]
    with nogil:
        while at < end:
            stop = <const uint8_t*> memchr(at, LF, end - at)
            if stop == NULL:
                stop = end
            length = stop - at
            if length and at[length - 1] == CR:
                length -= 1
            if length:
                if row == n:
                    row += 1
                    break
                memcpy(out, at, length)
                out += length
                ending = first_text + bounds[endings[row]]
                length = bounds[endings[row] + 1] - bounds[endings[row]]
                memcpy(out, ending, length)
                out += length
                if crlf:
                    out[0] = CR
                    out += 1
                out[0] = LF
                out += 1
                row += 1
            at = stop + 1
    if row != n:
        return None
    return memoryview(memory)[: out - begin]


cdef class DoubleBytes:
    """UTF-8 for every character of two bytes of an encoding."""

    cdef const uint32_t[::1] utf8

    def __init__(self, utf8):
        # [256 * first byte + second byte]: up to three bytes, the first lowest, and above them how
        # many; 0 = no such character
        self.utf8 = utf8

    def fits(self, const uint8_t[::1] text):
        """Whether a text is all ASCII and characters of two bytes."""
        cdef Py_ssize_t n = text.shape[0], at = 0
        cdef bint fits = True
        with nogil:
            while at < n and fits:
                at = bits_ascii_end(&text[0], at, n)
                while at < n and text[at] >= 0x80:
                    if at + 1 == n or self.utf8[(<uint32_t> text[at] << 8) | text[at + 1]] == 0:
                        fits = False
                        break
                    at += 2
        return fits

    def to_utf8(self, const uint8_t[::1] text):
        """A text in ASCII and characters of two bytes as UTF-8, or None if it has any other."""
        cdef Py_ssize_t n = text.shape[0], at = 0, run
        cdef uint8_t[::1] result
        cdef uint8_t* out
        cdef uint8_t* begin
        cdef uint32_t found
        cdef bint odd = False
        if n == 0:
            return memoryview(b"")
        # two bytes become at most three; a character is written as four bytes, the last for nothing
        memory = np.empty(n + n // 2 + 8, np.uint8)
        result = memory
        begin = out = &result[0]
        with nogil:
            while at < n and not odd:
                run = bits_ascii_end(&text[0], at, n)
                memcpy(out, &text[at], run - at)
                out += run - at
                at = run
                while at < n and text[at] >= 0x80:
                    found = 0
                    if at + 1 < n:
                        found = self.utf8[(<uint32_t> text[at] << 8) | text[at + 1]]
                    if found == 0:
                        odd = True
                        break
                    memcpy(out, &found, 4)
                    out += found >> 24
                    at += 2
        if odd:
            return None
        return memoryview(memory)[: out - begin]
