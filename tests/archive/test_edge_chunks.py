import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytopress.archive.edge_chunks import cropped, padded

FILLS = {np.uint8: (0, 7, 255), np.uint16: (0, 65535), np.float32: (0.0, -0.0, 1.5, np.nan, np.inf)}


@pytest.mark.parametrize("dtype", FILLS)
@settings(max_examples=40)
@given(data=st.data())
def test_a_cropped_chunk_comes_back(dtype: type, data: st.DataObject) -> None:
    shape = tuple(data.draw(st.lists(st.integers(1, 5), min_size=2, max_size=3)))
    fill = dtype(data.draw(st.sampled_from(FILLS[dtype])))
    values = st.sampled_from([fill, dtype(3), dtype(0)])
    size = int(np.prod(shape))
    chunk = np.array(data.draw(st.lists(values, min_size=size, max_size=size)), dtype)
    chunk = chunk.reshape(shape)
    found = cropped(chunk, fill)
    raw = chunk.tobytes()
    if found is None:
        assert raw == np.full(shape, fill, dtype).tobytes()
        return
    assert padded(found, shape, fill).tobytes() == raw
    # No plane, row or column at the end is nothing but the fill value.
    for axis in range(found.ndim):
        last = np.take(found, -1, axis)
        assert last.tobytes() != np.full(last.shape, fill, dtype).tobytes()


def test_a_row_of_fill_values_within_the_chunk_stays() -> None:
    chunk = np.array([[1, 2, 0], [0, 0, 0], [3, 0, 0], [0, 0, 0]], np.uint8)
    found = cropped(chunk, 0)
    assert found is not None
    assert found.tolist() == [[1, 2], [0, 0], [3, 0]]


def test_a_chunk_without_a_tail_is_not_copied() -> None:
    chunk = np.arange(1, 7, dtype=np.uint8).reshape(2, 3)
    assert np.shares_memory(padded(cropped(chunk, 0), (2, 3), 0), chunk)
