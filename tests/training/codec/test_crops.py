"""Crops: a function of seed and step, drawn by weight, and counts that can be found again."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch (extra learn)")
pytestmark = pytest.mark.learn

from cytopress.codecs.learned.pixels.background import Mesh  # noqa: E402
from cytopress.codecs.wrappers.resampling import decimate  # noqa: E402
from cytopress.errors import UsageError  # noqa: E402
from cytopress.metrics.noise import NoiseModel  # noqa: E402
from cytopress.training.codec.crops import CropBatches  # noqa: E402
from cytopress.training.codec.sources import Plane, Source  # noqa: E402

MODEL = NoiseModel(a=2.0, b=50.0, offset=120.0)


@dataclass(frozen=True)
class Options:
    symmetry: bool = True
    gain: float = 0.15
    offset: float = 0.08
    zoom: float = 0.0
    finer: float = 0.0
    noise: float = 0.0
    halved: float = 0.0


def _plane(n: int, source: Source, shape: tuple[int, int] = (40, 48)) -> Plane:
    counts = np.random.default_rng(n).uniform(100, 900, shape)
    pixels = ((counts - 110) / 780).astype(np.float32)
    return Plane(pixels, 110.0, 890.0, 800.0, MODEL, str(n), "a", "input", source)


def _source(weight: float) -> Source:
    return Source("made", "Made", "CC0-1.0", "a test", weight)


def _batches(planes: list[Plane], options: Options = Options(), **changes: int) -> CropBatches:
    return CropBatches(planes, options, **{"crop": 16, "batch": 5, "seed": 1, **changes})


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    planes = [_plane(n, _source(1)) for n in range(3)]
    one, two = _batches(planes), _batches(planes)
    for step in range(3):
        one[step]
    for left, right in zip(one[7], two[7], strict=True):
        assert torch.equal(left, right)
    assert one[7].pixels.shape == (5, 1, 16, 16)
    assert one[7].pixels.dtype == torch.float32
    assert not torch.equal(one[7].pixels, one[8].pixels)
    assert not torch.equal(one[7].pixels, _batches(planes, seed=2)[7].pixels)


def test_sources_are_drawn_by_weight_and_planes_by_area() -> None:
    heavy, light = _source(3), _source(1)
    planes = [_plane(0, heavy), _plane(1, light, (40, 40)), _plane(2, light, (120, 40))]
    batches = _batches(planes, batch=4000)
    share = np.bincount(batches[0].plane.numpy(), minlength=3) / 4000
    # Four standard deviations of a binomial share.
    assert share == pytest.approx([0.75, 0.0625, 0.1875], abs=0.028)


def test_without_augmentation_a_crop_is_a_window_of_its_plane() -> None:
    plane = _plane(0, _source(1))
    batch = _batches([plane], Options(symmetry=False, gain=0, offset=0), batch=1)[0]
    windows = np.lib.stride_tricks.sliding_window_view(plane.pixels, (16, 16))
    assert (windows == batch.pixels[0, 0].numpy()).all(axis=(2, 3)).sum() == 1
    assert batch.scale.item() == 780
    assert batch.low.item() == 110


def test_all_eight_symmetries_come() -> None:
    ramp = np.add.outer(np.arange(16.0), 100 * np.arange(16.0)).astype(np.float32)
    plane = Plane(ramp, 0.0, 1.0, 1.0, None, "ramp", "a", "input", _source(1))
    batch = _batches([plane], Options(gain=0, offset=0), batch=200)[0]
    turned = [np.rot90(r, k) for r in (ramp, ramp.T) for k in range(4)]
    seen = [[np.array_equal(crop, t) for t in turned] for crop in batch.pixels[:, 0].numpy()]
    assert (np.sum(seen, axis=1) == 1).all()
    assert np.any(seen, axis=0).all()


def test_groups_are_drawn_evenly() -> None:
    source = _source(1)
    planes = [_plane(n, source) for n in range(4)]
    planes[3] = Plane(**{**vars(planes[3]), "group": "b"})
    batches = _batches(planes, batch=4000)
    share = np.bincount(batches[0].plane.numpy(), minlength=4) / 4000
    assert share == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2], abs=0.032)


def test_noise_is_added_to_half_of_the_crops() -> None:
    flat = np.full((64, 64), 0.5, np.float32)
    plane = Plane(flat, 0.0, 1.0, 1.0, None, "flat", "a", "input", _source(1))
    options = Options(gain=0, offset=0, noise=0.2)
    spread = _batches([plane], options, batch=400, crop=64)[0].pixels.std((1, 2, 3)).numpy()
    assert np.mean(spread == 0) == pytest.approx(0.5, abs=0.1)
    assert 0.18 < spread.max() < 0.21
    assert spread[spread > 0].mean() == pytest.approx(0.1, abs=0.02)


def test_zoom_changes_the_size_of_details_by_up_to_its_factor() -> None:
    waves = np.tile(np.sin(np.arange(512) * 2 * np.pi / 16).astype(np.float32), (512, 1))
    plane = Plane(waves, 0.0, 1.0, 1.0, None, "waves", "a", "input", _source(1))
    options = Options(symmetry=False, gain=0, offset=0, zoom=1.0)
    crops = _batches([plane], options, batch=400, crop=128)[1].pixels[:, 0, 0].numpy()
    power = np.abs(np.fft.rfft(crops, 1024, axis=1))
    periods = 1024 / power.argmax(1)
    assert periods.min() == pytest.approx(8, rel=0.1)
    assert periods.max() == pytest.approx(32, rel=0.1)
    assert np.mean(np.abs(periods / 16 - 1) < 0.02) == pytest.approx(0.52, abs=0.12)
    small = Plane(waves[:130, :130], 0.0, 1.0, 1.0, None, "small", "a", "input", _source(1))
    assert _batches([small], options, crop=128)[0].pixels.isfinite().all()


def test_finer_detail_is_averaged_or_sampled() -> None:
    random = np.random.default_rng(2)
    noise = random.standard_normal((600, 600)).astype(np.float32)
    plane = Plane(noise, 0.0, 1.0, 1.0, None, "noise", "a", "input", _source(1))
    options = Options(symmetry=False, gain=0, offset=0, finer=3.0)
    pixels = _batches([plane], options, batch=300, crop=64)[1].pixels[:, 0].numpy()
    spread = pixels.std(axis=(1, 2))
    # Half are as they are. Of the others half are averaged over up to 4 x 4 pixels; sampling
    # between pixels leaves two thirds of the deviation.
    assert np.mean(spread > 0.95) == pytest.approx(0.5, abs=0.1)
    assert np.mean(spread < 0.55) == pytest.approx(0.2, abs=0.1)
    assert spread.min() == pytest.approx(1 / 6, abs=0.02)
    # Nothing becomes larger.
    assert spread.max() < 1.1


def test_crops_at_half_the_resolution_are_windows_of_what_scale_2_codes() -> None:
    plane = _plane(1, _source(1))
    counts = np.rint(plane.pixels * np.float64(780) + 110).astype(np.uint16)
    plane = replace(plane, pixels=((counts - 110.0) / 780).astype(np.float32))
    options = Options(symmetry=False, gain=0, offset=0, halved=1)
    batch = _batches([plane], options)[0]
    # 40 x 48 pixels are 20 x 24 at half the resolution.
    small = decimate(counts, 0, 2**16 - 1).astype(np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(small, (16, 16))
    for index in range(5):
        found = batch.pixels[index, 0].numpy() * float(batch.scale[index]) + float(batch.low[index])
        assert np.abs(windows - found).max((2, 3)).min() < 1


def test_planes_too_small_to_halve_are_cut_as_they_are() -> None:
    plane = _plane(1, _source(1), (24, 24))
    one, two = (_batches([plane], Options(halved=share)) for share in (0.0, 1.0))
    assert float(one[0].scale.median()) == pytest.approx(float(two[0].scale.median()), rel=0.2)
    assert two[0].pixels.shape == (5, 1, 16, 16)


def test_jitter_keeps_the_way_back_to_counts() -> None:
    ramp = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    plane = Plane(ramp, 110.0, 890.0, 800.0, MODEL, "ramp", "a", "input", _source(1))
    batch = _batches([plane], Options(symmetry=False), batch=50)[0]
    x = batch.pixels[:, 0].double()
    assert x.amin(dim=(1, 2)).std() > 0.01
    low, scale = (v.double()[:, None, None] for v in (batch.low, batch.scale))
    counts = low + scale * x
    assert np.allclose(counts, 110 + 780 * ramp.astype(np.float64), atol=1e-3)
    a, b, offset = (
        v.double()[:, None, None] for v in (batch.noise_a, batch.noise_b, batch.noise_offset)
    )
    variance = (a * (x - offset).clamp(min=0) + b) * scale**2
    assert np.allclose(variance, MODEL.variance(counts.numpy()), rtol=1e-4)
    assert np.allclose(batch.data_range * batch.scale, 800, rtol=1e-5)
    # The crop is the whole plane here.
    assert np.allclose(batch.center, x.mean(dim=(1, 2)), atol=1e-5)


@pytest.mark.parametrize("zoom", [0.0, 0.5])
def test_the_surface_of_a_crop_goes_through_the_same_changes(zoom: float) -> None:
    """A shaded plane is left flat, whatever was mirrored, turned, resized and brightened."""
    y, x = np.mgrid[:160, :192]
    noise = np.random.default_rng(1).normal(0, 0.01, y.shape)
    shaded = (y / 200 - x / 300 + noise).astype(np.float32)
    plane = Plane(shaded, 0.0, 1.0, 1.0, None, "shaded", "a", "input", _source(1))
    changes = {"crop": 32, "batch": 60, "mesh": Mesh(16, 1 / 64)}
    batch = CropBatches([plane], Options(zoom=zoom), seed=1, **changes)[0]
    assert batch.center.shape == batch.pixels.shape
    left = (batch.pixels - batch.center).numpy()
    assert batch.pixels.std((1, 2, 3)).min() > 0.03
    assert left.std(axis=(1, 2, 3)).max() < 0.02
    assert np.abs(left.mean(axis=(1, 2, 3))).max() < 0.02
    plain = CropBatches([plane], Options(zoom=zoom), seed=1, **{**changes, "mesh": None})[0]
    assert torch.equal(plain.pixels, batch.pixels)


def test_planes_without_a_noise_model_say_so_and_no_planes_are_an_error() -> None:
    plane = _plane(0, _source(1))
    silent = Plane(**{**vars(plane), "noise": None})
    assert _batches([silent])[0].noise_b.isnan().all()
    with pytest.raises(UsageError, match="no planes"):
        _batches([])


def test_crops_of_volumes_are_planes_in_a_row_either_way_up() -> None:
    planes = np.broadcast_to(np.arange(11, dtype=np.float32)[:, None, None], (11, 40, 48))
    volume = Plane(planes.copy(), 0.0, 1.0, 1.0, None, "v", "a", "input", _source(1))
    drawn = _batches([volume], Options(gain=0, offset=0), deep=4)
    found = torch.cat([drawn[step].pixels for step in range(40)])
    assert found.shape == (200, 4, 16, 16)
    # Every plane holds its own number alone.
    assert torch.equal(found, found[:, :, :1, :1].expand_as(found))
    orders = found[:, :, 0, 0]
    up = orders[:, :1] + torch.arange(4)
    down = orders[:, :1] - torch.arange(4)
    rises, falls = ((orders == each).all(1) for each in (up, down))
    assert (rises | falls).all()
    assert 60 < int(falls.sum()) < 140
    assert {int(least) for least in orders.amin(1)} == set(range(8))
