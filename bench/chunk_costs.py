"""What chunks cost more than the whole field, part by part.

    python bench/chunk_costs.py IMAGE [IMAGE ...] [--spec SPEC ...] [--edge 512]

A target, such as ``ratio=80``, is met by the whole field; its chunks are coded at the setting that
was found, with the limits and the frequencies of their field, as in an archive. Of each part its
bytes in the whole field and in all chunks, and the difference in percent of the whole field; then
the error of both, since chunks may be better or worse. A table at the end sums up.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from cytopress.codecs.container.container import Form, unpack
from cytopress.codecs.learned.codec import Learned
from cytopress.codecs.learned.exact.load import open_exact
from cytopress.codecs.learned.latents.gain_units import GainSetting
from cytopress.codecs.learned.model.load import open_model
from cytopress.codecs.learned.model.manifest import is_exact
from cytopress.codecs.registry import build, decode
from cytopress.codecs.spec import codec
from cytopress.codecs.wrappers.lines import Lines, take_lines
from cytopress.codecs.wrappers.scaled import Scaled
from cytopress.formats.images import read
from cytopress.image import Image

PARTS = ("header", "structured noise", "range and checksum", "background", "latents", "codec")
# Bytes of range and checksum in each format of packages.
FORMAT_1, FORMAT_2 = 14, 9


def main() -> None:
    """Print a table for each image and spec."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("images", type=Path, nargs="+")
    parser.add_argument("--spec", nargs="+", default=["learned/cytopress-2d:quality=0.35"])
    parser.add_argument("--edge", type=int, default=512)
    given = parser.parse_args()
    rows = [
        print_costs(read(file)[0], spec, given.edge, file.stem)
        for file in given.images
        for spec in given.spec
    ]
    print("\n| field | setting | times smaller | bytes in chunks | error in chunks |")
    print("|---|---|---|---|---|")
    print("\n".join(rows))


def print_costs(field: Image, spec: str, edge: int, title: str) -> str:
    """Print the parts of a field as a whole, and of its chunks; return a row that sums them up."""
    request = codec(spec)
    found = request.solve(field)
    request = replace(request.at(found), lines=request.lines)
    part_of = {"limits": request.field_limits([field]), "lines": request.field_lines([field])}
    rows, columns = (range(0, length, edge) for length in field.shape)
    chunks = [
        Image(field.pixels[row : row + edge, column : column + edge], bits=field.bits)
        for row in rows
        for column in columns
    ]
    whole, whole_error = coded(field, found.data)
    split, split_error = Counter[str](), 0.0
    for chunk in chunks:
        parts, error = coded(chunk, request.encode(chunk, **part_of))
        split.update(parts)
        split_error += error
    size, ratio = whole.total(), field.raw_bytes / whole.total()
    print(f"\n{title}, {request.spec}, {ratio:.0f} times smaller")
    print(f"\n| part | whole | {len(chunks)} chunks | more |\n|---|---|---|---|")
    for part in PARTS:
        if part in whole | split:
            more = (split[part] - whole[part]) / size
            print(f"| {part} | {whole[part]} | {split[part]} | {more:+.1%} |")
    print(f"| all | {size} | {split.total()} | {split.total() / size - 1:+.1%} |")
    rmse = [(error / field.pixels.size) ** 0.5 for error in (whole_error, split_error)]
    worse = f"{rmse[1] / rmse[0] - 1:+.1%}"
    print(f"| RMSE | {rmse[0]:.3f} | {rmse[1]:.3f} | {worse} |", flush=True)
    return f"| {title} | {request.spec} | {ratio:.0f} | {split.total() / size - 1:+.1%} | {worse} |"


def coded(image: Image, data: bytes) -> tuple[Counter[str], float]:
    """Return the bytes of each part of a container, and the sum of its squared errors."""
    header, stream = unpack(data)
    inner, rest, form = build(header.recipe), stream, header.form
    if isinstance(inner, Lines):
        mapping, _, rest = take_lines(stream, form)
        inner, form = inner.codec, mapping.form(form)
    sizes = {"header": header.header_bytes, "structured noise": len(stream) - len(rest)}
    if isinstance(inner, Scaled):
        small = inner.reduced(Image(np.zeros(form.shape, form.dtype), bits=form.bits))
        inner, form = inner.codec, Form.of(small)
    own = of_learned(inner, bytes(rest), form) if isinstance(inner, Learned) else {}
    error = decode(data).pixels.astype(np.float64) - image.pixels
    return Counter(sizes | (own or {"codec": len(rest)})), float(np.square(error).sum())


def of_learned(inner: Learned, stream: bytes, form: Form) -> dict[str, int]:
    """Return the bytes of each part of a learned codec's stream."""
    fixed = FORMAT_2 if is_exact(inner.package) else FORMAT_1
    setting, latents = setting_of(inner), stream[fixed:]
    if setting.background is not None:
        latents = setting.background.unpack(latents, form.shape)[1]
    background = len(stream) - fixed - len(latents)
    return {"range and checksum": fixed, "background": background, "latents": len(latents)}


def setting_of(inner: Learned) -> GainSetting:
    """Return the factors of a codec's quality."""
    if is_exact(inner.package):
        return open_exact(inner.package).gains.at(inner.quality or 0.0)[0]
    return open_model(inner.package).setting(inner.quality)


if __name__ == "__main__":
    main()
