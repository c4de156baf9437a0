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
    SHORT = 13  # bytes of a spelling that fit beside its number into a slot of 16 bytes

cdef enum:
    # flags of a spelling; grouper.records.spellings
    FILLED = 1
    WORD = 2
    CHANGED = 4
    # flags of a code
    UNKNOWN = 1
    GRAY = 2

cdef struct Slot:
    # a short spelling, zeros behind it; above its last five bytes its length (4 bits) and its
    # number (20 bits). high = 0: nothing here
    uint64_t low, high

cdef struct LongSlot:
    uint64_t hashed  # 0: nothing here
    int32_t spelling

cdef struct Token:
    uint64_t low, high
    uint64_t at
    int32_t place

cdef uint64_t ALL = 0xFFFFFFFFFFFFFFFF
cdef uint64_t TAIL = 0xFFFFFFFFFF
cdef uint64_t TEXT = 0xFFFFFFFFFFF  # all of `high` that is not the number
# bytes of the two words that count, by length: looked up, for a branch would often be guessed wrong
cdef uint64_t[14] LOW = [
    0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF,
    ALL, ALL, ALL, ALL, ALL, ALL]
cdef uint64_t[14] HIGH = [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, TAIL]


cdef inline uint64_t mixed(uint64_t low, uint64_t high) noexcept nogil:
    # the highest bits of a product depend on all bits of its factors
    cdef uint64_t x = low ^ (high * <uint64_t> 0x9E3779B97F4A7C15)
    return (x ^ (x >> 32)) * <uint64_t> 0xBF58476D1CE4E5B9


cdef inline uint64_t long_hash(const uint8_t* text, int32_t length) noexcept nogil:
    cdef uint64_t x = <uint64_t> length
    cdef int32_t k
    for k in range(length):
        x = (x ^ text[k]) * <uint64_t> 0x100000001B3
    x ^= x >> 29
    return x if x else 1


cdef inline void read_short(
    Token* token, const uint8_t* text, int32_t length, const uint8_t* end, int shift
) noexcept nogil:
    if text + 16 <= end:
        token.low = bits_word(text) & LOW[length]
        token.high = bits_word(text + 8) & HIGH[length]
    else:
        # near the end of the buffer: not a byte more than there is
        token.low = bits_short_word(text, min(length, 8))
        token.high = bits_short_word(text + 8, length - 8) if length > 8 else 0
    token.at = mixed(token.low, token.high) >> shift
    # a NUL at the end of a text is no zero behind it
    token.high |= <uint64_t> length << 40


cdef class Table:
    """Spellings, each with its position in the list it was made from (0 is the empty text)."""

    cdef object memory, long_memory
    cdef Slot* slots
    cdef LongSlot* long_slots
    cdef uint64_t mask, long_mask
    cdef int shift
    cdef const int32_t[::1] offsets
    cdef const uint8_t[::1] data
    cdef readonly int32_t size

    def __init__(self, const int32_t[::1] offsets, const uint8_t[::1] data):
        """Spelling k is data[offsets[k]:offsets[k + 1]]; the first is empty, all are different."""
        cdef Py_ssize_t n = offsets.shape[0] - 1, k
        cdef uint64_t room = 64, long_room = 64, n_long = 0, at
        cdef int32_t length
        cdef Token token
        cdef const uint8_t* first
        cdef uint8_t[::1] view
        if n > 1 << 20:
            raise ValueError("more spellings than a slot can number")
        for k in range(n):
            n_long += offsets[k + 1] - offsets[k] > SHORT
        # a third full at most: most texts then stand where they are looked for first
        self.shift = 64 - 6
        while 33 * room < 100 * (n - n_long):
            room *= 2
            self.shift -= 1
        while long_room < 2 * n_long:
            long_room *= 2
        self.memory = np.zeros(room * sizeof(Slot), np.uint8)
        view = self.memory
        self.slots, self.mask = <Slot*> &view[0], room - 1
        self.long_memory = np.zeros(long_room * sizeof(LongSlot), np.uint8)
        view = self.long_memory
        self.long_slots, self.long_mask = <LongSlot*> &view[0], long_room - 1
        self.offsets, self.data, self.size = offsets, data, <int32_t> n
        if data.shape[0] == 0:
            return
        first = &data[0]
        for k in range(1, n):
            length = offsets[k + 1] - offsets[k]
            if length > SHORT:
                at = long_hash(first + offsets[k], length)
                self._put_long(at, <int32_t> k)
                continue
            read_short(&token, first + offsets[k], length, first + data.shape[0], self.shift)
            at = token.at
            while self.slots[at].high:
                at = (at + 1) & self.mask
            self.slots[at].low = token.low
            self.slots[at].high = token.high | (<uint64_t> k << 44)

    cdef void _put_long(self, uint64_t hashed, int32_t spelling) noexcept nogil:
        cdef uint64_t at = hashed & self.long_mask
        while self.long_slots[at].hashed:
            at = (at + 1) & self.long_mask
        self.long_slots[at].hashed, self.long_slots[at].spelling = hashed, spelling

    cdef inline int32_t _find(self, const Token* token) noexcept nogil:
        # the number of a short text, -1 if it is no spelling
        cdef uint64_t at = token.at
        cdef const Slot* slot
        while True:
            slot = &self.slots[at]
            if slot.low == token.low and slot.high & TEXT == token.high:
                return <int32_t> (slot.high >> 44)
            if slot.high == 0:
                return -1
            at = (at + 1) & self.mask

    cdef int32_t _find_long(self, const uint8_t* text, int32_t length) noexcept nogil:
        cdef uint64_t hashed = long_hash(text, length)
        cdef uint64_t at = hashed & self.long_mask
        cdef int32_t found
        while self.long_slots[at].hashed:
            found = self.long_slots[at].spelling
            if (
                self.long_slots[at].hashed == hashed
                and self.offsets[found + 1] - self.offsets[found] == length
                and memcmp(&self.data[self.offsets[found]], text, length) == 0
            ):
                return found
            at = (at + 1) & self.long_mask
        return -1

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
                if length > SHORT:
                    out[i] = self._find_long(first + offsets[i], length)
                    if out[i] < 0:
                        misses[n_misses] = <int32_t> i
                        n_misses += 1
                    continue
                read_short(
                    &tokens[under_way], first + offsets[i], length, first + data.shape[0],
                    self.shift)
                tokens[under_way].place = <int32_t> i
                bits_prefetch(&self.slots[tokens[under_way].at])
                under_way += 1
                if under_way == AHEAD:
                    n_misses = self._flush(tokens, AHEAD, &out[0], &misses[0], n_misses)
                    under_way = 0
            n_misses = self._flush(tokens, under_way, &out[0], &misses[0], n_misses)
        return ids, np.sort(missed[:n_misses])

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
                    elif cut - at > SHORT:
                        out[m] = self._find_long(at, <int32_t> (cut - at))
                        if out[m] < 0:
                            misses[n_misses] = <int32_t> m
                            n_misses += 1
                    else:
                        read_short(&tokens[under_way], at, <int32_t> (cut - at), end, self.shift)
                        tokens[under_way].place = <int32_t> m
                        bits_prefetch(&self.slots[tokens[under_way].at])
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
        return ids[:m], rows, starts[:m], np.sort(missed[:n_misses])


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
