"""A tiny dataset, written to a temporary folder."""

from fakes.tiny_dataset import make_dataset  # noqa: F401
