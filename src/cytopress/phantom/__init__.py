"""Simulator of cells under a microscope, in three dimensions.

Cells of known shape are imaged in partially coherent bright-field and in widefield fluorescence, by
the transfer functions of waveorder (extra ``phantom``), and recorded by a camera model. The ground
truth is known for each voxel; the documentation lists what is not simulated.
"""
