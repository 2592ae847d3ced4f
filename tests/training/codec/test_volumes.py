"""Codecs of volumes, from config to package: what is trained is what decodes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from scipy import fft

from cytopress.codecs.learned.codec import Learned
from cytopress.codecs.learned.entropy.range_coder import RangeEncoder
from cytopress.codecs.learned.model.decoder import synthesize_slabs
from cytopress.codecs.learned.model.encoder import encode_slabs
from cytopress.codecs.learned.model.load import open_model
from cytopress.codecs.learned.pixels.slabs import SlabLayout
from cytopress.codecs.registry import decode_by
from cytopress.errors import CytopressWarning, DatasetError
from cytopress.image import Image
from cytopress.models.model_package import Package, open_package
from cytopress.models.search import find_package
from cytopress.settings import Settings, from_environment
from fakes import learned_networks as fakes
from fakes import passes_by_torch as by_torch

torch = pytest.importorskip("torch", reason="needs torch (extra learn)")
pytest.importorskip("compressai", reason="needs CompressAI (extra learn)")
pytest.importorskip("lightning", reason="needs Lightning (extra learn)")
pytestmark = pytest.mark.learn

# The codec of volumes of 0.1.0.
FLOATS = "learned/cytopress-3d@0acbb549"
FORMS: dict[str, dict[str, Any]] = {
    "four planes a latent": {"architecture": "context", "depth": 4, "below_width": 3},
    "two": {"architecture": "mean-scale", "depth": 2, "below_width": 2},
    "plane by plane, from the one below": {
        "architecture": "mean-scale",
        "depth": 1,
        "below_width": 3,
    },
    "factorized": {"architecture": "factorized", "depth": 2},
    "hyperprior": {"architecture": "hyperprior", "depth": 4},
    "zhou2024": {
        "architecture": "factorized",
        "transform": "zhou2024",
        "depth": 16,
        "stride": 16,
        "N": 4,
        "M": 6,
    },
    "separable": {
        "architecture": "factorized",
        "depth": 2,
        "transform": "separable",
        "latent_channels": 90,
    },
}
every_form = pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
FACTS = """name = "stacks"
title = "Made stacks"
input = "made light"
target = "made fluorescence"
axes = "ZYX"
bits = 16
licence = "CC0-1.0"
attribution = "made in a test"
[split]
test = ["c"]
validation = ["b"]
"""


def _written(folder: Path, network: Any) -> Package:
    from cytopress.training.codec.export import write_codec_package
    from cytopress.training.codec.start import load_state

    package = write_codec_package(folder / "a.cytomodel", [network], {"name": "learned/a"})
    # As the weights are stored: rounded to half floats.
    network.load_state_dict(load_state(package), strict=False)
    network.eval()
    return package


@every_form
@pytest.mark.parametrize("quality", [0.0, 0.63, 1.0])
def test_runtime_decodes_what_the_network_sees(
    tmp_path: Path, form: dict[str, Any], quality: float
) -> None:
    network = fakes.network(**form)
    if hasattr(network, "log_scale"):
        with torch.no_grad():
            # Far outliers are escaped, which costs less than the estimate's least likelihood.
            network.log_scale.add_(3)
    package = _written(tmp_path, network)
    planes = 3 * network.slabs.stride if network.slabs.stride < 16 else 32
    x = fakes.volume(planes, 64, 96)
    center = np.float32(x.mean())
    with torch.no_grad():
        expected = network(
            torch.from_numpy(x)[None],
            torch.tensor([quality]),
            center=torch.tensor([center]),
            hard=True,
        )
    codec = Learned(package, quality)
    model, setting = codec._model()
    windows = [x[model.slabs.seen(slab, planes)] for slab in range(model.slabs.count(planes))]
    coder = RangeEncoder()
    latents = encode_slabs(model, setting, coder, [window - center for window in windows])
    slabs = synthesize_slabs(model, setting, latents, x.shape)
    found = np.concatenate([planes for _, planes in slabs])
    off = np.abs(found + center - expected.x_hat[0].numpy()) > 1e-3
    # A latent on the edge between two integers may round the other way, and the slabs above it,
    # which are predicted from it, with it.
    assert off.mean() < 0.15
    bits = 8 * len(coder.bytes())
    assert bits == pytest.approx(float(expected.bits), rel=0.01, abs=8 * 80)


@pytest.mark.parametrize("count", [40, pytest.param(2_000, marks=pytest.mark.slow)])
def test_prediction_from_below_equals_torch_bit_for_bit(tmp_path: Path, count: int) -> None:
    network = fakes.network("context", depth=2, below_width=3)
    package = _written(tmp_path, network)
    model, random = open_model(package), np.random.default_rng(8)
    tables: set[int] = set()
    for _ in range(count):
        z_hat = np.rint(random.standard_normal((5, 2, 3)) * 2.0 ** random.uniform(-2, 8))
        scale = 2.0 ** random.uniform(-2, 13)
        symbols = np.rint(random.standard_normal((6, 8, 12)) * scale).astype(np.int64)
        # Means have eight bits of fraction; far values are held where activations are.
        below = (np.rint(random.standard_normal(symbols.shape) * scale * 256) / 256).astype("f4")
        quality = float(random.integers(3)) / 2
        rows = by_torch.check(package, model, z_hat.astype(np.int64), symbols, quality, below)
        tables |= set(np.unique(rows).tolist())
    assert len(tables) > 20


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_transforms_begin_as_cosines_of_blocks(depth: int) -> None:
    from cytopress.training.codec.transforms import Analysis, Synthesis

    slabs = SlabLayout(depth, depth // 2, int(depth > 1))
    analysis = Analysis(64 * depth, (4, 4), 8, slabs)
    synthesis = Synthesis(64 * depth, (4, 4), 8, slabs)
    block = fakes.volume(depth, 16, 24)
    window = np.pad(block, ((slabs.margin,) * 2, (0, 0), (0, 0)), mode="edge")
    with torch.no_grad():
        y = analysis.linear(torch.from_numpy(window)[None])
        stack = torch.zeros(1, slabs.stack * y.shape[1], *y.shape[2:])
        stack[:, slabs.neighbors * y.shape[1] :][:, : y.shape[1]] = y
        back = synthesis.linear(stack)
    blocks = block.reshape(depth, 2, 8, 3, 8).transpose(1, 3, 0, 2, 4)
    expected = fft.dctn(blocks, axes=(2, 3, 4), norm="ortho")
    np.testing.assert_allclose(y[0, 0], expected[..., 0, 0, 0], atol=1e-4)
    np.testing.assert_allclose(
        np.sort(y[0].numpy().reshape(64 * depth, 6), axis=0),
        np.sort(expected.reshape(6, -1).T, axis=0),
        atol=1e-4,
    )
    np.testing.assert_allclose(back[0], block, atol=1e-4)


def test_a_slab_is_predicted_from_the_one_below(tmp_path: Path) -> None:
    """Trained on pairs of equal planes, the second costs next to nothing."""
    torch.manual_seed(0)
    network = fakes.network("mean-scale", depth=1, below_width=8, latent_channels=16)
    network.train()
    optimizer = torch.optim.Adam(network.main_parameters(), 1e-2)
    planes = [torch.from_numpy(fakes.field(64, 64, seed)).repeat(4, 1, 1) for seed in range(4)]
    x, quality = torch.stack(planes), torch.full((4,), 0.5)
    for _ in range(250):
        optimizer.zero_grad()
        coded = network(x, quality)
        loss = coded.bits.mean() / x[0].numel() + 300 * (x - coded.x_hat).square().mean()
        loss.backward()
        optimizer.step()
    codec = Learned(_written(tmp_path, network.eval()), 0.5)
    unseen = (fakes.field(64, 64, 9) * 3000 + 500).clip(0).astype(np.uint16)
    one, four = (len(codec.encode(Image(np.repeat(unseen[None], n, 0)))) for n in (1, 4))
    assert four < 1.8 * one


@pytest.mark.parametrize(
    ("voxel", "depth"),
    [
        ((0.29, 0.108, 0.108), 4),
        ((0.29, 0.26, 0.26), 4),
        ((1.0, 0.2, 0.2), 2),
        ((3.0, 0.1, 0.1), 1),
    ],
)
def test_depth_follows_from_the_voxel(voxel: tuple[float, float, float], depth: int) -> None:
    from cytopress.training.codec.network_options import Network

    network = Network(architecture="mean-scale", voxel_um=voxel)
    assert network.slabs.stride == depth
    # A latent is as deep as wide, to a factor of the square root of two, where depths allow it.
    extent = depth * voxel[0] / (8 * voxel[1])
    assert depth in (1, 4) or 2**-0.5 <= extent <= 2**0.5


@pytest.mark.parametrize(
    ("network", "fit", "said"),
    [
        ({"depth": 3}, {}, "Input should be 0, 1, 2, 4 or 16"),
        ({"depth": 2, "voxel_um": [1, 1, 1]}, {}, "depth or voxel_um"),
        ({"voxel_um": [0, 1, 1]}, {}, "greater than 0"),
        ({"depth": 2, "surface": 64}, {"planes": 4}, "surface = 0 for volumes"),
        ({"depth": 16}, {"planes": 16}, "depth = 16 is the zhou2024"),
        ({"transform": "zhou2024", "depth": 16}, {"planes": 16}, "goes with architecture"),
        ({"below_width": 3}, {}, "below_width goes with volumes"),
        ({"depth": 4}, {"planes": 6}, "must be a multiple of 4"),
        ({}, {"planes": 4}, "give the network a depth"),
        ({"depth": 1, "latent_channels": 65}, {}, "at most 64"),
    ],
)
def test_fault_is_one_sentence(network: dict[str, Any], fit: dict[str, Any], said: str) -> None:
    from pydantic import ValidationError

    with pytest.raises(ValidationError, match=said):
        _config(network, fit)


def _config(network: dict[str, Any], fit: dict[str, Any] | None = None) -> Any:
    from cytopress.training.codec.config import CodecTraining

    return CodecTraining.model_validate(
        {
            "kind": "codec",
            "name": "learned/stacks",
            "seed": 3,
            "network": {
                "architecture": "mean-scale",
                "latent_channels": 8,
                "hyper_channels": 4,
                "hyper_width": 4,
                "analysis": [4, 4],
                "synthesis": [4, 4],
                **network,
            },
            "rate": {"gains": 3, "lambda_range": [0.001, 0.1]},
            "fit": {
                "steps": 4,
                "batch": 2,
                "crop": 64,
                "validate_every": 2,
                "threads": 1,
                **(fit or {}),
            },
            "sources": [{"dataset": "stacks"}],
        }
    )


@pytest.fixture
def stacks(tmp_path: Path) -> Settings:
    """Settings whose data folder holds the dataset ``stacks``, 9 x 72 x 80 voxels a field."""
    folder = tmp_path / "data" / "stacks"
    folder.mkdir(parents=True)
    (folder / "dataset.toml").write_text(FACTS)
    rows = ["field,group,input,target"]
    for number, group in enumerate("aabc"):
        counts = np.clip(1000 + 8000 * fakes.volume(9, 72, 80, number), 0, 60000)
        tifffile.imwrite(
            folder / f"{number}.ome.tif", counts.astype(np.uint16), metadata={"axes": "ZYX"}
        )
        rows.append(f"f{number},{group},{number}.ome.tif,{number}.ome.tif")
    (folder / "pairs.csv").write_text("\n".join(rows) + "\n")
    return Settings(tmp_path / "data", (), tmp_path / "cache", tmp_path / "user")


def _weights(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {n: archive.read(n) for n in archive.namelist() if n != "manifest.json"}


KILLED = """
import os, signal, sys
from pathlib import Path
from cytopress.settings import Settings
from cytopress.training.codec.config import CodecTraining
from cytopress.training.codec.train import train_codec
data, out = Path(sys.argv[1]), Path(sys.argv[2])
def die(done, total, text):
    if done >= 2 and (out / "checkpoint-r0.ckpt").exists():
        os.kill(os.getpid(), signal.SIGKILL)
