/* What lies between convolutions and entropy coder: channels of some places of an array. */
#ifndef CYTOPRESS_LATENTS_H
#define CYTOPRESS_LATENTS_H

#include "arguments.h"

/* Take a buffer of channels, and the places that are meant: all, or those listed, of which those of a
   span are looked at. Return 0 with an error set; what does not fit is a part of nothing. */
int take_part(PyObject *array, PyObject *places, int writable, Py_ssize_t first, Py_ssize_t end,
              Py_buffer b[2], part *p);
/* Whether the array was one, and a span of its places is meant. */
int is_span(const part *p, Py_ssize_t first, Py_ssize_t end);

PyObject *activity(PyObject *self, PyObject *args);
PyObject *table_rows(PyObject *self, PyObject *args);
PyObject *add_values(PyObject *self, PyObject *args);
PyObject *add_blocks(PyObject *self, PyObject *args);
PyObject *neighborhoods(PyObject *self, PyObject *args);
PyObject *dequantized(PyObject *self, PyObject *args);
PyObject *pixel_rows(PyObject *self, PyObject *args);

#endif
