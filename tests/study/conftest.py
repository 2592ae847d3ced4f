"""Fixtures of the study tests: a small dataset of smooth pictures, and a task one can follow."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import tifffile
from scipy.ndimage import gaussian_filter

from cytopress.datasets.folder_form import write_form
from cytopress.errors import TaskError
from cytopress.image import Image
from cytopress.study import inspect_datasets
from cytopress.study.spec import Study, parse_study
from cytopress.tasks.protocol import Prediction, Score, Truth

FACTS = {
    "name": "tiny",
    "title": "Smooth random pixels",
    "input": "light",
    "target": "twice the light",
    "axes": "YX",
    "bits": 12,
    "licence": "CC0-1.0",
    "attribution": "made by a test",
}
GROUPS = {"train": ("t1",), "validation": ("v1",), "test": ("e1", "e2")}


def light(seed: int, shape: tuple[int, ...] = (40, 48)) -> np.ndarray[Any, Any]:
    """A smooth picture with noise, below 4096."""
    random = np.random.default_rng(seed)
    smooth = gaussian_filter(random.normal(size=shape), 4) * 4000 + 1500
    return np.clip(smooth + random.normal(0, 5, shape), 0, 4095).astype(np.uint16)


MakeDataset = Callable[..., Path]


@pytest.fixture
def make_dataset(tmp_path: Path) -> MakeDataset:
    """Write a dataset with fields G-0, G-1 of every group; ``images`` replaces single files."""

    def make(
        name: str = "tiny",
        *,
        per_group: int = 2,
        images: Mapping[str, Any] | None = None,
        split: bool = True,
        shape: tuple[int, int] = (40, 48),
        **facts: object,
    ) -> Path:
        folder = tmp_path / name
        (folder / "images").mkdir(parents=True)
        rows = []
        for group in [group for groups in GROUPS.values() for group in groups]:
            for number in range(per_group):
                field = f"{group}-{number}"
                original = light(int(hashlib.sha256(field.encode()).hexdigest()[:6], 16), shape)
                row = {"field": field, "group": group}
                for column, pixels in (("input", original), ("target", original * 2)):
                    row[column] = f"images/{field}_{column}.tif"
                    given = (images or {}).get(f"{field}_{column}", pixels)
                    tifffile.imwrite(folder / row[column], given)
                rows.append(row)
        write_form(folder, {**FACTS, "name": name, **facts}, rows)  # type: ignore[arg-type]
        if split:
            with (folder / "dataset.toml").open("a") as stream:
                stream.write('[split]\ntest = ["e1", "e2"]\nvalidation = ["v1"]\n')
        return folder

    return make


@pytest.fixture
def study_of(tmp_path: Path) -> Callable[..., Study]:
    """Make a study of the tiny dataset; keywords are lines of TOML that go in."""

    def make(*, codecs: str = "", head: str = "", dataset: str = "", folder: str = "tiny") -> Study:
        codecs = codecs or '[[codecs]]\nspec = "jpegls"\nmax_error = [1, 4]\n'
        if "noise_draws" not in head:
            head += "\nnoise_draws = 0"
        text = (
            f'name = "small"\nmetrics = ["rmse", "psnr", "max_error"]\nspeed = false\n{head}\n'
            f'[[datasets]]\nfolder = "{folder}"\n{dataset}\n{codecs}'
        )
        return parse_study(text, folder=tmp_path, label="small.toml")

    return make


@dataclass(frozen=True)
class Doubling:
    """A task that predicts twice its input and 10 more, where the truth is twice the input."""

    name: str = "fake/doubling"
    weights: str = "0" * 64
    refuses: bool = False
    scores: ClassVar[tuple[Score, ...]] = (Score("error", "counts", "lower"),)
    truth: ClassVar[Truth] = "target"

    def predict(self, image: Image) -> Prediction:
        if self.refuses:
            raise TaskError("fake/doubling refuses this image.")
        return Image(image.pixels.astype(np.float32) * 2 + 10, name=image.name)

    def score(
        self, prediction: Prediction, reference: Prediction, image: Image
    ) -> dict[str, float]:
        assert isinstance(prediction, Image)
        assert isinstance(reference, Image)
        return {"error": float(np.abs(prediction.pixels - reference.pixels.astype(float)).mean())}


@pytest.fixture
def doubling(monkeypatch: pytest.MonkeyPatch) -> list[Doubling]:
    """Make every task of a study the one in this list."""
    tasks = [Doubling()]
    monkeypatch.setattr(inspect_datasets, "task", lambda name, settings: tasks[0])
    return tasks
