"""Whole data sets in OME-Zarr: their chunks coded by cytopress, opened by any zarr reader."""
