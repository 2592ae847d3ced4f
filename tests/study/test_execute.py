"""The loop: what it stores is what happened, and it does nothing twice."""

import math
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from cytopress.codecs.adapters.jpegls import JpegLS
from cytopress.codecs.registry import decode
from cytopress.codecs.spec import codec
from cytopress.errors import DatasetError, StoreError, UnknownNameError
from cytopress.image import Image
from cytopress.lock import locked
from cytopress.settings import Settings
from cytopress.study import reference_scales, run_trial, trial_spec
from cytopress.study.execute import LOCK, execute
from cytopress.study.plan import TrialPlan
from cytopress.study.run_trial import BrokenPromiseError
from cytopress.study.spec import Study
from cytopress.study.store import load_results
from cytopress.study.trial import Trial

from .conftest import Doubling, MakeDataset, light

pytestmark = pytest.mark.both_numpy

MakeStudy = Callable[..., Study]
LOSSLESS = '[[codecs]]\nspec = "jpegls"\n'


def without_times(trials: object) -> list[Trial]:
    return [replace(trial, encode_s=None, decode_s=None) for trial in trials]  # type: ignore[attr-defined]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The codecs of the trials that really ran."""
    done: list[str] = []
    honest = run_trial.run_trial

    def counted(plan: TrialPlan, *args: Any) -> run_trial.TrialResult:
        done.append(plan.spec.codec_spec)
        return honest(plan, *args)

    monkeypatch.setattr(run_trial, "run_trial", counted)
    return done


def test_a_trial_says_what_happened(
    make_dataset: MakeDataset, study_of: MakeStudy, settings: Settings, tmp_path: Path
) -> None:
    folder = make_dataset(pixel_size_um=0.5)
    results = execute(study_of(), tmp_path / "out", settings=settings)
    assert [(t.field, t.target, t.target_value) for t in results.trials] == [
        (field, "max_error", value)
        for field in ("e1-0", "e1-1", "e2-0", "e2-1")
        for value in (1.0, 4.0)
    ]
    trial = results.trials[1]
    original = tifffile.imread(folder / "images" / "e1-0_input.tif")
    # The size and the error, told by the library itself.
    import imagecodecs

    stream = imagecodecs.jpegls_encode(original, level=4)
    decoded = imagecodecs.jpegls_decode(stream).astype(float)
    assert trial.raw_bytes == original.nbytes
    assert trial.coded_bytes is not None
    assert 0 < trial.coded_bytes - len(stream) <= 80
    assert trial.scores["pixels/rmse"] == pytest.approx(np.sqrt(np.mean((decoded - original) ** 2)))
    assert trial.scores["pixels/max_error"] == trial.reached == 4
    assert (trial.study, trial.dataset, trial.group, trial.split) == ("small", "tiny", "e1", "test")
    assert (trial.codec, trial.options, trial.bits, trial.error) == ("jpegls", "", 12, "")
    assert trial.encode_s is not None
    assert trial.decode_s is not None
    assert trial.encode_s > 0 < trial.decode_s


def test_the_data_range_is_that_of_the_training_groups(
    make_dataset: MakeDataset, study_of: MakeStudy, settings: Settings, tmp_path: Path
) -> None:
    folder = make_dataset()
    study = study_of(codecs='[[codecs]]\nspec = "jpegls"\npsnr = [40]\n')
    results = execute(study, tmp_path / "out", settings=settings)
    pixels = [tifffile.imread(folder / "images" / f"t1-{i}_input.tif") for i in range(2)]
    low, high = np.percentile(pixels, (0.01, 99.99))
    facts = results.datasets[0]
    assert facts.data_range == pytest.approx(high - low, rel=1e-5)
    assert facts.scales_source == "training groups"
    assert facts.split["test"] == {"e1": ("e1-0", "e1-1"), "e2": ("e2-0", "e2-1")}
    trial = results.trials[0]
    assert trial.options == f"range={facts.data_range}"
    mse = trial.scores["pixels/rmse"] ** 2
    assert trial.scores["pixels/psnr"] == pytest.approx(10 * math.log10(facts.data_range**2 / mse))
    assert trial.reached == pytest.approx(trial.scores["pixels/psnr"])


