/* Python's functions of a context step and of shuffled convolutions: layers and arrays, checked. */
#include "networks.h"

#include "latents.h"
#include "plane_synthesis.h"

/* Whether the channels of an array of places are as many, and its places those of another one. */
static int is_of(const part *p, const part *same, int channels) {
    return p->at && p->channels == channels && p->height == same->height && p->width == same->width;
}

PyObject *context(PyObject *self, PyObject *args) {
    (void)self;
    /* An array and its places each, then the offsets, then weights and biases. */
    enum { KNOWN = 0, FEATURES = 2, MEAN = 4, INDEX = 6, OFFSETS = 8, HIDDEN = 9, OF_MEAN = 11, OF_INDEX = 13, ALL = 15 };
    Py_buffer b[ALL];
    PyObject *known, *places, *features, *mean, *index, *hidden, *of_mean, *of_index;
    int number, status = OK;
    Py_ssize_t first, end;
    context_step s;
    memset(b, 0, sizeof b);
    memset(&s, 0, sizeof s);
    if (!PyArg_ParseTuple(args, "iOOOOOy*iOOO(nn)", &number, &known, &places, &features, &mean, &index,
                          &b[OFFSETS], &s.shift, &hidden, &of_mean, &of_index, &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    int listed = places != Py_None;
    int taken = take_part(known, places, 0, first, end, b + KNOWN, &s.known)
        && take_part(features, Py_None, 0, 0, 0, b + FEATURES, &s.features)
        && take_part(mean, Py_None, 1, 0, 0, b + MEAN, &s.mean)
        && take_part(index, Py_None, 1, 0, 0, b + INDEX, &s.index);
    const int32_t *offsets = b[OFFSETS].buf;
    int64_t near = b[OFFSETS].len / 8;
    int fits = taken && kernels && s.known.at && s.features.at && s.mean.at && in_range(s.shift, 0, 30)
        && in_range(near, 1, 64) && HOLDS(b[OFFSETS], 4, near, 2)
        && in_range(end, first, listed ? s.known.count : s.known.height) && first >= 0
        && near * s.known.channels <= 1 << 14;
    for (int64_t i = 0; fits && i < 2 * near; i++) fits = in_range(offsets[i], -(1 << 24), 1 << 24);
    /* Rows are neighborhoods of themselves. */
    fits = fits && (listed || (near == 1 && !offsets[0] && !offsets[1]));
    if (fits) {
        int inputs = (int)near * s.known.channels, height = s.known.height, width = s.known.width;
        taken = take_layer(hidden, height, width, inputs, b + HIDDEN, &s.hidden)
            && take_layer(of_mean, height, width, inputs, b + OF_MEAN, &s.of_mean)
            && take_layer(of_index, height, width, s.hidden.outputs, b + OF_INDEX, &s.of_index);
        s.same_features = s.features.height == 1 && s.features.width == 1;
        fits = taken && s.hidden.out_bytes == 2 && s.of_mean.out_bytes == 4 && s.of_index.out_bytes == 4
            && s.hidden.shift >= 2 && !s.of_mean.margin && !s.of_index.margin && (!listed || !s.hidden.margin)
            && s.of_mean.outputs == s.of_index.outputs && is_of(&s.mean, &s.known, s.of_mean.outputs)
            && is_of(&s.index, &s.known, s.of_mean.outputs) && s.features.channels == s.hidden.outputs
            && (s.same_features || is_of(&s.features, &s.known, s.hidden.outputs));
    }
    s.near = (int)near, s.offsets = offsets, s.hidden.residual_bytes = 4;
    s.mean.places = s.index.places = s.known.places;
    if (!s.same_features) s.features.places = s.known.places;
    if (fits && first < end) {
        Py_BEGIN_ALLOW_THREADS
        status = kernels->context_step(&s, first, end);
        Py_END_ALLOW_THREADS
    }
    release(b, ALL);
    if (!taken) return NULL;
    return fits ? ended(status) : refused("context_step");
}

enum { Z, OUT, WEIGHTS = OUT + MOST_PARTS, LAST = WEIGHTS + 2 * MOST_LAYERS, BUFFERS = LAST + 2 * MOST_PARTS };

/* The layers before the last ones, each with its factor; the height behind them, 0 if they do not fit. */
static int64_t take_hidden(PyObject *given, Py_buffer *b, shuffled_convolutions *h, int64_t *width,
                           int *channels) {
    int64_t height = h->height;
    Py_ssize_t count = PySequence_Size(given);
    *width = h->width, *channels = h->channels;
    if (!in_range(count, 0, MOST_LAYERS)) return 0;
    for (h->count = 0; h->count < count; h->count++, b += 2) {
        convolution *c = &h->layers[h->count];
        PyObject *one = PySequence_GetItem(given, h->count), *layer;
        int *factor = &h->upsample[h->count];
        /* The layer's own reference goes with the tuple, its numbers are copied and its buffers held. */
        int taken = one && PyTuple_Check(one) && PyArg_ParseTuple(one, "Oi", &layer, factor)
            && take_layer(layer, (int)height, (int)*width, *channels, b, c);
        Py_XDECREF(one);
        if (!taken || c->out_bytes != 2 || !in_range(*factor, 1, 8)) return 0;
        if (c->outputs % (*factor * *factor)) return 0;
        *channels = c->outputs / (*factor * *factor);
        height *= *factor, *width *= *factor;
        if (height > 1 << 24 || *width > 1 << 24) return 0;
    }
    return height;
}

PyObject *shuffled(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[BUFFERS];
    PyObject *hidden, *last, *outs;
    int number, first, end, status = OK, channels;
    shuffled_convolutions h;
    memset(b, 0, sizeof b);
    memset(&h, 0, sizeof h);
    if (!PyArg_ParseTuple(args, "iy*OOO(iiii)(ii)", &number, &b[Z], &hidden, &last, &outs, &h.height,
                          &h.width, &h.channels, &h.most, &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    int64_t width = 0, height = 0;
    int fits = kernels && in_range(h.height, 1, 1 << 24) && in_range(h.width, 1, 1 << 24)
        && in_range(h.channels, 1, 1 << 14) && in_range(h.most, 1, INT16_MAX) && in_range(first, 0, h.height)
        && in_range(end, first, h.height) && HOLDS(b[Z], 4, h.height, h.width, h.channels)
        && PyTuple_Check(last) && PyTuple_Check(outs);
    if (fits) {
        h.z = b[Z].buf;
        height = take_hidden(hidden, b + WEIGHTS, &h, &width, &channels);
        Py_ssize_t parts = PyTuple_Size(last);
        fits = height > 0 && in_range(parts, 1, MOST_PARTS) && PyTuple_Size(outs) == parts;
        for (Py_ssize_t i = 0; fits && i < parts; i++) {
            convolution *c = &h.last[i];
            fits = take_layer(PyTuple_GetItem(last, i), (int)height, (int)width, channels, b + LAST + 2 * i, c)
                && !PyObject_GetBuffer(PyTuple_GetItem(outs, i), &b[OUT + i], PyBUF_WRITABLE)
                && c->out_bytes == 4 && !c->margin && HOLDS(b[OUT + i], 4, height, width, c->outputs);
            c->out = b[OUT + i].buf;
        }
        h.parts = (int)parts;
    }
    if (fits && first < end) {
        Py_BEGIN_ALLOW_THREADS
        status = kernels->shuffled(&h, first, end);
        Py_END_ALLOW_THREADS
    }
    release(b, BUFFERS);
    if (fits) return ended(status);
    return PyErr_Occurred() ? NULL : refused("shuffled_convolutions");
}
