"""What is promised of every pixel, chunk and field, held against pixels that zarr reads back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from cytopress.archive.certificate import rows_of
from cytopress.archive.errors_of_pixels import Errors
from cytopress.archive.plan import Ceiling, Coding
from cytopress.archive.planning import make_plan
from cytopress.archive.promise import share_finer, surplus_of_share, unseen_share
from cytopress.archive.run import run
from cytopress.archive.wanted import Wanted
from cytopress.errors import CytopressError
from fakes.archives import in_this_process

pytest.importorskip("yaozarrs")
CHUNK = 64


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work on shards in this process: a new one takes seconds to start."""
    monkeypatch.setattr("cytopress.archive.run.run_tasks", in_this_process)


def field(seed: int, light: float = 1.0) -> np.ndarray:
    """Return counts of a smooth field with shot noise, 150 x 130."""
    y, x = np.mgrid[:150, :130]
    mean = light * (300 + 100 * np.sin(x / 9 + seed) * np.cos(y / 7))
    return np.random.default_rng(seed).poisson(mean).astype(np.uint16)


def archived(
    tmp_path: Path, fields: Sequence[np.ndarray], spec: str, **options: object
) -> tuple[Coding, list[np.ndarray], int]:
    """Archive fields; return their coding, what zarr reads, and how many chunks were finer."""
    source = tmp_path / "source"
    source.mkdir()
    for number, pixels in enumerate(fields):
        tifffile.imwrite(source / f"{number}.tif", pixels)
    wanted = Wanted(codec=spec, chunk=CHUNK, axes="YX", **options)  # type: ignore[arg-type]
    plan, _ = make_plan([source], tmp_path / "out", wanted)
    assert not run(tmp_path / "out").failed
    found = [
        np.asarray(zarr.open_array(str(tmp_path / f"out/{n}.ome.zarr/0"), mode="r")[0, 0, 0])
        for n in range(len(fields))
    ]
    return plan.codings[0], found, sum(row["finer"] for row in rows_of(tmp_path / "out").values())


def chunks(pixels: np.ndarray) -> Iterator[np.ndarray]:
    for y in range(0, pixels.shape[0], CHUNK):
        for x in range(0, pixels.shape[1], CHUNK):
            yield pixels[y : y + CHUNK, x : x + CHUNK]


def psnr(original: np.ndarray, decoded: np.ndarray, data_range: float) -> float:
    mse = np.mean((decoded.astype(float) - original) ** 2)
    return float(10 * np.log10(data_range**2 / mse)) if mse else np.inf


@pytest.mark.parametrize("spec", ["jpegxl:psnr=40,range=4000", "round-zstd:psnr=40,range=4000"])
def test_every_field_keeps_psnr_though_some_are_ten_times_brighter(
    tmp_path: Path, spec: str
) -> None:
    fields = [field(seed, 1 if seed % 2 else 10) for seed in range(6)]
    coding, decoded, _ = archived(tmp_path, fields, spec)
    pairs = list(zip(fields, decoded, strict=True))
    assert min(psnr(a, b, 4000) for a, b in pairs) >= 39.7
    both = [zip(chunks(a), chunks(b), strict=True) for a, b in pairs]
    assert min(psnr(a, b, 4000) for pair in both for a, b in pair) >= 38
    assert coding.expected_finer <= 0.1
    # The setting is no finer than it has to be.
    assert min(psnr(a, b, 4000) for a, b in pairs) < 40.6


def test_every_field_keeps_sigma(tmp_path: Path) -> None:
    fields = [field(seed, 1 if seed % 2 else 10) for seed in range(6)]
    coding, decoded, _ = archived(tmp_path, fields, "htj2k:sigma=0.5,a=1,b=1")
    # Shot noise, and a variance of 1.
    of_fields = [
        np.mean((b.astype(float) - a) ** 2 / (a.astype(float) + 1)) ** 0.5
        for a, b in zip(fields, decoded, strict=True)
    ]
    assert 0.45 < max(of_fields) <= 0.525
    assert coding.expected_finer <= 0.1


def test_chunks_that_no_sample_is_like_are_coded_finer_and_counted(tmp_path: Path) -> None:
    fields = [field(seed) for seed in range(9)]
    wild = np.random.default_rng(1).integers(0, 4096, (CHUNK, CHUNK))
    # Linear steps through nine fields leave the eighth out.
    fields[7][:CHUNK, :CHUNK] = wild
    coding, decoded, finer = archived(tmp_path, fields, "jpegxl:ratio=8")
    assert coding.ceiling is not None
    assert finer >= 1
    worst = max(
        np.mean((y.astype(float) - x) ** 2) ** 0.5
        for a, b in zip(fields, decoded, strict=True)
        for x, y in zip(chunks(a), chunks(b), strict=True)
    )
    assert worst <= coding.ceiling.chunk * (1 + 1e-9)


