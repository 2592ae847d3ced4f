"""Report of the structured noise in a coded image: frequencies, strength and bytes, in words."""

from __future__ import annotations

import numpy as np

from cytopress.codecs.container.container import Form, Recipe
from cytopress.codecs.container.wire import split_views
from cytopress.codecs.periodic_noise.layer import AMPLITUDE_BITS, FREQUENCY_BITS, Layer, Line
from cytopress.codecs.periodic_noise.layer_stream import pack_layer
from cytopress.codecs.wrappers.guarded import Guarded
from cytopress.codecs.wrappers.lines import Lines, take_lines
from cytopress.figures import figure

Wave = tuple[Line, Layer]
# Frequencies that are nearer to one another are told as one, in cycles a pixel.
SAME = 0.002


def lines_report(recipe: Recipe, stream: memoryview, form: Form) -> str:
    """Return what structured noise was coded apart; "" where there is none.

    Such as ``pickup at 0.221 cycles/px along x, 0.9 counts, 411 bytes``, the strongest first.
    Counts are standard deviations in the image, over all planes.

    Parameters
    ----------
    recipe : Recipe
        Of the container.
    stream : memoryview
        Its stream.
    form : Form
        Its form.
    """
    if recipe.number == Guarded.number:
        inner = recipe.options["codec"]
        return lines_report(inner, split_views(stream, 2)[0], form)
    if recipe.number != Lines.number:
        return ""
    _, layers, _ = take_lines(stream, form)
    waves = [(line, layer) for layer in layers for line in layer.lines]
    if not waves:
        return ""
    groups = [group for along in (1, 0) for group in _groups(waves, along)]
    groups.sort(key=lambda group: -_power(group))
    told = ", ".join(_told(group, len(layers)) for group in groups)
    return f"{told}, {sum(len(pack_layer(layer)) for layer in layers)} bytes"


def _groups(waves: list[Wave], along: int) -> list[list[Wave]]:
    """Return the waves along an axis, grouped by frequency."""
    groups: list[list[Wave]] = []
    last = None
    for line, layer in sorted(waves, key=lambda wave: wave[0].frequency):
        if line.along != along:
            continue
        # Frequency 0 is another kind of noise.
        near = SAME * 2**FREQUENCY_BITS if last else 0
        if last is None or line.frequency - last > near:
            groups.append([])
        groups[-1].append((line, layer))
        last = line.frequency
    return groups


def _told(group: list[Wave], planes: int) -> str:
    strongest = max(group, key=lambda wave: _power([wave]))[0]
    counts = f"{figure((_power(group) / planes) ** 0.5, 2)} counts"
    if not strongest.frequency:
        return f"{('column', 'row')[strongest.along]} noise, {counts}"
    frequency = f"{strongest.frequency / 2**FREQUENCY_BITS:.3f} cycles/px"
    return f"pickup at {frequency} along {'yx'[strongest.along]}, {counts}"


def _power(group: list[Wave]) -> float:
    """Return the sum of the waves' mean squared counts."""
    total = 0.0
    for line, layer in group:
        amplitude = layer.amplitude(line) / 2**AMPLITUDE_BITS
        total += float(np.square(amplitude).sum(axis=1).mean()) * (1.0 if line.real else 0.5)
    return total
