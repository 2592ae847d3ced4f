"""Adapters: one codec of a library in each file."""
