"""Packages of format 2: decoding in integers, from symbols to pixels, the same on every machine."""
