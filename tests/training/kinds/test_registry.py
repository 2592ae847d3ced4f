"""Every family of tasks that can be trained has a kind and a loss."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="needs torch (extra learn)")
pytest.importorskip("lightning", reason="needs Lightning (extra learn)")
pytestmark = pytest.mark.learn


def test_the_tables_name_the_same_families() -> None:
    from cytopress.training.config import LOSSES
    from cytopress.training.kinds.registry import KINDS

    assert set(KINDS) == set(LOSSES)
