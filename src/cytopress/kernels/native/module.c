/* The extension module: arrays and numbers from Python, checked, to the kernels.

   Nothing that is given here is trusted: a length, range or index that does not fit is a ValueError.
   The kernels run without the interpreter's lock. */
#include "arguments.h"
#include "kernels.h"
#include "latents.h"
#include "networks.h"
#include "periodic_noise.h"
#include "plane_synthesis.h"
#include "rans.h"
#include "rate_distortion.h"
#include "stack_matrix.h"

#include <stdlib.h>

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

const kernel_table *table(int number) {
    return in_range(number, 0, SETS - 1) ? tables[number] : NULL;
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
    if (!PyArg_ParseTuple(args, "iy*y*y*y*w*(iiiiii)(ii)", &number, &b[IN], &b[Y], &b[X], &b[ORDER],
                          &b[OUT], &l.height, &l.width, &l.size, &l.shift_y, &l.shift_x, &l.channels,
                          &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    int64_t size = l.size, height = l.height, width = l.width;
    int fits = kernels && (size == 8 || size == 16) && in_range(height, 1, 1 << 24)
        && in_range(width, 1, 1 << 24) && in_range(l.shift_y, 1, 30) && in_range(l.shift_x, 1, 30)
        && in_range(first, 0, height) && in_range(end, first, height)
        && HOLDS(b[Y], 2, size, 2, size) && HOLDS(b[X], 2, size, 2, size) && HOLDS(b[ORDER], 4, size, size);
    const Py_buffer *latents = &b[synthesis ? IN : OUT], *pixels = &b[synthesis ? OUT : IN];
    int64_t margin = synthesis ? 0 : size;
    int channels = l.channels;
    fits = fits && (synthesis ? channels == size * size : in_range(channels, size * size, 1 << 14))
        && HOLDS(*latents, 4, height, width, channels)
        && HOLDS(*pixels, 4, height * size + margin, width * size + margin);
    for (int i = 0; fits && i < size * size; i++)
        fits = in_range(((const int32_t *)b[ORDER].buf)[i], 0, channels - 1);
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

/* Tables that were checked once, with copies of their arrays. */
static const char TABLES[] = "cytopress.kernels.tables";

static void drop_tables(PyObject *capsule) { free(PyCapsule_GetPointer(capsule, TABLES)); }

static PyObject *rans_tables_of(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[4];
    enum { CDF, SIZE, OFFSET, FIRST };
    memset(b, 0, sizeof b);
    if (!PyArg_ParseTuple(args, "y*y*y*y*", &b[CDF], &b[SIZE], &b[OFFSET], &b[FIRST])) return NULL;
    rans_tables t;
    memset(&t, 0, sizeof t);
    int fits = are_tables(&t, &b[CDF], &b[SIZE]) && HOLDS(b[FIRST], 2, t.rows, 1 << COARSE)
        && HOLDS(b[OFFSET], 4, t.rows);
    const int32_t *offset = b[OFFSET].buf;
    for (int row = 0; fits && row < t.rows; row++) fits = in_range(offset[row], -(1 << 30), 1 << 30);
    const uint16_t *coarse = b[FIRST].buf;
    for (int row = 0; fits && row < t.rows; row++) {
        /* No first candidate is behind its slot: the search ends within the row. */
        const uint32_t *counts = t.cdf + row * t.columns;
        for (uint32_t i = 0; fits && i < 1u << COARSE; i++, coarse++)
            fits = *coarse < t.size[row] && counts[*coarse] <= i << (PRECISION - COARSE);
    }
    PyObject *found = NULL;
    if (fits) {
        size_t bytes[4], sum = 0;
        for (int i = 0; i < 4; i++) sum += bytes[i] = (size_t)b[i].len;
        rans_tables *held = malloc(sizeof t + sum + (size_t)t.rows * sizeof *t.likely);
        if (held) {
            char *at = (char *)(held + 1), *copies[4];
            for (int i = 0; i < 4; at += bytes[i++]) memcpy(copies[i] = at, b[i].buf, bytes[i]);
            uint16_t *likely = (uint16_t *)at;
            *held = t;
            held->cdf = (uint32_t *)copies[CDF], held->size = (int32_t *)copies[SIZE];
            held->offset = (int32_t *)copies[OFFSET], held->coarse = (uint16_t *)copies[FIRST];
            held->likely = likely;
            for (int row = 0; row < t.rows; row++) {
                const uint32_t *counts = held->cdf + row * t.columns;
                likely[row] = 0;
                for (int i = 1; i < held->size[row]; i++)
                    if (counts[i + 1] - counts[i] > counts[likely[row] + 1] - counts[likely[row]])
                        likely[row] = (uint16_t)i;
            }
            found = PyCapsule_New(held, TABLES, drop_tables);
            if (!found) free(held);
        } else {
            PyErr_NoMemory();
        }
    } else {
        refused("tables");
    }
    release(b, 4);
    return found;
}

/* Places of pieces sorted by row, which are sorted by one function and read by another. */
static const char ORDER_OF[] = "cytopress.kernels.order";

static void drop_order(PyObject *capsule) { free(PyCapsule_GetPointer(capsule, ORDER_OF)); }

static PyObject *new_order(PyObject *self, PyObject *args) {
    (void)self;
    Py_ssize_t count;
    if (!PyArg_ParseTuple(args, "n", &count)) return NULL;
    if (!in_range(count, 1, 1 << 30)) return refused("order");
    size_t pieces = ((size_t)count + PIECE - 1) / PIECE;
    /* Before they are sorted, pieces hold no place of any row. */
    rans_order *held = malloc(sizeof *held + pieces * MOST_ROWS * sizeof *held->ends + (size_t)count * sizeof *held->places);
    if (!held) return PyErr_NoMemory();
    held->count = count;
    held->ends = (int32_t *)(held + 1);
    held->places = (uint32_t *)(held->ends + pieces * MOST_ROWS);
    memset(held->ends, 0, pieces * MOST_ROWS * sizeof *held->ends);
    PyObject *found = PyCapsule_New(held, ORDER_OF, drop_order);
    if (!found) free(held);
    return found;
}

static PyObject *sort_pieces(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b;
    PyObject *capsule;
    Py_ssize_t first, end;
    if (!PyArg_ParseTuple(args, "Oy*(nn)", &capsule, &b, &first, &end)) return NULL;
    rans_order *o = PyCapsule_IsValid(capsule, ORDER_OF) ? PyCapsule_GetPointer(capsule, ORDER_OF) : NULL;
    int64_t pieces = ((int64_t)b.len + PIECE - 1) / PIECE;
    int fits = o && b.len <= o->count && in_range(first, 0, pieces) && in_range(end, first, pieces);
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t n = first; n < end; n++) {
            Py_ssize_t start = n * PIECE, left = b.len - start;
            rans_sort((const uint8_t *)b.buf + start, (int)(left < PIECE ? left : PIECE), o->places + start,
                      o->ends + n * MOST_ROWS);
        }
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&b);
    return fits ? ended(OK) : refused("sort");
}

static PyObject *decode(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[7];
    enum { OF, WORDS, STARTS, ENDS, STATES, ESCAPES, OUT };
    memset(b, 0, sizeof b);
    int first, end;
    PyObject *capsule, *sorted;
    if (!PyArg_ParseTuple(args, "y*OOy*y*w*w*w*w*(ii)", &b[OF], &capsule, &sorted, &b[WORDS], &b[STARTS],
                          &b[ENDS], &b[STATES], &b[ESCAPES], &b[OUT], &first, &end))
        return NULL;
    const rans_order *o = PyCapsule_IsValid(sorted, ORDER_OF) ? PyCapsule_GetPointer(sorted, ORDER_OF) : NULL;
    const rans_tables *t = PyCapsule_IsValid(capsule, TABLES) ? PyCapsule_GetPointer(capsule, TABLES) : NULL;
    int64_t lanes = b[STATES].len / 8;
    int fits = t && in_range(lanes, 1, MOST_LANES) && in_range(first, 0, lanes) && in_range(end, first, lanes)
        && HOLDS(b[OUT], 4, b[OF].len) && HOLDS(b[STATES], 8, lanes)
        && HOLDS(b[ESCAPES], 8, lanes, (b[OF].len + PIECE - 1) / PIECE)
        && (sorted == Py_None || (o && b[OF].len <= o->count)) && HOLDS(b[STARTS], 8, lanes) && HOLDS(b[ENDS], 8, lanes)
        && HOLDS(b[WORDS], 4, b[WORDS].len / 4);
    const int64_t *starts = b[STARTS].buf, *ends = b[ENDS].buf;
    for (int n = first; fits && n < end; n++)
        fits = in_range(starts[n], 0, ends[n]) && ends[n] <= b[WORDS].len / 4;
    int status = OK;
    if (fits && first < end) {
        Py_BEGIN_ALLOW_THREADS
        status = rans_decode(t, b[OF].buf, b[OF].len, o, b[WORDS].buf, starts, b[ENDS].buf, b[STATES].buf,
                             b[ESCAPES].buf, (int)lanes, first, end, b[OUT].buf);
        Py_END_ALLOW_THREADS
    }
    release(b, 7);
    if (status != OUT_OF_RANGE) return fits ? ended(status) : refused("decode");
    PyErr_Format(PyExc_ValueError, "A row is not one of %d tables.", t->rows);
    return NULL;
}

static PyObject *encode(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[5];
    enum { SYMBOLS, ROWS, STATES, WORDS, COUNTS };
    memset(b, 0, sizeof b);
    PyObject *capsule;
    if (!PyArg_ParseTuple(args, "y*y*Ow*w*w*", &b[SYMBOLS], &b[ROWS], &capsule, &b[STATES], &b[WORDS],
                          &b[COUNTS]))
        return NULL;
    const rans_tables *t = PyCapsule_IsValid(capsule, TABLES) ? PyCapsule_GetPointer(capsule, TABLES) : NULL;
    int64_t lanes = b[STATES].len / 8, count = b[ROWS].len;
    int fits = t && in_range(lanes, 1, MOST_LANES) && are_rows(&b[ROWS], t->rows)
        && HOLDS(b[SYMBOLS], 2, count) && HOLDS(b[STATES], 8, lanes) && HOLDS(b[COUNTS], 8, lanes);
    int64_t room = fits ? b[WORDS].len / 4 / lanes : 0;
    fits = fits && HOLDS(b[WORDS], 4, lanes, room) && room >= count / lanes + 256 * (count / PIECE + 1);
    const uint16_t *symbols = b[SYMBOLS].buf;
    const uint8_t *rows = b[ROWS].buf;
    int known = 1, status = OK;
    for (int64_t i = 0; fits && known && i < count; i++) known = symbols[i] < t->size[rows[i]];
    for (int64_t n = 0; fits && n < lanes; n++) fits = ((const int64_t *)b[COUNTS].buf)[n] == 0;
    if (fits && known) {
        Py_BEGIN_ALLOW_THREADS
        status = rans_encode(t, rows, symbols, count, b[STATES].buf, (int)lanes, b[WORDS].buf, room,
                             b[COUNTS].buf);
        Py_END_ALLOW_THREADS
    }
    release(b, 5);
    if (!known) PyErr_SetString(PyExc_ValueError, "A symbol is not in its table.");
    if (!known) return NULL;
    return fits ? ended(status) : refused("encode");
}

static PyObject *symbols_of(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[4];
    enum { VALUES, ROWS, OUT, PLACES };
    memset(b, 0, sizeof b);
    PyObject *capsule;
    if (!PyArg_ParseTuple(args, "y*y*Ow*w*", &b[VALUES], &b[ROWS], &capsule, &b[OUT], &b[PLACES])) return NULL;
    const rans_tables *t = PyCapsule_IsValid(capsule, TABLES) ? PyCapsule_GetPointer(capsule, TABLES) : NULL;
    int64_t count = b[ROWS].len, escapes = 0;
    int fits = t && HOLDS(b[VALUES], 4, count) && HOLDS(b[OUT], 2, count) && HOLDS(b[PLACES], 4, count)
        && count <= INT32_MAX && are_rows(&b[ROWS], t->rows);
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        escapes = rans_symbols(t, b[VALUES].buf, b[ROWS].buf, count, b[OUT].buf, b[PLACES].buf);
        Py_END_ALLOW_THREADS
    }
    release(b, 4);
    return fits ? PyLong_FromLongLong(escapes) : refused("symbols");
}

