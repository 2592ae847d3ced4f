/* Python's function of a matrix over a stack of arrays. */
#include "stack_matrix.h"

#include "arguments.h"

/* Take the arrays of a tuple; return how many there are, 0 if they are not what is meant, -1 with
   Python's error set. */
static int take_stack(PyObject *stack, const stack_matrix *s, Py_buffer *b, const int32_t **at) {
    Py_ssize_t count = PyTuple_Check(stack) ? PyTuple_Size(stack) : 0;
    if (!in_range(count, 1, 2 * MOST_PAIRS)) return 0;
    for (Py_ssize_t n = 0; n < count; n++) {
        if (PyObject_GetBuffer(PyTuple_GetItem(stack, n), &b[n], PyBUF_SIMPLE)) return -1;
        if (!HOLDS(b[n], 4, s->places, s->channels)) return 0;
        at[n] = b[n].buf;
    }
    return (int)count;
}

PyObject *stack_product(PyObject *self, PyObject *args) {
    (void)self;
    enum { MATRIX, ORDER, OUT, ALL };
    Py_buffer b[ALL], stacked[2 * MOST_PAIRS];
    const int32_t *at[2 * MOST_PAIRS];
    PyObject *stack;
    int number, status = OK;
    Py_ssize_t first, end, places;
    stack_matrix s;
    memset(b, 0, sizeof b);
    memset(stacked, 0, sizeof stacked);
    memset(&s, 0, sizeof s);
    if (!PyArg_ParseTuple(args, "iOy*z*w*(niiiii)(nn)", &number, &stack, &b[MATRIX], &b[ORDER], &b[OUT],
                          &places, &s.channels, &s.rows, &s.count, &s.outputs, &s.shift, &first, &end))
        return NULL;
    const kernel_table *kernels = table(number);
    s.places = places;
    int fits = kernels && in_range(places, 0, PTRDIFF_MAX >> 16) && in_range(s.channels, 1, 1 << 14)
        && in_range(s.rows, 1, 2 * MOST_PAIRS) && in_range(s.count, 1, 1 << 10) && s.count % 32 == 0
        && in_range(s.outputs, 1, 2 * MOST_PAIRS) && in_range(s.shift, 1, 30)
        && in_range(first, 0, places) && in_range(end, first, places);
    s.arrays = fits ? take_stack(stack, &s, stacked, at) : 0;
    int taken = s.arrays >= 0;
    int64_t inputs = (int64_t)s.arrays * s.rows;
    fits = fits && s.arrays > 0 && inputs <= 2 * MOST_PAIRS
        && HOLDS(b[MATRIX], 2, s.outputs, (inputs + 1) / 2, 2) && HOLDS(b[OUT], 4, s.outputs, places, s.count)
        && (b[ORDER].obj ? HOLDS(b[ORDER], 4, s.rows, s.count) : s.rows == 1 && s.count == s.channels);
    const int32_t *order = b[ORDER].buf;
    for (int i = 0; fits && b[ORDER].obj && i < s.rows * s.count; i++) fits = in_range(order[i], 0, s.channels);
    if (fits && first < end) {
        s.stack = at, s.matrix = b[MATRIX].buf, s.out = b[OUT].buf;
        s.order = b[ORDER].obj ? order : NULL;
        Py_BEGIN_ALLOW_THREADS
        status = kernels->stack_product(&s, first, end);
        Py_END_ALLOW_THREADS
    }
    release(stacked, 2 * MOST_PAIRS);
    release(b, ALL);
    if (!taken) return NULL;
    return fits ? ended(status) : refused("stack_product");
}
