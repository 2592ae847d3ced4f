/* Adaptive binary decoding of the cosines of periodic noise, and their sums; the format is that of
   codecs/periodic_noise/layer_stream.py and binary_coder.py. */
#include "periodic_noise.h"

#include "arguments.h"

/* Those of binary_coder.py. */
#define BITS 16
#define LEAST (1 << 9)
#define MEMORY 48
#define LOW ((uint64_t)1 << 24)
#define UNWRITTEN 4
#define MOST_BITS 40
/* And of layer_stream.py: contexts of a magnitude, and of what is beyond them. */
#define LEVELS 8
#define SIZES 4
#define UNARY 14
#define FIRST ((int64_t)1 << 20)
#define CONTEXTS (LEVELS * SIZES + LEVELS * (MOST_BITS + 2))

enum { EARLY = 10, TOO_LONG = 11 };

typedef struct {
    const uint8_t *stream;
    int64_t length, place;
    uint64_t range, value;
    int32_t (*states)[2]; /* probability of a one, and decisions seen */
    int error;
} binary;

static int decide(binary *b, uint64_t one) {
    uint64_t split = (b->range >> BITS) * one;
    int found = b->value < split;
    if (found) b->range = split;
    else b->value -= split, b->range -= split;
    while (b->range < LOW && !b->error) {
        if (b->place >= b->length + UNWRITTEN) b->error = EARLY;
        b->range <<= 8;
        b->value = b->value << 8 | (b->place < b->length ? b->stream[b->place] : 0);
        b->place++;
    }
    return found;
}

static int bit(binary *b, int context) {
    int32_t one = b->states[context][0], seen = b->states[context][1];
    int found = decide(b, (uint64_t)one);
    int32_t off = (found << BITS) - one, parts = seen + 2;
    /* Rounded down. */
    one += off >= 0 ? off / parts : -((-off + parts - 1) / parts);
    one = one < LEAST ? LEAST : one > (1 << BITS) - LEAST ? (1 << BITS) - LEAST : one;
    b->states[context][0] = one;
    b->states[context][1] = seen + 1 < MEMORY ? seen + 1 : MEMORY;
    return found;
}

static int64_t raw(binary *b, int count) {
    int64_t found = 0;
    for (int i = 0; i < count; i++) found = found << 1 | decide(b, 1 << (BITS - 1));
    return found;
}

static int64_t number_beyond(binary *b, int level) {
    int place = 0;
    while (!b->error && bit(b, LEVELS * SIZES + level * (MOST_BITS + 2) + place))
        if (++place > MOST_BITS) b->error = TOO_LONG;
    return b->error ? 0 : ((int64_t)1 << place | raw(b, place)) - 1;
}

static int64_t cosine_of(binary *b, int64_t around) {
    static const int64_t activities[LEVELS - 1] = {0, 1, 2, 4, 8, 16, FIRST - 1};
    int level = 0, size = 0;
    for (int i = 0; i < LEVELS - 1; i++) level += around > activities[i];
    int most = level < LEVELS - 1 ? UNARY : 1;
    while (size < most && !b->error && bit(b, level * SIZES + (size < SIZES - 1 ? size : SIZES - 1))) size++;
    int64_t found = size;
    if (size == most) found += number_beyond(b, level);
    return found && raw(b, 1) ? -found : found;
}

static int64_t size_of(int64_t n) { return n < 0 ? -n : n; }

