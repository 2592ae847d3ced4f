"""Training files: the shipped ones are valid; faults are one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from cytopress.errors import UsageError
from cytopress.training.config import LOSSES, read_task_training

TRAININGS = Path(__file__).parents[2] / "trainings"
VALID = """kind = "task"
name = "labelfree/cells"
dataset = "cells"
[network]
depth = 2
[fit]
steps = 4
"""


TASKS = sorted(path for path in TRAININGS.glob("*.toml") if 'kind = "task"' in path.read_text())


@pytest.mark.parametrize("path", TASKS, ids=lambda path: path.stem)
def test_shipped_file_names_its_package(path: Path) -> None:
    package = f"{read_task_training(path).file_stem}.cytomodel"
    assert package in path.read_text().partition("\nkind")[0]


def test_each_family_has_a_shipped_file() -> None:
    assert {read_task_training(path).family for path in TASKS} == set(LOSSES)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("steps = 4", "steps = 4\nstep = 5", "'step' in fit"),
        ('dataset = "cells"\n', "", "'dataset' must be given"),
        ("steps = 4", "steps = 0", "fit.steps = 0"),
        ("steps = 4", 'steps = 4\nloss = "l7"', "fit.loss = 'l7'"),
        ("steps = 4", "steps = 4\ncrop = 30", "multiple of 4"),
        ("depth = 2", "depth = 4\nmax_receptive_field = 110", "receptive field of 204"),
        ("labelfree/cells", "cells", "name = 'cells'"),
        ("steps = 4", "steps = ", "not valid TOML"),
        ('kind = "task"', 'kind = "codec"', "kind = 'codec'"),
        ("labelfree/cells", "segmentation/cells", "set loss = 'cross-entropy'"),
        ("steps = 4", 'steps = 4\nloss = "cross-entropy"', "set loss = 'mse'"),
        ('dataset = "cells"', 'dataset = "cells"\nchannel = "input"', "and nothing else"),
        ("labelfree/cells", "labelfree-pix2pix/cells", "needs the table [adversarial]"),
        ("steps = 4", "steps = 4\n[adversarial]\nplain_steps = 2", "needs the table [adversarial]"),
        (
            'labelfree/cells"\ndataset = "cells"\n[network]\ndepth = 2\n[fit]\n',
            'labelfree-pix2pix/cells"\ndataset = "cells"\n[adversarial]\nplain_steps = 4\n[fit]\n',
            "must leave some",
        ),
        ("steps = 4", "steps = 4\n[adversarial]\nscales = 1", "give [adversarial] start or"),
        ('dataset = "cells"', 'dataset = "cells"\nvariant = "a/b"', "variant = 'a/b'"),
        ("[fit]", "[volume]\nplanes = 7\n[fit]", "planes = 7 must be a multiple of 2"),
        ("[fit]", "[volume]\nhalvings = 3\n[fit]", "has a depth of 2"),
        ("[fit]", "[volume]\nfold = 3\n[fit]", "crop = 128 must be a multiple of 12"),
        (
            "depth = 2\n[fit]",
            "depth = 2\nmax_receptive_field = 90\n[volume]\nfold = 3\n[fit]\ncrop = 96",
            "more than max_receptive_field = 90",
        ),
        (
            'labelfree/cells"\ndataset = "cells"\n[network]\ndepth = 2\n[fit]\n',
            'labelfree-pix2pix/c"\ndataset = "c"\n[volume]\n[adversarial]\nstart = "c"\n[fit]\n',
            "a pix2pix is trained on planes",
        ),
    ],
)
def test_fault_is_one_sentence(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "training.toml"
    path.write_text(VALID)
    read_task_training(path)
    path.write_text(VALID.replace(old, new))
    with pytest.raises(UsageError) as caught:
        read_task_training(path)
    message = str(caught.value)
    assert said in message
    assert "\n" not in message
    assert message.startswith(str(path))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_task_training(tmp_path / "none.toml")


def test_what_came_later_is_not_recorded_where_it_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "training.toml"
    path.write_text(VALID)
    assert set(read_task_training(path).recorded()) == {
        "kind", "name", "dataset", "seed", "network", "fit", "augmentation"
    }  # fmt: skip
    path.write_text('codecs = ["jpegls:max_error=4"]\nvariant = "near"\n' + VALID)
    changed = read_task_training(path)
    assert changed.recorded()["codecs"] == ["jpegls:max_error=4"]
    assert changed.file_stem == "labelfree-cells.near"
