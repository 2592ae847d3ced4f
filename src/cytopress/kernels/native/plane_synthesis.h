/* Latents of a plane to its pixels. */
#ifndef CYTOPRESS_PLANE_SYNTHESIS_H
#define CYTOPRESS_PLANE_SYNTHESIS_H

#include <Python.h>

PyObject *plane(PyObject *self, PyObject *args);

#endif