/* The cosines of one wave, (count, 2), from where a stream is: position, range and value. */
PyObject *binary_cosines(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[4];
    enum { STREAM, AT, STATES, OUT };
    memset(b, 0, sizeof b);
    int real;
    if (!PyArg_ParseTuple(args, "y*w*w*w*i", &b[STREAM], &b[AT], &b[STATES], &b[OUT], &real)) return NULL;
    int64_t count = b[OUT].len / 16, *at = b[AT].buf, *out = b[OUT].buf;
    int32_t(*states)[2] = b[STATES].buf;
    int fits = HOLDS(b[AT], 8, 3) && HOLDS(b[STATES], 4, CONTEXTS, 2) && HOLDS(b[OUT], 8, count, 2)
        && in_range(at[0], 0, (int64_t)b[STREAM].len + UNWRITTEN) && in_range(at[1], LOW, UINT32_MAX)
        && in_range(at[2], 0, UINT32_MAX);
    for (int i = 0; fits && i < CONTEXTS; i++)
        fits = in_range(states[i][0], LEAST, (1 << BITS) - LEAST) && in_range(states[i][1], 0, MEMORY);
    int error = 0;
    if (fits) {
        binary of = {b[STREAM].buf, b[STREAM].len, at[0], (uint64_t)at[1], (uint64_t)at[2], states, 0};
        Py_BEGIN_ALLOW_THREADS
        int64_t before = 0, earlier = 0;
        for (int64_t n = 0; n < count && !of.error; n++) {
            int64_t around = n ? 2 * before + earlier : FIRST;
            int64_t first = cosine_of(&of, around);
            int64_t second = real ? 0 : cosine_of(&of, around + 2 * size_of(first));
            out[2 * n] = first, out[2 * n + 1] = second;
            earlier = before, before = size_of(first) + size_of(second);
        }
        Py_END_ALLOW_THREADS
        at[0] = of.place, at[1] = (int64_t)of.range, at[2] = (int64_t)of.value, error = of.error;
    }
    release(b, 4);
    return fits ? PyLong_FromLong(error) : refused("binary_cosines");
}

/* Waves whose sums go together. */
#define TOGETHER 4
#define ROWS_AT_ONCE 256

/* Sums over cosines of numbers times a table of 4 length entries at (2 row + 1) frequency. */
PyObject *cosine_sums(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[4];
    enum { TABLE, USED, FACTORS, OUT };
    memset(b, 0, sizeof b);
    int length, columns, first, end;
    if (!PyArg_ParseTuple(args, "y*y*y*w*(ii)(ii)", &b[TABLE], &b[USED], &b[FACTORS], &b[OUT], &length,
                          &columns, &first, &end))
        return NULL;
    int64_t count = b[USED].len / 8;
    const int64_t *used = b[USED].buf, *factors = b[FACTORS].buf;
    const int16_t *table = b[TABLE].buf;
    int64_t *out = b[OUT].buf;
    int fits = in_range(length, 1, 1 << 26) && in_range(columns, 1, 2) && in_range(first, 0, length)
        && in_range(end, first, length) && HOLDS(b[TABLE], 2, 4, length) && HOLDS(b[USED], 8, count)
        && HOLDS(b[FACTORS], 8, count, columns) && HOLDS(b[OUT], 8, length, columns);
    for (int64_t k = 0; fits && k < count; k++) fits = in_range(used[k], 0, length - 1);
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        uint32_t turn = 4 * (uint32_t)length;
        for (int top = first; top < end; top += ROWS_AT_ONCE) {
            int rows = end - top < ROWS_AT_ONCE ? end - top : ROWS_AT_ONCE;
            uint64_t sums[2][ROWS_AT_ONCE] = {{0}};
            for (int64_t k = 0; k < count; k += TOGETHER) {
                int held = count - k < TOGETHER ? (int)(count - k) : TOGETHER;
                uint32_t at[TOGETHER] = {0}, step[TOGETHER] = {0};
                uint64_t by[2][TOGETHER] = {{0}};
                for (int i = 0; i < held; i++) {
                    at[i] = (uint32_t)((2 * (uint64_t)top + 1) * (uint64_t)used[k + i] % turn);
                    step[i] = (uint32_t)(2 * used[k + i]);
                    for (int c = 0; c < columns; c++) by[c][i] = (uint64_t)factors[(k + i) * columns + c];
                }
                for (int row = 0; row < rows; row++)
                    for (int i = 0; i < TOGETHER; i++) {
                        uint64_t entry = (uint64_t)(int64_t)table[at[i]];
                        sums[0][row] += entry * by[0][i];
                        sums[1][row] += entry * by[1][i];
                        at[i] += step[i];
                        at[i] -= at[i] >= turn ? turn : 0;
                    }
            }
            for (int row = 0; row < rows; row++)
                for (int c = 0; c < columns; c++) out[(int64_t)(top + row) * columns + c] = (int64_t)sums[c][row];
        }
        Py_END_ALLOW_THREADS
    }
    release(b, 4);
    return fits ? ended(OK) : refused("cosine_sums");
}
