"""Memory is never lent twice at a time, comes back, and does not pile up."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from cytopress.kernels import workspace

SHAPE = (64, 64, 33)


def address(a: np.ndarray) -> int:
    return int(a.__array_interface__["data"][0])


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> workspace._Pool:
    """Memory that no other test has given back."""
    own = workspace._Pool()
    monkeypatch.setattr(workspace, "_pool", own)
    return own


@pytest.mark.parametrize("dtype", [np.int32, np.int16, np.uint8])
@pytest.mark.parametrize("shape", [SHAPE, (3,), (0, 7), (2**20,)])
def test_arrays_are_as_numpys(
    pool: workspace._Pool, dtype: type[np.number], shape: tuple[int, ...]
) -> None:
    for make in (workspace.empty, workspace.zeros):
        found = make(shape, dtype)
        assert (found.shape, found.dtype) == (shape, dtype)
        assert found.flags.c_contiguous
        assert found.flags.writeable
        assert make is workspace.empty or not found.any()
        found.fill(1)


def test_memory_is_taken_again_when_the_last_view_is_gone(pool: workspace._Pool) -> None:
    first = workspace.empty(SHAPE, np.int32)
    at, view = address(first), first[3:, :, 2:5]
    view[:] = 7
    del first
    other = workspace.empty(SHAPE, np.int32)
    assert address(other) != at
    other.fill(0)
    assert (view == 7).all()
    del view
    again = workspace.zeros(SHAPE, np.int32)
    assert address(again) == at
    assert not again.any()


def test_smaller_arrays_take_memory_of_at_most_twice_their_size(pool: workspace._Pool) -> None:
    large = workspace.empty((2**20,), np.uint8)
    at = address(large)
    del large
    assert address(workspace.empty((2**18,), np.uint8)) != at
    assert address(workspace.empty((2**19 + 99,), np.uint8)) == at


def test_idle_memory_is_bounded(pool: workspace._Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "IDLE_BYTES", 2**20)
    held = [workspace.empty((2**19 + n,), np.uint8) for n in range(0, 2**12, 2**9)]
    del held[3:]
    # As much as is in use.
    assert sum(each.size for each in pool._idle) <= 3 * (2**19 + 2**12)
    del held
    assert 0 < sum(each.size for each in pool._idle) <= 2**20
    assert pool._lent == 0


def test_threads_never_share_memory(pool: workspace._Pool) -> None:
    shared: list[bool] = []

    def work(number: int) -> None:
        for _ in range(200):
            own = workspace.empty((2**17,), np.uint8)
            own.fill(number)
            other = workspace.empty((2**17,), np.uint8)
            other.fill(number + 100)
            shared.append(not (own == number).all())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(shared) == 800
    assert not any(shared)
