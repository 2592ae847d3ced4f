"""Masks and label images are told from images."""

from __future__ import annotations

import numpy as np
import pytest

from cytopress.archive.masks import is_named_mask, looks_like_labels
from fakes.archive_sources import counts, disks

DARK = np.where(disks() > 0, counts(), 0).astype(np.uint16)


@pytest.mark.parametrize(
    ("plane", "verdict"),
    [
        (disks(), True),
        ((disks() > 0).astype(np.uint8) * 255, True),
        (disks() > 0, True),
        (counts(), False),
        # Background that was set to 0.
        (DARK, False),
        ((DARK // 16).astype(np.uint8), False),
        (np.full((50, 50), 7, np.uint8), False),
        (np.zeros((50, 50), np.uint8), None),
        (np.eye(50, dtype=np.uint8), False),
        (disks().astype(np.float32), False),
    ],
)
def test_labels_are_flat_objects_on_0(plane: np.ndarray, verdict: bool | None) -> None:
    assert looks_like_labels(plane) is verdict


def test_names_of_masks() -> None:
    assert is_named_mask("field1_mask")
    assert is_named_mask("labels/field1")
    assert not is_named_mask("field1_DAPI")
