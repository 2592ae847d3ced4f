/* Latents of a plane to its pixels. */
#ifndef CYTOPRESS_PLANE_SYNTHESIS_H
#define CYTOPRESS_PLANE_SYNTHESIS_H

#include "arguments.h"

/* Take a layer of `inputs` channels of an array: weights, biases and numbers of a tuple. Return 0 with
   an error set unless all fit. Its kernel is as wide as its margins, its stride 1. */
int take_layer(PyObject *one, int height, int width, int inputs, Py_buffer b[2], convolution *c);
PyObject *plane(PyObject *self, PyObject *args);

#endif
