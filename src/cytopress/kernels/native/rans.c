/* Interleaved rANS: states of 64 bits, words of 32, probabilities of 24. */
#include "rans.h"

#include "kernels.h"

#include <stdlib.h>
#include <string.h>

#define MASK ((1u << PRECISION) - 1)
/* A symbol of at least three quarters of its row is guessed. */
#define LIKELY (3u << (PRECISION - 2))

/* Parts of a piece that are counted side by side: a row that repeats then waits for itself less. */
#define PARTS 4

void rans_sort(const uint8_t *rows, int count, uint32_t *order, int32_t ends[MOST_ROWS]) {
    int starts[PARTS][MOST_ROWS] = {{0}}, sum = 0, length = count / PARTS, left = length * PARTS;
    for (int i = 0; i < length; i++)
        for (int n = 0; n < PARTS; n++) starts[n][rows[n * length + i]]++;
    for (int i = left; i < count; i++) starts[PARTS - 1][rows[i]]++;
    for (int row = 0; row < MOST_ROWS; row++) {
        for (int n = 0; n < PARTS; n++) {
            int held = starts[n][row];
            starts[n][row] = sum;
            sum += held;
        }
        ends[row] = sum;
    }
    for (int i = 0; i < length; i++)
        for (int n = 0; n < PARTS; n++) {
            int at = n * length + i;
            order[starts[n][rows[at]]++] = (uint32_t)at;
        }
    for (int i = left; i < count; i++) order[starts[PARTS - 1][rows[i]]++] = (uint32_t)i;
}

static int share(int held, int lane, int lanes) { return (int)((int64_t)held * lane / lanes); }

typedef struct {
    uint64_t state;
    const uint32_t *start, *end;
    int64_t escapes;
} lane;

typedef struct {
    const uint32_t *cdf;
    const uint16_t *coarse;
    int32_t offset, last, likely; /* the symbol that takes most */
} table;

/* A number of a row, and the state behind it. */
static inline int32_t decode_one(uint64_t *state, const table *t, int64_t *escapes) {
    uint32_t slot = (uint32_t)*state & MASK;
    int32_t symbol = t->coarse[slot >> (PRECISION - COARSE)];
    /* A row ends at 1 << PRECISION, which no slot reaches. */
    while (t->cdf[symbol + 1] <= slot) symbol++;
    uint32_t left = t->cdf[symbol];
    *state = (*state >> PRECISION) * (t->cdf[symbol + 1] - left) + (slot - left);
    *escapes += symbol == t->last;
    return symbol == t->last ? ESCAPE : symbol + t->offset;
}

/* The same where the processor may guess that it is the likely one: nothing waits for a table. */
static inline int32_t decode_likely(uint64_t *state, const table *t, uint32_t from, uint32_t held,
                                    int32_t value, int64_t *escapes) {
    uint32_t beyond = ((uint32_t)*state & MASK) - from;
    if (beyond >= held) return decode_one(state, t, escapes);
    *state = (*state >> PRECISION) * held + beyond;
    return value;
}

static inline void refill(uint64_t *state, const uint32_t *start, const uint32_t **end) {
    if (*state >> 32 == 0 && *end > start) *state = *state << 32 | *--*end;
}

