"""Compress microscopy images, and measure what that does to the analysis that follows."""

__version__ = "0.1.0"
