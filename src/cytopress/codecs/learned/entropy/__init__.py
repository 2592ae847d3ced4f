"""Entropy coding: probability tables and the range coder."""
