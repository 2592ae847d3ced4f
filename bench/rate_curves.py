"""Rate-distortion curves in true bytes, and BD-rates between them."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from cytopress.codecs.spec import codec
from cytopress.codecs.targets.encodes import Encodes
from cytopress.errors import CytopressWarning, NotAvailableError, UnreachableTargetError
from cytopress.metrics import metric
from cytopress.statistics.bd_rate import bd_rate


@dataclass(frozen=True)
class Curve:
    """Bytes of a field, and the PSNR of each."""

    sizes: tuple[int, ...]
    psnrs: tuple[float, ...]

    def against(self, reference: Curve) -> float | None:
        """Return the BD-rate in percent, negative for fewer bytes; None where there is none."""
        try:
            curves = (reference.sizes, reference.psnrs, self.sizes, self.psnrs)
            return bd_rate(*curves).percent
        except NotAvailableError:
            return None


def curve(spec: str, encodes: Encodes, ratios: Sequence[float], span: float) -> Curve:
    """Return the curve of a codec over the ratios that it reaches, PSNR over ``span`` counts."""
    image, points = encodes.image, []
    for ratio in ratios:
        with contextlib.suppress(UnreachableTargetError), warnings.catch_warnings():
            # A ratio exceeded is a point of the curve like any other: no warning.
            warnings.simplefilter("ignore", CytopressWarning)
            request = codec(f"{spec}{',' if ':' in spec else ':'}ratio={ratio}")
            data = request.solve(image, encodes).data
            decoded = request.decode(data).pixels
            points.append((len(data), metric("psnr").function(image.pixels, decoded, span)))
    sizes, psnrs = zip(*points, strict=True) if points else ((), ())
    return Curve(sizes, psnrs)
