"""Codecs: an Image to bytes that decode by themselves, and back."""
