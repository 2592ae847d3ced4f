/* Python's function of a plane's synthesis: its layers, transform and rounding, checked. */
#include "plane_synthesis.h"

enum { LATENTS, FACTORS, ORDER, Y, X, LINES, ABOVE, BELOW, OUT, WEIGHTS };
#define BUFFERS (WEIGHTS + 2 * MOST_LAYERS)

int take_layer(PyObject *one, int height, int width, int inputs, Py_buffer b[2], convolution *c) {
    if (!PyTuple_Check(one)) {
        refused("layers");
        return 0;
    }
    if (!PyArg_ParseTuple(one, "y*y*(iiii)(iiii)", &b[0], &b[1], &c->inputs, &c->outputs, &c->side,
                          &c->margin, &c->shift, &c->low, &c->high, &c->most))
        return 0;
    c->height = c->out_height = height, c->width = c->out_width = width, c->stride = 1;
    c->out_bytes = c->low >= INT16_MIN && c->high <= INT16_MAX ? 2 : 4;
    c->weights = b[0].buf, c->bias = b[1].buf;
    int64_t blocks = ((int64_t)c->outputs + BLOCK - 1) / BLOCK, pairs = ((int64_t)c->inputs + 1) / 2;
    int fits = c->inputs == inputs && in_range(c->outputs, 1, 1 << 14) && in_range(c->side, 1, 64)
        && c->side == 2 * c->margin + 1 && in_range(c->shift, 0, 30) && c->low <= c->high
        && in_range(c->most, 1, 1 << 15) && HOLDS(b[0], 2, blocks, c->side, c->side, pairs, BLOCK, 2)
        && HOLDS(b[1], 4, blocks, BLOCK);
    if (!fits) refused("layers");
    return fits;
}

/* The layers of a sequence, each of what the one before it gives, and the last one of latents. */
static int take_layers(PyObject *given, Py_buffer *b, plane_synthesis *p) {
    Py_ssize_t count = PySequence_Size(given);
    if (count < 0) return 0;
    int channels = p->latents.channels, narrow = 1;
    if (!in_range(count, 1, MOST_LAYERS)) {
        refused("plane");
        return 0;
    }
    for (p->count = 0; p->count < count; p->count++, b += 2) {
        convolution *c = &p->layers[p->count];
        PyObject *one = PySequence_GetItem(given, p->count);
        int taken = one && narrow && take_layer(one, p->latents.height, p->latents.width, channels, b, c);
        Py_XDECREF(one);
        if (!taken) {
            if (!PyErr_Occurred()) refused("plane");
            return 0;
        }
        channels = c->outputs, narrow = c->out_bytes == 2;
    }
    convolution *last = &p->layers[p->count - 1];
    last->residual_bytes = 4;
    if (channels == p->latents.channels && !narrow && last->shift >= 2) return 1;
    refused("plane");
    return 0;
}

PyObject *plane(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[BUFFERS];
    memset(b, 0, sizeof b);
    plane_synthesis p;
    memset(&p, 0, sizeof p);
    lapped *l = &p.transform;
    pixels *r = &p.rounding;
    PyObject *layers;
    int number, height, width, rows, columns, first, end, status = OK;
    if (!PyArg_ParseTuple(args, "iy*y*Oy*y*y*y*y*y*w*(ii)(ii)(iii)(ii)(iii)(iiii)(ii)", &number,
                          &b[LATENTS], &b[FACTORS], &layers, &b[Y], &b[X], &b[ORDER], &b[LINES],
                          &b[ABOVE], &b[BELOW], &b[OUT], &height, &width, &p.shift, &p.narrow_shift,
                          &l->size, &l->shift_y, &l->shift_x, &rows, &columns, &r->grid, &r->scale,
                          &r->smooth_shift, &r->shift, &r->span, &r->middle, &r->high, &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    int64_t size = l->size;
    p.out_bytes = r->high < 0 ? 4 : r->high > UINT8_MAX ? 2 : 1;
    int fits = kernels && in_range(height, 1, 1 << 24) && in_range(width, 1, 1 << 24)
        && in_range(p.shift, 0, 62) && in_range(p.narrow_shift, 0, 30) && (size == 8 || size == 16)
        && in_range(l->shift_y, 1, 30) && in_range(l->shift_x, 1, 30) && in_range(first, 0, height)
        && in_range(end, first, height) && in_range(rows, 1, height * size)
        && in_range(columns, 1, width * size) && HOLDS(b[LATENTS], 4, height, width, size, size)
        && HOLDS(b[FACTORS], 8, size, size) && HOLDS(b[Y], 2, size, 2, size)
        && HOLDS(b[X], 2, size, 2, size) && HOLDS(b[ORDER], 4, size, size)
        && in_range(r->grid, 0, 1 << 24) && HOLDS(b[LINES], 8, r->grid, columns)
        && (!r->grid || (HOLDS(b[ABOVE], 4, rows) && HOLDS(b[BELOW], 4, rows)))
        && in_range(r->smooth_shift, 1, 62) && in_range(r->shift, 0, 30)
        && in_range(r->span, 0, UINT16_MAX) && in_range(r->middle, 0, UINT16_MAX)
        && in_range(r->high, -1, UINT16_MAX) && (r->high >= 0 || !r->grid)
        && HOLDS(b[OUT], (size_t)p.out_bytes, rows, columns);
    const int64_t *factors = b[FACTORS].buf;
    const int32_t *order = b[ORDER].buf;
    for (int i = 0; fits && i < size * size; i++)
        fits = in_range(factors[i], 0, INT32_MAX) && in_range(order[i], 0, size * size - 1);
    r->lines = b[LINES].buf, r->above = b[ABOVE].buf, r->below = b[BELOW].buf;
    for (int i = 0; fits && r->grid && i < rows; i++)
        fits = in_range(r->above[i], 0, r->grid - 1) && in_range(r->below[i], -(1 << 28), 1 << 28);
    if (!fits) {
        release(b, BUFFERS);
        return refused("plane");
    }
    part *of = &p.latents;
    of->at = b[LATENTS].buf, of->height = height, of->width = width;
    of->channels = (int)(size * size), of->step = size * size, of->count = (ptrdiff_t)height * width;
    p.factors = factors;
    l->along_y = b[Y].buf, l->along_x = b[X].buf, l->order = order, l->height = height, l->width = width;
    r->out = b[OUT].buf, r->in_width = (ptrdiff_t)width * size, r->width = columns, p.rows = rows;
    if (!take_layers(layers, b + WEIGHTS, &p)) {
        release(b, BUFFERS);
        return NULL;
    }
    if (first < end) {
        Py_BEGIN_ALLOW_THREADS
        status = kernels->plane(&p, first, end);
        Py_END_ALLOW_THREADS
    }
    release(b, BUFFERS);
    return ended(status);
}
