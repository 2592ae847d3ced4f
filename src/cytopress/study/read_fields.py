"""Reading of a dataset's fields in turn: one error, in the end, names all that cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from cytopress.datasets.dataset import Dataset, Field
from cytopress.datasets.image_folder import unreadable
from cytopress.errors import DatasetError
from cytopress.image import Image


def read_fields(
    dataset: Dataset, fields: Sequence[Field], *, step: Callable[[str], None]
) -> Iterator[tuple[Field, Image]]:
    """Yield the input of each field that can be read.

    ``step`` is called with the name of each field before it is read.

    Raises
    ------
    DatasetError
        Some cannot be read: raised after all others were yielded, with a line for each.
    """
    faults: list[str] = []
    for field in fields:
        step(field.name)
        try:
            image = dataset.read_input(field)
        except DatasetError as error:
            faults.append(str(error))
        else:
            yield field, image
    if faults and fields[0].metadata is not None:
        raise DatasetError(unreadable(dataset.folder, faults, len(fields)))
    if faults:
        raise DatasetError("\n".join(faults))
