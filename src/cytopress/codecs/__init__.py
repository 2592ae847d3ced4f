"""Codecs: images to bytes that decode by themselves, and back."""
