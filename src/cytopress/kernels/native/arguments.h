/* What functions that Python calls share: their arguments checked, their errors. */
#ifndef CYTOPRESS_ARGUMENTS_H
#define CYTOPRESS_ARGUMENTS_H

#define PY_SSIZE_T_CLEAN
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030b0000
#endif
#include <Python.h>

#include <string.h>

#include "kernels.h"

/* The kernels of an instruction set; NULL of one that this machine lacks. */
const kernel_table *table(int number);

/* Whether a buffer is aligned and holds a product of numbers, each of `bytes` bytes. */
static inline int holds(const Py_buffer *b, size_t bytes, int count, const int64_t *numbers) {
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

static inline int in_range(int64_t n, int64_t low, int64_t high) { return low <= n && n <= high; }

static inline PyObject *refused(const char *what) {
    PyErr_Format(PyExc_ValueError, "%s: the arrays and numbers do not fit.", what);
    return NULL;
}

static inline PyObject *ended(int status) {
    if (status == NO_MEMORY) return PyErr_NoMemory();
    if (status == OUT_OF_RANGE) {
        PyErr_SetString(PyExc_ValueError, "An activation is farther from 0 than its layer allows.");
        return NULL;
    }
    Py_RETURN_NONE;
}

static inline void release(Py_buffer *buffers, int count) {
    for (int i = 0; i < count; i++)
        if (buffers[i].obj) PyBuffer_Release(&buffers[i]);
}

#endif
