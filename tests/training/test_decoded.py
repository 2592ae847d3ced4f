"""Training on decoded images: the inputs are what the codec gives back, the targets are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cytopress.datasets.catalogue import dataset
from cytopress.datasets.dataset import Dataset, Field
from cytopress.errors import CodecError, UsageError
from cytopress.image import Image
from cytopress.settings import Settings
from cytopress.tasks.builtin.labelfree import standardize
from cytopress.training.decoded import decoded_inputs
from cytopress.training.pairs import Pair, Values, load_pairs

BOUND = 500


class LabelFree:
    """What label-free training reads, without torch."""

    def source(self, cells: Dataset, field: Field) -> Image:
        return cells.read_input(field)

    def target(self, cells: Dataset, field: Field) -> Values:
        return standardize(cells.read_target(field).pixels)


def _pairs(settings: Settings, *codecs: str) -> list[Pair]:
    cells = dataset("cells", settings)
    return load_pairs(
        cells, "train", LabelFree(), smallest=(16, 16), codecs=codecs, settings=settings
    )


def test_input_is_lossy_within_the_bound(settings: Settings) -> None:
    cells = dataset("cells", settings)
    field = cells.part("train")[0]
    image = cells.read_input(field)
    spec = f"round-zstd:max_error={BOUND}"
    (found,) = decoded_inputs(image, [spec], field="f0", settings=settings)
    error = np.abs(found.pixels.astype(int) - image.pixels.astype(int))
    assert BOUND / 2 < error.max() <= BOUND
    (pair, *_) = _pairs(settings, spec)
    np.testing.assert_array_equal(pair.input, standardize(found.pixels))
    np.testing.assert_array_equal(pair.target, standardize(cells.read_target(field).pixels))


def test_each_field_comes_once_for_each_codec(settings: Settings) -> None:
    plain = _pairs(settings)
    mixed = _pairs(settings, "original", f"round-zstd:max_error={BOUND}")
    assert [pair.name for pair in plain] == ["f0", "f1", "f2"]
    assert [pair.name for pair in mixed] == ["f0", "f0", "f1", "f1", "f2", "f2"]
    for original, first, second in zip(plain, mixed[::2], mixed[1::2], strict=True):
        assert np.array_equal(first.input, original.input)
        assert not np.array_equal(second.input, original.input)


def test_a_codec_that_refuses_names_the_field(settings: Settings) -> None:
    with pytest.raises(CodecError, match=r"'f0' of cells cannot be coded with jpeg:psnr=200"):
        _pairs(settings, "jpeg:psnr=200")
    with pytest.raises(UsageError, match="no codec named 'jpek'"):
        _pairs(settings, "jpek")


@pytest.mark.learn
def test_variant_is_a_package_of_the_same_task(settings: Settings, tmp_path: Path) -> None:
    pytest.importorskip("lightning", reason="needs Lightning (extra learn)")
    from cytopress.tasks.registry import task
    from cytopress.training.config import TaskTraining
    from cytopress.training.task import train_task

    spec = f"round-zstd:max_error={BOUND}"
    config = TaskTraining.model_validate(
        {
            "kind": "task",
            "name": "labelfree/cells",
            "variant": "rounded.seed2",
            "dataset": "cells",
            "codecs": [spec],
            "network": {"channels": 2, "depth": 1},
            "fit": {"steps": 2, "batch": 2, "crop": 16, "threads": 1},
        }
    )
    path = train_task(config, tmp_path, settings=settings)
    assert path.name == "labelfree-cells.rounded.seed2.cytomodel"
    found = task("labelfree/cells.rounded.seed2", settings.with_models(tmp_path))
    assert found.name == "labelfree/cells"
    manifest = task(path, settings).package.manifest  # type: ignore[attr-defined]
    assert manifest["codecs"] == [spec]
    card = (tmp_path / "card.md").read_text()
    assert f"give them back, in equal shares: `{spec}`" in card
    assert "originals, never compressed" in card
