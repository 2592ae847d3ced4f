"""Downstream tasks: models that predict from an image, and the scores of their predictions."""