/* One row of a piece in the lanes from `first` to `end`: as far as all go together, then each. */
static inline void decode_row(lane *lanes, int count, const table *t, const uint32_t *const *order,
                              const int *held, int32_t *out) {
    uint64_t states[MOST_LANES];
    const uint32_t *ends[MOST_LANES];
    int64_t escapes = 0;
    int common = held[0];
    uint32_t from = t->cdf[t->likely], most = t->cdf[t->likely + 1] - from;
    for (int n = 0; n < count; n++) {
        states[n] = lanes[n].state;
        ends[n] = lanes[n].end;
        common = held[n] < common ? held[n] : common;
    }
    /* A guess that fails costs more than it saves. */
    if (most >= LIKELY && t->likely != t->last) {
        int32_t value = t->likely + t->offset;
        if (value)
            for (int i = 0; i < common; i++)
                for (int n = 0; n < count; n++) {
                    out[order[n][i]] = decode_likely(&states[n], t, from, most, value, &escapes);
                    refill(&states[n], lanes[n].start, &ends[n]);
                }
        else
            /* Numbers are 0 already. */
            for (int i = 0; i < common; i++)
                for (int n = 0; n < count; n++) {
                    uint32_t beyond = ((uint32_t)states[n] & MASK) - from;
                    if (beyond >= most) out[order[n][i]] = decode_one(&states[n], t, &escapes);
                    else states[n] = (states[n] >> PRECISION) * most + beyond;
                    refill(&states[n], lanes[n].start, &ends[n]);
                }
    } else {
        for (int i = 0; i < common; i++)
            for (int n = 0; n < count; n++) {
                out[order[n][i]] = decode_one(&states[n], t, &escapes);
                refill(&states[n], lanes[n].start, &ends[n]);
            }
    }
    for (int n = 0; n < count; n++) {
        for (int i = common; i < held[n]; i++) {
            out[order[n][i]] = decode_one(&states[n], t, &escapes);
            refill(&states[n], lanes[n].start, &ends[n]);
        }
        lanes[n].state = states[n];
        lanes[n].end = ends[n];
    }
    lanes[0].escapes += escapes;
}

int rans_decode(const rans_tables *t, const uint8_t *rows, ptrdiff_t count, const rans_order *sorted,
                const uint32_t *words, const int64_t *starts, int64_t *ends, uint64_t *states,
                int64_t *escapes, int lanes, int first, int end, int32_t *out) {
    uint32_t *places_of = NULL;
    if (!sorted) {
        places_of = malloc((size_t)(count < PIECE ? count : PIECE) * sizeof *places_of + 1);
        if (!places_of) return NO_MEMORY;
    }
    ptrdiff_t pieces = (count + PIECE - 1) / PIECE;
    lane held[MOST_LANES];
    int own = end - first;
    for (int n = 0; n < own; n++) {
        held[n].state = states[first + n];
        held[n].start = words + starts[first + n];
        held[n].end = words + ends[first + n];
    }
    for (ptrdiff_t start = 0; start < count; start += PIECE) {
        int size = count - start < PIECE ? (int)(count - start) : PIECE;
        int32_t piece_ends[MOST_ROWS];
        const int32_t *row_ends = sorted ? sorted->ends + start / PIECE * MOST_ROWS : piece_ends;
        const uint32_t *order = sorted ? sorted->places + start : places_of;
        if (!sorted) rans_sort(rows + start, size, places_of, piece_ends);
        /* Other lanes of this piece may be decoded already. */
        if (own == lanes) memset(out + start, 0, (size_t)size * sizeof *out);
        /* Another piece may have been sorted here: as many places, all of rows that are tables. */
        if (row_ends[MOST_ROWS - 1] != size || row_ends[t->rows - 1] != size) {
            free(places_of);
            return OUT_OF_RANGE;
        }
        int from = 0;
        for (int n = 0; n < own; n++) held[n].escapes = 0;
        for (int row = 0; row < t->rows; from = row_ends[row++]) {
            int symbols = row_ends[row] - from, counts[MOST_LANES];
            const uint32_t *places[MOST_LANES];
            if (!symbols) continue;
            for (int n = 0; n < own; n++) {
                int at = share(symbols, first + n, lanes);
                places[n] = order + from + at;
                counts[n] = share(symbols, first + n + 1, lanes) - at;
            }
            const table of = {t->cdf + row * t->columns, t->coarse + ((size_t)row << COARSE),
                              t->offset[row], t->size[row] - 1, t->likely[row]};
            /* Of a constant number the inner loop is unrolled. */
            for (int n = 0; n < own;) {
                int left = own - n, step = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
                if (step == 8) decode_row(held + n, 8, &of, places + n, counts + n, out + start);
                else if (step == 4) decode_row(held + n, 4, &of, places + n, counts + n, out + start);
                else if (step == 2) decode_row(held + n, 2, &of, places + n, counts + n, out + start);
                else decode_row(held + n, 1, &of, places + n, counts + n, out + start);
                n += step;
            }
        }
        for (int n = 0; n < own; n++) escapes[(first + n) * pieces + start / PIECE] = held[n].escapes;
    }
    for (int n = 0; n < own; n++) {
        states[first + n] = held[n].state;
        ends[first + n] = held[n].end - words;
    }
    free(places_of);
    return OK;
}

