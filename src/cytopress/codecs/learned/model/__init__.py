"""Codec packages: found, opened, checked, and run."""
