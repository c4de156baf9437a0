# distutils: language = c
"""The loop over columns: a batch of encoded cases and a compiled scheme in, ids of groups out.

Every meaning here has its readable twin in `grouper.engine.reference`. The tables are those of
`grouper.scheme.compile.CompiledScheme`; what they hold is described there. Whoever calls `group`
has proved that offsets rise and ids lie inside the vocabulary (`grouper.engine.encode`).
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

cdef enum:
    MAX_WORDS = 64  # of a bit row; grouper.scheme.compile.MAX_WORDS
    N_FIELDS = 7
    YES = -1
    MISSING = -2147483648
    NOTHING = 0xFFFF
    UNKNOWN_FLAGS = 4
    # statuses of grouper.engine.groups.Status
    GROUPED = 0
    AMBIGUOUS = 1
    UNGROUPED = 2
    REJECTED = 3
    # reasons of a rejection; those of the reader follow
    REASON_SEX = 1
    REASON_NO_DX = 2

cdef uint32_t NO_ROW = 0xFFFFFFFF

cdef enum AtomKind:
    MAIN_DX = 0
    OTHER_DX = 1
    ANY_DX = 2
    MAIN_PX = 3
    OTHER_PX = 4
    ANY_PX = 5
    FLAG = 6
    INTERVAL = 7
    PAIR = 8

cdef enum TermKind:
    FIELD = 0
    SITES = 1
    HITS = 2

cdef int64_t[N_FIELDS] FIELD_SCALE = [1, 1, 1, 1000, 1, 1, 1000]


cdef struct Columns:
    # IN: n cases; numbers in the order of grouper.scheme.program.FIELDS
    const uint32_t* dx
    const int32_t* dx_offsets
    const uint32_t* px
    const int32_t* px_offsets
    const uint8_t* sex
    const int32_t* age
    const int32_t* age_days
    const int32_t* weight
    const int32_t* los
    const uint8_t* leaving
    const int32_t* icu_hours
    const uint16_t* reject
    # OUT
    uint32_t* rule_id
    uint32_t* group_id
    uint8_t* severity
    uint8_t* status
    uint16_t* reason


cdef struct Case:
    # one case on the slow path; bit rows are filled when an atom first asks for them
    const Columns* columns
    Py_ssize_t at
    Py_ssize_t dx_start, dx_stop, px_start, px_stop
    int flags
    bint has_dx_bits, has_px_bits
    uint32_t main_px_class
    uint64_t[MAX_WORDS] other_dx
    uint64_t[MAX_WORDS] other_px


cdef inline int32_t coded(uint8_t value) noexcept nogil:
    # enumerations are missing when 0
    if value == 0:
        return MISSING
    return value


cdef inline int32_t number(const Columns* c, Py_ssize_t i, int field) noexcept nogil:
    if field == 0:
        return coded(c.sex[i])
    if field == 1:
        return c.age[i]
    if field == 2:
        return c.age_days[i]
    if field == 3:
        return c.weight[i]
    if field == 4:
        return c.los[i]
    if field == 5:
        return coded(c.leaving[i])
    return c.icu_hours[i]


cdef class Kernel:
    """A compiled scheme ready to group; holds the views so that a call only takes columns."""

    cdef const uint32_t[::1] dx_class, dx_table, px_class
    cdef const uint64_t[::1] dx_word
    cdef const uint64_t[:, ::1] dx_bits, px_bits
    cdef const int32_t[::1] bounds, bound_start
    cdef const uint32_t[::1] class_base, cell, cell_mask, cell_full, cell_quiet
    cdef const uint32_t[:, ::1] class_strides
    cdef const uint8_t[::1] class_splits
    cdef const uint32_t[::1] list_first, list_other, list_start, list_stop, cand_rule
    cdef const int32_t[::1] cand_gate, cand_entry
    cdef const uint16_t[:, ::1] first, other
    cdef const uint32_t[::1] rule_adrg, adrg_start, adrg_stop, drg_group
    cdef const uint8_t[::1] rule_ambiguous, adrg_flags, adrg_simple
    cdef const uint32_t[:, ::1] adrg_table
    cdef const int32_t[::1] drg_entry
    cdef const int32_t[::1] node_atom, node_yes, node_no
    cdef const int32_t[::1] atom_kind, atom_a, atom_b, atom_low, atom_high
    cdef const int32_t[::1] term_kind, term_codes, term_start, term_stop, term_lists
    cdef uint32_t no_px
    cdef Py_ssize_t dx_words, px_words

    def __init__(self, scheme):
        candidacy, refinement, program = scheme.candidacy, scheme.refinement, scheme.program
        self.dx_table, self.dx_word, self.dx_bits = scheme.dx_table, scheme.dx_word, scheme.dx_bits
        self.px_class, self.px_bits = scheme.px_class, scheme.px_bits
        self.bounds, self.bound_start = scheme.bounds, scheme.bound_start
        self.rule_adrg, self.rule_ambiguous = scheme.rule_adrg, scheme.rule_ambiguous
        self.dx_class, self.class_base = candidacy.dx_class, candidacy.class_base
        self.class_strides, self.class_splits = candidacy.class_strides, candidacy.class_splits
        self.cell, self.cell_mask = candidacy.cell, candidacy.cell_mask
        self.cell_full, self.cell_quiet = candidacy.cell_full, candidacy.cell_quiet
        self.list_first, self.list_other = candidacy.list_first, candidacy.list_other
        self.list_start, self.list_stop = candidacy.list_start, candidacy.list_stop
        self.cand_rule = candidacy.cand_rule
        self.cand_gate, self.cand_entry = candidacy.cand_gate, candidacy.cand_entry
        self.first, self.other = candidacy.first, candidacy.other
        self.adrg_flags, self.adrg_simple = refinement.flags, refinement.simple
        self.adrg_table = refinement.table
        self.adrg_start, self.adrg_stop = refinement.start, refinement.stop
        self.drg_entry, self.drg_group = refinement.entry, refinement.group
        self.node_atom, self.node_yes, self.node_no = (
            program.node_atom, program.node_yes, program.node_no)
        self.atom_kind, self.atom_a, self.atom_b = (
            program.atom_kind, program.atom_a, program.atom_b)
        self.atom_low, self.atom_high = program.atom_low, program.atom_high
        self.term_kind, self.term_codes = program.term_kind, program.term_codes
        self.term_start, self.term_stop = program.term_start, program.term_stop
        self.term_lists = program.term_lists
        self.no_px = self.px_bits.shape[0] - 1
        self.dx_words = self.dx_bits.shape[1]
        self.px_words = self.px_bits.shape[1]

    def group(
        self,
        const uint32_t[::1] dx, const int32_t[::1] dx_offsets,
        const uint32_t[::1] px, const int32_t[::1] px_offsets,
        const uint8_t[::1] sex, const int32_t[::1] age, const int32_t[::1] age_days,
        const int32_t[::1] weight, const int32_t[::1] los, const uint8_t[::1] leaving,
        const int32_t[::1] icu_hours, const uint16_t[::1] reject,
        uint32_t[::1] rule_id, uint32_t[::1] group_id, uint8_t[::1] severity,
        uint8_t[::1] status, uint16_t[::1] reason,
    ):
        """Group n cases; returns how many took the slow path. The OUT columns are filled."""
        cdef Py_ssize_t n = sex.shape[0]
        cdef Columns c
        cdef int64_t slow
        cdef uint32_t none = 0
        if n == 0:
            return 0
        # a batch may hold no code at all: then nothing is read through the pointer
        c.dx = &dx[0] if dx.shape[0] else &none
        c.px = &px[0] if px.shape[0] else &none
        c.dx_offsets, c.px_offsets = &dx_offsets[0], &px_offsets[0]
        c.sex, c.age, c.age_days, c.weight = &sex[0], &age[0], &age_days[0], &weight[0]
        c.los, c.leaving, c.icu_hours, c.reject = &los[0], &leaving[0], &icu_hours[0], &reject[0]
        c.rule_id, c.group_id, c.severity = &rule_id[0], &group_id[0], &severity[0]
        c.status, c.reason = &status[0], &reason[0]
        with nogil:
            slow = self._group(&c, n)
        return slow

    def group_one(
        self, list dx, list px, uint8_t sex, int32_t age, int32_t age_days, int32_t weight,
        int32_t los, uint8_t leaving, int32_t icu_hours,
    ):
        """One case from lists of ids -> (rule_id, group_id, severity, status, reason).

        Reasons are those of grouper.engine.groups.
        """
        cdef Columns c
        cdef Py_ssize_t k, n_dx = len(dx), n_px = len(px)
        cdef int32_t[2] dx_offsets
        cdef int32_t[2] px_offsets
        cdef uint32_t rule_id, group_id
        cdef uint8_t severity, status
        cdef uint16_t reason, reject = 0
        cdef uint32_t* ids = <uint32_t*> malloc((n_dx + n_px + 1) * sizeof(uint32_t))
        if ids == NULL:
            raise MemoryError
        try:
            for k in range(n_dx):
                ids[k] = dx[k]
            for k in range(n_px):
                ids[n_dx + k] = px[k]
            dx_offsets[0], dx_offsets[1] = 0, <int32_t> n_dx
            px_offsets[0], px_offsets[1] = 0, <int32_t> n_px
            c.dx, c.px, c.dx_offsets, c.px_offsets = ids, ids + n_dx, dx_offsets, px_offsets
            c.sex, c.age, c.age_days, c.weight = &sex, &age, &age_days, &weight
            c.los, c.leaving, c.icu_hours, c.reject = &los, &leaving, &icu_hours, &reject
            c.rule_id, c.group_id, c.severity = &rule_id, &group_id, &severity
            c.status, c.reason = &status, &reason
            self._group(&c, 1)
        finally:
            free(ids)
        return rule_id, group_id, severity, status, reason

    cdef int64_t _group(self, const Columns* c, Py_ssize_t n) noexcept nogil:
        cdef const uint32_t[::1] dx_class = self.dx_class
        cdef const uint32_t[::1] px_class = self.px_class
        cdef const uint16_t[:, ::1] first = self.first
        cdef const uint16_t[:, ::1] other = self.other
        cdef Py_ssize_t i, k, dx_start, dx_stop, px_start, px_stop, cand
        cdef int64_t slow = 0
        cdef uint32_t principal, cls, cell, mask, quiet, cands, row, rule, adrg, group
        cdef uint16_t entry, further
        cdef int flags
        cdef bint known_sex
        for i in range(n):
            c.rule_id[i] = 0
            c.group_id[i] = 0
            c.severity[i] = 0
            c.reason[i] = 0
            dx_start, dx_stop = c.dx_offsets[i], c.dx_offsets[i + 1]
            known_sex = c.sex[i] == 1 or c.sex[i] == 2
            if c.reject[i] or not known_sex or dx_start == dx_stop:
                c.status[i] = REJECTED
                if c.reject[i]:
                    c.reason[i] = c.reject[i] + REASON_NO_DX
                else:
                    c.reason[i] = REASON_NO_DX if known_sex else REASON_SEX
                continue
            principal = c.dx[dx_start]
            cls = dx_class[principal]
            k = self.class_base[cls]
            if self.class_splits[cls]:
                k += self._cell_offset(c, i, cls)
            cell = self.cell[k]
            cands = self.cell_full[cell]
            flags = UNKNOWN_FLAGS
            mask = self.cell_mask[cell]
            if mask:
                flags = self._look_at_others(c.dx, dx_start, dx_stop, &quiet)
                if quiet & mask == 0:
                    cands = self.cell_quiet[cell]
            px_start, px_stop = c.px_offsets[i], c.px_offsets[i + 1]
            if px_start == px_stop:
                entry = first[self.list_first[cands], self.no_px]
            else:
                entry = first[self.list_first[cands], px_class[c.px[px_start]]]
                row = self.list_other[cands]
                if row != NO_ROW:
                    for k in range(px_start + 1, px_stop):
                        further = other[row, px_class[c.px[k]]]
                        if further < entry:
                            entry = further
            if entry == NOTHING:
                c.status[i] = UNGROUPED
                continue
            cand = self.list_start[cands] + (entry >> 1)
            if entry & 1 == 0:
                rule = self.cand_rule[cand]
                adrg = self.rule_adrg[rule]
                if self.rule_ambiguous[rule]:
                    c.rule_id[i] = rule + 1
                    c.status[i] = AMBIGUOUS
                    continue
                if self.adrg_simple[adrg]:
                    if self.adrg_flags[adrg] == 0:
                        group = self.adrg_table[adrg, 0]
                        if group:
                            c.rule_id[i] = rule + 1
                            c.group_id[i] = group
                            c.status[i] = GROUPED
                            continue
                    else:
                        if flags == UNKNOWN_FLAGS:
                            flags = self._look_at_others(c.dx, dx_start, dx_stop, &quiet)
                        group = self.adrg_table[adrg, flags]
                        if group:
                            c.rule_id[i] = rule + 1
                            c.group_id[i] = group
                            c.severity[i] = 2 if flags & 2 else flags
                            c.status[i] = GROUPED
                            continue
            slow += 1
            self._walk(c, i, cand, self.list_stop[cands], flags)
        return slow

    cdef inline Py_ssize_t _cell_offset(
        self, const Columns* c, Py_ssize_t i, uint32_t cls
    ) noexcept nogil:
        cdef Py_ssize_t offset = 0
        cdef uint32_t stride
        cdef int field
        cdef int32_t value, k
        for field in range(N_FIELDS):
            stride = self.class_strides[cls, field]
            if stride:
                value = number(c, i, field)
                for k in range(self.bound_start[field], self.bound_start[field + 1]):
                    if self.bounds[k] > value:
                        break
                    offset += stride
        return offset

    cdef inline int _look_at_others(
        self, const uint32_t* dx, Py_ssize_t start, Py_ssize_t stop, uint32_t* quiet
    ) noexcept nogil:
        # MCC/CC flags after exclusion, and the quiet bits of all other diagnoses
        cdef const uint64_t[::1] dx_word = self.dx_word
        cdef uint64_t word, bits = 0
        cdef uint32_t table = self.dx_table[dx[start]]
        cdef uint32_t flags = 0
        cdef Py_ssize_t k
        for k in range(start + 1, stop):
            word = dx_word[dx[k]]
            bits |= word
            # no branch: an excluded complication adds nothing
            flags |= <uint32_t> (word >> 62) & -<uint32_t> (
                (<uint32_t> (word >> 32) & 0x3FFFFFFF) != table)
        quiet[0] = <uint32_t> bits
        return <int> flags

    cdef void _walk(
        self, const Columns* c, Py_ssize_t i, Py_ssize_t cand, Py_ssize_t stop, int flags
    ) noexcept nogil:
        # candidates from `cand` on, in order, each with all that remains of its condition
        cdef Case case
        cdef uint32_t rule, group
        cdef int gate = YES
        cdef bint entered = True
        case.columns = c
        case.at = i
        case.dx_start, case.dx_stop = c.dx_offsets[i], c.dx_offsets[i + 1]
        case.px_start, case.px_stop = c.px_offsets[i], c.px_offsets[i + 1]
        case.flags = flags
        case.has_dx_bits = case.has_px_bits = False
        case.main_px_class = self.no_px
        if case.px_start < case.px_stop:
            case.main_px_class = self.px_class[c.px[case.px_start]]
        while cand < stop:
            if self.cand_gate[cand] != gate:
                gate = self.cand_gate[cand]
                entered = self._holds(&case, gate)
            if entered and self._holds(&case, self.cand_entry[cand]):
                rule = self.cand_rule[cand]
                if self.rule_ambiguous[rule]:
                    c.rule_id[i] = rule + 1
                    c.status[i] = AMBIGUOUS
                    return
                group = self._refine(&case, self.rule_adrg[rule])
                if group:
                    c.rule_id[i] = rule + 1
                    c.group_id[i] = group
                    c.status[i] = GROUPED
                    if self.adrg_flags[self.rule_adrg[rule]]:
                        flags = self._flags(&case)
                        c.severity[i] = 2 if flags & 2 else flags
                    return
            cand += 1
        c.status[i] = UNGROUPED

    cdef uint32_t _refine(self, Case* case, uint32_t adrg) noexcept nogil:
        cdef Py_ssize_t k
        if self.adrg_simple[adrg]:
            return self.adrg_table[adrg, self._flags(case) if self.adrg_flags[adrg] else 0]
        for k in range(self.adrg_start[adrg], self.adrg_stop[adrg]):
            if self._holds(case, self.drg_entry[k]):
                return self.drg_group[k]
        return 0

    cdef bint _holds(self, Case* case, int node) noexcept nogil:
        while node >= 0:
            if self._atom(case, self.node_atom[node]):
                node = self.node_yes[node]
            else:
                node = self.node_no[node]
        return node == YES

    cdef bint _atom(self, Case* case, int atom) noexcept nogil:
        cdef int kind = self.atom_kind[atom], a = self.atom_a[atom]
        cdef int64_t value
        if kind <= ANY_PX:
            return self._member(case, kind, a)
        if kind == FLAG:
            return self._flags(case) & a != 0
        if kind == INTERVAL:
            value = self._term(case, a)
            return value != MISSING and self.atom_low[atom] <= value <= self.atom_high[atom]
        return self._pair(case, a, self.atom_b[atom], self.atom_low[atom])

    cdef bint _pair(self, Case* case, int left, int right, int op) noexcept nogil:
        cdef int64_t a = self._term(case, left), b = self._term(case, right)
        if a == MISSING or b == MISSING:
            return False
        a *= self._scale(right)
        b *= self._scale(left)
        if op == 0:
            return a < b
        if op == 1:
            return a <= b
        if op == 2:
            return a > b
        if op == 3:
            return a >= b
        return a == b

    cdef int64_t _scale(self, int term) noexcept nogil:
        return FIELD_SCALE[self.term_codes[term]] if self.term_kind[term] == FIELD else 1

    cdef int64_t _term(self, Case* case, int term) noexcept nogil:
        cdef int kind = self.term_kind[term]
        cdef int64_t count = 0
        cdef int32_t k
        if kind == FIELD:
            return number(case.columns, case.at, self.term_codes[term])
        if kind == SITES:
            for k in range(self.term_start[term], self.term_stop[term]):
                count += self._member(case, ANY_DX, self.term_lists[k])
            return count
        return self._hits(case, self.term_codes[term], self.term_start[term])

    cdef int64_t _hits(self, Case* case, int codes, int bit) noexcept nogil:
        # distinct codes of the case in a list
        cdef bint of_dx = codes <= ANY_DX
        cdef const uint32_t* ids = case.columns.dx if of_dx else case.columns.px
        cdef Py_ssize_t start = case.dx_start if of_dx else case.px_start
        cdef Py_ssize_t stop = case.dx_stop if of_dx else case.px_stop
        cdef Py_ssize_t k, earlier
        cdef int64_t count = 0
        cdef uint64_t word
        if codes == MAIN_DX or codes == MAIN_PX:
            stop = min(stop, start + 1)
        elif codes == OTHER_DX or codes == OTHER_PX:
            start = min(stop, start + 1)
        for k in range(start, stop):
            word = (
                self.dx_bits[ids[k], bit >> 6] if of_dx
                else self.px_bits[self.px_class[ids[k]], bit >> 6])
            if word >> (bit & 63) & 1:
                count += 1
                for earlier in range(start, k):
                    if ids[earlier] == ids[k]:
                        count -= 1
                        break
        return count

    cdef bint _member(self, Case* case, int codes, int bit) noexcept nogil:
        cdef Py_ssize_t word = bit >> 6
        cdef uint64_t bits = 0
        if codes <= ANY_DX:
            if codes != OTHER_DX:
                bits = self.dx_bits[case.columns.dx[case.dx_start], word]
            if codes != MAIN_DX:
                if not case.has_dx_bits:
                    self._collect_dx(case)
                bits |= case.other_dx[word]
        else:
            if codes != OTHER_PX:
                bits = self.px_bits[case.main_px_class, word]
            if codes != MAIN_PX:
                if not case.has_px_bits:
                    self._collect_px(case)
                bits |= case.other_px[word]
        return bits >> (bit & 63) & 1

    cdef void _collect_dx(self, Case* case) noexcept nogil:
        cdef Py_ssize_t k, word
        case.has_dx_bits = True
        for word in range(self.dx_words):
            case.other_dx[word] = 0
        for k in range(case.dx_start + 1, case.dx_stop):
            for word in range(self.dx_words):
                case.other_dx[word] |= self.dx_bits[case.columns.dx[k], word]

    cdef void _collect_px(self, Case* case) noexcept nogil:
        cdef Py_ssize_t k, word
        case.has_px_bits = True
        for word in range(self.px_words):
            case.other_px[word] = 0
        for k in range(case.px_start + 1, case.px_stop):
            for word in range(self.px_words):
                case.other_px[word] |= self.px_bits[self.px_class[case.columns.px[k]], word]

    cdef int _flags(self, Case* case) noexcept nogil:
        cdef uint32_t quiet
        if case.flags == UNKNOWN_FLAGS:
            case.flags = self._look_at_others(
                case.columns.dx, case.dx_start, case.dx_stop, &quiet)
        return case.flags


def sum_ids(
    const uint32_t[::1] dx, const int32_t[::1] dx_offsets,
    const uint32_t[::1] px, const int32_t[::1] px_offsets, uint32_t[::1] out,
):
    """The floor of any grouper: walk the offsets and sum the ids of each case (benchmarks)."""
    cdef Py_ssize_t i, k
    cdef uint32_t total
    with nogil:
        for i in range(out.shape[0]):
            total = 0
            for k in range(dx_offsets[i], dx_offsets[i + 1]):
                total += dx[k]
            for k in range(px_offsets[i], px_offsets[i + 1]):
                total += px[k]
            out[i] = total