def test_without_training_groups_all_fields_are_the_yardstick(
    make_dataset: MakeDataset, study_of: MakeStudy, settings: Settings, tmp_path: Path
) -> None:
    make_dataset(split=False)
    results = execute(study_of(), tmp_path / "out", settings=settings)
    assert results.datasets[0].scales_source == "all fields"
    assert len(results.trials) == 16


def test_sigma_gets_the_noise_of_the_dataset(
    make_dataset: MakeDataset, study_of: MakeStudy, settings: Settings, tmp_path: Path
) -> None:
    make_dataset()
    study = study_of(codecs='[[codecs]]\nspec = "jpegls"\nsigma = [1]\n')
    results = execute(study, tmp_path / "out", settings=settings)
    noise = results.datasets[0].noise
    options = dict(pair.split("=") for pair in results.trials[0].options.split(","))
    assert {key: float(value) for key, value in options.items()} == {
        "a": noise.a,
        "b": noise.b,
        "offset": noise.offset,
    }


@pytest.mark.usefixtures("doubling")
def test_task_scores_are_baseline_harm_and_agreement(
    make_dataset: MakeDataset, study_of: MakeStudy, settings: Settings, tmp_path: Path
) -> None:
    folder = make_dataset()
    study = study_of(dataset='tasks = ["fake/doubling"]\nfields = ["e2-1"]')
    trial = execute(study, tmp_path / "out", settings=settings).trials[1]
    original = tifffile.imread(folder / "images" / "e2-1_input.tif")
    decoded = decode(codec("jpegls:near=4").encode(Image(original, bits=12)))
    error = 2 * (decoded.pixels.astype(float) - original)
    assert np.abs(error).max() > 0
    # The task is off by 10 by itself.
    assert trial.scores["fake/doubling/error/baseline"] == 10
    assert trial.scores["fake/doubling/error/harm"] == pytest.approx(np.abs(error + 10).mean())
    assert trial.scores["fake/doubling/error/agreement"] == pytest.approx(np.abs(error).mean())


