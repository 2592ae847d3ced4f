"""A simulator of cells under the microscope, in three dimensions.

Cells of known shape are imaged in partially coherent bright-field and in widefield fluorescence, by
the transfer functions of waveorder (extra ``phantom``), and seen by a camera. The truth is known to
the voxel, which no microscope can offer; the documentation tells what is left out.
"""
