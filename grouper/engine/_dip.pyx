# distutils: language = c
"""The loop over columns for DIP: encoded cases and the tables of a catalogue in, rows out.

Every meaning here has its readable twin in `grouper.engine.dip_reference` (and dip_ties,
dip_layers). What the tables hold is described in `grouper.engine.dip_layout` and `dip_tables`.
Whoever calls `group` has proved that offsets rise and numbers lie inside the tables
(`grouper.engine.dip`). What does not fit in words of this loop is handed to the twin, and counted.

One file, though long, as `_kernel` is: its functions share the case under way.
"""

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free

cdef enum:
    MOST_OPS = 64  # operations of a case: one bit each
    MOST_CANDIDATES = 128
    MISSING = -2147483648
    # grouper.engine.dip_tables
    NO_DX = -2
    NO_NUMBER = -2
    NOT_MAIN = 1
    CONSERVATIVE = 2
    HAND_OP = 3
    SCOPE = 4
    RESISTANT = 63
    # classes
    SURGICAL = 3
    # statuses of grouper.engine.groups.Status
    GROUPED = 0
    UNGROUPED = 2
    REJECTED = 3

cdef enum Reason:
    # positions in grouper.engine.dip_layout.REASONS
    DX_MISSING = 1
    DX_EXCLUDED = 2
    DX_UNKNOWN = 3
    OP_UNKNOWN = 4
    NO_PLAIN = 5
    PLAIN = 6
    WIDE = 7
    LAYER = 8
    BLANK = 9
    LETTER = 10
    DEFAULT = 11
    ONLY = 12
    BY_CLASS = 13
    STEP = 15
    HANDED = 0xFFFF

cdef enum Step:
    # positions in grouper.scheme.dip_preset.STEPS, then those of layers alone
    CORE_FIRST = 0
    EXACT = 1
    MOST_RELATED = 2
    MOST_IF_TWO = 3
    MOST_OPERATIONS = 4
    MOST_MATCHED = 5
    ALL_MATCHED = 6
    WITH_MAIN = 7
    NEAREST_COST = 8
    HIGHEST_SCORE = 9
    FIRST = 10
    LAST = 11
    CODE = 12
    LONGEST_KEY = 13
    WITH_RELATED = 14

cdef int64_t NO_MEAN = -9223372036854775807
cdef int64_t HAND = 9223372036854775807
cdef int64_t NO_COST = <int64_t> (<uint64_t> 1 << 63)
cdef uint64_t ONE = 1


cdef struct Columns:
    # IN
    const int32_t* dx
    const int32_t* dx_offsets
    const int32_t* principal
    const uint64_t* others
    const int32_t* px
    const int32_t* px_offsets
    const int32_t* op
    const int32_t* age_days
    const int32_t* weight
    const int64_t* cost
    const uint16_t* reject
    # OUT
    int32_t* row
    uint16_t* reason
    uint8_t* marked
    uint8_t* status


cdef struct Case:
    # operations in their order, and which of them each token is
    Py_ssize_t at
    int32_t principal
    int n
    int32_t[MOST_OPS] op
    uint64_t present
    int main
    uint32_t stamp
    uint32_t* stamps
    uint64_t* masks
    # other diagnoses: sets that hold one of them
    uint64_t others
    # candidates
    int count
    int32_t[MOST_CANDIDATES] row
    int32_t[MOST_CANDIDATES] key
    int32_t[MOST_CANDIDATES] asks
    uint64_t[MOST_CANDIDATES] matched


cdef inline int bits(uint64_t word) noexcept nogil:
    cdef int count = 0
    while word:
        word &= word - 1
        count += 1
    return count


