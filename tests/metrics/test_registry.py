from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import cytopress.metrics
from cytopress.errors import UnknownNameError, UsageError
from cytopress.metrics import METRICS, NoiseModel, available, metric, metric_names

NAMES = [
    "rmse",
    "max_error",
    "bias",
    "nrmse",
    "psnr",
    "ssim",
    "ms_ssim",
    "pearson",
    "rmse_sigma",
    "max_error_sigma",
    "frc_resolution",
    "frc_resolution_z",
    "variation_xy",
    "variation_z",
    "lpips",
]
NOT_METRICS = {
    "flat_patches",
    "histogram",
    "metric",
    "data_range",
    "noise",
    "noise_faults",
    "registry",
    "__init__",
}


def test_the_table_is_complete() -> None:
    files = {path.stem for path in Path(cytopress.metrics.__file__).parent.glob("*.py")}
    assert metric_names() == NAMES
    assert files - NOT_METRICS == set(NAMES)
    assert all(METRICS[name].name == name for name in NAMES)


def test_unknown_name_gets_a_hint() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'ssim'"):
        metric("sssim")
    with pytest.raises(UnknownNameError):
        available("sssim")


@pytest.mark.parametrize("name", ["rmse_sigma", "max_error_sigma"])
def test_units_of_noise_need_a_noise_model(name: str) -> None:
    with pytest.raises(UsageError, match="noise model"):
        metric(name)


def test_everything_but_lpips_is_always_there() -> None:
    assert all(available(name) for name in NAMES if name != "lpips")


def test_metrics_travel_to_other_processes() -> None:
    image = np.zeros((4, 4), np.uint8)
    one = metric("rmse_sigma", noise=NoiseModel(a=0, b=4))
    other = pickle.loads(pickle.dumps(one))
    assert other(image, image + np.uint8(6), 1.0) == 3


def test_import_loads_nothing_heavy() -> None:
    program = (
        "import sys, cytopress.metrics;"
        "print([name for name in ('scipy', 'skimage', 'torch') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
