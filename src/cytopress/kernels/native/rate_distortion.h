/* An encoder's choices, and what leads from pixels to latents. */
#ifndef CYTOPRESS_RATE_DISTORTION_H
#define CYTOPRESS_RATE_DISTORTION_H

#include <Python.h>

PyObject *cheapest(PyObject *self, PyObject *args);
PyObject *forward(PyObject *self, PyObject *args);
PyObject *quantized(PyObject *self, PyObject *args);
PyObject *fractions_of(PyObject *self, PyObject *args);
PyObject *narrowed(PyObject *self, PyObject *args);
PyObject *subtract_lines(PyObject *self, PyObject *args);

#endif
