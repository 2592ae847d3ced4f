"""Archives meet targets beyond a learned codec's finest setting by a residual, as `compress` does;
and what a spec turns off stays off in every chunk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from cytopress.archive.chunk_writer import chunk_coding_of
from cytopress.archive.plan import read_plan
from cytopress.archive.planning import make_plan
from cytopress.archive.run import run
from cytopress.archive.sample_codings import Samples
from cytopress.archive.solving import solve
from cytopress.archive.wanted import Wanted
from cytopress.archive.zarr_codec import CytopressCodec
from cytopress.codecs.container.container import unpack
from cytopress.codecs.registry import build, decode
from cytopress.codecs.spec import codec
from cytopress.codecs.targets.lines_choice import encode_better
from cytopress.codecs.wrappers import Lines, Scaled
from cytopress.errors import UnreachableTargetError
from cytopress.image import Image

pytestmark = pytest.mark.filterwarnings("ignore::cytopress.errors.CytopressWarning")
NAME = "learned/cytopress-2d"
RANGE = 30000.0


def smooth() -> np.ndarray:
    """Return 128 x 256 smooth pixels whose range leaves the finest setting far from them."""
    y, x = np.mgrid[:128, :256]
    light = 900 + RANGE * np.exp(-((y - 60) ** 2 + (x - 90) ** 2) / 300)
    return np.rint(light + np.random.default_rng(5).normal(0, 12, light.shape)).astype(np.uint16)


def samples(plane: np.ndarray) -> Samples:
    half = plane.shape[1] // 2
    chunks = [np.ascontiguousarray(plane[:, :half]), np.ascontiguousarray(plane[:, half:])]
    return Samples("", [plane], chunks, [0, 0], 8 * plane.itemsize)


def psnr(pixels: np.ndarray, decoded: np.ndarray) -> float:
    mse = np.mean((pixels.astype(float) - decoded) ** 2)
    return float(10 * np.log10(RANGE**2 / mse))


@pytest.mark.slow
def test_a_target_beyond_the_finest_setting_is_planned_and_met(tmp_path: Path) -> None:
    plane, wanted = np.ascontiguousarray(smooth()[:, 16:144]), 74.0
    finest = decode(codec(f"{NAME}:quality=1,lines=0").encode(Image(plane))).pixels
    assert psnr(plane, finest) < wanted - 3
    (tmp_path / "images").mkdir()
    tifffile.imwrite(tmp_path / "images" / "one.tif", plane)
    out = tmp_path / "archive"
    spec = f"{NAME}:psnr={wanted:g},range={RANGE:g},lines=0,scale=1"
    make_plan([tmp_path / "images"], out, Wanted(codec=spec, chunk=128))
    (coding,) = read_plan(out).codings
    assert codec(coding.spec).guard is not None
    assert "lines=0" in coding.spec
    run(out)
    arrays = (zarr.open(path.parent) for path in sorted(out.rglob("zarr.json")))
    array = next(one for one in arrays if getattr(one, "shape", ())[-2:] == plane.shape)
    reached = psnr(plane, np.asarray(array[:]).reshape(plane.shape))
    # What the archive promises of a field; and no better than it needs to be.
    assert wanted - 0.3 <= reached < wanted + 1.5


@pytest.mark.parametrize("target", ["max_error=3", f"psnr=74,range={RANGE:g}"])
def test_a_bound_and_a_mean_error_are_met_on_chunks(target: str) -> None:
    of = samples(smooth())
    found = solve(codec(f"{NAME}:{target},lines=0,scale=1"), of)
    guard = codec(found.spec).guard
    assert guard is not None
    coding = chunk_coding_of(found)
    coded = [encode_better(coding.request, coding.image(chunk)) for chunk in of.chunks]
    decoded = np.concatenate([decode(data).pixels for data in coded], axis=1)
    assert np.abs(decoded.astype(int) - of.planes[0]).max() <= guard
    if target.startswith("psnr"):
        assert 74 <= psnr(of.planes[0], decoded) < 75.5
    if target.startswith("max_error"):
        assert guard == 3
    # A chunk that needs it is taken finer by its bound.
    assert (chunk_coding_of(found, 1).request.guard or 0) < guard


def test_ratios_and_what_no_machine_can_promise_are_still_refused() -> None:
    for target in (f"{NAME}:ratio=100000", f"{NAME}@40fd4518:max_error=0"):
        with pytest.raises(UnreachableTargetError):
            solve(codec(f"{target},lines=0,scale=1"), samples(smooth()))


def humming() -> np.ndarray:
    """Return pickup over a scene on more pixels than its lens resolves."""
    y, x = np.mgrid[:128, :512]
    scene = 90 + 60 * np.exp(-((y - 60) ** 2 + (x - 250) ** 2) / 2000)
    hum = 3 * np.cos(2 * np.pi * (0.221 * x + 0.31 * y))
    return np.rint(scene + hum + np.random.default_rng(1).normal(0, 1, y.shape)).astype(np.uint8)


def wrappers(data: bytes) -> set[type]:
    kinds = {type(one) for one in build(unpack(data)[0].recipe).nested()}
    return kinds & {Lines, Scaled}


def test_what_a_spec_turns_off_stays_off_in_chunks() -> None:
    plane = humming()
    of = samples(plane)
    auto = solve(codec(f"{NAME}:quality=0.4"), of)
    off = solve(codec(f"{NAME}:quality=0.4,lines=0,scale=1"), of)
    assert "lines=x0.2" in auto.spec
    assert (codec(off.spec).lines, codec(off.spec).scale) == ("0", "1")
    for found, expected in ((auto, True), (off, False)):
        coding = chunk_coding_of(found)
        coded = [encode_better(coding.request, coding.image(chunk)) for chunk in of.chunks]
        assert any(map(wrappers, coded)) == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [("", set()), (",lines=0,scale=1", set()), (",scale=2", {Scaled}), (",lines=x0.221", {Lines})],
)
def test_the_zarr_codec_codes_as_its_spec_says(options: str, expected: set[type]) -> None:
    plane = humming()
    store = zarr.storage.MemoryStore()
    made = CytopressCodec.from_spec(f"{NAME}:quality=0.4{options}", limits=(80, 160))
    array = zarr.create_array(
        store, shape=plane.shape, chunks=(128, 256), dtype="uint8", serializer=made,
        compressors=None,
    )  # fmt: skip
    array[:] = plane
    coded = [store._store_dict[f"c/0/{n}"].to_bytes() for n in range(2)]
    assert [wrappers(data) for data in coded] == [expected] * 2
    # Chunks of learned codecs have short headers, in arrays that say so.
    assert {data[:1] for data in coded} == {b"\xc7"}
    assert made.configuration["format"] == 2
    assert np.abs(zarr.open_array(store)[:].astype(int) - plane).mean() < 4


def test_arrays_of_the_first_format_keep_long_headers() -> None:
    plane = humming()
    store = zarr.storage.MemoryStore()
    document = CytopressCodec.from_spec(f"{NAME}:quality=0.4", limits=(80, 160)).to_dict()
    document["configuration"]["format"] = 1
    array = zarr.create_array(
        store, shape=plane.shape, chunks=plane.shape, dtype="uint8",
        serializer=CytopressCodec.from_dict(document), compressors=None,
    )  # fmt: skip
    array[:] = plane
    assert store._store_dict["c/0/0"].to_bytes()[:5] == b"cyto\x01"
