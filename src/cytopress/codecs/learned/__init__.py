"""Codecs whose transforms and probabilities are learned from images."""
