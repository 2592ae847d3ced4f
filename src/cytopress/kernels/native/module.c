/* The extension module: arrays and numbers from Python, checked, to the kernels.

   Nothing that is given here is trusted: a length, range or index that does not fit is a ValueError.
   The kernels run without the interpreter's lock. */
#define PY_SSIZE_T_CLEAN
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030b0000
#endif
#include <Python.h>

#include <string.h>

#include "kernels.h"
#include "rans.h"

#if defined(HAS_X86) && defined(_MSC_VER)
#include <intrin.h>
static int has_sse41(void) { int r[4]; __cpuid(r, 1); return r[2] >> 19 & 1; }
static int has_avx2(void) {
    int r[4];
    __cpuid(r, 1);
    /* The system saves the upper halves of the registers. */
    if (!(r[2] >> 27 & 1) || (_xgetbv(0) & 6) != 6) return 0;
    __cpuidex(r, 7, 0);
    return r[1] >> 5 & 1;
}
static int has_avx512(void) {
    int r[4];
    __cpuidex(r, 7, 0);
    /* F, BW, VL and VNNI, and the system saves the registers that they add. */
    return has_avx2() && (_xgetbv(0) & 0xe6) == 0xe6 && r[1] >> 16 & r[1] >> 30 & r[1] >> 31 & r[2] >> 11 & 1;
}
#elif defined(HAS_X86)
static int has_sse41(void) { return __builtin_cpu_supports("sse4.1") != 0; }
static int has_avx2(void) { return __builtin_cpu_supports("avx2") != 0; }
static int has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}
#endif

static const kernel_table *tables[SETS];

static void find_sets(void) {
    tables[PLAIN] = &kernels_plain;
#ifdef HAS_X86
    if (has_sse41()) tables[SSE41] = &kernels_sse41;
    if (has_avx2()) tables[AVX2] = &kernels_avx2;
    if (has_avx512()) tables[AVX512] = &kernels_avx512;
#endif
#ifdef HAS_NEON
    tables[NEON] = &kernels_neon;
#endif
}

static PyObject *instruction_sets(PyObject *self, PyObject *unused) {
    (void)self, (void)unused;
    long held = 0;
    for (int i = 0; i < SETS; i++) held |= (long)(tables[i] != NULL) << i;
    return PyLong_FromLong(held);
}

/* Whether a buffer is aligned and holds a product of numbers, each of `bytes` bytes. */
static int holds(const Py_buffer *b, size_t bytes, int count, const int64_t *numbers) {
    uint64_t most = (uint64_t)b->len / bytes, product = 1;
    if ((uintptr_t)b->buf % bytes || (uint64_t)b->len % bytes) return 0;
    for (int i = 0; i < count; i++) {
        if (numbers[i] < 0) return 0;
        if (numbers[i] == 0) return b->len == 0;
        if (product > most / (uint64_t)numbers[i]) return 0;
        product *= (uint64_t)numbers[i];
    }
    return product == most;
}
#define HOLDS(b, bytes, ...) \
    holds(&(b), bytes, (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]){__VA_ARGS__})

static int in_range(int64_t n, int64_t low, int64_t high) { return low <= n && n <= high; }

static PyObject *refused(const char *what) {
    PyErr_Format(PyExc_ValueError, "%s: the arrays and numbers do not fit.", what);
    return NULL;
}

static PyObject *ended(int status) {
    if (status == NO_MEMORY) return PyErr_NoMemory();
    if (status == OUT_OF_RANGE) {
        PyErr_SetString(PyExc_ValueError, "An activation is farther from 0 than its layer allows.");
        return NULL;
    }
    Py_RETURN_NONE;
}

static const kernel_table *table(int number) {
    return in_range(number, 0, SETS - 1) ? tables[number] : NULL;
}

static void release(Py_buffer *buffers, int count) {
    for (int i = 0; i < count; i++)
        if (buffers[i].obj) PyBuffer_Release(&buffers[i]);
}

