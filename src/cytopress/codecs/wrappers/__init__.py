"""Codecs of codecs: planes, wavelets, tiles, range, resolution, lines, a bounded error."""

from cytopress.codecs.wrappers.guarded import Guarded
from cytopress.codecs.wrappers.lines import Lines
from cytopress.codecs.wrappers.per_plane import PerPlane
from cytopress.codecs.wrappers.rescaled import Rescaled
from cytopress.codecs.wrappers.scaled import Scaled
from cytopress.codecs.wrappers.tiled import Tiled
from cytopress.codecs.wrappers.wavelet import Wavelet

__all__ = ["Guarded", "Lines", "PerPlane", "Rescaled", "Scaled", "Tiled", "Wavelet"]