static PyMethodDef methods[] = {
    {"instruction_sets", instruction_sets, METH_NOARGS, "Bits of the sets that this machine has."},
    {"convolve", convolve, METH_VARARGS, "Rows of a convolution."},
    {"lapped_synthesis", lapped_synthesis, METH_VARARGS, "Rows of blocks of pixels."},
    {"lapped_analysis", lapped_analysis, METH_VARARGS, "Rows of blocks of latents."},
    {"add_blocks", add_blocks, METH_VARARGS, "Products of some places, added."},
    {"rans_tables", rans_tables_of, METH_VARARGS, "Tables, checked."},
    {"rans_order", new_order, METH_VARARGS, "Room for the places of pieces."},
    {"rans_sort", sort_pieces, METH_VARARGS, "Places of some pieces, sorted by row."},
    {"rans_decode", decode, METH_VARARGS, "Symbols of some lanes."},
    {"rans_symbols", symbols_of, METH_VARARGS, "Symbols of values; how many are escaped."},
    {"rans_encode", encode, METH_VARARGS, "Words of all lanes."},
    {"activity", activity, METH_VARARGS, "Classes of activity of some places."},
    {"table_rows", table_rows, METH_VARARGS, "Rows of probability tables of some places."},
    {"add_values", add_values, METH_VARARGS, "Numbers, added to some places."},
    {"neighborhoods", neighborhoods, METH_VARARGS, "Logarithms and narrow numbers around places."},
    {"dequantized", dequantized, METH_VARARGS, "Numbers times factors by channel, and narrow ones."},
    {"pixel_rows", pixel_rows, METH_VARARGS, "Pixels of some rows, with their background."},
    {"cheapest", cheapest, METH_VARARGS, "The cheapest transform of places; what it saves."},
    {"forward", forward, METH_VARARGS, "Places transformed."},
    {"quantized", quantized, METH_VARARGS, "Integers of the least cost."},
    {"fractions", fractions_of, METH_VARARGS, "Pixels as fixed-point numbers."},
    {"narrowed", narrowed, METH_VARARGS, "Numbers of 16 bits."},
    {"subtract_lines", subtract_lines, METH_VARARGS, "Rows less their background."},
    {"binary_cosines", binary_cosines, METH_VARARGS, "Cosines of a wave from bytes."},
    {"cosine_sums", cosine_sums, METH_VARARGS, "Sums of cosines at some rows."},
    {"plane", plane, METH_VARARGS, "Rows of a plane's pixels from its latents."},
    {"stack_product", stack_product, METH_VARARGS, "Products of a stack of arrays."},
    {"context_step", context, METH_VARARGS, "What latents add to means and indices of others."},
    {"shuffled_convolutions", shuffled, METH_VARARGS, "Rows through layers and pixel shuffles, in parts."},
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
