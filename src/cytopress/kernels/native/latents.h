/* What lies between convolutions and entropy coder: channels of some places of an array. */
#ifndef CYTOPRESS_LATENTS_H
#define CYTOPRESS_LATENTS_H

#include <Python.h>

PyObject *activity(PyObject *self, PyObject *args);
PyObject *table_rows(PyObject *self, PyObject *args);
PyObject *add_values(PyObject *self, PyObject *args);
PyObject *add_blocks(PyObject *self, PyObject *args);
PyObject *neighborhoods(PyObject *self, PyObject *args);
PyObject *dequantized(PyObject *self, PyObject *args);
PyObject *pixel_rows(PyObject *self, PyObject *args);

#endif
