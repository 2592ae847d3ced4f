"""A task as a CellProfiler pipeline would be one: identify objects, measure them, compare.

Identify: a Gaussian, Otsu's threshold, holes filled, touching objects split by their distance
transform. Measure: number, area, mean intensity. Compare: relative differences between the original
and the decoded image. A real pipeline takes the place of `measure`.

A declaration: kind = "external", command = ["python", "cellprofiler_like.py"].
"""

import json
import sys

import numpy as np
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.filters import gaussian, threshold_otsu
from skimage.measure import regionprops
from skimage.segmentation import watershed
from tifffile import imread

SMALLEST = 12  # pixels
ANSWERS = [
    {"name": "count_difference", "unit": "", "better": "lower"},
    {"name": "area_difference", "unit": "", "better": "lower"},
    {"name": "intensity_difference", "unit": "", "better": "lower"},
]


def measure(path):
    """Return the number of objects, their mean area and their mean intensity above background."""
    pixels = imread(path).astype(float)
    smooth = gaussian(pixels, 2, preserve_range=True)
    mask = ndimage.binary_fill_holes(smooth > threshold_otsu(smooth))
    distance = ndimage.distance_transform_edt(mask)
    peaks = peak_local_max(distance, min_distance=5, labels=ndimage.label(mask)[0])
    seeds = np.zeros(pixels.shape, int)
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    labels = watershed(-distance, seeds, mask=mask)
    objects = [one for one in regionprops(labels, pixels) if one.area >= SMALLEST]
    if not objects:
        return np.zeros(3)
    background = np.median(pixels[~mask])
    area = np.mean([one.area for one in objects])
    intensity = np.mean([one.intensity_mean for one in objects]) - background
    return np.array([len(objects), area, intensity])


def main(paths):
    """Answer in JSON; called bare, say what will be answered."""
    if not paths:
        print(json.dumps(ANSWERS))
        return
    original, decoded = (measure(path) for path in paths)
    if not original[0]:
        sys.exit("no object was found in the original image")
    differences = np.abs(decoded - original) / np.abs(original)
    names = [answer["name"] for answer in ANSWERS]
    print(json.dumps(dict(zip(names, differences.tolist(), strict=True))))


if __name__ == "__main__":
    main(sys.argv[1:])
