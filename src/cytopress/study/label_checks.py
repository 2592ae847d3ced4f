"""Checks of the labels that a study's tasks are scored against, before any codec runs."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from cytopress.errors import CytopressWarning, DatasetError
from cytopress.image import Labels
from cytopress.tasks.protocol import Task

# Scores of the foreground as a whole: to them a mask is as good as numbered objects.
OF_FOREGROUND = {"iou", "dice"}
MOST_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class LabelCensus:
    """What the labels of a field hold.

    Parameters
    ----------
    field : str
        Name of the field.
    least : int
        Smallest number of all pixels.
    only : int
        The number that all objects have; 0 where there are several numbers or none.
    parts : int
        Number of unconnected parts where all have one number; else 0.
    empty : bool
        Whether there is no object.
    background : bool
        Whether any pixel belongs to no object.
    """

    field: str
    least: int
    only: int
    parts: int
    empty: bool
    background: bool

    @property
    def is_mask(self) -> bool:
        """Whether these look like a mask and not like instance labels."""
        return self.parts > 1


def census_of(field: str, labels: Labels) -> LabelCensus:
    """Return what labels (0 is background) hold."""
    from scipy import ndimage

    inside = labels > 0
    numbers = labels[inside]
    one = bool(numbers.size) and bool(numbers.min() == numbers.max())
    return LabelCensus(
        field=field,
        least=int(labels.min()),
        only=int(numbers[0]) if one else 0,
        parts=int(ndimage.label(inside)[1]) if one else 0,
        empty=not numbers.size,
        background=not inside.all(),
    )


def check_labels(
    dataset: str,
    tasks: Sequence[Task],
    censuses: Sequence[LabelCensus],
    unlabeled: Sequence[str],
) -> None:
    """Check the labels of a dataset's fields, where a task is scored against them.

    ``unlabeled`` are the names of the fields that have none. A dataset of which no field has any is
    one without ground truth, and passes.

    Raises
    ------
    DatasetError
        Only some fields have labels, no field has an object, or the labels are masks.
    """
    users = [task for task in tasks if task.truth == "labels"]
    if not users or not censuses:
        return
    name = users[0].name
    for census in censuses:
        if census.least < 0:
            raise DatasetError(
                f"{dataset}: the labels of {census.field} must be 0 for background and positive for"
                f" objects, but one is {census.least}; renumber them."
            )
    if unlabeled:
        raise DatasetError(
            f"{dataset}: {len(unlabeled)} of {len(unlabeled) + len(censuses)} fields have no labels"
            f" ({_named(unlabeled)}), and {name} would be scored against itself there and against"
            " labels elsewhere; fill the column labels of pairs.csv, or choose the others with"
            " fields = [...] in the study."
        )
    if all(census.empty for census in censuses):
        raise DatasetError(
            f"{dataset}: the labels of all {len(censuses)} fields are 0 everywhere, so {name} has"
            " no object to be scored against; check the files in the column labels of pairs.csv."
        )
    _check_instances(dataset, users, censuses)
    full = [census.field for census in censuses if not census.background]
    if full:
        warnings.warn(
            f"{dataset}: the labels of {_named(full)} leave no background (0); if an object there"
            " is the background, number it 0.",
            CytopressWarning,
            stacklevel=2,
        )


def _check_instances(dataset: str, users: Sequence[Task], censuses: Sequence[LabelCensus]) -> None:
    needy = [t for t in users if not {score.name for score in t.scores} <= OF_FOREGROUND]
    masks = [census for census in censuses if census.is_mask]
    if not needy or not masks:
        return
    text = (
        f"{dataset}: the labels of {_named([one.field for one in masks])} look like a mask, not"
        f" instance labels: all objects have the number {masks[0].only}, and {needy[0].name} would"
        " take them for one; number them 1, 2, 3, ... (scipy.ndimage.label)."
    )
    if 2 * len(masks) > sum(not census.empty for census in censuses):
        raise DatasetError(text)
    warnings.warn(text, CytopressWarning, stacklevel=3)


def _named(fields: Sequence[str]) -> str:
    left = len(fields) - MOST_NAMED
    return ", ".join(fields[:MOST_NAMED]) + (f" and {left} more" if left > 0 else "")
