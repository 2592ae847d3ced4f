"""Read .cyto files as napari layers: one for each scene and channel, time points in front."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cytopress.files.cyto_file import CytoFile, is_cyto, open_cyto
from cytopress.image import Pixels

LayerData = tuple[Any, dict[str, Any], str]
COLORS = ("green", "magenta", "cyan", "yellow", "red", "blue")
Paths = str | Path | Sequence[str | Path]


def get_reader(path: Paths) -> Callable[[Paths], list[LayerData]] | None:
    """Return the reader of .cyto files, None for other files."""
    return read_layers if all(is_cyto(one) for one in _paths(path)) else None


def read_layers(path: Paths) -> list[LayerData]:
    """Return the images of .cyto files as layers.

    A single time point is decoded at once; several are decoded when they are looked at.

    Raises
    ------
    UsageError, CorruptDataError, LimitError, PackageError
        A file cannot be read or decoded.
    """
    layers = []
    for one in _paths(path):
        with open_cyto(one) as file:
            file.check_total(streamed=True)
            layers += _layers(one, file)
    return layers


def _paths(path: Paths) -> list[Path]:
    return [Path(one) for one in ([path] if isinstance(path, (str, Path)) else path)]


def _layers(path: Path, file: CytoFile) -> list[LayerData]:
    by_channel: dict[tuple[int, int], list[int]] = {}
    for number, place in enumerate(file.places):
        by_channel.setdefault((place.scene, place.channel), []).append(number)
    layers = []
    for (scene, channel), numbers in by_channel.items():
        taken = file.taken[scene]
        several = len(taken.channels) > 1
        named = taken.scene.channels[channel] if taken.scene.channels else ""
        parts = [path.stem]
        parts += [f"scene {scene}"] if len(file.taken) > 1 else []
        parts += [named or str(channel)] if several or named else []
        metadata = _metadata(file, numbers) | {"name": " ".join(parts)}
        if several:
            metadata |= {"colormap": COLORS[channel % len(COLORS)], "blending": "additive"}
        pixels = file.read(numbers[0]).pixels if len(numbers) == 1 else _lazy(path, file, numbers)
        layers.append((pixels, metadata, "image"))
    return layers


def _metadata(file: CytoFile, numbers: Sequence[int]) -> dict[str, Any]:
    form = file.headers[numbers[0]].form
    coded = sum(file.parts[number].length for number in numbers)
    raw = sum(file.headers[number].form.raw_bytes for number in numbers)
    # Of all of them: what is coded is shown with its codec, as `cytopress info` does.
    found: dict[str, Any] = {
        "metadata": {"cytopress": {"bits": form.bits, "raw_bytes": raw, "coded_bytes": coded}}
    }
    axes, lead = form.axes.lower(), [] if len(numbers) == 1 else ["t"]
    found["axis_labels"] = (*lead, *axes)
    if form.spacing_um is not None:
        steps = [step or 1.0 for step in form.spacing_um]
        units = ["micrometer" if step else "pixel" for step in form.spacing_um]
        found |= {
            "scale": [1.0] * len(lead) + steps,
            "units": ["pixel"] * len(lead) + units,
        }
    return found


def _lazy(path: Path, file: CytoFile, numbers: Sequence[int]) -> Any:
    """Return time points as a dask array, which comes with napari."""
    import dask
    import dask.array

    form = file.headers[numbers[0]].form
    planes = [
        dask.array.from_delayed(
            dask.delayed(_decoded, pure=True)(path, number), form.shape, form.dtype
        )
        for number in numbers
    ]
    return dask.array.stack(planes)


def _decoded(path: Path, number: int) -> Pixels:
    with open_cyto(path) as file:
        return file.read(number).pixels
