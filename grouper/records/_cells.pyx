# distutils: language = c
"""What cells plainly write, read from Arrow's text buffers without a Python object a cell.

A text column of n cells is `offsets` (n + 1, int32) into `data` (bytes). Every function fills OUT
arrays for cells in plain form and lists the rows of all others in `odd`; those are read by the
parsers of `grouper.records.values`, which say what any cell means. Returned is how many are odd.
"""

from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint64_t


cdef inline bint is_digit(uint8_t letter) noexcept nogil:
    return 48 <= letter <= 57


def whole_numbers(
    const int32_t[::1] offsets, const uint8_t[::1] data, int64_t low, int64_t high, int64_t scale,
    int64_t missing, int64_t[::1] out, int32_t[::1] odd,
):
    """`12` and `12.0` between low and high, times scale; an empty cell is missing."""
    cdef Py_ssize_t n = offsets.shape[0] - 1, i, n_odd = 0
    cdef int32_t at, stop
    cdef int64_t value
    with nogil:
        for i in range(n):
            at, stop = offsets[i], offsets[i + 1]
            if at == stop:
                out[i] = missing
                continue
            value = 0
            if stop - at <= 14 and is_digit(data[at]):
                while at < stop and is_digit(data[at]):
                    value = 10 * value + (data[at] - 48)
                    at += 1
                if at + 1 < stop and data[at] == 46:
                    at += 1
                    while at < stop and data[at] == 48:
                        at += 1
            if at < stop or value < low or value > high:
                odd[n_odd] = <int32_t> i
                n_odd += 1
                out[i] = missing
                continue
            out[i] = value * scale
    return n_odd


def amounts(
    const int32_t[::1] offsets, const uint8_t[::1] data, int64_t missing, int64_t[::1] out,
    int32_t[::1] odd,
):
    """`1234`, `1234.5` and `1234.50` yuan as fen, up to 15 digits; an empty cell is missing."""
    cdef Py_ssize_t n = offsets.shape[0] - 1, i, n_odd = 0
    cdef int32_t at, stop, begun
    cdef int64_t value
    cdef bint plain
    with nogil:
        for i in range(n):
            at, stop = offsets[i], offsets[i + 1]
            if at == stop:
                out[i] = missing
                continue
            value, begun = 0, at
            while at < stop and is_digit(data[at]):
                value = 10 * value + (data[at] - 48)
                at += 1
                if at - begun > 15:
                    break
            plain = 0 < at - begun <= 15
            value *= 100
            if plain and at < stop:
                # a point and one or two digits
                plain = data[at] == 46 and 1 < stop - at <= 3 and is_digit(data[at + 1])
                if plain:
                    value += 10 * (data[at + 1] - 48)
                    if stop - at == 3:
                        plain = is_digit(data[at + 2])
                        value += data[at + 2] - 48
            if not plain:
                odd[n_odd] = <int32_t> i
                n_odd += 1
                out[i] = missing
                continue
            out[i] = value
    return n_odd


cdef inline int two(const uint8_t* text) noexcept nogil:
    # two digits as a number, -1 if they are none
    if is_digit(text[0]) and is_digit(text[1]):
        return 10 * (text[0] - 48) + text[1] - 48
    return -1


cdef int[13] DAYS = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


cdef inline int64_t days_since_1970(int year, int month, int day) noexcept nogil:
    # whole 400-year cycles from 1 March 0000 on: the leap day is then the last of its year
    cdef int64_t shifted = year - (month <= 2)
    cdef int64_t cycle = shifted // 400
    cdef int64_t of_cycle = shifted - cycle * 400
    cdef int64_t of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return (
        cycle * 146097 + of_cycle * 365 + of_cycle // 4 - of_cycle // 100 + of_year - 719468
    )