def test_a_baseline_is_made_once_for_a_field(
    make_dataset: MakeDataset,
    study_of: MakeStudy,
    settings: Settings,
    tmp_path: Path,
    doubling: list[Doubling],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_dataset()
    predicted: list[str] = []

    def predict(self: Doubling, image: Image) -> Image:
        predicted.append(image.name)
        return Image(image.pixels.astype(np.float32))

    monkeypatch.setattr(Doubling, "predict", predict)
    study = study_of(dataset='tasks = ["fake/doubling"]')
    execute(study, tmp_path / "out", settings=settings)
    # Once from the original, once from each of two decoded images, under the same name.
    assert predicted == [field for field in ("e1-0", "e1-1", "e2-0", "e2-1") for _ in range(3)]


def test_finished_cells_are_not_done_again(
    make_dataset: MakeDataset,
    study_of: MakeStudy,
    settings: Settings,
    tmp_path: Path,
    calls: list[str],
) -> None:
    make_dataset()
    first = execute(study_of(), tmp_path / "out", settings=settings)
    assert len(calls) == 8
    again = execute(study_of(head='title = "Another"'), tmp_path / "out", settings=settings)
    assert len(calls) == 8
    assert again.title == "Another"
    assert list(again.trials) == list(first.trials)
    more = '[[codecs]]\nspec = "jpegls"\nmax_error = [1, 2]\n'
    third = execute(study_of(codecs=more), tmp_path / "out", settings=settings)
    assert calls[8:] == ["jpegls:max_error=2"] * 4
    # Those of the other value are stored, and no longer planned.
    assert {trial.target_value for trial in third.trials} == {1.0, 2.0}


def test_names_do_not_count_but_pixels_do(
    make_dataset: MakeDataset,
    study_of: MakeStudy,
    settings: Settings,
    tmp_path: Path,
    calls: list[str],
) -> None:
    folder = make_dataset()
    execute(study_of(), tmp_path / "out", settings=settings)
    moved = folder.rename(tmp_path / "elsewhere")
    (moved / "dataset.toml").write_text(
        (moved / "dataset.toml").read_text().replace('"tiny"', '"renamed"')
    )
    results = execute(study_of(folder="elsewhere"), tmp_path / "out", settings=settings)
    assert len(calls) == 8
    assert {trial.dataset for trial in results.trials} == {"renamed"}
    changed = tifffile.imread(moved / "images" / "e1-0_input.tif")
    changed[0, 0] += 1
    tifffile.imwrite(moved / "images" / "e1-0_input.tif", changed)
    execute(study_of(folder="elsewhere"), tmp_path / "out", settings=settings)
    assert len(calls) == 10


def test_what_another_version_measured_otherwise_is_measured_again(
    make_dataset: MakeDataset,
    study_of: MakeStudy,
    settings: Settings,
    tmp_path: Path,
    calls: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_dataset()
    honest = execute(study_of(), tmp_path / "out", settings=settings)
    span = reference_scales.data_range
    monkeypatch.setattr(reference_scales, "data_range", lambda images: 2 * span(images))
    again = execute(study_of(), tmp_path / "out", settings=settings)
    assert again.datasets[0].data_range == honest.datasets[0].data_range
    assert len(calls) == 8
    monkeypatch.setattr(trial_spec, "FORMAT", trial_spec.FORMAT + 1)
    later = execute(study_of(), tmp_path / "out", settings=settings)
    assert later.datasets[0].data_range == 2 * honest.datasets[0].data_range
    assert len(calls) == 16


def test_expected_failures_are_results(
    make_dataset: MakeDataset,
    study_of: MakeStudy,
    settings: Settings,
    tmp_path: Path,
    doubling: list[Doubling],
) -> None:
    make_dataset()
    doubling[0] = Doubling(refuses=True)
    study = study_of(
        codecs='[[codecs]]\nspec = "jpegls"\nratio = [2, 100000]\n',
        dataset='tasks = ["fake/doubling"]\nlimit = 1',
    )
    results = execute(study, tmp_path / "out", settings=settings)
    refused, unreachable = results.trials[:2]
    # The task failed; what was measured before stays.
    assert refused.error == "fake/doubling refuses this image."
    assert refused.coded_bytes is not None
    assert "pixels/rmse" in refused.scores
    assert not any(column.startswith("fake") for column in refused.scores)
    assert "100000" in unreachable.error
    assert unreachable.coded_bytes is None
    assert unreachable.scores == {}


def test_a_dtype_that_a_codec_cannot_code_is_a_stored_error(
    make_dataset: MakeDataset, study_of: MakeStudy, settings: Settings, tmp_path: Path
) -> None:
    images = {
        f"{group}-{i}_{column}": light(i).astype(np.float32)
        for group in ("t1", "v1", "e1", "e2")
        for i in range(2)
        for column in ("input", "target")
    }
    make_dataset(images=images, bits=32)
    results = execute(study_of(codecs=LOSSLESS), tmp_path / "out", settings=settings)
    assert all("float32" in trial.error for trial in results.trials)
    assert len(results.trials) == 4


def test_a_broken_promise_stops_the_study(
    make_dataset: MakeDataset,
    study_of: MakeStudy,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_dataset()
    honest = JpegLS.decompress

    def lying(self: JpegLS, stream: bytes, form: object) -> object:
        return honest(self, stream, form) + np.uint16(1)  # type: ignore[arg-type]

    monkeypatch.setattr(JpegLS, "decompress", lying)
    with pytest.raises(
        BrokenPromiseError, match="jpegls promised an error of at most 0 counts"
    ) as caught:
        execute(study_of(codecs=LOSSLESS), tmp_path / "out", settings=settings)
    assert "jpegls on e1-0 of tiny" in caught.value.__notes__[0]
    monkeypatch.undo()
    assert load_results(tmp_path / "out").trials_done == 0
    assert execute(study_of(codecs=LOSSLESS), tmp_path / "out", settings=settings).trials_done == 4


def test_what_an_interrupted_study_did_stays_and_it_ends_the_same(
    make_dataset: MakeDataset, study_of: MakeStudy, settings: Settings, tmp_path: Path
) -> None:
    make_dataset()
    whole = execute(study_of(), tmp_path / "whole", settings=settings)

    def interrupt(done: int, total: int, now: str) -> None:
        if (done, now) == (3, "trials"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(study_of(), tmp_path / "out", settings=settings, progress=interrupt)
    half = load_results(tmp_path / "out")
    assert (half.trials_done, half.trials_planned) == (3, 8)
    resumed = execute(study_of(), tmp_path / "out", settings=settings)
    assert without_times(resumed.trials) == without_times(whole.trials)


def test_previews_are_the_pictures_of_the_trial(
    make_dataset: MakeDataset,
    study_of: MakeStudy,
    settings: Settings,
    tmp_path: Path,
    doubling: list[Doubling],
) -> None:
    folder = make_dataset()
    study = study_of(dataset='tasks = ["fake/doubling"]', head="preview_size = 16")
    results = execute(study, tmp_path / "out", settings=settings)
    shown = [trial.field for trial in results.trials if results.previews(trial.key)]
    assert shown == ["e1-0", "e1-0", "e2-0", "e2-0"]
    trial = results.trials[1]
    pictures = {preview.kind: preview.image for preview in results.previews(trial.key)}
    assert set(pictures) == {"original", "decoded", "truth", "prediction", "prediction-decoded"}
    original = tifffile.imread(folder / "images" / "e1-0_input.tif")
    windows = np.lib.stride_tricks.sliding_window_view(original, (16, 16))
    (found,) = np.argwhere((windows == pictures["original"].pixels).all(axis=(2, 3)))
    top, left = found
    assert (top, left) != (0, 0) or np.ptp(pictures["truth"].pixels) > 0
    np.testing.assert_array_equal(pictures["truth"].pixels, pictures["original"].pixels * 2)
    assert np.abs(pictures["decoded"].pixels.astype(int) - pictures["original"].pixels).max() == 4
    np.testing.assert_array_equal(
        pictures["prediction-decoded"].pixels,
        pictures["decoded"].pixels.astype(np.float32) * 2 + 10,
    )
    # What two trials share is there once.
    with sqlite3.connect(tmp_path / "out" / "study.sqlite") as db:
        (count,) = db.execute("SELECT count(*) FROM pictures").fetchone()
    assert count == 2 * (3 + 2 * 2)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"images": {"e1-1_input": np.full((40, 48), np.nan, np.float32)}}, DatasetError, "NaN"),
        ({"images": {"e2-0_target": light(1, (40, 47))}}, DatasetError, "must be that of"),
        ({"images": {"e2-0_target": light(1)}, "bits": 8}, DatasetError, "8 bits"),
    ],
)
def test_bad_images_are_found_before_any_codec_runs(
    make_dataset: MakeDataset,
    study_of: MakeStudy,
    settings: Settings,
    tmp_path: Path,
    calls: list[str],
    change: dict[str, object],
    error: type[Exception],
    message: str,
) -> None:
    make_dataset(**change)
    with pytest.raises(error, match=message):
        execute(study_of(), tmp_path / "out", settings=settings)
    assert calls == []
    assert not (tmp_path / "out").exists()


