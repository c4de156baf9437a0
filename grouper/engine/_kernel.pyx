# distutils: language = c
"""The loop over columns: a batch of encoded cases and a compiled scheme in, ids of groups out.

Every meaning here has its readable twin in `grouper.engine.reference`. The tables are those of
`grouper.scheme.compile.CompiledScheme`; what they hold is described there. Whoever calls `group`
has proved that offsets rise and ids lie inside the vocabulary (`grouper.engine.encode`).

One file, though long: the blocks and the slow path share structs, and the C compiler inlines
across them.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

cdef enum:
    MAX_WORDS = 64  # of a bit row; grouper.scheme.vocabulary.MAX_WORDS
    N_FIELDS = 7
    BLOCK = 64
    YES = -1
    MISSING = -2147483648
    NOTHING = 0xFFFF
    # statuses of grouper.engine.groups.Status
    GROUPED = 0
    AMBIGUOUS = 1
    UNGROUPED = 2
    REJECTED = 3
    # reasons of a rejection; those of the reader follow
    REASON_SEX = 1
    REASON_NO_DX = 2

cdef enum:
    # columns of Kernel.variants
    FIRST = 0
    OTHER = 1
    START = 2
    STOP = 3

cdef uint32_t NO_ROW = 0xFFFFFFFF
cdef uint32_t SPLIT = 0x80000000

# by flags CC | MCC: grouper.engine.groups.Severity
cdef uint8_t[4] SEVERITY = [0, 1, 2, 2]

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


cdef struct Block:
    # cases under way; `live` of them
    Py_ssize_t live
    Py_ssize_t[BLOCK] case
    uint32_t[BLOCK] cell
    uint32_t[BLOCK] variant
    int[BLOCK] flags
    uint16_t[BLOCK] entry


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

    cdef const uint32_t[::1] dx_cell, dx_table, dx_word
    cdef const uint16_t[::1] px_class
    cdef const uint64_t[:, ::1] dx_bits, px_bits
    cdef const int32_t[::1] bounds, bound_start
    cdef const uint32_t[::1] split_base, gate_start
    cdef const uint32_t[:, ::1] split_strides, cell_mask
    cdef const int32_t[::1] gate
    cdef const uint32_t[:, ::1] variants
    cdef const uint32_t[::1] cand_rule
    cdef const int32_t[::1] cand_gate, cand_entry
    cdef const uint16_t[::1] first, other
    cdef const uint32_t[::1] rule_table, rule_start, rule_stop, drg_group
    cdef const uint8_t[::1] rule_flags, rule_plain, rule_status
    cdef const int32_t[::1] drg_entry
    cdef const int32_t[::1] node_atom, node_yes, node_no
    cdef const int32_t[::1] atom_kind, atom_a, atom_b, atom_low, atom_high
    cdef const int32_t[::1] term_kind, term_codes, term_start, term_stop, term_lists
    cdef uint32_t no_px
    cdef Py_ssize_t dx_words, px_words

    def __init__(self, scheme):
        vocabulary, program = scheme.vocabulary, scheme.program
        candidacy, refinement = scheme.candidacy, scheme.refinement
        self.dx_table, self.dx_word = vocabulary.dx_table, vocabulary.dx_word
        self.dx_bits, self.px_bits = vocabulary.dx_bits, vocabulary.px_bits
        self.px_class = vocabulary.px_class
        self.bounds, self.bound_start = scheme.bounds, scheme.bound_start
        self.dx_cell, self.cell_mask = candidacy.dx_cell, candidacy.cell_mask
        self.split_base, self.split_strides = candidacy.split_base, candidacy.split_strides
        self.gate_start, self.gate = candidacy.gate_start, candidacy.gate
        self.variants, self.cand_rule = candidacy.variants, candidacy.cand_rule
        self.cand_gate, self.cand_entry = candidacy.cand_gate, candidacy.cand_entry
        self.first, self.other = candidacy.first, candidacy.other
        self.rule_table, self.rule_flags = refinement.table, refinement.flags
        self.rule_plain, self.rule_status = refinement.plain, refinement.status
        self.rule_start, self.rule_stop = refinement.start, refinement.stop
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
        # in blocks and short passes: the loads of many cases are then under way at once, and a
        # branch that was guessed wrong has little to undo
        cdef Block block
        cdef Py_ssize_t start = 0
        cdef int64_t slow = 0
        while start < n:
            self._check(c, &block, start, min(n, start + BLOCK))
            self._enter(c, &block)
            self._look_up(c, &block)
            slow += self._settle(c, &block)
            start += BLOCK
        return slow

    cdef void _check(
        self, const Columns* c, Block* block, Py_ssize_t start, Py_ssize_t stop
    ) noexcept nogil:
        # reject what cannot be grouped; the principal diagnosis of the others names their cell
        cdef Py_ssize_t i, live = 0
        cdef bint known_sex
        for i in range(start, stop):
            c.rule_id[i] = 0
            c.group_id[i] = 0
            c.severity[i] = 0
            c.reason[i] = 0
            known_sex = c.sex[i] == 1 or c.sex[i] == 2
            if c.reject[i] or not known_sex or c.dx_offsets[i] == c.dx_offsets[i + 1]:
                c.status[i] = REJECTED
                if c.reject[i]:
                    c.reason[i] = c.reject[i] + REASON_NO_DX
                else:
                    c.reason[i] = REASON_NO_DX if known_sex else REASON_SEX
                continue
            block.case[live] = i
            block.cell[live] = self.dx_cell[c.dx[c.dx_offsets[i]]]
            live += 1
        block.live = live

    cdef void _enter(self, const Columns* c, Block* block) noexcept nogil:
        # numbers split some cells; the other diagnoses choose between the two candidate lists
        cdef Py_ssize_t k, i
        cdef uint32_t cell, quiet
        cdef bint calm
        for k in range(block.live):
            i = block.case[k]
            cell = block.cell[k]
            if cell & SPLIT:
                cell = self._cell(c, i, cell ^ SPLIT)
            # most ADRGs need the flags: to look at the others always is cheaper than to decide
            block.flags[k] = self._look_at_others(
                c.dx, c.dx_offsets[i], c.dx_offsets[i + 1], &quiet)
            calm = quiet & self.cell_mask[cell, 0] == 0
            if not calm and quiet & self.cell_mask[cell, 1] == 0:
                calm = not self._opens(c, i, cell, block.flags[k])
            block.variant[k] = 2 * cell + calm

    cdef bint _opens(
        self, const Columns* c, Py_ssize_t i, uint32_t cell, int flags
    ) noexcept nogil:
        # whether an MDC opens that only other diagnoses open
        cdef Case case
        cdef uint32_t k
        self._begin(&case, c, i, flags)
        for k in range(self.gate_start[cell], self.gate_start[cell + 1]):
            if self._holds(&case, self.gate[k]):
                return True
        return False

    cdef void _look_up(self, const Columns* c, Block* block) noexcept nogil:
        # the first candidate that one of the procedures can bring about
        cdef Py_ssize_t k, j, start, stop
        cdef uint32_t row, px
        cdef uint16_t entry, further
        for k in range(block.live):
            start, stop = c.px_offsets[block.case[k]], c.px_offsets[block.case[k] + 1]
            px = self.no_px
            if start < stop:
                px = self.px_class[c.px[start]]
            entry = self.first[self.variants[block.variant[k], FIRST] + px]
            row = self.variants[block.variant[k], OTHER]
            if row != NO_ROW:
                for j in range(start + 1, stop):
                    further = self.other[row + self.px_class[c.px[j]]]
                    if further < entry:
                        entry = further
            block.entry[k] = entry

    cdef int64_t _settle(self, const Columns* c, Block* block) noexcept nogil:
        # the group, or the way over open conditions; returns how many cases took that
        cdef Py_ssize_t k, i
        cdef int64_t slow = 0
        cdef uint32_t rule, group, cand
        cdef uint16_t entry
        cdef int flags
        for k in range(block.live):
            i, entry = block.case[k], block.entry[k]
            if entry == NOTHING:
                c.status[i] = UNGROUPED
                continue
            cand = self.variants[block.variant[k], START] + (entry >> 1)
            rule = self.cand_rule[cand]
            flags = block.flags[k] & self.rule_flags[rule]
            group = self.rule_table[4 * rule + flags]
            if entry & 1 or (group == 0 and self.rule_status[rule] == GROUPED):
                # a condition is open, or no DRG of the ADRG takes the case by its flags alone
                slow += 1
                self._walk(c, i, cand, self.variants[block.variant[k], STOP], block.flags[k])
                continue
            c.rule_id[i] = rule + 1
            c.group_id[i] = group
            c.severity[i] = SEVERITY[flags]
            c.status[i] = self.rule_status[rule]
        return slow

    cdef uint32_t _cell(self, const Columns* c, Py_ssize_t i, uint32_t split) noexcept nogil:
        cdef uint32_t cell = self.split_base[split]
        cdef uint32_t stride
        cdef int field
        cdef int32_t value, k
        for field in range(N_FIELDS):
            stride = self.split_strides[split, field]
            if stride:
                value = number(c, i, field)
                for k in range(self.bound_start[field], self.bound_start[field + 1]):
                    if self.bounds[k] > value:
                        break
                    cell += stride
        return cell

    cdef inline int _look_at_others(
        self, const uint32_t* dx, Py_ssize_t start, Py_ssize_t stop, uint32_t* quiet
    ) noexcept nogil:
        # MCC/CC flags after exclusion, and the quiet bits of all other diagnoses
        cdef uint32_t word, bits = 0
        cdef uint32_t table = self.dx_table[dx[start]]
        cdef uint32_t flags = 0
        cdef Py_ssize_t k
        for k in range(start + 1, stop):
            word = self.dx_word[dx[k]]
            bits |= word
            # no branch: an excluded complication adds nothing
            flags |= (word >> 30) & -<uint32_t> ((word >> 16 & 0x3FFF) != table)
        quiet[0] = bits & 0xFFFF
        return <int> flags

    cdef void _walk(
        self, const Columns* c, Py_ssize_t i, Py_ssize_t cand, Py_ssize_t stop, int flags
    ) noexcept nogil:
        # candidates from `cand` on, in order, each with all that remains of its condition
        cdef Case case
        cdef uint32_t rule, group
        cdef int gate = YES
        cdef bint entered = True
        self._begin(&case, c, i, flags)
        while cand < stop:
            if self.cand_gate[cand] != gate:
                gate = self.cand_gate[cand]
                entered = self._holds(&case, gate)
            if entered and self._holds(&case, self.cand_entry[cand]):
                rule = self.cand_rule[cand]
                group = self._refine(&case, rule)
                if group or self.rule_status[rule] == AMBIGUOUS:
                    c.rule_id[i] = rule + 1
                    c.group_id[i] = group
                    c.severity[i] = SEVERITY[flags & self.rule_flags[rule]]
                    c.status[i] = self.rule_status[rule]
                    return
            cand += 1
        c.status[i] = UNGROUPED

    cdef inline void _begin(
        self, Case* case, const Columns* c, Py_ssize_t i, int flags
    ) noexcept nogil:
        case.columns = c
        case.at = i
        case.dx_start, case.dx_stop = c.dx_offsets[i], c.dx_offsets[i + 1]
        case.px_start, case.px_stop = c.px_offsets[i], c.px_offsets[i + 1]
        case.flags = flags
        case.has_dx_bits = case.has_px_bits = False
        case.main_px_class = self.no_px
        if case.px_start < case.px_stop:
            case.main_px_class = self.px_class[c.px[case.px_start]]

    cdef uint32_t _refine(self, Case* case, uint32_t rule) noexcept nogil:
        cdef Py_ssize_t k
        if self.rule_plain[rule]:
            return self.rule_table[4 * rule + (case.flags & self.rule_flags[rule])]
        for k in range(self.rule_start[rule], self.rule_stop[rule]):
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
            return case.flags & a != 0
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
        if kind == FIELD:
            return number(case.columns, case.at, self.term_codes[term])
        if kind == SITES:
            return self._sites(case, self.term_start[term], self.term_stop[term])
        return self._hits(case, self.term_codes[term], self.term_start[term])

    cdef int64_t _sites(self, Case* case, int32_t start, int32_t stop) noexcept nogil:
        # lists that hold at least one diagnosis of the case
        cdef int64_t count = 0
        cdef int32_t k, bit
        cdef uint32_t principal = case.columns.dx[case.dx_start]
        if not case.has_dx_bits:
            self._collect_dx(case)
        for k in range(start, stop):
            bit = self.term_lists[k]
            count += (
                (self.dx_bits[principal, bit >> 6] | case.other_dx[bit >> 6]) >> (bit & 63) & 1)
        return count

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
