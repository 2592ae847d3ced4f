"""Stored trials to curves, tables, comparisons and a recommendation; never runs a codec."""
