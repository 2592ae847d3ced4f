"""The napari plugin: .cyto files as layers, and a widget that compares a layer with coded copies.

Archives need no plugin: napari's readers of OME-Zarr find the codec by its entry point.
"""
