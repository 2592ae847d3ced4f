"""Image file formats: TIFF, PNG, OME-Zarr and bioio plugins, read into `Image` and written."""
