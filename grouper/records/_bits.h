/* What C compilers spell differently, and words of eight bytes. */
#ifndef GROUPER_RECORDS_BITS_H
#define GROUPER_RECORDS_BITS_H

#include <stdint.h>
#include <string.h>

#if defined(_MSC_VER)
#include <intrin.h>
static __inline int bits_lowest(uint64_t word) {
    unsigned long place;
#if defined(_M_X64) || defined(_M_ARM64)
    _BitScanForward64(&place, word);
#else
    if (_BitScanForward(&place, (unsigned long)word)) return (int)place;
    _BitScanForward(&place, (unsigned long)(word >> 32));
    place += 32;
#endif
    return (int)place;
}
#if defined(_M_X64) || defined(_M_IX86)
static __inline void bits_prefetch(const void *place) { _mm_prefetch((const char *)place, _MM_HINT_T0); }
#else
static __inline void bits_prefetch(const void *place) { (void)place; }
#endif
#define BITS_INLINE static __inline
#else
#define BITS_INLINE static inline
BITS_INLINE int bits_lowest(uint64_t word) { return __builtin_ctzll(word); }
BITS_INLINE void bits_prefetch(const void *place) { __builtin_prefetch(place); }
#endif

/* Eight bytes as they stand in memory, at any address; the first is the lowest (little endian). */
BITS_INLINE uint64_t bits_word(const uint8_t *text) {
    uint64_t word;
    memcpy(&word, text, 8);
    return word;
}

/* Up to eight bytes, zero behind them; never reads beyond them. */
BITS_INLINE uint64_t bits_short_word(const uint8_t *text, int length) {
    uint64_t word = 0;
    int k;
    for (k = 0; k < length; k++) word |= (uint64_t)text[k] << (8 * k);
    return word;
}

/* The place of a byte in a word, 8 if it is not there. */
BITS_INLINE int bits_find(uint64_t word, uint64_t pattern) {
    uint64_t x = word ^ pattern;
    uint64_t hit = (x - 0x0101010101010101ULL) & ~x & 0x8080808080808080ULL;
    return hit ? bits_lowest(hit) >> 3 : 8;
}

/* The first place at or behind `at` with a byte that is not ASCII, `length` if there is none. */
BITS_INLINE int64_t bits_ascii_end(const uint8_t *text, int64_t at, int64_t length) {
    while (at + 8 <= length) {
        uint64_t high = bits_word(text + at) & 0x8080808080808080ULL;
        if (high) return at + (bits_lowest(high) >> 3);
        at += 8;
    }
    while (at < length && text[at] < 0x80) at++;
    return at;
}

/* How often a byte occurs: short blocks let the compiler count many at once. */
BITS_INLINE int64_t bits_count(const uint8_t *text, int64_t length, uint8_t wanted) {
    int64_t at = 0, total = 0;
    while (at < length) {
        int64_t stop = at + 255 < length ? at + 255 : length;
        uint8_t few = 0;
        for (; at < stop; at++) few += text[at] == wanted;
        total += few;
    }
    return total;
}

#endif
