"""Window sizes that a model takes, and the halo of their edges."""

from __future__ import annotations

from cytopress.tasks.foreign.windows import halos, window_length


def test_sizes_that_a_model_takes() -> None:
    assert window_length(1000, fixed=256) == 256
    assert window_length(1000, fixed=None) == 1000
    assert window_length(1000, fixed=None, least=32, step=32) == 1024
    assert window_length(10, fixed=None, least=64, step=16) == 64
    assert window_length(1000, fixed=None, least=64, step=16, tile=100) == 112


def test_a_halo_only_where_there_are_several_windows() -> None:
    assert halos(None, (64, 64), (64, 65)) == [0, 8]
    assert halos(5, (64, 64), (200, 200)) == [5, 5]
    assert halos(99, (8, 64), (9, 9)) == [3, 0]
