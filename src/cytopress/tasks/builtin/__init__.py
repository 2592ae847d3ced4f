"""Tasks that ship: label-free prediction, segmentation, measurement."""
