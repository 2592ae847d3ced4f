/* Python's functions of an encoder's choices, and of what leads from pixels to latents. */
#include "rate_distortion.h"

#include "arguments.h"

PyObject *cheapest(PyObject *self, PyObject *args) {
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

PyObject *forward(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[3];
    enum { RESIDUAL, WHICH, MATRICES };
    memset(b, 0, sizeof b);
    transforms t;
    memset(&t, 0, sizeof t);
    int number;
    Py_ssize_t first, end;
    if (!PyArg_ParseTuple(args, "iw*y*y*(iii)(nn)", &number, &b[RESIDUAL], &b[WHICH], &b[MATRICES],
                          &t.count, &t.channels, &t.bits, &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    int64_t places = b[WHICH].len;
    int64_t blocks = ((int64_t)t.channels + BLOCK - 1) / BLOCK, pairs = ((int64_t)t.channels + 1) / 2;
    int fits = kernels && in_range(t.channels, 1, 1 << 14) && in_range(t.count, 0, 127)
        && in_range(t.bits, 1, 14) && in_range(first, 0, places) && in_range(end, first, places)
        && HOLDS(b[RESIDUAL], 4, places, t.channels)
        && HOLDS(b[MATRICES], 2, t.count, blocks, pairs, BLOCK, 2);
    for (Py_ssize_t i = first; fits && i < end; i++)
        fits = in_range(((const int8_t *)b[WHICH].buf)[i], 0, t.count);
    int status = OK;
    if (fits) {
        t.out = b[RESIDUAL].buf, t.which = b[WHICH].buf, t.matrices = b[MATRICES].buf;
        Py_BEGIN_ALLOW_THREADS
        status = kernels->forward(&t, first, end);
        Py_END_ALLOW_THREADS
    }
    release(b, 3);
    return fits ? ended(status) : refused("forward");
}

PyObject *fractions_of(PyObject *self, PyObject *args) {
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

PyObject *quantized(PyObject *self, PyObject *args) {
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
        && HOLDS(b[RESIDUAL], 4, count) && HOLDS(b[OUT], 4, count) ;
    for (int64_t i = first; fits && i < end; i++) fits = ((const uint8_t *)b[ROWS].buf)[i] < rows;
    if (fits) {
        q.residual = b[RESIDUAL].buf, q.rows = b[ROWS].buf, q.costs = b[COSTS].buf, q.out = b[OUT].buf;
        Py_BEGIN_ALLOW_THREADS
        kernels->quantized(&q, first, end);
        Py_END_ALLOW_THREADS
    }
    release(b, 4);
    return fits ? ended(OK) : refused("quantized");
}

PyObject *narrowed(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[2];
    enum { FROM, TO };
    memset(b, 0, sizeof b);
    int number, shift;
    Py_ssize_t first, end;
    if (!PyArg_ParseTuple(args, "iy*w*i(nn)", &number, &b[FROM], &b[TO], &shift, &first, &end)) return NULL;
    const kernel_table *kernels = table(number);
    int64_t count = b[FROM].len / 4;
    int fits = kernels && in_range(shift, 0, 30) && HOLDS(b[FROM], 4, count) && HOLDS(b[TO], 2, count)
        && in_range(first, 0, count) && in_range(end, first, count);
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        kernels->narrowed(b[FROM].buf, b[TO].buf, shift, first, end);
        Py_END_ALLOW_THREADS
    }
    release(b, 2);
    return fits ? ended(OK) : refused("narrowed");
}

PyObject *subtract_lines(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[4];
    enum { TO, LINES, ABOVE, BELOW };
    memset(b, 0, sizeof b);
    int number, scale, shift;
    Py_ssize_t first, end;
    if (!PyArg_ParseTuple(args, "iw*y*y*y*(ii)(nn)", &number, &b[TO], &b[LINES], &b[ABOVE], &b[BELOW],
                          &scale, &shift, &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    int64_t rows = b[ABOVE].len / 4, width = rows ? b[TO].len / 4 / rows : 0;
    int64_t grid = width ? b[LINES].len / 8 / width : 0;
    int fits = kernels && in_range(shift, 1, 62) && in_range(scale, 0, 1 << 20) && HOLDS(b[ABOVE], 4, rows)
        && HOLDS(b[BELOW], 4, rows) && HOLDS(b[TO], 4, rows, width) && HOLDS(b[LINES], 8, grid, width)
        && in_range(first, 0, rows) && in_range(end, first, rows);
    const int32_t *above = b[ABOVE].buf;
    for (Py_ssize_t y = first; fits && y < end; y++) fits = in_range(above[y], 0, grid - 1);
    if (fits) {
        lines l = {b[LINES].buf, above, b[BELOW].buf, b[TO].buf, (ptrdiff_t)width, (int)grid, scale, shift};
        Py_BEGIN_ALLOW_THREADS
        kernels->subtract_lines(&l, first, end);
        Py_END_ALLOW_THREADS
    }
    release(b, 4);
    return fits ? ended(OK) : refused("subtract_lines");
}
