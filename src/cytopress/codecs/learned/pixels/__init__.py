"""Pixels around the networks: normalization, smooth background, tiling, slabs of a volume."""