def test_a_missing_file_an_unknown_field_and_an_empty_part(
    make_dataset: MakeDataset, study_of: MakeStudy, settings: Settings, tmp_path: Path
) -> None:
    folder = make_dataset()
    out = tmp_path / "out"
    with pytest.raises(UnknownNameError, match="'e3-0'"):
        execute(study_of(dataset='fields = ["e3-0"]'), out, settings=settings)
    with pytest.raises(UnknownNameError, match="labelfree/none"):
        execute(study_of(dataset='tasks = ["labelfree/none"]'), out, settings=settings)
    (folder / "images" / "e1-0_target.tif").unlink()
    with pytest.raises(DatasetError, match="e1-0_target"):
        execute(study_of(), out, settings=settings)
    make_dataset("whole", split=False)
    with pytest.raises(DatasetError, match="no field in its train part"):
        execute(study_of(folder="whole", dataset='split = "train"'), out, settings=settings)
    assert not out.exists()


def test_one_writer_at_a_time(
    make_dataset: MakeDataset, study_of: MakeStudy, settings: Settings, tmp_path: Path
) -> None:
    make_dataset()
    with (
        locked(tmp_path / "out", LOCK, "at work"),
        pytest.raises(StoreError, match="another process"),
    ):
        execute(study_of(), tmp_path / "out", settings=settings)
    assert execute(study_of(), tmp_path / "out", settings=settings).trials_done == 8


