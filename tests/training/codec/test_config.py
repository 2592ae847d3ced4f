"""Training files of codecs: the shipped ones are valid; faults are one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from cytopress.errors import UsageError
from cytopress.training.codec.config import CodecTraining, Rate, read_codec_training

TRAININGS = Path(__file__).parents[3] / "trainings"
SHIPPED = [p for p in sorted(TRAININGS.rglob("*.toml")) if 'kind = "codec"' in p.read_text()]
VALID = """kind = "codec"
name = "learned/cells"
[network]
architecture = "mean-scale"
[rate]
gains = 4
lambda_range = [0.001, 0.1]
[fit]
steps = 4
[[sources]]
dataset = "cells"
"""
COMPRESSAI = """kind = "codec"
name = "compressai/cells"
[network]
architecture = "compressai/mbt2018-mean"
[rate]
lambdas = [0.0018, 0.013]
[fit]
steps = 4
[[sources]]
folder = "images"
"""


COARSE_ALONE = "lambdas = [0.1]\nprefer_coarse = 2"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_file_names_its_package(path: Path) -> None:
    assert read_codec_training(path).name.replace("/", "-") == path.stem


@pytest.mark.parametrize("text", [VALID, COMPRESSAI], ids=["ours", "compressai"])
def test_valid(tmp_path: Path, text: str) -> None:
    path = tmp_path / "training.toml"
    path.write_text(text)
    training = read_codec_training(path)
    with pytest.raises(ValidationError, match="frozen"):
        training.seed = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("steps = 4", "steps = 4\nstep = 5", "unknown key 'step' in fit; known: steps"),
        ("steps = 4", "steps = 0", "fit.steps = 0"),
        ("steps = 4", "steps = 4\ncrop = 100", "crop = 100 must be a multiple of 32"),
        ("steps = 4", "steps = 4\nprecision = 'float16'", "fit.precision = 'float16'"),
        ("steps = 4", "steps = 4\ninteger_steps = 2", "integer_steps of [fit] need"),
        ("gains = 4\n", "gains = 4\nlambdas = [0.1]\n", "either lambdas or gains"),
        ("gains = 4\nlambda_range = [0.001, 0.1]", "", "either lambdas or gains"),
        ("lambda_range = [0.001, 0.1]", "", "gains and lambda_range go together"),
        ("gains = 4", "gains = 1", "gains = 1"),
        ("gains = 4", "gains = 4\nfrom_finer = true", "from_finer goes with lambdas"),
        ("gains = 4\nlambda_range = [0.001, 0.1]", COARSE_ALONE, "prefer_coarse goes with"),
        ("[0.001, 0.1]", "[0.1, 0.001]", "increase"),
        ("[0.001, 0.1]", "[0.0, 0.1]", "above 0"),
        ("learned/cells", "compressai/cells", "named learned/NAME"),
        ("learned/cells", "labelfree/cells", "name = 'labelfree/cells'"),
        ('"mean-scale"', '"mean"', "architecture 'mean' is none of"),
        ('"mean-scale"', '"mean-scale"\nlatent_channels = 65', "at most 64"),
        ('"mean-scale"', '"mean-scale"\nstride = 16', "3 widths"),
        ('"mean-scale"', '"mean-scale"\nsurface = 31', "even number"),
        ('"mean-scale"', '"context"\ncontext_channels = 64', "leave no others"),
        (
            "steps = 4",
            "steps = 4\n[loss]\ndomain = 'stabilized'\n[augmentation]\nzoom = 0.2",
            "zoom",
        ),
        (
            '"mean-scale"',
            '"mean-scale"\ntransform = "separable"\nlatent_channels = 32',
            "pixels: 64",
        ),
        ('"mean-scale"', '"mean-scale"\ntransform = "separable"\nsynthesis = [8, 9]', "all widths"),
        ('dataset = "cells"', "", "one of dataset, folder and archive"),
        ('dataset = "cells"', 'dataset = "cells"\nfiles = ["a*"]', "files: only a folder"),
        ('dataset = "cells"', 'folder = "x"\nplanes = [3, 2]', "first is after the last"),
        ('dataset = "cells"', 'dataset = "cells"\nfolder = "x"', "one of dataset, folder and"),
        ('dataset = "cells"', 'dataset = "cells"\nweight = 0', "weight = 0"),
        ('[[sources]]\ndataset = "cells"\n', "", "'sources' must be given"),
        (
            "steps = 4",
            "steps = 4\n[task]\nname = 'a/b'\nlayers = 2",
            "key 'layers' in task",
        ),
        ("steps = 4", "steps = 4\n[task]\nweight = 2", "'name' must be given in task"),
        ("steps = 4", "steps = 4\n[task]\nname = 'a/b'\nweight = 0", "task.weight = 0"),
        (
            "steps = 4",
            "steps = 4\n[task]\nname = 'a/b'\n[loss]\ndistortion = 'ms-ssim'",
            "[task] goes with distortion = 'mse'",
        ),
        ('kind = "codec"', 'kind = "task"', "kind = 'task'"),
        ("steps = 4", "steps = ", "not valid TOML"),
    ],
)
def test_fault_is_one_sentence(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in VALID
    _refused(tmp_path, VALID.replace(old, new), said)


def test_a_training_without_a_task_is_what_it_was(tmp_path: Path) -> None:
    """Its identity is in checkpoints and packages from before there were tasks."""
    path = tmp_path / "training.toml"
    path.write_text(VALID)
    assert "task" not in read_codec_training(path).model_dump(mode="json")
    path.write_text(VALID.replace("steps = 4", "steps = 4\n[task]\nname = 'a/b'"))
    assert read_codec_training(path).model_dump(mode="json")["task"]["name"] == "a/b"


def test_compressai_is_named_after_it(tmp_path: Path) -> None:
    changed = COMPRESSAI.replace('name = "compressai/', 'name = "learned/')
    _refused(tmp_path, changed, "named compressai/NAME")


def _refused(folder: Path, text: str, said: str) -> None:
    path = folder / "training.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_codec_training(path)
    message = str(caught.value)
    assert said in message
    assert "\n" not in message
    assert message.startswith(str(path))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_codec_training(tmp_path / "none.toml")


def test_gain_nodes_lie_evenly_on_a_logarithmic_scale() -> None:
    rate = Rate(gains=4, lambda_range=(0.001, 1.0))
    np.testing.assert_allclose(rate.nodes, [0.001, 0.01, 0.1, 1.0])
    assert rate.networks == 1
    assert rate.alone(0) == rate


def test_each_lambda_is_a_network() -> None:
    rate = Rate(lambdas=(0.01, 0.1))
    assert rate.networks == 2
    assert [rate.alone(index).nodes for index in range(2)] == [[0.01], [0.1]]


def test_coarser_networks_take_steps_of_their_own() -> None:
    table = {
        "kind": "codec",
        "name": "compressai/own",
        "network": {"architecture": "compressai/bmshj2018-factorized", "N": 4, "M": 4},
        "rate": {"lambdas": [0.01, 0.02, 0.04], "from_finer": True},
        "fit": {"steps": 60, "coarser_steps": 15, "crop": 64},
        "sources": [{"dataset": "cells"}],
    }
    config = CodecTraining.model_validate(table)
    assert [config.steps_of(index) for index in range(3)] == [15, 15, 60]
    alone = table | {"rate": {"lambdas": [0.01, 0.02, 0.04]}}
    with pytest.raises(ValueError, match=r"coarser_steps of \[fit\] goes with"):
        CodecTraining.model_validate(alone)
    same = CodecTraining.model_validate(table | {"fit": {"steps": 60, "crop": 64}})
    assert [same.steps_of(index) for index in range(3)] == [60, 60, 60]
    # The digest of a package from before there was such a key does not change.
    assert "coarser_steps" not in same.model_dump(mode="json")["fit"]
