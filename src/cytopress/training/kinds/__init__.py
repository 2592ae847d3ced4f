"""Kinds of task that can be trained: one module each, and their registry."""
