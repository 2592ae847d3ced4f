"""A made-up study with known numbers, and Debian's chromium to open its page in."""

from __future__ import annotations

import dataclasses
import itertools
import math
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cytopress.image import Image
from cytopress.study.results import (
    DatasetFacts,
    NoiseFacts,
    Results,
    ScoreFacts,
    Speed,
    TaskFacts,
)
from cytopress.study.trial import Preview, Trial

SIZE = 64
CHROMIUM = "/usr/bin/chromium"
BLOBS = np.exp(
    -((np.arange(SIZE)[:, None] % 21 - 10) ** 2 + (np.arange(SIZE)[None] % 32 - 16) ** 2) / 40
)


def make_trial(**changes: Any) -> Trial:
    """One trial with plain numbers; ``changes`` are the ones that a test is about."""
    facts: dict[str, Any] = {
        "key": "k",
        "study": "made-up",
        "dataset": "cells",
        "field": "f0",
        "group": "g0",
        "split": "test",
        "codec": "jpegxl",
        "options": "",
        "bits": 12,
        "target": "ratio",
        "target_value": 10.0,
        "reached": 10.0,
        "regime": "raw",
        "trained_on": "",
        "seed": 0,
        "raw_bytes": 8000,
        "coded_bytes": 800,
        "encode_s": 0.1,
        "decode_s": 0.1,
        "error": "",
        "scores": {},
    }
    return Trial(**facts | changes)


def make_facts(name: str = "cells", title: str = "Cells that were made up") -> DatasetFacts:
    means = tuple(np.linspace(200, 2000, 25))
    noise = NoiseFacts(
        a=0.5,
        b=30.0,
        offset=100.0,
        good=True,
        reason="",
        means=means,
        variances=tuple(0.5 * (m - 100) + 30 + 9 * math.sin(m) for m in means),
    )
    return DatasetFacts(
        name=name,
        title=title,
        input="phase contrast",
        target="fluorescence",
        axes="YX",
        bits=12,
        pixel_size_um=0.25,
        licence="CC0-1.0",
        attribution="Nobody",
        notes="",
        data_range=1900.0,
        noise=noise,
        split={"train": {"g9": ("t0", "t1")}, "test": {"g0": ("f0", "f1"), "g1": ("f2",)}},
        scales_source="training groups",
    )


TASK = "labelfree/cells"
SCORES = (
    ScoreFacts(column="pixels/psnr", name="psnr", unit="dB", better="higher", task="", main=False),
    ScoreFacts(column="pixels/ssim", name="ssim", unit="", better="higher", task="", main=False),
    ScoreFacts(
        column="pixels/bias", name="bias", unit="counts", better="lower", task="", main=False
    ),
    ScoreFacts(
        column=f"{TASK}/pearson", name="pearson", unit="", better="higher", task=TASK, main=True
    ),
    ScoreFacts(
        column=f"{TASK}/nrmse", name="nrmse", unit="", better="lower", task=TASK, main=False
    ),
)


def make_results(trials: Sequence[Trial], **changes: Any) -> Results:
    facts: dict[str, Any] = {
        "name": "made-up",
        "title": "A study that was made up",
        "spec_toml": 'name = "made-up"\n',
        "seed": 7,
        "created": "2026-01-02 03:04 UTC",
        "trials_done": len(trials),
        "trials_planned": len(trials),
        "machine": {"processor": "Abacus 9", "memory": "64 KiB"},
        "versions": {"cytopress": "0.1.0", "numpy": "2.0"},
        "datasets": (make_facts(),),
        "tasks": (),
        "scores": SCORES,
        "trials": tuple(trials),
        "noise_replicates": (),
        "speeds": (),
        "previews": lambda key: (),
    }
    return Results(**facts | changes)


