"""Training of codecs: sources, networks, fit and export."""