static PyObject *convolve(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[5];
    enum { X, WEIGHTS, BIAS, RESIDUAL, OUT };
    memset(b, 0, sizeof b);
    convolution c;
    memset(&c, 0, sizeof c);
    int number, first, end;
    if (!PyArg_ParseTuple(args, "iy*y*y*z*w*(iiiiiiiii)(iiiiii)(ii)", &number, &b[X], &b[WEIGHTS],
                          &b[BIAS], &b[RESIDUAL], &b[OUT], &c.height, &c.width, &c.inputs,
                          &c.out_height, &c.out_width, &c.outputs, &c.side, &c.stride, &c.margin,
                          &c.shift, &c.low, &c.high, &c.most, &c.out_bytes, &c.residual_bytes,
                          &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    int64_t blocks = ((int64_t)c.outputs + BLOCK - 1) / BLOCK, pairs = ((int64_t)c.inputs + 1) / 2;
    int fits = kernels && in_range(c.height, 1, 1 << 24) && in_range(c.width, 1, 1 << 24)
        && in_range(c.inputs, 1, 1 << 14) && in_range(c.outputs, 1, 1 << 14)
        && in_range(c.side, 1, 64) && in_range(c.stride, 1, 16) && in_range(c.margin, 0, 32)
        && in_range(c.shift, 0, 30) && in_range(c.most, 1, 1 << 15) && c.low <= c.high;
    fits = fits && c.height + 2 * c.margin >= c.side && c.width + 2 * c.margin >= c.side
        && c.out_height == (c.height + 2 * c.margin - c.side) / c.stride + 1
        && c.out_width == (c.width + 2 * c.margin - c.side) / c.stride + 1
        && in_range(first, 0, c.out_height) && in_range(end, first, c.out_height);
    int with = fits && b[RESIDUAL].obj != NULL;
    fits = fits && (c.out_bytes == 4 || (c.out_bytes == 2 && c.low >= INT16_MIN && c.high <= INT16_MAX))
        && (with ? (c.residual_bytes == 2 || c.residual_bytes == 4) && c.shift >= 2 : !c.residual_bytes)
        && HOLDS(b[X], 2, c.height, c.width, c.inputs)
        && HOLDS(b[WEIGHTS], 2, blocks, c.side, c.side, pairs, BLOCK, 2)
        && HOLDS(b[BIAS], 4, blocks, BLOCK)
        && HOLDS(b[OUT], (size_t)c.out_bytes, c.out_height, c.out_width, c.outputs)
        && (!with || HOLDS(b[RESIDUAL], (size_t)c.residual_bytes, c.out_height, c.out_width, c.outputs));
    int status = OK;
    if (fits) {
        c.x = b[X].buf, c.weights = b[WEIGHTS].buf, c.bias = b[BIAS].buf;
        c.residual = b[RESIDUAL].buf, c.out = b[OUT].buf;
        Py_BEGIN_ALLOW_THREADS
        status = kernels->convolve(&c, first, end);
        Py_END_ALLOW_THREADS
    }
    release(b, 5);
    return fits ? ended(status) : refused("convolve");
}

static PyObject *transform(PyObject *args, int synthesis) {
    Py_buffer b[5];
    enum { IN, Y, X, ORDER, OUT };
    memset(b, 0, sizeof b);
    lapped l;
    memset(&l, 0, sizeof l);
    int number, first, end;
    if (!PyArg_ParseTuple(args, "iy*y*y*y*w*(iiiii)(ii)", &number, &b[IN], &b[Y], &b[X], &b[ORDER],
                          &b[OUT], &l.height, &l.width, &l.size, &l.shift_y, &l.shift_x, &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    int64_t size = l.size, height = l.height, width = l.width;
    int fits = kernels && (size == 8 || size == 16) && in_range(height, 1, 1 << 24)
        && in_range(width, 1, 1 << 24) && in_range(l.shift_y, 1, 30) && in_range(l.shift_x, 1, 30)
        && in_range(first, 0, height) && in_range(end, first, height)
        && HOLDS(b[Y], 2, size, 2, size) && HOLDS(b[X], 2, size, 2, size) && HOLDS(b[ORDER], 4, size, size);
    const Py_buffer *latents = &b[synthesis ? IN : OUT], *pixels = &b[synthesis ? OUT : IN];
    int64_t margin = synthesis ? 0 : size;
    fits = fits && HOLDS(*latents, 4, height, width, size, size)
        && HOLDS(*pixels, 4, height * size + margin, width * size + margin);
    for (int i = 0; fits && i < size * size; i++)
        fits = in_range(((const int32_t *)b[ORDER].buf)[i], 0, size * size - 1);
    int status = OK;
    if (fits) {
        l.in = b[IN].buf, l.along_y = b[Y].buf, l.along_x = b[X].buf;
        l.order = b[ORDER].buf, l.out = b[OUT].buf;
        Py_BEGIN_ALLOW_THREADS
        if (first < end) status = (synthesis ? kernels->synthesis : kernels->analysis)(&l, first, end);
        Py_END_ALLOW_THREADS
    }
    release(b, 5);
    return fits ? ended(status) : refused("lapped transform");
}

static PyObject *lapped_synthesis(PyObject *self, PyObject *args) { (void)self; return transform(args, 1); }
static PyObject *lapped_analysis(PyObject *self, PyObject *args) { (void)self; return transform(args, 0); }

static PyObject *matrices(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[4];
    enum { VALUES, WHICH, MATRICES, OUT };
    memset(b, 0, sizeof b);
    block_matrices m;
    memset(&m, 0, sizeof m);
    int number;
    Py_ssize_t first, end;
    if (!PyArg_ParseTuple(args, "iy*y*y*w*(iiiii)(nn)", &number, &b[VALUES], &b[WHICH], &b[MATRICES],
                          &b[OUT], &m.count, &m.channels, &m.shift, &m.fraction, &m.most, &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    int64_t places = b[WHICH].len;
    int64_t blocks = ((int64_t)m.channels + BLOCK - 1) / BLOCK, pairs = ((int64_t)m.channels + 1) / 2;
    int fits = kernels && in_range(m.channels, 1, 1 << 14) && in_range(m.count, 0, 127)
        && in_range(m.shift, 1, 15) && in_range(m.fraction, 0, 8) && in_range(m.most, 1, INT16_MAX)
        && in_range(first, 0, places) && in_range(end, first, places)
        && HOLDS(b[VALUES], 4, places, m.channels) && HOLDS(b[OUT], 4, places, m.channels)
        && HOLDS(b[MATRICES], 2, m.count, blocks, pairs, BLOCK, 2);
    for (Py_ssize_t i = first; fits && i < end; i++)
        fits = in_range(((const int8_t *)b[WHICH].buf)[i], 0, m.count);
    int status = OK;
    if (fits) {
        m.values = b[VALUES].buf, m.which = b[WHICH].buf, m.matrices = b[MATRICES].buf, m.out = b[OUT].buf;
        Py_BEGIN_ALLOW_THREADS
        status = kernels->matrices(&m, first, end);
        Py_END_ALLOW_THREADS
    }
    release(b, 4);
    return fits ? ended(status) : refused("matrices");
}

/* Elementwise kernels: a number of `bytes` for each int32. */
enum { IN, AUX, OUT };
static int are_elements(const Py_buffer b[3], size_t bytes, Py_ssize_t first, Py_ssize_t end) {
    int64_t count = b[IN].len / 4;
    return HOLDS(b[IN], 4, count) && HOLDS(b[OUT], bytes, count) && in_range(first, 0, count)
        && in_range(end, first, count);
}

static PyObject *scaled(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[3];
    elements e;
    int number;
    Py_ssize_t first, end;
    memset(b, 0, sizeof b);
    memset(&e, 0, sizeof e);
    if (!PyArg_ParseTuple(args, "iy*y*w*i(nn)", &number, &b[IN], &b[AUX], &b[OUT], &e.shift, &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    int64_t channels = b[AUX].len / 8;
    int fits = kernels && in_range(e.shift, 0, 62) && are_elements(b, 4, first, end) && channels > 0
        && HOLDS(b[AUX], 8, channels) && first % channels == 0 && end % channels == 0;
    e.in = b[IN].buf, e.out = b[OUT].buf, e.factors = b[AUX].buf, e.channels = (ptrdiff_t)channels;
    for (int64_t i = 0; fits && i < channels; i++) fits = in_range(e.factors[i], 0, INT32_MAX);
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        kernels->scaled(&e, first, end);
        Py_END_ALLOW_THREADS
    }
    release(b, 3);
    return fits ? ended(OK) : refused("scaled");
}

static PyObject *narrowed(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[3];
    elements e;
    int number;
    Py_ssize_t first, end;
    memset(b, 0, sizeof b);
    memset(&e, 0, sizeof e);
    if (!PyArg_ParseTuple(args, "iy*z*w*i(nn)", &number, &b[IN], &b[AUX], &b[OUT], &e.shift, &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    int fits = kernels && in_range(e.shift, 0, 30) && are_elements(b, 2, first, end);
    e.in = b[IN].buf, e.out = b[OUT].buf, e.low = -INT16_MAX, e.high = INT16_MAX;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        kernels->narrowed(&e, first, end);
        Py_END_ALLOW_THREADS
    }
    release(b, 3);
    return fits ? ended(OK) : refused("narrowed");
}

static PyObject *nearest_rows(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[3];
    elements e;
    int number, count;
    Py_ssize_t first, end;
    memset(b, 0, sizeof b);
    memset(&e, 0, sizeof e);
    if (!PyArg_ParseTuple(args, "iy*iw*i(nn)", &number, &b[IN], &count, &b[OUT], &e.shift, &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    int fits = kernels && in_range(e.shift, 0, 30) && in_range(count, 1, 256)
        && are_elements(b, 1, first, end);
    e.in = b[IN].buf, e.out = b[OUT].buf, e.high = count - 1;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        kernels->rows(&e, first, end);
        Py_END_ALLOW_THREADS
    }
    release(b, 3);
    return fits ? ended(OK) : refused("nearest_rows");
}

static PyObject *counts(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[3];
    elements e;
    int number;
    Py_ssize_t first, end;
    memset(b, 0, sizeof b);
    memset(&e, 0, sizeof e);
    if (!PyArg_ParseTuple(args, "iy*(iii)w*i(nn)", &number, &b[IN], &e.span, &e.middle, &e.high, &b[OUT],
                          &e.shift, &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    int wide = e.high > UINT8_MAX;
    int fits = kernels && in_range(e.shift, 0, 30) && in_range(e.span, 0, UINT16_MAX)
        && in_range(e.middle, 0, UINT16_MAX) && in_range(e.high, 0, UINT16_MAX)
        && are_elements(b, wide ? 2 : 1, first, end);
    e.in = b[IN].buf, e.out = b[OUT].buf;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        (wide ? kernels->counts16 : kernels->counts8)(&e, first, end);
        Py_END_ALLOW_THREADS
    }
    release(b, 3);
    return fits ? ended(OK) : refused("counts");
}

/* Whether tables are tables: what a search for a symbol relies on. */
static int are_tables(rans_tables *t, const Py_buffer *cdf, const Py_buffer *size) {
    int64_t rows = size->len / 4;
    if (!in_range(rows, 1, 256) || !HOLDS(*size, 4, rows) || cdf->len % (4 * rows)) return 0;
    int64_t columns = cdf->len / (4 * rows);
    if (!HOLDS(*cdf, 4, rows, columns)) return 0;
    t->cdf = cdf->buf, t->size = size->buf, t->rows = (int)rows, t->columns = (ptrdiff_t)columns;
    for (int row = 0; row < t->rows; row++) {
        const uint32_t *counts = t->cdf + row * t->columns;
        int symbols = t->size[row];
        if (!in_range(symbols, 1, 1 << 16) || symbols >= columns) return 0;
        if (counts[0] || counts[symbols] != 1u << PRECISION) return 0;
        for (int i = 0; i < symbols; i++)
            if (counts[i] >= counts[i + 1]) return 0;
    }
    return 1;
}

static int are_rows(const Py_buffer *rows, int count) {
    uint8_t most = 0;
    const uint8_t *row = rows->buf;
    for (Py_ssize_t i = 0; i < rows->len; i++) most = row[i] > most ? row[i] : most;
    return most < count;
}

static PyObject *decode(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[11];
    enum { ROWS, CDF, SIZE, OFFSET, FIRST, WORDS, STARTS, ENDS, STATES, ESCAPES, OUT };
    memset(b, 0, sizeof b);
    int first, end;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*y*w*w*w*w*(ii)", &b[ROWS], &b[CDF], &b[SIZE], &b[OFFSET],
                          &b[FIRST], &b[WORDS], &b[STARTS], &b[ENDS], &b[STATES], &b[ESCAPES], &b[OUT],
                          &first, &end))
        return NULL;
    rans_tables t;
    memset(&t, 0, sizeof t);
    int64_t lanes = b[STATES].len / 8;
    int fits = in_range(lanes, 1, MOST_LANES) && in_range(first, 0, lanes) && in_range(end, first, lanes)
        && are_tables(&t, &b[CDF], &b[SIZE]) && HOLDS(b[FIRST], 2, t.rows, 1 << COARSE)
        && are_rows(&b[ROWS], t.rows) && HOLDS(b[OUT], 4, b[ROWS].len) && HOLDS(b[STATES], 8, lanes)
        && HOLDS(b[ESCAPES], 8, lanes) && HOLDS(b[OFFSET], 4, t.rows)
        && HOLDS(b[STARTS], 8, lanes) && HOLDS(b[ENDS], 8, lanes)
        && HOLDS(b[WORDS], 4, b[WORDS].len / 4);
    const int64_t *starts = b[STARTS].buf, *ends = b[ENDS].buf;
    for (int n = first; fits && n < end; n++)
        fits = in_range(starts[n], 0, ends[n]) && ends[n] <= b[WORDS].len / 4;
    const int32_t *offset = b[OFFSET].buf;
    for (int row = 0; fits && row < t.rows; row++) fits = in_range(offset[row], -(1 << 30), 1 << 30);
    const uint16_t *coarse = b[FIRST].buf;
    for (int row = 0; fits && row < t.rows; row++) {
        /* No first candidate is behind its slot: the search ends within the row. */
        const uint32_t *counts = t.cdf + row * t.columns;
        for (uint32_t i = 0; fits && i < 1u << COARSE; i++, coarse++)
            fits = *coarse < t.size[row] && counts[*coarse] <= i << (PRECISION - COARSE);
    }
    int status = OK;
    if (fits && first < end) {
        t.coarse = b[FIRST].buf, t.offset = offset;
        Py_BEGIN_ALLOW_THREADS
        status = rans_decode(&t, b[ROWS].buf, b[ROWS].len, b[WORDS].buf, starts, b[ENDS].buf,
                             b[STATES].buf, b[ESCAPES].buf, (int)lanes, first, end, b[OUT].buf);
        Py_END_ALLOW_THREADS
    }
    release(b, 11);
    return fits ? ended(status) : refused("decode");
}

static PyObject *encode(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[7];
    enum { SYMBOLS, ROWS, CDF, SIZE, STATES, WORDS, COUNTS };
    memset(b, 0, sizeof b);
    if (!PyArg_ParseTuple(args, "y*y*y*y*w*w*w*", &b[SYMBOLS], &b[ROWS], &b[CDF], &b[SIZE], &b[STATES],
                          &b[WORDS], &b[COUNTS]))
        return NULL;
    rans_tables t;
    memset(&t, 0, sizeof t);
    int64_t lanes = b[STATES].len / 8, count = b[ROWS].len;
    int fits = in_range(lanes, 1, MOST_LANES) && are_tables(&t, &b[CDF], &b[SIZE])
        && are_rows(&b[ROWS], t.rows) && HOLDS(b[SYMBOLS], 2, count) && HOLDS(b[STATES], 8, lanes)
        && HOLDS(b[COUNTS], 8, lanes);
    int64_t room = fits ? b[WORDS].len / 4 / lanes : 0;
    fits = fits && HOLDS(b[WORDS], 4, lanes, room) && room >= count / lanes + 256 * (count / PIECE + 1);
    const uint16_t *symbols = b[SYMBOLS].buf;
    const uint8_t *rows = b[ROWS].buf;
    int known = 1;
    for (int64_t i = 0; fits && known && i < count; i++) known = symbols[i] < t.size[rows[i]];
    for (int64_t n = 0; fits && n < lanes; n++) fits = ((const int64_t *)b[COUNTS].buf)[n] == 0;
    int status = OK;
    if (fits && known) {
        Py_BEGIN_ALLOW_THREADS
        status = rans_encode(&t, rows, symbols, count, b[STATES].buf, (int)lanes, b[WORDS].buf, room,
                             b[COUNTS].buf);
        Py_END_ALLOW_THREADS
    }
    release(b, 7);
    if (!known) PyErr_SetString(PyExc_ValueError, "A symbol is not in its table.");
    if (!known) return NULL;
    return fits ? ended(status) : refused("encode");
}

static PyObject *symbols_of(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[5];
    enum { VALUES, ROWS, SIZE, OFFSET, OUT };
    memset(b, 0, sizeof b);
    if (!PyArg_ParseTuple(args, "y*y*y*y*w*", &b[VALUES], &b[ROWS], &b[SIZE], &b[OFFSET], &b[OUT]))
        return NULL;
    rans_tables t;
    memset(&t, 0, sizeof t);
    int64_t rows = b[SIZE].len / 4, count = b[ROWS].len, escapes = 0;
    int fits = in_range(rows, 1, 256) && HOLDS(b[SIZE], 4, rows) && HOLDS(b[OFFSET], 4, rows)
        && HOLDS(b[VALUES], 4, count) && HOLDS(b[OUT], 2, count) && are_rows(&b[ROWS], (int)rows);
    t.size = b[SIZE].buf;
    for (int row = 0; fits && row < rows; row++) fits = in_range(t.size[row], 1, 1 << 16);
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        escapes = rans_symbols(&t, b[OFFSET].buf, b[VALUES].buf, b[ROWS].buf, count, b[OUT].buf);
        Py_END_ALLOW_THREADS
    }
    release(b, 5);
    return fits ? PyLong_FromLongLong(escapes) : refused("symbols");
}

static PyObject *cheapest(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[8];
    enum { RESIDUAL, INDEX, CLASSES, MATRICES, BIAS, COSTS, CHOICE, OUT };
    memset(b, 0, sizeof b);
    transforms t;
    memset(&t, 0, sizeof t);
    int number;
    Py_ssize_t first, end;
    if (!PyArg_ParseTuple(args, "iy*y*y*y*y*y*y*w*(iiii)(nn)", &number, &b[RESIDUAL], &b[INDEX],
                          &b[CLASSES], &b[MATRICES], &b[BIAS], &b[COSTS], &b[CHOICE], &b[OUT], &t.count,
                          &t.channels, &t.bits, &t.weight, &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    int64_t places = b[CLASSES].len, rows = b[COSTS].len / 4 / 256;
    int64_t blocks = ((int64_t)t.channels + BLOCK - 1) / BLOCK, pairs = ((int64_t)t.channels + 1) / 2;
    int64_t classes = b[CHOICE].len / 4 / ((int64_t)in_range(t.count, 0, 126) * t.count + 1);
    int fits = kernels && in_range(t.channels, 1, 1 << 14) && in_range(t.count, 0, 126)
        && in_range(t.bits, 1, 14) && in_range(t.weight, 0, 1 << 17) && in_range(first, 0, places)
        && in_range(end, first, places) && HOLDS(b[RESIDUAL], 4, places, t.channels)
        && HOLDS(b[INDEX], 4, places, t.channels) && HOLDS(b[BIAS], 4, t.count, t.channels)
        && HOLDS(b[MATRICES], 2, t.count, blocks, pairs, BLOCK, 2) && in_range(rows, 1, 256)
        && HOLDS(b[COSTS], 4, rows, 256) && HOLDS(b[OUT], 1, places)
        && HOLDS(b[CHOICE], 4, classes, t.count + 1);
    for (Py_ssize_t i = first; fits && i < end; i++)
        fits = in_range(((const int8_t *)b[CLASSES].buf)[i], -1, classes - 1);
    int status = OK;
    int64_t saved = 0;
    if (fits) {
        t.residual = b[RESIDUAL].buf, t.index = b[INDEX].buf, t.which = b[CLASSES].buf;
        t.matrices = b[MATRICES].buf, t.bias = b[BIAS].buf, t.costs = b[COSTS].buf;
        t.choice = b[CHOICE].buf, t.chosen = b[OUT].buf, t.rows = (int)rows;
        Py_BEGIN_ALLOW_THREADS
        status = kernels->cheapest(&t, first, end, &saved);
        Py_END_ALLOW_THREADS
    }
    release(b, 8);
    if (fits && status == OK) return PyLong_FromLongLong(saved);
    return fits ? ended(status) : refused("cheapest");
}

static PyObject *forward(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[4];
    enum { RESIDUAL, WHICH, MATRICES, OUT };
    memset(b, 0, sizeof b);
    transforms t;
    memset(&t, 0, sizeof t);
    int number;
    Py_ssize_t first, end;
    if (!PyArg_ParseTuple(args, "iy*y*y*w*(iii)(nn)", &number, &b[RESIDUAL], &b[WHICH], &b[MATRICES],
                          &b[OUT], &t.count, &t.channels, &t.bits, &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    int64_t places = b[WHICH].len;
    int64_t blocks = ((int64_t)t.channels + BLOCK - 1) / BLOCK, pairs = ((int64_t)t.channels + 1) / 2;
    int fits = kernels && in_range(t.channels, 1, 1 << 14) && in_range(t.count, 0, 127)
        && in_range(t.bits, 1, 14) && in_range(first, 0, places) && in_range(end, first, places)
        && HOLDS(b[RESIDUAL], 4, places, t.channels) && HOLDS(b[OUT], 4, places, t.channels)
        && HOLDS(b[MATRICES], 2, t.count, blocks, pairs, BLOCK, 2);
    for (Py_ssize_t i = first; fits && i < end; i++)
        fits = in_range(((const int8_t *)b[WHICH].buf)[i], 0, t.count);
    int status = OK;
    if (fits) {
        t.residual = b[RESIDUAL].buf, t.which = b[WHICH].buf, t.matrices = b[MATRICES].buf;
        t.out = b[OUT].buf;
        Py_BEGIN_ALLOW_THREADS
        status = kernels->forward(&t, first, end);
        Py_END_ALLOW_THREADS
    }
    release(b, 4);
    return fits ? ended(status) : refused("forward");
}

static PyObject *fractions_of(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[2];
    enum { PIXELS, TO };
    memset(b, 0, sizeof b);
    fractions f;
    memset(&f, 0, sizeof f);
    int number, bytes;
    long long factor;
    Py_ssize_t first, end;
    if (!PyArg_ParseTuple(args, "iy*w*(iLii)(nn)", &number, &b[PIXELS], &b[TO], &f.middle, &factor,
                          &f.most, &bytes, &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    int64_t count = b[TO].len / 4;
    int fits = kernels && in_range(f.middle, 0, UINT16_MAX) && in_range(factor, 0, (int64_t)1 << 45)
        && in_range(f.most, 0, MOST_VALUE) && (bytes == 1 || bytes == 2) && HOLDS(b[TO], 4, count)
        && HOLDS(b[PIXELS], (size_t)bytes, count) && in_range(first, 0, count)
        && in_range(end, first, count);
    f.pixels = b[PIXELS].buf, f.out = b[TO].buf, f.factor = factor;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        (bytes == 1 ? kernels->fractions8 : kernels->fractions16)(&f, first, end);
        Py_END_ALLOW_THREADS
    }
    release(b, 2);
    return fits ? ended(OK) : refused("fractions");
}

static PyObject *quantized(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[4];
    enum { RESIDUAL, ROWS, COSTS, OUT };
    memset(b, 0, sizeof b);
    quantization q;
    memset(&q, 0, sizeof q);
    int number;
    Py_ssize_t first, end;
    if (!PyArg_ParseTuple(args, "iy*y*y*w*i(nn)", &number, &b[RESIDUAL], &b[ROWS], &b[COSTS], &b[OUT],
                          &q.weight, &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    int64_t count = b[ROWS].len, rows = b[COSTS].len / 4 / 256;
    int fits = kernels && in_range(q.weight, 0, 1 << 17) && in_range(first, 0, count)
        && in_range(end, first, count) && in_range(rows, 1, 256) && HOLDS(b[COSTS], 4, rows, 256)
        && HOLDS(b[RESIDUAL], 4, count) && HOLDS(b[OUT], 4, count) && are_rows(&b[ROWS], (int)rows);
    if (fits) {
        q.residual = b[RESIDUAL].buf, q.rows = b[ROWS].buf, q.costs = b[COSTS].buf, q.out = b[OUT].buf;
        Py_BEGIN_ALLOW_THREADS
        kernels->quantized(&q, first, end);
        Py_END_ALLOW_THREADS
    }
    release(b, 4);
    return fits ? ended(OK) : refused("quantized");
}

static PyMethodDef methods[] = {
    {"instruction_sets", instruction_sets, METH_NOARGS, "Bits of the sets that this machine has."},
    {"convolve", convolve, METH_VARARGS, "Rows of a convolution."},
    {"lapped_synthesis", lapped_synthesis, METH_VARARGS, "Rows of blocks of pixels."},
    {"lapped_analysis", lapped_analysis, METH_VARARGS, "Rows of blocks of latents."},
    {"block_matrices", matrices, METH_VARARGS, "Products of some places."},
    {"scaled", scaled, METH_VARARGS, "Numbers times factors by channel."},
    {"narrowed", narrowed, METH_VARARGS, "Numbers of 16 bits."},
    {"nearest_rows", nearest_rows, METH_VARARGS, "Rows of probability tables."},
    {"counts", counts, METH_VARARGS, "Pixels."},
    {"cheapest", cheapest, METH_VARARGS, "The cheapest transform of places; what it saves."},
    {"forward", forward, METH_VARARGS, "Places transformed."},
    {"fractions", fractions_of, METH_VARARGS, "Pixels as fixed-point numbers."},
    {"quantized", quantized, METH_VARARGS, "Integers of the least cost."},
    {"rans_decode", decode, METH_VARARGS, "Symbols of some lanes."},
    {"rans_symbols", symbols_of, METH_VARARGS, "Symbols of values; how many are escaped."},
    {"rans_encode", encode, METH_VARARGS, "Words of all lanes."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_native", "Integer kernels of learned codecs.", -1, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__native(void) {
    find_sets();
    return PyModule_Create(&definition);
}