def made_up_scores(codec: int, ratio: float, field: int, *, task: bool) -> dict[str, float]:
    """Smooth curves, a little better for each later codec, that fall at high ratios."""
    psnr = 50 - 6 * math.log2(ratio) / 2 + 0.7 * codec + 0.2 * field
    scores = {
        "pixels/psnr": psnr,
        "pixels/ssim": 1 - 10 ** (-psnr / 22),
        "pixels/bias": 0.1 * codec,
    }
    if task:
        baseline = 0.92 - 0.01 * field
        wobble = 0.001 * math.sin(5 * field + ratio + codec)
        loss = 0.004 * max(0.0, math.log2(ratio / (12 + 3 * codec))) ** 2
        scores |= {
            f"{TASK}/pearson/baseline": baseline,
            f"{TASK}/pearson/harm": baseline - loss + wobble,
            f"{TASK}/pearson/agreement": 1 - 2 * loss,
            f"{TASK}/nrmse/baseline": 0.2,
            f"{TASK}/nrmse/harm": 0.2 + loss - wobble,
            f"{TASK}/nrmse/agreement": loss,
        }
    return scores


def made_up_previews(ratio: float, seed: int, *, task: bool) -> list[Preview]:
    rng = np.random.default_rng(seed)
    clean = 300 + 1200 * np.roll(BLOBS, seed * 5, axis=1)
    original = rng.normal(clean, 25).clip(0, 4000)
    decoded = clean + (original - clean) / math.sqrt(ratio) + 8 * rng.normal(size=clean.shape)

    def image(pixels: Any) -> Image:
        return Image(pixels.astype(np.uint16), bits=12, spacing_um=(0.25, 0.25))

    previews = [
        Preview(kind="original", task="", image=image(original)),
        Preview(kind="decoded", task="", image=image(decoded)),
    ]
    if task:
        shown = {"prediction": clean / 1000, "prediction-decoded": (clean - ratio) / 1000}
        previews += [
            Preview(kind=kind, task=TASK, image=Image(pixels.astype(np.float32)))
            for kind, pixels in shown.items()
        ]
        previews.append(Preview(kind="truth", task=TASK, image=image(clean)))
    return previews


def make_study(
    *,
    codecs: Sequence[str] = ("jpeg2000", "jpegxl", "jpegxr"),
    ratios: Sequence[float] = (5, 10, 20, 40, 80),
    fields: int = 6,
    groups: int = 2,
    datasets: Sequence[str] = ("cells",),
    task: bool = True,
    pictured: int = 1,
    **changes: Any,
) -> Results:
    """A whole study: every codec at every ratio on every field, with pictures and speeds."""
    trials, pictures = [], {}
    for dataset in datasets:
        for field in range(fields):
            place = {"dataset": dataset, "field": f"f{field}", "group": f"g{field % groups}"}
            for index, codec in enumerate(codecs):
                for ratio in ratios:
                    key = f"{dataset}-{field}-{codec}-{ratio}"
                    scores = made_up_scores(index, ratio, field, task=task)
                    size = {"coded_bytes": round(8000 / ratio), "target_value": float(ratio)}
                    trials.append(make_trial(key=key, codec=codec, scores=scores, **place, **size))
                    if field < pictured:
                        pictures[key] = (ratio, field)
            for codec, ratio in (("jpegls", 2.5), ("png", 2.0)):
                scores = made_up_scores(0, 1, field, task=task)
                scores |= {"pixels/psnr": math.inf, "pixels/max_error": 0.0}
                for column in [c for c in scores if c.endswith("/harm")]:
                    scores[column] = scores[column.replace("/harm", "/baseline")]
                size = {"coded_bytes": round(8000 / ratio), "target": "", "target_value": None}
                key = f"{dataset}-{field}-{codec}"
                trials.append(make_trial(key=key, codec=codec, scores=scores, **place, **size))
    speeds = [
        Speed(
            dataset=datasets[0],
            field="f0",
            codec=codec,
            options="",
            target="ratio",
            target_value=20.0,
            raw_bytes=8_000_000,
            coded_bytes=400_000,
            encode_s=0.1 * (i + 1),
            decode_s=0.04,
            repeats=5,
            threads=1,
        )
        for i, codec in enumerate(codecs)
    ]

    def previews(key: str) -> list[Preview]:
        return made_up_previews(*pictures[key], task=task) if key in pictures else []

    tasks = [
        TaskFacts(name=TASK, weights="ab" * 32, dataset=d, summary={"seed": "3"}) for d in datasets
    ]
    facts: dict[str, Any] = {
        "datasets": tuple(make_facts(d, f"Made-up {d}") for d in datasets),
        "tasks": tasks if task else (),
        "speeds": speeds,
        "previews": previews,
    }
    return make_results(trials, **facts | changes)


