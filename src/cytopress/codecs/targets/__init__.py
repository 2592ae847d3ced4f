"""Portable targets: requested quality or rate, resolved and solved by search on real encodes."""