@cython.final
cdef class DipKernel:
    """A catalogue and its rules ready to group; tables of spellings come with each call."""

    cdef const int32_t[:, ::1] row_parts
    cdef const int32_t[::1] part_start, part_tokens, related, score, code
    cdef const uint8_t[::1] has_related, is_primary, resistant
    cdef const int64_t[::1] mean, weight_low, weight_below
    cdef const int32_t[::1] age_below, other_dx, steps, fallback
    cdef const int32_t[:, ::1] layers, prefer
    cdef int32_t blank
    cdef bint layered, by_highest, conservative_by_class, case_scope
    cdef int core_vs_comp
    cdef int64_t scale, most_cost
    cdef Py_ssize_t n_tokens

    def __init__(self, layout, bint layered):
        self.layered = layered
        self.row_parts, self.part_start = layout.row_parts, layout.part_start
        self.part_tokens, self.related = layout.part_tokens, layout.related
        self.has_related, self.is_primary = layout.has_related, layout.is_primary
        self.mean, self.score, self.code = layout.mean, layout.score, layout.code
        self.age_below, self.weight_low = layout.age_below, layout.weight_low
        self.weight_below, self.resistant = layout.weight_below, layout.resistant
        self.other_dx, self.steps = layout.other_dx, layout.steps
        self.layers, self.prefer = layout.layers, layout.prefer
        self.fallback, self.blank = layout.fallback, layout.blank
        self.by_highest, self.core_vs_comp = layout.by_highest, layout.core_vs_comp
        self.conservative_by_class = layout.conservative_by_class
        self.case_scope = layout.case_scope
        self.scale, self.most_cost = layout.scale, layout.most_cost
        self.n_tokens = layout.n_tokens

    def group(
        self, tables,
        const int32_t[::1] dx, const int32_t[::1] dx_offsets,
        const int32_t[::1] principal, const uint64_t[::1] others,
        const int32_t[::1] px, const int32_t[::1] px_offsets, const int32_t[::1] op,
        const int32_t[::1] age_days, const int32_t[::1] weight,
        const int64_t[::1] cost, const uint16_t[::1] reject,
        int32_t[::1] row, uint16_t[::1] reason, uint8_t[::1] marked, uint8_t[::1] status,
    ):
        """Group n cases: fills row, reason, marked (a primary group), status.

        principal, op, others: by spelling. A reason of 0xFFFF: the twin must say.
        """
        cdef Run run = Run(self, tables)
        cdef Py_ssize_t i, n = reject.shape[0]
        cdef Columns c
        cdef int32_t none = 0
        cdef uint64_t no_bits = 0
        if n == 0:
            return
        c.dx = &dx[0] if dx.shape[0] else &none
        c.px = &px[0] if px.shape[0] else &none
        c.principal = &principal[0] if principal.shape[0] else &none
        c.op = &op[0] if op.shape[0] else &none
        c.others = &others[0] if others.shape[0] else &no_bits
        c.dx_offsets, c.px_offsets = &dx_offsets[0], &px_offsets[0]
        c.age_days, c.weight, c.reject = &age_days[0], &weight[0], &reject[0]
        c.cost = &cost[0] if cost.shape[0] else NULL
        c.row, c.reason, c.marked, c.status = &row[0], &reason[0], &marked[0], &status[0]
        with nogil:
            for i in range(n):
                run.one(&c, i)