def with_noise_replicates(study: Results, *, sigma: float = 0.004, draws: int = 4) -> Results:
    """The study with draws of the camera's noise that move the main score by about ``sigma``."""
    fields = {(t.dataset, t.field, t.group) for t in study.trials}
    noise_replicates = [
        make_trial(
            key=f"draw-{draw}",
            dataset=dataset,
            field=field,
            group=group,
            codec="camera",
            target="draw",
            target_value=float(draw),
            coded_bytes=None,
            scores={f"{TASK}/pearson/harm": 0.9 + sigma * (-1) ** draw},
        )
        for dataset, field, group in sorted(fields)
        for draw in range(draws)
    ]
    return dataclasses.replace(study, noise_replicates=noise_replicates)


# What was planted in `make_volumes`: of each codec whether it takes volumes whole, and its bytes.
VOLUMETRIC = {
    "jpegxl": (False, 1.1),
    "avif": (False, 1.0),
    "sperr": (True, 0.8),
    "hevc": (True, 0.5),
    "learned/flat": (False, 0.4),
    "learned/deep": (True, 0.2),
}
DEPTH, PLANES_UM = 24, 0.5


def make_volumes(*, fields: int = 6, task: bool = True, **changes: Any) -> Results:
    """A study of volumes: codecs of planes flicker, those of volumes blur along z."""
    trials, pictures = [], {}
    for field, (codec, (whole, share)) in itertools.product(range(fields), VOLUMETRIC.items()):
        for ratio in (10, 20, 40, 80):
            scores = made_up_scores(0, ratio, field, task=task) | {
                "pixels/frc_resolution": 0.4,
                "pixels/frc_resolution_um": 1.6,
                "pixels/frc_resolution_z": 0.25 if whole else 0.5,
                "pixels/frc_resolution_z_um": 0.5 if whole else 1.0,
                "pixels/variation_xy": 0.8 if whole else 0.5,
                "pixels/variation_z": 0.6 if whole else 1.0,
            }
            key = f"{field}-{codec}-{ratio}"
            place = {"key": key, "field": f"f{field}", "group": f"g{field}", "codec": codec}
            size = {"coded_bytes": round(1e6 * share / ratio), "target_value": float(ratio)}
            trial = make_trial(
                scores=scores, volumetric=whole, raw_bytes=1_000_000, **place, **size
            )
            trials.append(trial)
            if field == 0:
                pictures[key] = (float(ratio), field)
    z_scores = [
        ScoreFacts(
            column=f"pixels/{name}", name=name, unit=unit, better=better, task="", main=False
        )
        for name, unit, better in (
            ("frc_resolution", "cycles/pixel", "higher"),
            ("frc_resolution_um", "cycles/um", "higher"),
            ("frc_resolution_z", "cycles/plane", "higher"),
            ("frc_resolution_z_um", "cycles/um", "higher"),
            ("variation_xy", "", "lower"),
            ("variation_z", "", "lower"),
        )
    ]

    def previews(key: str) -> list[Preview]:
        planes = made_up_previews(*pictures[key], task=task) if key in pictures else []
        return [section for plane in planes for section in _sections(plane)]

    facts: dict[str, Any] = {
        "datasets": (
            dataclasses.replace(
                make_facts(title="Simulated cells"), axes="ZYX", plane_spacing_um=PLANES_UM
            ),
        ),
        "tasks": [TaskFacts(name=TASK, weights="ab" * 32, dataset="cells", summary={})] * task,
        "scores": (*z_scores, *SCORES),
        "previews": previews,
    }
    return make_results(trials, **facts | changes)


