"""Labels that would make a score of nothing are refused before any codec runs."""

import csv
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import tifffile

from cytopress.errors import CytopressWarning, DatasetError
from cytopress.settings import Settings
from cytopress.study.execute import execute
from cytopress.study.label_checks import census_of, check_labels
from cytopress.study.spec import Study
from cytopress.tasks.protocol import Score, Truth

from .conftest import Doubling, MakeDataset


@dataclass(frozen=True)
class Instances(Doubling):
    """A task that is scored against instance labels."""

    scores: ClassVar[tuple[Score, ...]] = (Score("average_precision", "", "higher"),)
    truth: ClassVar[Truth] = "labels"


@dataclass(frozen=True)
class Foreground(Instances):
    """A task to which a mask is as good."""

    scores: ClassVar[tuple[Score, ...]] = (Score("iou", "", "higher"), Score("dice", "", "higher"))


def labels(*numbers: int, shape: tuple[int, int] = (40, 48)) -> np.ndarray[Any, Any]:
    """Squares with these numbers, in a row."""
    found = np.zeros(shape, np.uint16)
    for place, number in enumerate(numbers):
        found[5:12, 10 * place : 10 * place + 7] = number
    return found


def check(*some: np.ndarray[Any, Any], task: Doubling | None = None, without: int = 0) -> None:
    censuses = [census_of(f"f{place}", one) for place, one in enumerate(some)]
    check_labels("cells", [task or Instances()], censuses, [f"u{n}" for n in range(without)])


@pytest.mark.parametrize("number", [1, 255, 65535])
def test_a_mask_is_no_instance_labels(number: int) -> None:
    mask = labels(number, number, number)
    with pytest.raises(DatasetError, match=f"look like a mask.* have the number {number}, and"):
        check(mask, labels(), mask)
    check(mask, task=Foreground())
    check(mask, task=Doubling())


def test_numbered_objects_pass_though_a_field_holds_one_or_none() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(labels(1, 2, 3), labels(1), labels(), labels(70, 2))
        check(labels(1), labels(4))


def test_a_mask_among_numbered_objects_is_a_warning() -> None:
    with pytest.warns(CytopressWarning, match="f2 look like a mask"):
        check(labels(1, 2), labels(1, 2), labels(255, 255))


def test_labels_without_any_object_are_refused() -> None:
    with pytest.raises(DatasetError, match="labels of all 2 fields are 0 everywhere"):
        check(labels(), labels())


def test_labels_whose_background_has_a_number_are_warned_of() -> None:
    with pytest.warns(CytopressWarning, match="leave no background"):
        check(labels(1, 2) + 1)


def test_negative_labels_are_refused_by_the_name_of_their_field() -> None:
    with pytest.raises(DatasetError, match=r"cells: the labels of f1 .* -1"):
        check(labels(1, 2), labels(1, 2).astype(int) - 1)


def test_fields_without_labels_are_not_judged_by_themselves_beside_others() -> None:
    with pytest.raises(DatasetError, match=r"2 of 3 fields have no labels \(u0, u1\)"):
        check(labels(1, 2), without=2)
    # Where no field has any, all are compared with themselves, and the report says so.
    check(without=2)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"e1-0": labels(1, 2)}, "1 of 2 fields have no labels"),
        ({"e1-0": labels(255, 255), "e2-0": labels(255, 255)}, "look like a mask"),
        ({"e1-0": labels(), "e2-0": labels()}, "0 everywhere"),
    ],
)
def test_a_study_of_such_labels_begins_nothing(
    make_dataset: MakeDataset,
    study_of: Callable[..., Study],
    doubling: list[Doubling],
    settings: Settings,
    tmp_path: Path,
    given: Mapping[str, np.ndarray[Any, Any]],
    message: str,
) -> None:
    folder = make_dataset(per_group=1)
    with (folder / "pairs.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        row["labels"] = f"images/{row['field']}_labels.tif" if row["field"] in given else ""
        if row["labels"]:
            tifffile.imwrite(folder / row["labels"], given[row["field"]])
    with (folder / "pairs.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    doubling[0] = Instances()
    study = study_of(dataset='tasks = ["fake/doubling"]')
    with pytest.raises(DatasetError, match=message):
        execute(study, tmp_path / "out", settings=settings)
    assert not (tmp_path / "out").exists()
