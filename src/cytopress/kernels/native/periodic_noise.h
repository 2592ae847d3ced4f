/* Periodic noise: its numbers from bytes, and sums of its cosines. */
#ifndef CYTOPRESS_PERIODIC_NOISE_H
#define CYTOPRESS_PERIODIC_NOISE_H

#include <Python.h>

PyObject *binary_cosines(PyObject *self, PyObject *args);
PyObject *cosine_sums(PyObject *self, PyObject *args);

#endif
