/* Networks between hyper-latents and entropy coder. */
#ifndef CYTOPRESS_NETWORKS_H
#define CYTOPRESS_NETWORKS_H

#include "arguments.h"

PyObject *context(PyObject *self, PyObject *args);
PyObject *shuffled(PyObject *self, PyObject *args);

#endif
