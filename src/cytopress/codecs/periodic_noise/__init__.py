"""Periodic (structured) noise of a camera: found, fitted, coded and evaluated in integers."""
