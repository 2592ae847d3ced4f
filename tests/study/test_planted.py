"""A codec that adds light: similarity does not see it, the bias and the measurement do."""

from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from cytopress.codecs.spec import codec
from cytopress.image import Image
from cytopress.study import run_trial as running
from cytopress.study.field_inputs import FieldInputs
from cytopress.study.plan import TrialPlan
from cytopress.study.run_trial import TrialResult, run_trial
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
    coded = (Image(brighter), TrialResult(coded_bytes=1))
    monkeypatch.setattr(running, "_coded", lambda *_: coded)
    task = Measurement()
    key = (task.name, task.weights)
    spec = TrialSpec(
        original="0" * 64,
        target="",
        codec_spec="brighter",
        data_range=float(np.ptp(original.pixels)),
        noise=(0.0, 900.0, 0.0),
        metrics=("ssim", "bias"),
        variants=(ModelVariant(tasks=(key,)),),
    )
    names: Any = dict.fromkeys(
        ("study", "dataset", "field", "group", "split", "codec", "options", "target"), ""
    )
    plan = TrialPlan(
        spec=spec, request=codec("zstd"), bits=16, target_value=None, raw_bytes=0, **names
    )
    result = run_trial(plan, FieldInputs(original, original), {key: task})
    assert result.scores["pixels/ssim"] > 0.99
    expected = (brighter.astype(float) - original.pixels).mean()
    assert result.scores["pixels/bias"] == pytest.approx(expected)
    (scored,) = result.variants
    assert scored.scores["measurement/intensity_error/baseline"] == 0
    assert scored.scores["measurement/intensity_error/harm"] == pytest.approx(0.02, abs=0.002)