def _sections(plane: Preview) -> list[Preview]:
    """The plane, and two others of its pixels as if the volume were the same in every plane."""
    image = plane.image

    def cut(pixels: Any, spacing: tuple[float, float]) -> Image:
        return Image(pixels, bits=image.bits, spacing_um=image.spacing_um and spacing)

    xz = np.repeat(image.pixels[16][None], DEPTH, axis=0)
    yz = np.repeat(image.pixels[:, 40][:, None], DEPTH, axis=1)
    replace = dataclasses.replace
    return [
        replace(plane, cross=(16, 40)),
        replace(plane, section="XZ", cross=(12, 40), image=cut(xz, (PLANES_UM, 0.25))),
        replace(plane, section="YZ", cross=(16, 12), image=cut(yz, (0.25, PLANES_UM))),
    ]


@pytest.fixture(name="make_volumes", scope="session")
def _make_volumes() -> Callable[..., Results]:
    return make_volumes


# What was planted in `make_trainings`: lost by models of originals, won back by the others.
LOST, MATCHED, MIXED = 0.04, 0.03, 0.02


def make_trainings(*, fields: int = 6, seeds: int = 3) -> Results:
    """A study with every regime: two settings, each trained on and tested, and lossless bytes."""
    settings = {"jpegxl:ratio=20": ("jpegxl", 20.0), "avif:ratio=40": ("avif", 40.0)}
    trained = [("raw", ""), *(("matched", spec) for spec in settings)]
    trained.append(("mixed", " + ".join(["original", *settings])))
    trials = []
    for field, seed in itertools.product(range(fields), range(seeds)):
        baseline = 0.9 + 0.01 * field + 0.002 * (seed - 1)
        for spec, (codec, ratio) in settings.items():
            for regime, trained_on in trained:
                seen = "cross" if regime == "matched" and trained_on != spec else regime
                won = {"raw": 0.0, "matched": MATCHED, "cross": 0.01, "mixed": MIXED}[seen]
                wobble = 0.001 * math.sin(7 * field + 3 * seed + ratio)
                own = baseline - (0.0 if regime == "raw" else 0.005)
                trials.append(
                    make_trial(
                        key=f"{field}-{spec}",
                        field=f"f{field}",
                        group=f"g{field}",
                        codec=codec,
                        options="range=1900",
                        target_value=ratio,
                        coded_bytes=round(8000 / ratio),
                        regime=seen,
                        trained_on=trained_on,
                        seed=seed,
                        scores={
                            "pixels/psnr": 44 - ratio / 10,
                            f"{TASK}/pearson/baseline": own,
                            f"{TASK}/pearson/harm": baseline - LOST + won + wobble,
                        },
                    )
                )
    tasks = [TaskFacts(name=TASK, weights="ab" * 32, dataset="cells", summary={"seed": "3"})]
    return make_results(trials, tasks=tasks)


@pytest.fixture(name="make_trainings", scope="session")
def _make_trainings() -> Callable[..., Results]:
    return make_trainings


@pytest.fixture(name="with_noise_replicates", scope="session")
def _with_noise_replicates() -> Callable[..., Results]:
    return with_noise_replicates


@pytest.fixture(name="make_study", scope="session")
def _make_study() -> Callable[..., Results]:
    return make_study


@pytest.fixture(name="make_results", scope="session")
def _make_results() -> Callable[..., Results]:
    return make_results


@pytest.fixture(name="make_trial", scope="session")
def _make_trial() -> Callable[..., Trial]:
    return make_trial


@pytest.fixture(name="make_facts", scope="session")
def _make_facts() -> Callable[..., DatasetFacts]:
    return make_facts


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's chromium, headless, with nothing of its own on the network."""
    missing = None
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing = "playwright is not installed"
    if not Path(CHROMIUM).exists():
        missing = f"there is no {CHROMIUM}: apt-get install chromium"
    if missing is not None:
        if os.environ.get("CYTOPRESS_REQUIRE_BROWSER") == "1":
            pytest.fail(f"browser tests must run here, but {missing}")
        pytest.skip(f"browser tests need Debian's chromium, but {missing}")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
            ],
        )
        yield launched
        launched.close()
