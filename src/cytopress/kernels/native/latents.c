/* Python's functions of channels of some places: arrays may be views of more channels. */
#include "latents.h"

int take_part(PyObject *array, PyObject *places, int writable, Py_ssize_t first, Py_ssize_t end,
              Py_buffer b[2], part *p) {
    int flags = PyBUF_STRIDES | (writable ? PyBUF_WRITABLE : 0);
    memset(p, 0, sizeof *p);
    if (PyObject_GetBuffer(array, &b[0], flags)) return 0;
    const Py_ssize_t *shape = b[0].shape, *strides = b[0].strides;
    int fits = b[0].ndim == 3 && b[0].itemsize == 4 && (uintptr_t)b[0].buf % 4 == 0;
    for (int i = 0; fits && i < 3; i++) fits = in_range(shape[i], 1, 1 << 24);
    if (!fits) return 1;
    Py_ssize_t step = shape[1] > 1 ? strides[1] : strides[0];
    if (shape[0] == 1 && shape[1] == 1) step = shape[2] * 4;
    fits = (strides[2] == 4 || shape[2] == 1) && step % 4 == 0 && step >= shape[2] * 4
        && (shape[0] == 1 || shape[1] == 1 || strides[0] == shape[1] * step);
    if (!fits) return 1;
    p->count = shape[0] * shape[1];
    if (places != Py_None) {
        if (PyObject_GetBuffer(places, &b[1], PyBUF_SIMPLE)) return 0;
        if (b[1].len % 4 || (uintptr_t)b[1].buf % 4) return 1;
        p->places = b[1].buf;
        int64_t most = p->count - 1;
        p->count = b[1].len / 4;
        if (!in_range(first, 0, p->count) || !in_range(end, first, p->count)) return 1;
        for (Py_ssize_t i = first; i < end; i++)
            if (!in_range(p->places[i], 0, most)) return 1;
    }
    p->at = b[0].buf, p->step = step / 4;
    p->height = (int)shape[0], p->width = (int)shape[1], p->channels = (int)shape[2];
    return 1;
}

int is_span(const part *p, Py_ssize_t first, Py_ssize_t end) {
    return p->at != NULL && in_range(first, 0, p->count) && in_range(end, first, p->count);
}

static int are_choices(const Py_buffer *b, const part *p, int most, Py_ssize_t first, Py_ssize_t end) {
    const int8_t *which = b->buf;
    int fits = HOLDS(*b, 1, p->count);
    for (Py_ssize_t i = first; fits && i < end; i++) fits = in_range(which[i], 0, most);
    return fits;
}

/* Release what was taken: of a part, then of others. */
static PyObject *finished(Py_buffer *b, int count, int taken, int fits, int status, const char *name) {
    release(b, count);
    if (!taken) return NULL;
    return fits ? ended(status) : refused(name);
}

