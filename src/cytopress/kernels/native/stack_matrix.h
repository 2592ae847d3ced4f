/* A matrix over a stack of arrays. */
#ifndef CYTOPRESS_STACK_MATRIX_H
#define CYTOPRESS_STACK_MATRIX_H

#include <Python.h>

PyObject *stack_product(PyObject *self, PyObject *args);

#endif
