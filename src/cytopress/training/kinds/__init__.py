"""The kinds of task that are trained here: one module each, and the table of them."""
