"""The plan is pure, in order, and gives each cell an identity made of contents."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from cytopress.codecs.spec import codec
from cytopress.datasets.dataset import Dataset, Field
from cytopress.errors import UsageError
from cytopress.metrics import NoiseModel
from cytopress.study.inspect_datasets import InspectedDataset, InspectedField
from cytopress.study.plan import options_of, plan
from cytopress.study.results import DatasetFacts, NoiseFacts
from cytopress.study.spec import Study, parse_study
from cytopress.study.trial_spec import ModelVariant, TrialSpec

VARIANT = ModelVariant(seed=1, tasks=(("task", "w"),))
NOISE = NoiseFacts(a=0.5, b=20.0, offset=100.0, good=True, reason="", means=(), variances=())
DATASET = Dataset(
    name="d", title="", input="", target="", axes="YX", bits=12, pixel_size_um=None,
    licence="", attribution="", notes="", folder=Path(), fields=(),
)  # fmt: skip


def study(codecs: str, head: str = "noise_draws = 0") -> Study:
    text = f'name = "s"\n{head}\n[[datasets]]\nname = "d"\n{codecs}'
    return parse_study(text, folder=Path(), label="s.toml")


def inspected(name: str = "d", **changes: Any) -> InspectedDataset:
    facts = DatasetFacts(
        name=name, title="", input="", target="", axes="YX", bits=12, pixel_size_um=None,
        licence="", attribution="", notes="", data_range=1000.0, noise=NOISE, split={},
        scales_source="",
    )  # fmt: skip
    fields = tuple(
        InspectedField(
            field=Field(f"f{i}", "g", "test", Path(), Path()),
            original=f"o{i}",
            target=f"t{i}",
            bits=12,
            raw_bytes=100,
            preview=i == 0,
        )
        for i in range(2)
    )
    made: Any = {"dataset": DATASET, "facts": facts, "fields": fields, "variants": (VARIANT,)}
    return InspectedDataset(**made | changes)


def test_the_order_is_field_by_field_and_as_in_the_file() -> None:
    rows = plan(
        study('[[codecs]]\nspec = "jpegls"\nratio = [8, 2]\n[[codecs]]\nspec = "jpegls"\n'),
        [inspected()],
    )
    assert [(row.field, row.codec, row.target, row.target_value) for row in rows] == [
        (field, "jpegls", *target)
        for field in ("f0", "f1")
        for target in (("ratio", 8), ("ratio", 2), ("", None))
    ]
    assert [row.spec.preview for row in rows] == [192] * 3 + [0] * 3


def test_yardsticks_are_written_out_and_a_given_one_stays() -> None:
    rows = plan(
        study(
            '[[codecs]]\nspec = "jpegls"\npsnr = [40]\n'
            '[[codecs]]\nspec = "jpegls:range=4095"\npsnr = [40]\n'
            '[[codecs]]\nspec = "jpegls"\nsigma = [1.5]\n'
            '[[codecs]]\nspec = "jpegls"\nmax_error = [2]\n'
        ),
        [inspected()],
    )
    assert [(row.spec.codec_spec, row.options) for row in rows[:4]] == [
        ("jpegls:psnr=40,range=1000", "range=1000"),
        ("jpegls:psnr=40,range=4095", "range=4095"),
        ("jpegls:sigma=1.5,a=0.5,b=20,offset=100", "a=0.5,b=20,offset=100"),
        ("jpegls:max_error=2", ""),
    ]
    for row in rows:
        # The codec that runs is the one that the spec string in the key asks for.
        assert codec(row.spec.codec_spec) == row.request


def test_options_name_the_curve_and_leave_the_target_out() -> None:
    for spec, options in {
        "jpegls": "",
        "jpegls:near=3": "",
        "jpegls:ratio=3,tile=64,guard=2": "tile=64,guard=2",
    }.items():
        assert options_of(codec(spec)) == options
    lossless = codec("jpegls").with_reference_scales(5.0, NoiseModel(0, 1))
    assert lossless == codec("jpegls")


def test_every_part_of_a_cell_changes_its_key() -> None:
    spec = TrialSpec(
        original="o", target="t", codec_spec="jpegls", data_range=1.0, noise=(0.0, 1.0, 0.0),
        metrics=("rmse",), variants=(VARIANT,),
    )  # fmt: skip
    others = {
        "original": "p", "target": "u", "codec_spec": "jpegls:near=1", "data_range": 2.0,
        "noise": (0.0, 2.0, 0.0), "metrics": ("rmse", "psnr"), "labels": "l", "variants": (),
        "seed": 1, "preview": 192,
        "packages": (("learned/a", "sha256"),),
    }  # fmt: skip
    assert set(others) == {field.name for field in fields(TrialSpec)}
    variants = [replace(VARIANT, **{name: "other"}) for name in ("regime", "trained_on")]  # type: ignore[arg-type]
    variants += [replace(VARIANT, seed=2), replace(VARIANT, tasks=(("task", "others"),))]
    assert (
        len(
            {
                spec.key,
                *(replace(spec, variants=(variant,)).key for variant in variants),
            }
        )
        == 5
    )
    keys = {spec.key} | {replace(spec, **{name: value}).key for name, value in others.items()}  # type: ignore[arg-type]
    assert len(keys) == len(others) + 1
    assert replace(spec).key == spec.key
    # Frozen: a change here makes every study run again, so it must be meant.
    assert spec.key == "8b676dfccf477c705b83e91c2be3e212c949b4660b23310112e52436044a9f99"


def test_a_dataset_stands_in_a_study_once() -> None:
    with pytest.raises(UsageError, match="'d' is given twice in the study"):
        plan(study('[[codecs]]\nspec = "jpegls"\n'), [inspected(), inspected()])


def variant(regime: str = "raw", trained_on: str = "") -> ModelVariant:
    return ModelVariant(
        regime=regime, trained_on=trained_on, tasks=(("task", f"{regime}{trained_on}"),)
    )


def test_an_arm_is_matched_where_it_was_trained_and_cross_elsewhere() -> None:
    head = 'noise_draws = 0\nregimes = ["raw", "matched", "cross", "mixed"]'
    variants = (variant(), variant("matched", "jpegls:near=1"), variant("mixed", "both"))
    rows = plan(
        study('[[codecs]]\nspec = "jpegls"\nnear = [1, 2]\n', head), [inspected(variants=variants)]
    )
    seen = [[(one.regime, one.trained_on) for one in row.spec.variants] for row in rows[:2]]
    assert seen == [
        [("raw", ""), ("matched", "jpegls:near=1"), ("mixed", "both")],
        [("raw", ""), ("cross", "jpegls:near=1"), ("mixed", "both")],
    ]
    only = plan(
        study('[[codecs]]\nspec = "jpegls"\nnear = 2\n', 'regimes = ["raw", "matched"]'),
        [inspected(variants=variants)],
    )
    assert [one.regime for one in only[0].spec.variants] == ["raw"]


def test_the_camera_is_drawn_again_for_the_raw_arms_and_never_without_a_task() -> None:
    codecs = '[[codecs]]\nspec = "jpegls"\n'
    variants = (variant(), variant("mixed", "both"))
    rows = plan(study(codecs, "noise_draws = 3"), [inspected(variants=variants)])
    draws = [row for row in rows if row.codec == "camera" and row.field == "f0"]
    assert [row.spec.codec_spec for row in draws] == [f"camera:draw={n}" for n in (1, 2, 3)]
    assert all(row.spec.variants == (variant(),) and row.spec.preview == 0 for row in draws)
    assert len(plan(study(codecs, "noise_draws = 3"), [inspected(variants=(ModelVariant(),))])) == 2