def days(
    const int32_t[::1] offsets, const uint8_t[::1] data, int64_t missing, int64_t[::1] out,
    int32_t[::1] odd,
):
    """`2025-06-14`, `2025/06/14`, `20250614`, a time behind them or not, as days since 1970-01-01.

    An empty cell is missing.
    """
    cdef Py_ssize_t n = offsets.shape[0] - 1, i, n_odd = 0
    cdef int32_t length
    cdef int century, year, month, day
    cdef const uint8_t* text
    cdef bint plain
    with nogil:
        for i in range(n):
            length = offsets[i + 1] - offsets[i]
            if length == 0:
                out[i] = missing
                continue
            plain = False
            if length >= 8:
                text = &data[offsets[i]]
                century, year = two(text), two(text + 2)
                if length >= 10 and text[4] == text[7] and (text[4] == 45 or text[4] == 47):
                    month, day = two(text + 5), two(text + 8)
                    # behind the day nothing, or a blank or T and a digit: a time of day
                    plain = length == 10 or (
                        12 <= length <= 19 and (text[10] == 32 or text[10] == 84)
                        and is_digit(text[11]) and ascii_time(text + 11, length - 11))
                else:
                    month, day = two(text + 4), two(text + 6)
                    plain = length == 8 or (length == 14 and all_digits(text + 8, 6))
                if plain:
                    # -1 of what are no digits must not become the year before a century
                    plain = century >= 0 and year >= 0
                    year += 100 * century
                    plain = (
                        plain and year > 0 and 1 <= month <= 12 and 1 <= day
                        and day <= DAYS[month] + (
                            month == 2 and year % 4 == 0
                            and (year % 100 != 0 or year % 400 == 0)))
            if not plain:
                odd[n_odd] = <int32_t> i
                n_odd += 1
                out[i] = missing
                continue
            out[i] = days_since_1970(year, month, day)
    return n_odd


cdef inline bint all_digits(const uint8_t* text, int length) noexcept nogil:
    cdef int k
    for k in range(length):
        if not is_digit(text[k]):
            return False
    return True


cdef inline bint ascii_time(const uint8_t* text, int length) noexcept nogil:
    # digits and colons only
    cdef int k
    for k in range(length):
        if not is_digit(text[k]) and text[k] != 58:
            return False
    return True


def letters(
    const int32_t[::1] offsets, const uint8_t[::1] data, const int16_t[::1] meaning,
    int64_t[::1] out, int32_t[::1] odd,
):
    """Cells of one ASCII sign by their meaning, 256 numbers, negative for none; empty is 0."""
    cdef Py_ssize_t n = offsets.shape[0] - 1, i, n_odd = 0
    cdef int32_t length
    with nogil:
        for i in range(n):
            length = offsets[i + 1] - offsets[i]
            out[i] = 0
            if length == 0:
                continue
            if length == 1 and meaning[data[offsets[i]]] >= 0:
                out[i] = meaning[data[offsets[i]]]
                continue
            odd[n_odd] = <int32_t> i
            n_odd += 1
    return n_odd


def odd_texts(const int32_t[::1] offsets, const uint8_t[::1] data, int32_t[::1] odd):
    """Rows of cells that are more than ASCII letters, digits, `_`, `-`, `.`, or have no digit."""
    cdef Py_ssize_t n = offsets.shape[0] - 1, i, n_odd = 0
    cdef int32_t at
    cdef uint8_t letter
    cdef bint plain, digit
    with nogil:
        for i in range(n):
            plain, digit = True, False
            for at in range(offsets[i], offsets[i + 1]):
                letter = data[at]
                if is_digit(letter):
                    digit = True
                elif not (
                    97 <= letter <= 122 or 65 <= letter <= 90 or letter == 95 or letter == 45
                    or letter == 46
                ):
                    plain = False
                    break
            if not plain or not digit:
                odd[n_odd] = <int32_t> i
                n_odd += 1
    return n_odd


def fingerprints(
    const int32_t[::1] offsets, const uint8_t[::1] data, const uint64_t[::1] factors,
    uint64_t[::1] out,
):
    """A number for each text: the sum of (letter + 1) x factor of its place, modulo 2**64.

    0 only for an empty text. `factors` has one number for each place of the longest text.
    """
    cdef Py_ssize_t n = offsets.shape[0] - 1, i
    cdef int32_t at, start
    cdef uint64_t total
    with nogil:
        for i in range(n):
            start, total = offsets[i], 0
            for at in range(start, offsets[i + 1]):
                total += (<uint64_t> data[at] + 1) * factors[at - start]
            if total == 0 and offsets[i + 1] > start:
                total = 1
            out[i] = total