typedef struct {
    uint64_t state;
    uint32_t *to;
} written;

static inline void encode_one(written *l, const uint32_t *cdf, uint32_t symbol) {
    uint32_t left = cdf[symbol];
    uint64_t probability = cdf[symbol + 1] - left, state = l->state;
    if (state >> (64 - PRECISION) >= probability) {
        *l->to++ = (uint32_t)state;
        state >>= 32;
    }
    uint64_t quotient = state / probability;
    l->state = quotient << PRECISION | (left + (state - quotient * probability));
}

/* One row of a piece, last symbols first: what lanes have more than others, then all together. */
static inline void encode_row(written *lanes, int count, const uint32_t *cdf,
                              const uint32_t *const *order, const int *held,
                              const uint16_t *symbols) {
    int common = held[0];
    for (int n = 1; n < count; n++) common = held[n] < common ? held[n] : common;
    for (int n = 0; n < count; n++)
        for (int i = held[n] - 1; i >= common; i--) encode_one(&lanes[n], cdf, symbols[order[n][i]]);
    for (int i = common - 1; i >= 0; i--)
        for (int n = 0; n < count; n++) encode_one(&lanes[n], cdf, symbols[order[n][i]]);
}

int rans_encode(const rans_tables *t, const uint8_t *rows, const uint16_t *symbols, ptrdiff_t count,
                uint64_t *states, int lanes, uint32_t *words, ptrdiff_t room, int64_t *counts) {
    uint32_t *order = malloc((size_t)(count < PIECE ? count : PIECE) * sizeof *order + 1);
    if (!order) return 1;
    written to[MOST_LANES];
    for (int n = 0; n < lanes; n++) to[n].state = states[n], to[n].to = words + n * room + counts[n];
    /* Last symbols first: a lane is a stack. */
    for (ptrdiff_t start = (count - 1) / PIECE * PIECE; count && start >= 0; start -= PIECE) {
        int size = count - start < PIECE ? (int)(count - start) : PIECE, row_ends[MOST_ROWS];
        rans_sort(rows + start, size, order, row_ends);
        for (int row = t->rows - 1; row >= 0; row--) {
            int from = row ? row_ends[row - 1] : 0, all = row_ends[row] - from, held[MOST_LANES];
            const uint32_t *places[MOST_LANES], *cdf = t->cdf + row * t->columns;
            if (!all) continue;
            for (int n = 0; n < lanes; n++) {
                places[n] = order + from + share(all, n, lanes);
                held[n] = share(all, n + 1, lanes) - share(all, n, lanes);
            }
            if (lanes == 8) encode_row(to, 8, cdf, places, held, symbols + start);
            else if (lanes == 4) encode_row(to, 4, cdf, places, held, symbols + start);
            else if (lanes == 2) encode_row(to, 2, cdf, places, held, symbols + start);
            else encode_row(to, lanes, cdf, places, held, symbols + start);
        }
    }
    for (int n = 0; n < lanes; n++) states[n] = to[n].state, counts[n] = to[n].to - (words + n * room);
    free(order);
    return 0;
}

int64_t rans_symbols(const rans_tables *t, const int32_t *values, const uint8_t *rows, ptrdiff_t count,
                     uint16_t *symbols, int32_t *places) {
    int64_t escapes = 0;
    for (ptrdiff_t i = 0; i < count; i++) {
        uint32_t last = (uint32_t)t->size[rows[i]] - 1;
        uint32_t symbol = (uint32_t)values[i] - (uint32_t)t->offset[rows[i]];
        /* Below its table a value is far beyond it as well. */
        places[escapes] = (int32_t)i;
        escapes += symbol >= last;
        symbols[i] = (uint16_t)(symbol < last ? symbol : last);
    }
    return escapes;
}
