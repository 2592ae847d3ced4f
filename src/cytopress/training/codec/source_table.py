"""``[[sources]]`` of a codec's training file: a dataset, a folder or a packaged archive."""

from __future__ import annotations

from typing import Any

from pydantic import (
    Field,
    NonNegativeInt,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from cytopress.toml_table import TomlTable

# Keys of a source that only folders take.
OF_FOLDERS = {"files", "validation", "planes", "title", "licence", "attribution"}


class SourceTable(TomlTable):
    """A source of images: a dataset, a folder or a packaged archive, one of the three.

    Of a folder, ``files`` are patterns of the files that are used, ``validation`` of those among
    them that are held out, and ``planes`` the first and last plane of stacks that is trained on;
    the others are held out. ``title``, ``licence`` and ``attribution`` stand on the model's card.
    """

    dataset: str | None = None
    folder: str | None = None
    archive: str | None = None
    images: tuple[str, ...] = ("input",)
    weight: float = Field(default=1.0, gt=0)
    files: tuple[str, ...] = ()
    validation: tuple[str, ...] = ()
    planes: tuple[NonNegativeInt, NonNegativeInt] | None = None
    title: str = ""
    licence: str = ""
    attribution: str = ""

    @model_validator(mode="after")
    def _one_place(self) -> SourceTable:
        if sum(place is not None for place in (self.dataset, self.folder, self.archive)) != 1:
            raise ValueError("a source names one of dataset, folder and archive")
        return self

    @model_validator(mode="after")
    def _of_folders(self) -> SourceTable:
        given = self.model_fields_set & OF_FOLDERS
        if given and self.folder is None:
            raise ValueError(f"{', '.join(sorted(given))}: only a folder takes these keys")
        if self.planes and self.planes[0] > self.planes[1]:
            raise ValueError(f"planes = {list(self.planes)}: the first is after the last")
        return self

    @model_serializer(mode="wrap")
    def _without_what_is_not_given(self, rest: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Runs and packages from before there were such keys stay what they are.
        table: dict[str, Any] = rest(self)
        left_out = OF_FOLDERS - self.model_fields_set
        return {key: value for key, value in table.items() if key not in left_out}
