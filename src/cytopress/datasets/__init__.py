"""Datasets: the catalogue, the folder form, downloads, splits and archives for training."""