PyObject *activity(PyObject *self, PyObject *args) {
    (void)self;
    enum { PART, PLACES, BIAS, OUT, OF, ALL };
    Py_buffer b[ALL];
    PyObject *array, *places;
    int number, least, drop, classes, shift, most;
    Py_ssize_t first, end;
    part p;
    memset(b, 0, sizeof b);
    /* Without room for rows there are none. */
    if (!PyArg_ParseTuple(args, "iOOy*w*w*(iii)(ii)(nn)", &number, &array, &places, &b[BIAS], &b[OUT],
                          &b[OF], &least, &drop, &classes, &shift, &most, &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    int taken = take_part(array, places, 0, first, end, b, &p);
    int fits = taken && kernels && is_span(&p, first, end) && in_range(least, 0, 1 << 24)
        && in_range(drop, 0, 20) && in_range(classes, 1, 20 - drop) && in_range(p.channels, 1, 1 << 10)
        && HOLDS(b[BIAS], 4, p.channels) && HOLDS(b[OUT], 1, p.count) && in_range(shift, 0, 30)
        && in_range(most, 0, 255) && (!b[OF].len || HOLDS(b[OF], 1, p.count, p.channels));
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        kernels->activity(&p, b[BIAS].buf, least, drop, classes, b[OUT].buf, shift, most,
                          b[OF].len ? b[OF].buf : NULL, first, end);
        Py_END_ALLOW_THREADS
    }
    return finished(b, ALL, taken, fits, OK, "activity");
}

PyObject *table_rows(PyObject *self, PyObject *args) {
    (void)self;
    enum { PART, PLACES, BIAS, WHICH, OUT, ALL };
    Py_buffer b[ALL];
    PyObject *array, *places;
    int number, shift, most, kept;
    Py_ssize_t first, end;
    part p;
    memset(b, 0, sizeof b);
    if (!PyArg_ParseTuple(args, "iOOy*z*w*(iii)(nn)", &number, &array, &places, &b[BIAS], &b[WHICH],
                          &b[OUT], &shift, &most, &kept, &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    int taken = take_part(array, places, 0, first, end, b, &p);
    int fits = taken && kernels && is_span(&p, first, end) && in_range(shift, 0, 30)
        && in_range(most, 0, 255) && HOLDS(b[OUT], 1, p.count, p.channels);
    int64_t kinds = fits ? b[BIAS].len / 4 / p.channels : 0;
    fits = fits && in_range(kinds, 1, 128) && HOLDS(b[BIAS], 4, kinds, p.channels)
        && (!b[WHICH].obj || are_choices(&b[WHICH], &p, (int)kinds - 1, first, end));
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        kernels->table_rows(&p, b[BIAS].buf, b[WHICH].obj ? b[WHICH].buf : NULL, shift, most, kept,
                            b[OUT].buf, first, end);
        Py_END_ALLOW_THREADS
    }
    return finished(b, ALL, taken, fits, OK, "table_rows");
}

PyObject *add_values(PyObject *self, PyObject *args) {
    (void)self;
    enum { PART, PLACES, VALUES, ALL };
    Py_buffer b[ALL];
    PyObject *array, *places;
    int number;
    Py_ssize_t first, end;
    part p;
    memset(b, 0, sizeof b);
    if (!PyArg_ParseTuple(args, "iOOy*(nn)", &number, &array, &places, &b[VALUES], &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    int taken = take_part(array, places, 1, first, end, b, &p);
    int fits = taken && kernels && is_span(&p, first, end) && HOLDS(b[VALUES], 4, p.count, p.channels);
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        kernels->add_values(&p, b[VALUES].buf, first, end);
        Py_END_ALLOW_THREADS
    }
    return finished(b, ALL, taken, fits, OK, "add_values");
}

PyObject *add_blocks(PyObject *self, PyObject *args) {
    (void)self;
    enum { PART, PLACES, VALUES, WHICH, MATRICES, ALL };
    Py_buffer b[ALL];
    PyObject *array, *places;
    int number, status = OK;
    Py_ssize_t first, end;
    part p;
    block_matrices m;
    memset(b, 0, sizeof b);
    memset(&m, 0, sizeof m);
    if (!PyArg_ParseTuple(args, "iOOy*y*y*(iiii)(nn)", &number, &array, &places, &b[VALUES], &b[WHICH],
                          &b[MATRICES], &m.count, &m.shift, &m.fraction, &m.most, &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    int taken = take_part(array, places, 1, first, end, b, &p);
    m.channels = p.channels;
    int64_t blocks = ((int64_t)m.channels + BLOCK - 1) / BLOCK, pairs = ((int64_t)m.channels + 1) / 2;
    int fits = taken && kernels && is_span(&p, first, end) && in_range(m.channels, 1, 1 << 14)
        && in_range(m.count, 0, 127) && in_range(m.shift, 1, 15) && in_range(m.fraction, 0, 8)
        && in_range(m.most, 1, INT16_MAX) && HOLDS(b[VALUES], 4, p.count, m.channels)
        && are_choices(&b[WHICH], &p, m.count, first, end)
        && HOLDS(b[MATRICES], 2, m.count, blocks, pairs, BLOCK, 2);
    if (fits) {
        m.values = b[VALUES].buf, m.which = b[WHICH].buf, m.matrices = b[MATRICES].buf;
        Py_BEGIN_ALLOW_THREADS
        status = kernels->add_blocks(&m, &p, first, end);
        Py_END_ALLOW_THREADS
    }
    return finished(b, ALL, taken, fits, status, "add_blocks");
}

PyObject *neighborhoods(PyObject *self, PyObject *args) {
    (void)self;
    enum { PART, PLACES, OFFSETS, LOGS, NARROW, ALL };
    Py_buffer b[ALL];
    PyObject *array, *places;
    int number, shift;
    Py_ssize_t first, end;
    part p;
    memset(b, 0, sizeof b);
    if (!PyArg_ParseTuple(args, "iOOy*w*w*i(nn)", &number, &array, &places, &b[OFFSETS], &b[LOGS],
                          &b[NARROW], &shift, &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    int64_t near = b[OFFSETS].len / 8;
    int taken = take_part(array, places, 0, first, end, b, &p);
    int fits = taken && kernels && is_span(&p, first, end) && in_range(shift, 0, 30)
        && in_range(near, 1, 64) && HOLDS(b[OFFSETS], 4, near, 2)
        && HOLDS(b[LOGS], 2, p.count, near, p.channels) && HOLDS(b[NARROW], 2, p.count, near, p.channels);
    const int32_t *offsets = b[OFFSETS].buf;
    for (int64_t i = 0; fits && i < 2 * near; i++) fits = in_range(offsets[i], -(1 << 24), 1 << 24);
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        kernels->neighborhoods(&p, offsets, (int)near, shift, b[LOGS].buf, b[NARROW].buf, first, end);
        Py_END_ALLOW_THREADS
    }
    return finished(b, ALL, taken, fits, OK, "neighborhoods");
}

PyObject *dequantized(PyObject *self, PyObject *args) {
    (void)self;
    enum { PART, PLACES, FACTORS, OUT, NARROW, ALL };
    Py_buffer b[ALL];
    PyObject *array;
    int number, shift, narrow;
    Py_ssize_t first, end;
    part p;
    memset(b, 0, sizeof b);
    if (!PyArg_ParseTuple(args, "iOy*w*w*(ii)(nn)", &number, &array, &b[FACTORS], &b[OUT], &b[NARROW],
                          &shift, &narrow, &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    int taken = take_part(array, Py_None, 0, first, end, b, &p);
    int fits = taken && kernels && is_span(&p, first, end) && in_range(shift, 0, 62)
        && in_range(narrow, 0, 30) && HOLDS(b[FACTORS], 8, p.channels)
        && HOLDS(b[OUT], 4, p.count, p.channels) && HOLDS(b[NARROW], 2, p.count, p.channels);
    const int64_t *factors = b[FACTORS].buf;
    for (int i = 0; fits && i < p.channels; i++) fits = in_range(factors[i], 0, INT32_MAX);
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        kernels->dequantized(&p, factors, shift, narrow, b[OUT].buf, b[NARROW].buf, first, end);
        Py_END_ALLOW_THREADS
    }
    return finished(b, ALL, taken, fits, OK, "dequantized");
}

PyObject *pixel_rows(PyObject *self, PyObject *args) {
    (void)self;
    enum { IN, LINES, ABOVE, BELOW, OUT, ALL };
    Py_buffer b[ALL];
    int number, rows, width, in_width, status = OK;
    Py_ssize_t first, end;
    pixels p;
    memset(b, 0, sizeof b);
    memset(&p, 0, sizeof p);
    if (!PyArg_ParseTuple(args, "iy*y*y*y*w*(iii)(iii)(iiii)(nn)", &number, &b[IN], &b[LINES], &b[ABOVE],
                          &b[BELOW], &b[OUT], &rows, &width, &in_width, &p.grid, &p.scale,
                          &p.smooth_shift, &p.shift, &p.span, &p.middle, &p.high, &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    size_t bytes = p.high > UINT8_MAX ? 2 : 1;
    int fits = kernels && in_range(rows, 1, 1 << 24) && in_range(in_width, 1, 1 << 28)
        && in_range(width, 1, in_width) && in_range(p.grid, 0, 1 << 24)
        && in_range(p.smooth_shift, 1, 62) && in_range(p.shift, 0, 30) && in_range(p.span, 0, UINT16_MAX)
        && in_range(p.middle, 0, UINT16_MAX) && in_range(p.high, 0, UINT16_MAX)
        && in_range(first, 0, rows) && in_range(end, first, rows) && HOLDS(b[IN], 4, rows, in_width)
        && HOLDS(b[OUT], bytes, rows, width) && HOLDS(b[LINES], 8, p.grid, width)
        && HOLDS(b[ABOVE], 4, rows) && HOLDS(b[BELOW], 4, rows);
    p.in = b[IN].buf, p.out = b[OUT].buf, p.lines = b[LINES].buf;
    p.above = b[ABOVE].buf, p.below = b[BELOW].buf, p.width = width, p.in_width = in_width;
    for (Py_ssize_t i = 0; fits && p.grid && i < rows; i++)
        fits = in_range(p.above[i], 0, p.grid - 1) && in_range(p.below[i], -(1 << 28), 1 << 28);
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        status = (bytes == 2 ? kernels->pixels16 : kernels->pixels8)(&p, first, end);
        Py_END_ALLOW_THREADS
    }
    return finished(b, ALL, 1, fits, status, "pixel_rows");
}
