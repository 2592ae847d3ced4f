"""The card says what the manifest holds, number by number."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch", reason="needs torch (extra learn)")
pytest.importorskip("lightning", reason="needs Lightning (extra learn)")
pytestmark = pytest.mark.learn

from cytopress.training.codec.card import codec_card  # noqa: E402
from cytopress.training.codec.config import CodecTraining  # noqa: E402

CURVE = [{"bpp": 0.1234, "ratio": 65.4, "psnr": 31.25}, {"bpp": 1.5, "ratio": 10.7, "psnr": 44.0}]
OTHER = [{"bpp": 0.4321, "ratio": 37.0, "psnr": 32.5}]


def _manifest(**rate: Any) -> dict[str, Any]:
    training = CodecTraining.model_validate(
        {
            "kind": "codec",
            "name": "learned/cells",
            "seed": 17,
            "init": "learned/before",
            "network": {"architecture": "mean-scale", "latent_channels": 40},
            "rate": rate or {"gains": 8, "lambda_range": [0.001, 0.6]},
            "loss": {"domain": "stabilized"},
            "fit": {"steps": 1234, "batch": 5, "crop": 128, "learning_rate": 0.002},
            "sources": [{"dataset": "cells", "weight": 3.0}, {"folder": "x"}],
        }
    )
    facts = {"title": "Made", "attribution": "Somebody 2020", "fields": 4, "planes": 7}
    return {
        "name": "learned/cells",
        "architecture": "mean-scale",
        "latent_channels": 40,
        "hyper_channels": 32,
        "stride": 8,
        "parameters": 456_789,
        "multiply_adds": {"encoder": 1850.4, "decoder": 1650.6},
        "training": training.model_dump(mode="json"),
        "trained_on": [
            {
                "name": "cells",
                "licence": "CC0-1.0",
                "weight": 3.0,
                "groups": ["a", "b"],
                "pixels": 2_500_000,
                **facts,
            },
            {
                "name": "x",
                "licence": "unknown",
                "weight": 1.0,
                "groups": ["c"],
                "pixels": 100,
                **facts,
            },
        ],
        "compute": {
            "minutes": 61.7,
            "cores": 2,
            "processor": "a processor",
            "python": "3.11",
            "versions": {"torch": "2.1"},
        },
        "results": {
            "cells": {
                "curve": CURVE,
                "jpeg2000": OTHER,
                "bd_rate": -23.4,
                "bd_rate_fields": [-30.1, -16.7],
                "fields": ["f1", "f2"],
                "groups": ["test-group"],
                "data_range": 4321.0,
            }
        },
    }


def _history(rows: int, network: int = 0) -> list[dict[str, Any]]:
    return [
        {"network": network, "step": 10 * n, "loss": n / 7, "bpp": n / 11, "psnr": 20 + n / 13}
        for n in range(1, rows + 1)
    ]


def test_every_number_is_there() -> None:
    card = codec_card(_manifest(), _history(3), sha256="abc123", size=1_234_567)
    for said in (
        "# learned/cells",
        "sha256 `abc123`",
        "1.23 MB",
        "-23.4 % bytes at equal PSNR against JPEG 2000 on the test fields of cells",
        "single fields -30.1 to -16.7 %",
        "| `cells`: Made | CC0-1.0 | 2 | 7 | 2.5 | 75 % |",
        "| `x`: Made | unknown | 1 | 7 | 0.0 | 25 % |",
        "Somebody 2020",
        "40 latents for 8 x 8 pixels, 32 hyper-latents",
        "0.46 million parameters",
        "1850 multiply-adds a pixel to encode, 1651 to decode",
        "8 gain nodes, lambda from 0.001 to 0.6; distortion mse in the stabilized domain",
        "1234 steps of 5 crops of 128 x 128 pixels, Adam at 0.002",
        "seed 17. Started from `learned/before`",
        "62 minutes",
        "Groups test-group, 2 fields; true bytes, PSNR over 4321 counts",
        "| this | 0.1234 | 65.4 | 31.25 |",
        "| JPEG 2000 | 0.4321 | 37.0 | 32.50 |",
        "| 30 | 0.4286 | 0.2727 | 20.23 |",
    ):
        assert said in card, said
    assert max(map(len, card.replace("|", "\n").splitlines())) < 300


def test_a_task_is_told_where_there_is_one() -> None:
    manifest = _manifest()
    assert "frozen" not in codec_card(manifest, _history(1), sha256="", size=0)
    manifest["training"]["task"] = {
        "name": "labelfree/cells",
        "layer": "features",
        "weight": 321.0,
        "pixels": 0.25,
    }
    manifest["task"] = {"name": "labelfree/cells", "sha256": 8 * "0123abcd"}
    card = codec_card(manifest, _history(1), sha256="", size=0)
    assert (
        "0.25 x that of pixels + 321 x what the frozen `labelfree/cells` (sha256 `0123abcd" in card
    )
    assert "the variance of its features" in card


@pytest.mark.parametrize("rows", [0, 1, 11, 12, 13, 40, 100])
def test_a_long_curve_is_thinned_and_keeps_its_end(rows: int) -> None:
    card = codec_card(_manifest(), _history(rows), sha256="", size=0)
    curve = card.partition("## Curve")[2].partition("## Limits")[0]
    steps = [
        int(line.split("|")[1]) for line in curve.splitlines() if line[:3].strip("| ").isdigit()
    ]
    assert len(steps) <= 15
    assert steps == sorted(set(steps))
    assert steps[-1:] == ([10 * rows] if rows else [])


def test_several_networks_are_told_apart() -> None:
    manifest = _manifest(lambdas=[0.0018, 0.013])
    history = _history(8) + _history(8, network=1)
    card = codec_card(manifest, history, sha256="", size=0)
    assert "Rates: lambda 0.0018, 0.013" in card
    curve = card.partition("## Curve")[2].partition("## Limits")[0]
    assert "| network | step |" in curve
    # The last of each.
    assert "| 1 | 80 |" in curve
    assert "| 2 | 80 |" in curve


def test_fields_without_a_bd_rate_are_counted() -> None:
    manifest = _manifest()
    manifest["results"]["cells"]["bd_rate_fields"] = [None, -16.7]
    card = codec_card(manifest, _history(1), sha256="", size=0)
    assert "**-23.4 %** (1 of 2 fields have one; single fields -16.7 to -16.7 %)" in card


def test_without_results_nothing_is_claimed() -> None:
    card = codec_card({**_manifest(), "results": {}}, _history(1), sha256="", size=0)
    assert "nothing is known about it on unseen fields" in card
    assert "BD-rate" not in card
    manifest = _manifest()
    del manifest["results"]["cells"]["bd_rate"]
    card = codec_card(manifest, _history(1), sha256="", size=0)
    assert "BD-rate" not in card
    assert "| this | 0.1234 |" in card


def test_the_card_of_compressai_says_what_its_model_was_built_with() -> None:
    manifest = _manifest(lambdas=[0.01, 0.1], from_finer=True)
    manifest["training"]["fit"]["coarser_steps"] = 77
    theirs = {"architecture": "compressai/mbt2018-mean", "rates": 2, "model": {"N": 64, "M": 96}}
    for key in ("latent_channels", "hyper_channels", "stride", "parameters", "multiply_adds"):
        manifest.pop(key)
    rows = [{"network": 0, "step": 77, "loss": 1.0, "bpp": 0.5, "psnr": 31.0}]
    card = codec_card(manifest | theirs, rows, sha256="ab" * 32, size=1000)
    assert "compressai/mbt2018-mean of CompressAI (N 64, M 96), 2 rates." in card
    assert "1234 steps at the finest rate and 77 at each coarser one, each of 5 crops" in card
    assert "another machine may decode noise" in card


def test_the_format_decides_what_is_said_of_pixels() -> None:
    for number, said, other in ((1, "in floats", "in integers"), (2, "in integers", "in floats")):
        card = codec_card({**_manifest(), "format": number}, _history(1), sha256="", size=0)
        assert said in card
        assert other not in card