train_codec(CodecTraining.model_validate_json(sys.argv[3]), out,
            settings=Settings(data, (), data, data), progress=die)
"""


@pytest.mark.long
def test_trained_on_volumes_killed_and_resumed(stacks: Settings, tmp_path: Path) -> None:
    from cytopress.training.codec.train import train_codec

    config = _config({"depth": 2, "below_width": 2}, {"planes": 8})
    whole = train_codec(config, tmp_path / "whole", settings=stacks)
    died = subprocess.run(
        [
            sys.executable,
            "-c",
            KILLED,
            os.fspath(stacks.data or ""),
            os.fspath(tmp_path / "killed"),
            config.model_dump_json(),
        ],
        check=False,
    )
    assert died.returncode == -signal.SIGKILL
    resumed = train_codec(config, tmp_path / "killed", settings=stacks)
    assert _weights(resumed) == _weights(whole)
    manifest = open_package(whole).manifest
    assert manifest["axes"] == "ZYX"
    assert manifest["trained_on"][0]["groups"] == ["a"]
    assert manifest["results"]["stacks"]["fields"] == ["f3"]
    card = (tmp_path / "whole" / "card.md").read_text(encoding="utf-8")
    assert "A learned codec for volumes" in card
    assert "8 x 8 x 2" in card


@pytest.mark.long
def test_the_studys_own_network_trains_codes_and_decodes(stacks: Settings, tmp_path: Path) -> None:
    from cytopress.training.codec.train import train_codec

    network = {k: v for k, v in FORMS["zhou2024"].items() if k != "architecture"}
    config = _config({"architecture": "factorized", **network, "depth": 16}, {"planes": 16})
    with pytest.warns(CytopressWarning, match="no crop of 16"), pytest.raises(DatasetError):
        # Its slabs are deeper than these stacks.
        train_codec(config, tmp_path / "out", settings=stacks)
    folder = (stacks.data or Path()) / "stacks"
    for path in folder.glob("*.tif"):
        pixels = np.tile(tifffile.imread(path), (2, 1, 1))
        tifffile.imwrite(path, pixels, metadata={"axes": "ZYX"})
    package = open_package(train_codec(config, tmp_path / "out", settings=stacks))
    assert package.manifest["architecture"] == "factorized"
    assert package.manifest["depth"] == {"stride": 16, "margin": 30, "neighbors": 2}
    image = Image(tifffile.imread(folder / "3.ome.tif"))
    codec = Learned(package, 1.0)
    assert decode_by(codec, codec.encode(image)).shape == image.shape


@pytest.mark.slow
@pytest.mark.extras
def test_tables_and_bytes_of_the_shipped_codec_are_torchs(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a volume of a slide that it never saw: tables bit for bit, bytes to within a percent."""
    pytest.importorskip("waveorder", reason="needs waveorder (extra phantom)")
    from cytopress.codecs.learned.pixels.normalization import normalized, used_range
    from cytopress.phantom.simulate import simulate
    from cytopress.phantom.slides import SLIDES
    from cytopress.training.codec.config import CodecTraining
    from cytopress.training.codec.networks import build
    from cytopress.training.codec.start import load_state

    # Of format 1, whatever bears its name.
    package = find_package(from_environment().model_folders, "codec", FLOATS)
    model, image = open_model(package), simulate(SLIDES[7], 2).bright_field
    low, high = used_range(image.pixels, (0.1, 99.9))
    volume, center = normalized(image.pixels.reshape(-1, 256), low, high)
    volume = volume.reshape(image.shape)
    tables: set[int] = set()
    for quality in (0, 4 / 9, 1):
        below = None
        for slab in range(model.slabs.count(len(volume))):
            planes = volume[model.slabs.seen(slab, len(volume))]
            y = model.networks.analyze(planes, model.setting(quality).gain)
            symbols = np.rint(y).astype(np.int64)
            z_hat = model.networks.hyper_analyze(y)
            rows = by_torch.check(package, model, z_hat, symbols, quality, below)
            tables |= set(np.unique(rows).tolist())
            below = symbols.astype(np.float32)
    assert len(tables) > 30
    config = CodecTraining.model_validate(package.manifest["training"])
    network = build(config.network, config.rate)
    state = load_state(package)
    network.load_state_dict(state, strict=False)
    # It is from when gains of each rate and channel were free.
    for table in ("log_gain", "log_inverse"):
        monkeypatch.setattr(type(network), table, state[table])
    network.rdo = config.loss.rdo
    for quality in (0.0, 0.5, 1.0):
        with torch.no_grad():
            expected = network.eval()(
                torch.from_numpy(volume + np.float32(center))[None],
                torch.tensor([quality]),
                center=torch.tensor([center]),
                hard=True,
            )
        coded = len(Learned(package, quality).encode(image))
        assert 8 * coded == pytest.approx(float(expected.bits), rel=0.01, abs=8 * 80)
