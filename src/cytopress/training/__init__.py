"""Data and a config to a model package. The only part, with phantom, that loads torch."""
