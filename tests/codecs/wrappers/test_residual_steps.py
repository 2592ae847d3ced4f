"""Steps of a residual come back, and take no more than a general compressor's bytes."""

from __future__ import annotations

import zlib

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cytopress.codecs.wrappers.residual_steps import PLANES, decode_steps, encode_steps
from cytopress.errors import CorruptDataError

pytestmark = pytest.mark.both_numpy


@settings(max_examples=60, deadline=None)
@given(
    steps=hnp.arrays(
        np.int64,
        hnp.array_shapes(min_dims=2, max_dims=3, max_side=7),
        elements=st.integers(-32768, 32767) | st.integers(-1, 1),
    )
)
def test_steps_come_back(steps) -> None:
    assert np.array_equal(decode_steps(encode_steps(steps), steps.shape), steps)


def test_differences_of_two_16_bit_images_come_back_modulo_65536() -> None:
    steps = np.array([[-65535, 65535, -32769], [32768, 40000, 0]])
    assert not ((decode_steps(encode_steps(steps), steps.shape) - steps) % 65536).any()


def test_no_steps_take_no_bytes_and_few_take_few() -> None:
    steps = np.zeros((300, 300), int)
    assert encode_steps(steps) == b""
    steps[7, 11], steps[200, 3] = 1, -2
    assert len(encode_steps(steps)) < 80


def test_noise_takes_little_more_than_its_entropy() -> None:
    steps = np.rint(np.random.default_rng(3).normal(0, 4, (256, 256))).astype(int)
    _, counts = np.unique(steps, return_counts=True)
    entropy = -(counts * np.log2(counts / steps.size)).sum() / 8
    assert entropy <= len(encode_steps(steps)) < 1.1 * entropy
    assert len(encode_steps(steps)) < len(zlib.compress(steps.astype(np.int32).tobytes(), 9))


def test_what_the_first_version_wrote_decodes() -> None:
    steps = np.arange(-6, 6, dtype=np.int32).reshape(3, 4) * 9000
    planes = steps.view(np.uint8).reshape(-1, 4).T
    stream = imagecodecs.zstd_encode(planes.tobytes(), level=9)
    assert np.array_equal(decode_steps(stream, (3, 4)), steps)


def test_damage_is_an_error() -> None:
    stream = encode_steps(np.random.default_rng(0).integers(-9, 9, (2, 8, 9)))
    assert stream[:1] == PLANES
    for shape in ((2, 8, 8), (1, 8, 9), (3, 8, 9)):
        with pytest.raises(CorruptDataError):
            decode_steps(stream, shape)
    with pytest.raises(CorruptDataError):
        decode_steps(stream[:-9], (2, 8, 9))
