"""Built-in tasks: label-free prediction, segmentation and measurement."""
