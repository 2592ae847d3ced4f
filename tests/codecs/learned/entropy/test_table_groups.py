"""Values sorted by table: as one stable sort of them all has them, and back."""

from __future__ import annotations

import numpy as np
import pytest

from cytopress.codecs.learned.entropy import table_groups as groups
from cytopress.codecs.learned.entropy.table_groups import Groups

pytestmark = pytest.mark.both_numpy


@pytest.mark.parametrize("piece", [1, 7, 100, 10**6])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_sorted_and_back(piece: int, kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "PIECE", piece)
    random = np.random.default_rng(4)
    # Row 9 of 10 holds nothing, rows 5 to 8 little.
    rows = np.minimum(random.geometric(0.4, 500) - 1, 8).astype(kind)
    values = random.integers(-(2**30), 2**30, 500).astype(np.int32)
    found = Groups(rows, 10)
    ordered = found.gather(values)
    np.testing.assert_array_equal(ordered, values[np.argsort(rows, kind="stable")])
    assert found.counts.tolist() == [int((rows == row).sum()) for row in range(10)]
    assert found.ends == np.cumsum(found.counts).tolist()
    np.testing.assert_array_equal(found.scatter(ordered), values)


def test_nothing_at_all() -> None:
    found = Groups(np.empty(0, np.uint8), 3)
    assert found.ends == [0, 0, 0]
    assert len(found.gather(np.empty(0, np.int32))) == 0
    assert len(found.scatter(np.empty(0, np.int32))) == 0
