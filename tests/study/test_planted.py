"""A codec that adds light: similarity does not see it, the bias and the measurement do."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from cytopress.image import Image
from cytopress.study import run_trial as running
from cytopress.study.run_trial import Coded, Material, run
from cytopress.study.scoring import score_original
from cytopress.study.trial_spec import ModelVariant, TrialSpec
from cytopress.tasks.builtin.measurement import Measurement


@pytest.mark.parametrize("gain", [1.02, 0.98])
def test_a_known_bias_is_caught_though_similarity_stays(
    monkeypatch: pytest.MonkeyPatch, gain: float
) -> None:
    random = np.random.default_rng(3)
    cells = gaussian_filter((random.random((160, 160)) < 0.003).astype(float), 5)
    light = 400 + 12_000 * cells / cells.max() + random.normal(0, 30, cells.shape)
    original = Image(np.clip(light, 0, 65535).astype(np.uint16), name="field")
    brighter = np.rint(original.pixels * gain).astype(np.uint16)
    monkeypatch.setattr(running, "_coded", lambda *_: Coded(image=Image(brighter), coded_bytes=1))
    task = Measurement()
    trial_spec = TrialSpec(
        original="0" * 64,
        target="",
        spec="brighter",
        data_range=float(np.ptp(original.pixels)),
        noise=(0.0, 900.0, 0.0),
        metrics=("ssim", "bias"),
        variants=(ModelVariant(tasks=((task.name, task.weights),)),),
    )
    material = Material(original, original, ((score_original(task, original, None),),))
    result = run(trial_spec, material)
    assert result.scores["pixels/ssim"] > 0.99
    expected = (brighter.astype(float) - original.pixels).mean()
    assert result.scores["pixels/bias"] == pytest.approx(expected)
    (judged,) = result.variants
    assert judged.scores["measurement/intensity_error/baseline"] == 0
    assert judged.scores["measurement/intensity_error/harm"] == pytest.approx(0.02, abs=0.002)
