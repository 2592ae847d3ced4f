"""Downstream models: an Image in, a prediction out, and how the prediction is scored."""
