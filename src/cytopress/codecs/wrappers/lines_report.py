"""Report of the structured noise in a coded image: frequencies, strength and bytes, in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cytopress.codecs.container.container import Form, Recipe
from cytopress.codecs.container.wire import split_views
from cytopress.codecs.periodic_noise.layer import AMPLITUDE_BITS, FREQUENCY_BITS, Layer, Line
from cytopress.codecs.periodic_noise.layer_stream import pack_layer
from cytopress.codecs.wrappers.guarded import Guarded
from cytopress.codecs.wrappers.lines import Lines, take_lines
from cytopress.figures import figure

# Frequencies that are nearer to one another are told as one, in cycles a pixel.
SAME = 0.002


def lines_report(recipe: Recipe, stream: memoryview, form: Form) -> str:
    """Return what structured noise was coded apart; "" where there is none.

    Such as ``pickup at 0.221 cycles/px along x, 0.9 counts; 411 bytes``. Counts are the standard
    deviation that it has in the image, over all planes.

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
    _, _, layers, _ = take_lines(stream, form)
    waves = [(line, layer) for layer in layers for line in layer.lines]
    if not waves:
        return ""
    parts = [
        _told(along, group, len(layers)) for along in (1, 0) for group in _groups(waves, along)
    ]
    return f"{', '.join(parts)}, {sum(len(pack_layer(layer)) for layer in layers)} bytes"


def _groups(waves: list[tuple[Line, Layer]], along: int) -> list[list[tuple[Line, Layer]]]:
    """Return the waves along an axis, by frequency."""
    ordered = sorted(
        (wave for wave in waves if wave[0].along == along), key=lambda wave: wave[0].frequency
    )
    groups: list[list[tuple[Line, Layer]]] = []
    for line, layer in ordered:
        near = SAME * 2**FREQUENCY_BITS
        if (
            groups
            and groups[-1][0][0].frequency
            and (line.frequency - groups[-1][-1][0].frequency <= near)
        ) or (groups and not groups[-1][0][0].frequency and not line.frequency):
            groups[-1].append((line, layer))
        else:
            groups.append([(line, layer)])
    return groups


def _told(along: int, group: list[tuple[Line, Layer]], planes: int) -> str:
    power = sum(_variance(line, layer) for line, layer in group) / planes
    counts = f"{figure(float(power**0.5), 2)} counts"
    strongest = max(group, key=lambda one: _variance(*one))[0].frequency
    if not strongest:
        return f"{('column', 'row')[along]} noise, {counts}"
    return f"pickup at {strongest / 2**FREQUENCY_BITS:.3f} cycles/px along {'yx'[along]}, {counts}"


def _variance(line: Line, layer: Layer) -> float:
    """Return the mean squared counts of a wave."""
    amplitude = replace(layer, lines=(line,)).amplitude(line) / 2**AMPLITUDE_BITS
    share = 1.0 if line.real else 0.5
    return float(np.square(amplitude).sum(axis=1).mean()) * share