def test_the_speed_pass_times_a_middle_rate_of_each_codec_once(
    make_dataset: MakeDataset,
    study_of: MakeStudy,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from cytopress.codecs.targets import solutions

    searches, honest = [], solutions.solve
    monkeypatch.setattr(solutions, "solve", lambda *args: searches.append(args) or honest(*args))
    make_dataset()
    study = study_of(
        codecs=LOSSLESS + '[[codecs]]\nspec = "jpegls"\nmax_error = [1, 2, 4]\n'
    ).model_copy(update={"speed": True})
    results = execute(study, tmp_path / "out", settings=settings)
    # None for times: the settings are known.
    assert len(searches) == sum(trial.target == "max_error" for trial in results.trials)
    assert [(s.target, s.target_value, s.field) for s in results.speeds] == [
        ("", None, "e1-0"),
        ("max_error", 2.0, "e1-0"),
    ]
    for speed in results.speeds:
        assert speed.repeats >= 5
        assert speed.threads >= 1
        (trial,) = [
            t
            for t in results.trials
            if (t.field, t.target, t.target_value)
            == (speed.field, speed.target, speed.target_value)
        ]
        assert (speed.raw_bytes, speed.coded_bytes) == (trial.raw_bytes, trial.coded_bytes)
    again = execute(study, tmp_path / "out", settings=settings)
    assert list(again.speeds) == list(results.speeds)


def test_targets_on_one_field_share_their_encodes_and_give_the_same_bytes(
    make_dataset: MakeDataset,
    study_of: MakeStudy,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = make_dataset()
    coded: list[tuple[int, int]] = []
    honest = JpegLS.compress

    def compress(self: JpegLS, image: Image) -> bytes:
        # Pictures for the report are coded without loss.
        if self.near:
            coded.append((self.near, int(image.pixels.sum())))
        return honest(self, image)

    codecs = '[[codecs]]\nspec = "jpegls"\nmax_error = [2, 3, 4, 5, 9]\n'
    monkeypatch.setattr(JpegLS, "compress", compress)
    results = execute(study_of(codecs=codecs), tmp_path / "out", settings=settings)
    # No setting codes one image twice.
    assert len(coded) == len(set(coded)) > 4
    together = len(coded)
    coded.clear()
    for trial in results.trials:
        original = tifffile.imread(folder / "images" / f"{trial.field}_input.tif")
        request = codec(f"jpegls:max_error={trial.target_value:g}")
        alone = request.solve(Image(original, bits=12))
        assert (trial.coded_bytes, trial.reached) == (len(alone.data), alone.reached)
    assert together < len(coded)
