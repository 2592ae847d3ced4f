"""Arrays whose codec zarr finds, also where cytopress is not installed but on the path."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import zarr
from zarr.storage import MemoryStore

from cytopress.archive import codec_configuration
from cytopress.archive.zarr_codec import CytopressCodec
from cytopress.codecs.registry import find_family
from fakes.learned_packages import remade

LEARNED = "learned/elsewhere:quality=0.3"


@pytest.fixture(scope="session", autouse=True)
def _registered() -> None:
    zarr.registry.register_codec("cytopress", CytopressCodec)


@pytest.fixture(scope="session")
def cells() -> np.ndarray:
    """Return 12-bit counts (1, 1, 1, 100, 90): smooth, with noise."""
    y, x = np.mgrid[:100, :90]
    light = 900 + 500 * np.sin(x / 9) * np.cos(y / 7)
    counts = np.random.default_rng(1).normal(light, 12)
    return counts.clip(1, 4095).astype(np.uint16)[None, None, None]


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a learned codec that is in no folder of packages."""
    folder = tmp_path_factory.mktemp("elsewhere")
    shipped = find_family("learned/cytopress-2d").package
    remade(shipped, folder, manifest={"name": "learned/elsewhere"})
    return folder


@pytest.fixture
def with_model(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the learned codec on this machine."""
    monkeypatch.setenv("CYTOPRESS_MODELS", str(elsewhere))


@pytest.fixture
def without_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have none but the shipped models on this machine; return the folder of the cache."""
    monkeypatch.delenv("CYTOPRESS_MODELS", raising=False)
    monkeypatch.setenv("CYTOPRESS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def written(
    pixels: np.ndarray,
    codec: CytopressCodec,
    *,
    chunk: int | tuple[int, ...] = 32,
    shard: int | None = None,
    store: object = None,
    fill: float = 0,
) -> MemoryStore:
    """Return a store with an array of a codec."""
    store = MemoryStore() if store is None else store
    lead = (1,) * (pixels.ndim - 2)
    array = zarr.create_array(
        store,
        shape=pixels.shape,
        dtype=pixels.dtype,
        chunks=(*lead, chunk, chunk) if isinstance(chunk, int) else chunk,
        shards=None if shard is None else (*lead, shard, shard),
        serializer=codec,
        compressors=None,
        filters=None,
        fill_value=fill,
    )
    array[...] = pixels
    return store


def made_elsewhere(
    pixels: np.ndarray, folder: Path, store: object = None, **options: object
) -> object:
    """Return a store with an array of the learned codec in ``folder``."""
    before = os.environ.get("CYTOPRESS_MODELS")
    os.environ["CYTOPRESS_MODELS"] = str(folder)
    try:
        codec = CytopressCodec.from_spec(LEARNED, limits=(300, 1500), bits=12, **options)
        return written(pixels, codec, store=store, chunk=64)
    finally:
        os.environ.pop("CYTOPRESS_MODELS")
        # As in another process, which has not coded with it.
        codec_configuration.chunk_coding.cache_clear()
        if before is not None:
            os.environ["CYTOPRESS_MODELS"] = before
