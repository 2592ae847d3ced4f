"""Multipliers of decoded latents: powers of two to the last bit."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest

from cytopress.codecs.learned.exact.gains import LOG_BITS, ExactGains, power_of_two
from cytopress.codecs.learned.exact.model import ExactModel
from cytopress.errors import PackageError

pytestmark = pytest.mark.both_numpy


@pytest.mark.parametrize("scale", [0, 7, 20])
@pytest.mark.parametrize("log", [0, 1, -1, 65535, 65536, -65537, 12345, -300_001, 524_287])
def test_powers_are_the_nearest_integers(log: int, scale: int) -> None:
    with localcontext() as context:
        context.prec = 60
        exact = Decimal(2) ** (Decimal(log) / 2**LOG_BITS + scale)
    # A power is never so near to a half that 62 bits leave open where it is rounded.
    assert power_of_two(log, scale) == int(exact + Decimal("0.5"))


def test_multipliers_follow_the_inverse_gains(model: ExactModel) -> None:
    for quality in (0.0, 0.123, 0.5, 0.9999, 1.0):
        setting, dequantize = model.gains.at(quality)
        # 8 bits of fraction become 15.
        factor = dequantize.multiplier * 2.0 ** -(dequantize.shift + 15 - 8)
        assert dequantize.multiplier.max() < 2**31
        assert dequantize.multiplier.max() >= 2**29
        np.testing.assert_allclose(factor, setting.inverse_gain.ravel(), rtol=2e-5)


def test_latents_are_scaled_and_clipped(model: ExactModel) -> None:
    dequantize = model.gains.at(1.0)[1]
    latents = np.resize([0, 1, -1, 255, 2**31 - 1, -(2**31)], 64).astype(np.int32)
    (found,) = dequantize(latents.reshape(1, 1, 64))[0].reshape(1, 64)
    for value, multiplier, got in zip(
        latents.tolist(), dequantize.multiplier.tolist(), found.tolist(), strict=True
    ):
        exact = (2 * value * multiplier + 2**dequantize.shift) // 2 ** (dequantize.shift + 1)
        assert got == min(max(exact, -(2**28) + 1), 2**28 - 1)


def test_gains_beyond_all_bounds_are_refused(model: ExactModel) -> None:
    inverse = model.gains.inverse.copy()
    inverse[0, 0] = (24 << 16) + 1
    with pytest.raises(PackageError, match="inverse gain"):
        ExactGains(model.gains.gains, inverse)