@cython.final
cdef class Run:
    """One call: the kernel, the tables of the time, and scratch memory of its thread."""

    cdef DipKernel k
    cdef Case case
    cdef const int32_t[::1] plain, letter
    cdef const int32_t[:, ::1] comprehensive, default, spans
    cdef const uint8_t[::1] known, asks_others, op_class, op_excluded
    cdef const int32_t[::1] cand_row, cand_key, mark_start, mark, token_start, token
    cdef const uint64_t[::1] scope

    def __cinit__(self, DipKernel kernel, tables):
        self.k = kernel
        self.plain, self.letter = tables.plain, tables.letter
        self.comprehensive, self.default = tables.comprehensive, tables.default
        self.spans, self.known = tables.spans, tables.known
        self.asks_others = tables.asks_others
        self.op_class, self.op_excluded = tables.op_class, tables.op_excluded
        self.cand_row, self.cand_key = tables.cand_row, tables.cand_key
        self.mark_start, self.mark = tables.mark_start, tables.mark
        self.token_start, self.token = tables.token_start, tables.token
        self.scope = tables.scope
        self.case.stamp = 0
        self.case.stamps = <uint32_t*> calloc(kernel.n_tokens + 1, sizeof(uint32_t))
        self.case.masks = <uint64_t*> calloc(kernel.n_tokens + 1, sizeof(uint64_t))
        if self.case.stamps == NULL or self.case.masks == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.case.stamps)
        free(self.case.masks)

    cdef void one(self, const Columns* c, Py_ssize_t i) noexcept nogil:
        cdef int32_t principal
        c.row[i] = -1
        c.marked[i] = 0
        if c.reject[i]:
            c.status[i] = REJECTED
            # the reader's codes stand behind the reasons of grouping
            c.reason[i] = <uint16_t> (STEP + CODE + c.reject[i])
            return
        principal = NO_DX
        if c.dx_offsets[i] < c.dx_offsets[i + 1]:
            principal = c.principal[c.dx[c.dx_offsets[i]]]
        if principal < 0:
            c.status[i] = REJECTED if principal == NO_DX else UNGROUPED
            c.reason[i] = DX_MISSING if principal == NO_DX else DX_EXCLUDED
            return
        self.case.at, self.case.principal = i, principal
        if not self.collect(c):
            c.reason[i] = HANDED
        elif self.k.layered:
            self.by_layers(c)
        else:
            self.by_rows(c)

    cdef bint collect(self, const Columns* c) noexcept nogil:
        # the operations, each once; False: more than fit in a word, or one without a number
        cdef Case* case = &self.case
        cdef Py_ssize_t k, i = case.at
        cdef int j
        cdef int32_t op
        case.n = 0
        for k in range(c.px_offsets[i], c.px_offsets[i + 1]):
            op = c.op[c.px[k]]
            if op == NO_NUMBER:
                return False
            if op < 0:
                continue
            for j in range(case.n):
                if case.op[j] == op:
                    break
            else:
                if case.n == MOST_OPS:
                    return False
                case.op[case.n] = op
                case.n += 1
        case.present = (ONE << case.n) - 1 if case.n < MOST_OPS else ~<uint64_t> 0
        case.main = 0 if case.n else -1
        return True

    cdef void mark_tokens(self) noexcept nogil:
        # which operations each token is
        cdef Case* case = &self.case
        cdef int j
        cdef int32_t k, token
        case.stamp += 1
        if case.stamp == 0:
            # once around: old stamps would count as new
            for k in range(<int32_t> self.k.n_tokens):
                case.stamps[k] = 0
            case.stamp = 1
        for j in range(case.n):
            for k in range(self.token_start[case.op[j]], self.token_start[case.op[j] + 1]):
                token = self.token[k]
                if case.stamps[token] != case.stamp:
                    case.stamps[token] = case.stamp
                    case.masks[token] = 0
                case.masks[token] |= ONE << j

    cdef inline uint64_t hit(self, int32_t token) noexcept nogil:
        if self.case.stamps[token] != self.case.stamp:
            return 0
        return self.case.masks[token] & self.case.present

    cdef int highest(self, uint64_t ops) noexcept nogil:
        # the highest class of some operations, conservative for none
        cdef int j, found = 0
        for j in range(self.case.n):
            if ops >> j & 1 and self.op_class[self.case.op[j]] > found:
                found = self.op_class[self.case.op[j]]
        return found

    cdef int class_of_case(self) noexcept nogil:
        if self.k.by_highest:
            return self.highest(self.case.present)
        return self.op_class[self.case.op[self.case.main]] if self.case.main >= 0 else 0

    cdef int asked(
        self, int32_t start, int32_t stop, bint by_main, uint64_t* matched
    ) noexcept nogil:
        # the alternative that is fulfilled with most operations: how many it names; -1 for none
        cdef int best = -1
        cdef int32_t part, k, n
        cdef uint64_t used, found
        for part in range(start, stop):
            used = 0
            n = self.k.part_start[part + 1] - self.k.part_start[part]
            for k in range(self.k.part_start[part], self.k.part_start[part + 1]):
                found = self.hit(self.k.part_tokens[k])
                if not found:
                    break
                used |= found
            else:
                if by_main and (self.case.main < 0 or not used >> self.case.main & 1):
                    continue
                if n > best:
                    best = n
                    matched[0] = used
        return best

    cdef inline void ends(
        self, const Columns* c, int32_t row, uint16_t reason
    ) noexcept nogil:
        c.row[self.case.at] = row
        c.reason[self.case.at] = reason
        c.status[self.case.at] = GROUPED

    # --- catalogues of the 2.0 form

    cdef void by_rows(self, const Columns* c) noexcept nogil:
        cdef Case* case = &self.case
        cdef int32_t wide, plain, p = case.principal
        cdef int klass
        cdef bint behind
        if case.n and self.spans[p, 0] < self.spans[p, 1]:
            if not self.candidates():
                c.reason[case.at] = HANDED
                return
            if case.count:
                self.with_core(c)
                return
        klass = self.class_of_case()
        wide = self.comprehensive[p, klass]
        plain = -1
        if not case.n or (self.k.conservative_by_class and self.highest(case.present) == 0):
            plain = self.plain[p]
        # where classes compete, conservative care stands behind every group of an operation
        behind = self.k.core_vs_comp != 0 and klass != 0
        if plain >= 0 and not (behind and wide >= 0):
            self.ends(c, plain, PLAIN)
        elif wide >= 0:
            self.ends(c, wide, WIDE)
        else:
            self.rest(c)

    cdef bint candidates(self) noexcept nogil:
        # rows all of whose operations the case has; False: too many
        cdef Case* case = &self.case
        cdef int32_t k, row
        cdef int asks
        cdef uint64_t matched = 0
        self.mark_tokens()
        case.count = 0
        for k in range(self.spans[case.principal, 0], self.spans[case.principal, 1]):
            row = self.cand_row[k]
            asks = self.asked(self.k.row_parts[row, 0], self.k.row_parts[row, 1], False, &matched)
            if asks < 0:
                continue
            if case.count == MOST_CANDIDATES:
                return False
            case.row[case.count] = row
            case.asks[case.count] = asks
            case.matched[case.count] = matched
            case.count += 1
        return True

    cdef void with_core(self, const Columns* c) noexcept nogil:
        # one of the core rows, or the comprehensive row that the region puts before it
        cdef Case* case = &self.case
        cdef int32_t wide
        cdef int klass
        cdef uint16_t reason = ONLY
        if case.count > 1:
            reason = self.narrow(c)
            if reason == HANDED:
                c.reason[case.at] = HANDED
                return
        if self.k.core_vs_comp:
            klass = self.class_of_case()
            wide = self.comprehensive[case.principal, klass]
            if wide >= 0 and self.gives_way(klass):
                self.ends(c, wide, <uint16_t> (BY_CLASS + self.k.core_vs_comp - 1))
                return
        self.ends(c, case.row[0], reason)

    cdef bint gives_way(self, int klass) noexcept nogil:
        cdef uint64_t left = self.case.present & ~self.case.matched[0]
        if self.k.core_vs_comp == 2 and klass == SURGICAL and self.highest(left) == SURGICAL:
            return True
        return klass > self.highest(self.case.matched[0])

    cdef uint16_t narrow(self, const Columns* c) noexcept nogil:
        # the step that leaves one; a tie is the twin's to tell
        cdef Case* case = &self.case
        cdef Py_ssize_t k
        cdef int before
        cdef int32_t step
        cdef uint16_t reason = HANDED
        for k in range(self.k.steps.shape[0]):
            if case.count == 1:
                break
            step, before = self.k.steps[k], case.count
            if step == NEAREST_COST:
                if not self.nearest(c):
                    return HANDED
            else:
                self.keep(step)
            if case.count < before:
                reason = <uint16_t> (STEP + step)
        return reason if case.count == 1 else HANDED

    cdef void keep(self, int step) noexcept nogil:
        # the candidates for which a step's value is greatest
        cdef Case* case = &self.case
        cdef int k, count = 0
        cdef int64_t value, best = NO_COST
        if step == MOST_IF_TWO:
            for k in range(case.count):
                count += case.asks[k] >= 2
            if count == 0:
                return
            count = 0
        for k in range(case.count):
            value = self.value(step, k)
            if value > best:
                best, count = value, 0
            elif value < best or step == FIRST or step == LAST or step == CODE:
                # these leave one, whatever they find
                continue
            self.move(k, count)
            count += 1
        case.count = count

    cdef inline void move(self, int k, int to) noexcept nogil:
        cdef Case* case = &self.case
        case.row[to], case.asks[to] = case.row[k], case.asks[k]
        case.key[to], case.matched[to] = case.key[k], case.matched[k]

    cdef int64_t value(self, int step, int k) noexcept nogil:
        cdef Case* case = &self.case
        cdef int32_t row = case.row[k]
        if step == CORE_FIRST:
            return not self.k.is_primary[row]
        if step == EXACT:
            return case.asks[k] == case.n and case.matched[k] == case.present
        if step == MOST_RELATED:
            return self.k.related[row]
        if step == MOST_IF_TWO or step == MOST_OPERATIONS:
            return case.asks[k]
        if step == MOST_MATCHED:
            return bits(case.matched[k])
        if step == ALL_MATCHED:
            return case.matched[k] == case.present
        if step == WITH_MAIN:
            return self.names_main(row)
        if step == HIGHEST_SCORE:
            return self.k.score[row]
        if step == FIRST:
            return -row
        if step == LAST:
            return row
        if step == CODE:
            return -self.k.code[row]
        if step == LONGEST_KEY:
            return case.key[k]
        return self.k.has_related[row]

    cdef bint names_main(self, int32_t row) noexcept nogil:
        cdef int32_t k
        cdef int32_t start = self.k.part_start[self.k.row_parts[row, 0]]
        for k in range(start, self.k.part_start[self.k.row_parts[row, 2]]):
            if self.hit(self.k.part_tokens[k]) & 1:
                return True
        return False

    cdef bint nearest(self, const Columns* c) noexcept nogil:
        # the rows whose mean cost is nearest; False: numbers that this loop cannot hold
        cdef Case* case = &self.case
        cdef int k, count = 0
        cdef int64_t cost, gap, best = HAND
        for k in range(case.count):
            if self.k.mean[case.row[k]] == NO_MEAN:
                return True
        if c.cost == NULL or c.cost[case.at] == NO_COST:
            return True
        cost = c.cost[case.at]
        if not -self.k.most_cost < cost < self.k.most_cost:
            return False
        cost *= self.k.scale
        for k in range(case.count):
            if self.k.mean[case.row[k]] == HAND:
                return False
        for k in range(case.count):
            gap = self.k.mean[case.row[k]] - cost
            if gap < 0:
                gap = -gap
            if gap > best:
                continue
            if gap < best:
                best, count = gap, 0
            self.move(k, count)
            count += 1
        case.count = count
        return True

    # --- catalogues with layers

    cdef void by_layers(self, const Columns* c) noexcept nogil:
        cdef Case* case = &self.case
        cdef Py_ssize_t layer
        cdef int32_t wide, p = case.principal
        cdef int found
        if not self.exclude():
            c.reason[case.at] = HANDED
            return
        self.mark_tokens()
        if self.asks_others[p]:
            self.look_at_others(c)
            if self.asks_others[p] == 2:
                self.case.others |= <uint64_t>1 << RESISTANT
        for layer in range(self.k.layers.shape[0]):
            if self.spans[p, layer] == self.spans[p, layer + 1]:
                continue
            found = self.choose(c, layer)
            if found < 0:
                c.reason[case.at] = HANDED
                return
            if found:
                self.ends(c, case.row[0], LAYER)
                c.marked[case.at] = self.is_marked()
                return
        # local comprehensive rows stand behind all layers, and see no operation without a main one
        if case.main < 0:
            case.present = 0
        wide = self.comprehensive[p, self.class_of_case()]
        if wide >= 0:
            self.ends(c, wide, WIDE)
        else:
            self.rest(c)

    cdef bint exclude(self) noexcept nogil:
        # which operations are left and which of them is the main one; False: too many scopes
        cdef Case* case = &self.case
        cdef int j
        cdef int how
        cdef uint64_t scope = self.scope[case.principal]
        cdef bint conservative = False
        case.main = -1
        for j in range(case.n):
            how = self.op_excluded[case.op[j]]
            if how == HAND_OP:
                return False
            if how == CONSERVATIVE or (how >= SCOPE and not scope >> (how - SCOPE) & 1):
                case.present &= ~(ONE << j)
                conservative = True
            elif how != NOT_MAIN and case.main < 0:
                case.main = j
        if conservative and self.k.case_scope:
            case.present = 0
            case.main = -1
        return True

    cdef void look_at_others(self, const Columns* c) noexcept nogil:
        cdef Py_ssize_t k, i = self.case.at
        self.case.others = 0
        for k in range(c.dx_offsets[i] + 1, c.dx_offsets[i + 1]):
            self.case.others |= c.others[c.dx[k]]

    cdef int choose(self, const Columns* c, Py_ssize_t layer) noexcept nogil:
        # 1: the row of this layer is case.row[0]; 0: none; -1: the twin must say
        cdef Case* case = &self.case
        cdef int32_t k, row
        cdef int asks, holds
        cdef Py_ssize_t step
        case.count = 0
        for k in range(self.spans[case.principal, layer], self.spans[case.principal, layer + 1]):
            row = self.cand_row[k]
            holds = self.conditions(c, row)
            if holds < 0:
                return -1
            if not holds:
                continue
            asks = self.operations(row, layer)
            if asks < 0:
                continue
            if case.count == MOST_CANDIDATES:
                return -1
            case.row[case.count], case.key[case.count] = row, self.cand_key[k]
            case.asks[case.count] = asks
            case.matched[case.count] = 0
            case.count += 1
        for step in range(self.k.prefer.shape[1]):
            if self.k.prefer[layer, step] < 0:
                break
            if case.count > 1:
                self.keep(self.k.prefer[layer, step])
        return case.count > 0

    cdef int conditions(self, const Columns* c, int32_t row) noexcept nogil:
        # what the row asks besides operations; what is not known never holds; -1: the twin must say
        cdef int32_t age = c.age_days[self.case.at], weight = c.weight[self.case.at]
        cdef int32_t other = self.k.other_dx[row]
        if self.k.age_below[row] != MISSING and (age == MISSING or age >= self.k.age_below[row]):
            return 0
        if self.k.weight_low[row] != MISSING and (
                weight == MISSING or weight < self.k.weight_low[row]):
            return 0
        if self.k.weight_below[row] != MISSING and (
                weight == MISSING or weight >= self.k.weight_below[row]):
            return 0
        if self.k.resistant[row] and (
                (self.case.others >> RESISTANT & 1) != (self.k.resistant[row] == 1)):
            return 0
        if other == -2:
            return -1
        return other < 0 or self.case.others >> other & 1

    cdef int operations(self, int32_t row, Py_ssize_t layer) noexcept nogil:
        # how many operations the row asks for, -1 where the case does not have them
        cdef int32_t start = self.k.row_parts[row, 0], middle = self.k.row_parts[row, 1]
        cdef int32_t stop = self.k.row_parts[row, 2]
        cdef int asks, more
        cdef uint64_t matched = 0
        if start == middle:
            return 0 if self.k.layers[layer, 1] or self.case.main < 0 else -1
        asks = self.asked(start, middle, self.k.layers[layer, 0], &matched)
        if asks < 0 or middle == stop or not self.k.layers[layer, 2]:
            return asks
        more = self.asked(middle, stop, False, &matched)
        return asks + more if more >= 0 else -1

    cdef bint is_marked(self) noexcept nogil:
        # whether diagnosis and main operation (-1: none) make it a primary group
        cdef int32_t k, main = self.case.op[self.case.main] if self.case.main >= 0 else -1
        for k in range(self.mark_start[self.case.principal],
                       self.mark_start[self.case.principal + 1]):
            if self.mark[k] == main:
                return True
        return False

    # --- the rest

    cdef void rest(self, const Columns* c) noexcept nogil:
        # where the region sends a case that no row takes, or why it has no group
        cdef Case* case = &self.case
        cdef Py_ssize_t k
        cdef int32_t row, p = case.principal
        for k in range(self.k.fallback.shape[0]):
            if self.k.fallback[k] == 1:
                row = self.letter[p]
            elif self.k.fallback[k] == 2:
                row = self.k.blank
            else:
                row = self.default[p, self.class_of_case()]
            if row >= 0:
                self.ends(
                    c, row, LETTER if self.k.fallback[k] == 1
                    else BLANK if self.k.fallback[k] == 2 else DEFAULT)
                return
        c.status[case.at] = UNGROUPED
        if not self.known[p]:
            c.reason[case.at] = DX_UNKNOWN
        else:
            c.reason[case.at] = OP_UNKNOWN if case.present else NO_PLAIN