HARD = {
    "constant": [np.full((100, 120), 7, np.uint16)],
    "nothing but the fill value": [np.zeros((100, 120), np.uint16)],
    "an empty field beside a full one": [field(0), np.zeros((150, 130), np.uint16)],
    "one pixel high": [field(0)[:1]],
    "smaller than a chunk": [field(0)[:5, :7]],
    "full fields and a thumbnail": [field(0), field(1)[:3, :9]],
}


@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize(
    "spec", ["jpegls:max_error=3", "avif:max_error=9", "learned/cytopress-2d:max_error=40"]
)
def test_images_of_every_form_keep_the_largest_error(tmp_path: Path, name: str, spec: str) -> None:
    _, decoded, _ = archived(tmp_path, HARD[name], spec)
    for before, after in zip(HARD[name], decoded, strict=True):
        assert np.abs(after.astype(int) - before).max() <= float(spec.rpartition("=")[2])


@pytest.mark.parametrize("spec", ["sz3:max_error=0.05", "zfp:psnr=60,range=10"])
def test_negative_floats_keep_their_promise(tmp_path: Path, spec: str) -> None:
    fields = [((field(seed) - 300.0) / 50).astype(np.float32) for seed in range(3)]
    _, decoded, _ = archived(tmp_path, fields, spec)
    for before, after in zip(fields, decoded, strict=True):
        assert after.dtype == np.float32
        if "psnr" in spec:
            assert psnr(before, after, 10) >= 59.7
        else:
            assert np.abs(after.astype(float) - before).max() <= 0.05


@pytest.mark.parametrize(
    ("pixels", "spec", "why"),
    [
        (field(0).astype(np.float32), "jpegxl:psnr=40", "not float32"),
        (np.full((9, 9), np.nan, np.float32), "sz3:max_error=1", "NaN or infinite"),
        (field(0)[:1], "jpegxl:ratio=80", "no setting reaches ratio=80"),
    ],
)
def test_what_cannot_be_planned_is_a_sentence(
    tmp_path: Path, pixels: np.ndarray, spec: str, why: str
) -> None:
    with pytest.raises(CytopressError, match=why):
        archived(tmp_path, [pixels], spec)
    assert not (tmp_path / "out").exists()


def test_rounded_pixels_for_everyone_are_taken_finer_too(tmp_path: Path) -> None:
    fields = [field(seed) for seed in range(9)]
    fields[7][:] = field(7) % 64 * 60
    _, decoded, _ = archived(tmp_path, fields, "round-zstd:sigma=0.5,a=1,b=1", readers="everyone")
    for before, after in zip(fields, decoded, strict=True):
        error = (after.astype(float) - before) ** 2 / (before.astype(float) + 1)
        assert np.mean(error) ** 0.5 <= 0.525


def errors(*rmse: float) -> list[Errors]:
    return [Errors(100, 2 * one, 0.0, 100 * one**2, 0.0) for one in rmse]


def test_shares_count_chunks_alone_and_those_that_their_field_needs() -> None:
    ceiling = Ceiling(kind="rmse", chunk=2.0, shard=1.0)
    # Of the second field one chunk is beyond; of the third none, but the field is.
    found = errors(0.5, 0.5, 3.0, 0.1, 1.2, 1.1)
    assert share_finer(found, [0, 0, 1, 1, 2, 2], ceiling) == pytest.approx(3 / 6)
    surplus = surplus_of_share(found, [0, 0, 1, 1, 2, 2], ceiling, 0.1)
    shrunk = [one * np.exp(surplus) for one in (0.5, 0.5, 3.0, 0.1, 1.2, 1.1)]
    assert share_finer(errors(*shrunk), [0, 0, 1, 1, 2, 2], ceiling) <= 0.1
    assert max(shrunk) == pytest.approx(2**0.5, rel=0.01)


def test_a_lone_worst_sample_tells_of_chunks_that_were_not_sampled() -> None:
    ceiling = Ceiling(kind="rmse", chunk=2.1)
    assert unseen_share(errors(1, 1.1, 2), ceiling, 0.0) == pytest.approx(1 / 3)
    assert unseen_share(errors(1, 1.98, 2), ceiling, 0.0) == 0
    assert unseen_share(errors(1, 1.1, 2), ceiling, 1.0) == 0
