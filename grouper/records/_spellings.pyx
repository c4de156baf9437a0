# distutils: language = c
"""Codes in Arrow's text buffers -> ids of their spellings, and lists of ids made tidy.

`Table` is a hash table of spellings that never changes once it is built, so that any number of
threads may look things up in it. Spelling 0 is the empty text. What the ids mean is said in
`grouper.records.spellings`; every function has a plain twin in tests/records/test_spellings.py.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.string cimport memcmp

import numpy as np

cdef extern from "_bits.h":
    void bits_prefetch(const void* place) noexcept nogil
    uint64_t bits_word(const uint8_t* text) noexcept nogil
    uint64_t bits_short_word(const uint8_t* text, int length) noexcept nogil
    int64_t bits_count(const uint8_t* text, int64_t length, uint8_t wanted) noexcept nogil
    int bits_find(uint64_t word, uint64_t pattern) noexcept nogil

cdef enum:
    AHEAD = 64  # look-ups under way at once: their cache lines are then on the way
    WORDS = 16  # bytes of a spelling that its slot holds; longer ones are compared where they stand

cdef enum:
    # flags of a spelling; grouper.records.spellings
    FILLED = 1
    WORD = 2
    CHANGED = 4
    # flags of a code
    UNKNOWN = 1
    GRAY = 2

cdef struct Slot:
    uint64_t low, high
    int32_t length  # 0: nothing here
    int32_t spelling

cdef struct Token:
    uint64_t low, high
    uint64_t hashed
    const uint8_t* text
    int32_t length
    int32_t place

# bytes that count, by length
cdef uint64_t[9] MASK = [
    0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF,
    0xFFFFFFFFFFFFFFFF]


cdef inline uint64_t mixed(uint64_t low, uint64_t high) noexcept nogil:
    cdef uint64_t x = (low ^ (high * <uint64_t> 0x9E3779B97F4A7C15)) * <uint64_t> 0xBF58476D1CE4E5B9
    return x ^ (x >> 29)


cdef inline void read_token(
    Token* token, const uint8_t* text, int32_t length, const uint8_t* end
) noexcept nogil:
    cdef int32_t k
    token.text, token.length = text, length
    if length > WORDS:
        token.low = token.high = <uint64_t> length
        for k in range(length):
            token.low = (token.low ^ text[k]) * <uint64_t> 0x100000001B3
            token.high = token.high * 31 + text[k]
    elif text + WORDS <= end:
        token.low = bits_word(text) & MASK[min(length, 8)]
        token.high = bits_word(text + 8) & MASK[max(length - 8, 0)] if length > 8 else 0
    else:
        # near the end of the buffer: not a byte more than there is
        token.low = bits_short_word(text, min(length, 8))
        token.high = bits_short_word(text + 8, length - 8) if length > 8 else 0
    token.hashed = mixed(token.low, token.high)


cdef class Table:
    """Spellings, each with its position in the list it was made from (0 is the empty text)."""

    cdef object slots_memory
    cdef Slot* slots
    cdef uint64_t mask
    cdef const int32_t[::1] offsets
    cdef const uint8_t[::1] data
    cdef readonly int32_t size

    def __init__(self, const int32_t[::1] offsets, const uint8_t[::1] data):
        """Spelling k is data[offsets[k]:offsets[k + 1]]; the first is empty, all are different."""
        cdef Py_ssize_t n = offsets.shape[0] - 1, k
        cdef uint64_t room = 64
        cdef Token token
        cdef const uint8_t* first
        cdef uint8_t[::1] memory
        # half full at most, but for a little: the national list of diagnoses then takes 65,536
        while 33 * room < <uint64_t> (64 * n):
            room *= 2
        self.slots_memory = np.zeros(room * sizeof(Slot), np.uint8)
        memory = self.slots_memory
        self.slots = <Slot*> &memory[0]
        self.mask = room - 1
        self.offsets, self.data, self.size = offsets, data, <int32_t> n
        if data.shape[0] == 0:
            return
        first = &data[0]
        for k in range(1, n):
            read_token(
                &token, first + offsets[k], offsets[k + 1] - offsets[k], first + data.shape[0])
            self._put(&token, <int32_t> k)

    cdef void _put(self, Token* token, int32_t spelling) noexcept nogil:
        cdef uint64_t at = token.hashed & self.mask
        while self.slots[at].length:
            at = (at + 1) & self.mask
        self.slots[at].low, self.slots[at].high = token.low, token.high
        self.slots[at].length, self.slots[at].spelling = token.length, spelling

    cdef inline int32_t _find(self, const Token* token) noexcept nogil:
        # the spelling of a text, -1 if it is none
        cdef uint64_t at = token.hashed & self.mask
        cdef const Slot* slot
        while True:
            slot = &self.slots[at]
            if slot.length == 0:
                return -1
            if (
                slot.low == token.low and slot.high == token.high and slot.length == token.length
                and (
                    slot.length <= WORDS
                    or memcmp(
                        &self.data[self.offsets[slot.spelling]], token.text, token.length) == 0)
            ):
                return slot.spelling
            at = (at + 1) & self.mask

    cdef inline Py_ssize_t _flush(
        self, Token* tokens, int count, int32_t* out, int32_t* misses, Py_ssize_t n_misses
    ) noexcept nogil:
        cdef int k
        cdef int32_t found
        for k in range(count):
            found = self._find(&tokens[k])
            out[tokens[k].place] = found
            if found < 0:
                misses[n_misses] = tokens[k].place
                n_misses += 1
        return n_misses

    def each(self, const int32_t[::1] offsets, const uint8_t[::1] data):
        """The spelling of every text: ids (n,) int32, -1 unknown; positions of the unknown ones."""
        cdef Py_ssize_t n = offsets.shape[0] - 1, i, n_misses = 0
        cdef int32_t length
        cdef int under_way = 0
        cdef Token[AHEAD] tokens
        ids, missed = np.zeros(n, np.int32), np.empty(n, np.int32)
        cdef int32_t[::1] out = ids
        cdef int32_t[::1] misses = missed
        cdef const uint8_t* first
        if n == 0 or data.shape[0] == 0:
            return ids, missed[:0]
        first = &data[0]
        with nogil:
            for i in range(n):
                length = offsets[i + 1] - offsets[i]
                if length == 0:
                    continue
                read_token(
                    &tokens[under_way], first + offsets[i], length, first + data.shape[0])
                tokens[under_way].place = <int32_t> i
                bits_prefetch(&self.slots[tokens[under_way].hashed & self.mask])
                under_way += 1
                if under_way == AHEAD:
                    n_misses = self._flush(tokens, AHEAD, &out[0], &misses[0], n_misses)
                    under_way = 0
            n_misses = self._flush(tokens, under_way, &out[0], &misses[0], n_misses)
        return ids, missed[:n_misses]

    def split(self, const int32_t[::1] offsets, const uint8_t[::1] data, uint8_t separator):
        """Every text cut at a separator; an empty text has no part.

        Returns ids (m,) int32, -1 unknown; row offsets (n + 1,) int32; where each part begins in
        data (m,) int32; positions of the unknown ones.
        """
        cdef Py_ssize_t n = offsets.shape[0] - 1, i, n_misses = 0, m = 0, most
        cdef int under_way = 0, found
        cdef Token[AHEAD] tokens
        cdef uint64_t pattern = <uint64_t> separator * <uint64_t> 0x0101010101010101
        cdef const uint8_t* first
        cdef const uint8_t* end
        cdef const uint8_t* at
        cdef const uint8_t* stop
        cdef const uint8_t* cut
        rows = np.zeros(n + 1, np.int32)
        none = np.zeros(0, np.int32)
        if n == 0 or data.shape[0] == 0 or offsets[n] == offsets[0]:
            return none, rows, none, none
        first = &data[0]
        end = first + data.shape[0]
        most = n + bits_count(first + offsets[0], offsets[n] - offsets[0], separator)
        ids, starts = np.empty(most, np.int32), np.empty(most, np.int32)
        missed = np.empty(most, np.int32)
        cdef int32_t[::1] out = ids
        cdef int32_t[::1] begins = starts
        cdef int32_t[::1] misses = missed
        cdef int32_t[::1] row_ends = rows
        with nogil:
            for i in range(n):
                at, stop = first + offsets[i], first + offsets[i + 1]
                while at < stop or (at == stop and at > first + offsets[i]):
                    # the end of this part
                    cut = at
                    while cut < stop:
                        if cut + 8 <= end:
                            found = bits_find(bits_word(cut), pattern)
                            cut += found
                            if found < 8:
                                break
                        elif cut[0] == separator:
                            break
                        else:
                            cut += 1
                    if cut > stop:
                        cut = stop
                    begins[m] = <int32_t> (at - first)
                    if cut == at:
                        out[m] = 0
                    else:
                        read_token(&tokens[under_way], at, <int32_t> (cut - at), end)
                        tokens[under_way].place = <int32_t> m
                        bits_prefetch(&self.slots[tokens[under_way].hashed & self.mask])
                        under_way += 1
                        if under_way == AHEAD:
                            n_misses = self._flush(tokens, AHEAD, &out[0], &misses[0], n_misses)
                            under_way = 0
                    m += 1
                    if cut == stop:
                        break
                    at = cut + 1
                row_ends[i + 1] = <int32_t> m
            n_misses = self._flush(tokens, under_way, &out[0], &misses[0], n_misses)
        return ids[:m], rows, starts[:m], missed[:n_misses]


def expanded(
    const int32_t[::1] ids, const int32_t[::1] offsets, const int32_t[::1] code_start,
    const int32_t[::1] code, const uint8_t[::1] flags,
):
    """The codes that the spellings of each row stand for.

    ids (m,), offsets (n + 1,): spellings of each row; spelling s stands for code[code_start[s]:
    code_start[s + 1]] and has flags[s]. Returns codes (k,) int32, offsets (n + 1,) int32, headless
    and gaps (n,) bool as in `CleanCodes`, how many spellings are filled, are words, were changed.
    """
    cdef Py_ssize_t n = offsets.shape[0] - 1, i, k, j, total = 0, at = 0
    cdef int32_t spelling
    cdef int64_t filled = 0, words = 0, changed = 0
    cdef uint8_t flag
    cdef bint hole_first, hole_later
    for k in range(ids.shape[0]):
        total += code_start[ids[k] + 1] - code_start[ids[k]]
    codes, rows = np.empty(total, np.int32), np.empty(n + 1, np.int32)
    head, gap = np.zeros(n, np.uint8), np.zeros(n, np.uint8)
    cdef int32_t[::1] out = codes
    cdef int32_t[::1] row_ends = rows
    cdef uint8_t[::1] headless = head
    cdef uint8_t[::1] gaps = gap
    row_ends[0] = 0
    with nogil:
        for i in range(n):
            hole_first = hole_later = False
            for k in range(offsets[i], offsets[i + 1]):
                spelling = ids[k]
                flag = flags[spelling]
                filled += flag & FILLED
                words += (flag & WORD) != 0
                changed += (flag & CHANGED) != 0
                if code_start[spelling] == code_start[spelling + 1]:
                    if k == offsets[i]:
                        hole_first = True
                    else:
                        hole_later = True
                    continue
                # an empty slot is a hole only if something stands behind it
                if hole_first:
                    headless[i] = True
                if hole_later:
                    gaps[i] = True
                for j in range(code_start[spelling], code_start[spelling + 1]):
                    out[at] = code[j]
                    at += 1
            row_ends[i + 1] = <int32_t> at
    return codes, rows, head.view(np.bool_), gap.view(np.bool_), filled, words, changed


def distinct(
    int32_t[::1] codes, const int32_t[::1] offsets, const uint8_t[::1] code_flags,
):
    """Codes without repetitions in their row: moved together at the beginning of `codes`.

    Returns how many are left, their offsets (n + 1,) int32, the rows with repetitions (n,) bool,
    how many codes are unknown, and how many rows begin with a gray one.
    """
    cdef Py_ssize_t n = offsets.shape[0] - 1, i, k, at = 0, start
    cdef int64_t unknown = 0, gray = 0
    cdef int32_t code
    rows, repeated = np.empty(n + 1, np.int32), np.zeros(n, np.uint8)
    seen = np.zeros(code_flags.shape[0], np.int32)
    cdef int32_t[::1] row_ends = rows
    cdef uint8_t[::1] twice = repeated
    # the row (from 1) in which each code stood last
    cdef int32_t[::1] last = seen
    row_ends[0] = 0
    with nogil:
        for i in range(n):
            start = at
            for k in range(offsets[i], offsets[i + 1]):
                code = codes[k]
                if last[code] == i + 1:
                    twice[i] = True
                    continue
                last[code] = <int32_t> (i + 1)
                codes[at] = code
                unknown += code_flags[code] & UNKNOWN
                at += 1
            if at > start:
                gray += (code_flags[codes[start]] & GRAY) != 0
            row_ends[i + 1] = <int32_t> at
    return at, rows, repeated.view(np.bool_), unknown, gray


def trimmed(const int32_t[::1] ids, const int32_t[::1] offsets):
    """Lists without the empty slots (0) at their ends: ids, offsets (n + 1,) int32."""
    cdef Py_ssize_t n = offsets.shape[0] - 1, i, k, at = 0, stop
    kept, rows = np.empty(ids.shape[0], np.int32), np.empty(n + 1, np.int32)
    cdef int32_t[::1] out = kept
    cdef int32_t[::1] row_ends = rows
    row_ends[0] = 0
    with nogil:
        for i in range(n):
            stop = offsets[i + 1]
            while stop > offsets[i] and ids[stop - 1] == 0:
                stop -= 1
            for k in range(offsets[i], stop):
                out[at] = ids[k]
                at += 1
            row_ends[i + 1] = <int32_t> at
    return kept[:at], rows
