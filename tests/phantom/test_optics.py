"""The optics, against what textbooks say of them."""

from dataclasses import replace

import numpy as np
import pytest

from cytopress.phantom.optics import Microscope, bright_field, fluorescence

pytest.importorskip("waveorder", reason="needs waveorder (extra phantom)")
SCOPE = Microscope()
SHAPE = (64, 96, 96)
MIDDLE = (32, 48, 48)


def _half_width(profile: np.ndarray, spacing: float) -> float:
    """Full width at half maximum of a peak, by straight lines between samples."""
    half = profile.max() / 2
    inside = np.flatnonzero(profile > half)
    first, last = inside[0], inside[-1]
    left = first - (profile[first] - half) / (profile[first] - profile[first - 1])
    right = last + (profile[last] - half) / (profile[last] - profile[last + 1])
    return float(right - left) * spacing


@pytest.fixture(scope="module")
def point() -> np.ndarray:
    """The widefield image of a point that sends 1000 electrons."""
    light = np.zeros(SHAPE, np.float32)
    light[MIDDLE] = 1000.0
    return fluorescence(light, SCOPE)


def test_a_point_is_as_wide_as_abbe_and_rayleigh_say(point: np.ndarray) -> None:
    z, y, x = MIDDLE
    expected = 0.51 * SCOPE.emission_um / SCOPE.detection_na
    for profile in (point[z, y], point[z, :, x]):
        assert _half_width(profile, SCOPE.spacing_um[2]) == pytest.approx(expected, rel=0.06)


def test_a_point_is_as_long_as_the_aperture_says(point: np.ndarray) -> None:
    _, y, x = MIDDLE
    n, na = SCOPE.medium_index, SCOPE.detection_na
    expected = 0.88 * SCOPE.emission_um / (n - np.sqrt(n**2 - na**2))
    assert _half_width(point[:, y, x], SCOPE.spacing_um[0]) == pytest.approx(expected, rel=0.06)
    # And so about four times as long as it is wide.
    assert expected / (0.51 * SCOPE.emission_um / na) > 3


def test_every_plane_catches_all_the_light(point: np.ndarray) -> None:
    np.testing.assert_allclose(point.sum(axis=(1, 2)), 1000.0, rtol=1e-4)


def test_light_is_linear_in_the_fluorophore(point: np.ndarray) -> None:
    z, y, x = MIDDLE
    light = np.zeros(SHAPE, np.float32)
    light[z, y, x] = 3000.0
    light[z, y, x - 20] = 1000.0
    expected = 3 * point + np.roll(point, -20, axis=2)
    np.testing.assert_allclose(fluorescence(light, SCOPE), expected, atol=1e-3)


def _grating(period_pixels: int, radians: float, scope: Microscope) -> tuple[np.ndarray, float]:
    """The index of a thin phase grating in the middle plane, and its frequency a micrometer."""
    size_x = scope.spacing_um[-1]
    wave = np.cos(2 * np.pi * np.arange(192) / period_pixels)
    index = np.full((64, 192, 192), scope.medium_index, np.float32)
    step = radians * scope.illumination_um / (2 * np.pi * scope.spacing_um[0])
    index[32] += (step * wave).astype(np.float32)
    return index, 1 / (period_pixels * size_x)


def test_a_phase_grating_has_the_contrast_of_coherent_theory() -> None:
    # A condenser nearly closed, on a grid fine enough in frequency to show it.
    scope = replace(SCOPE, illumination_na=0.1)
    radians, period = 0.02, 32
    index, frequency = _grating(period, radians, scope)
    image = bright_field(index, scope)
    contrast = 2 * np.fft.rfft(image[:, 0], axis=1)[:, 192 // period].real / 192
    wavenumber = scope.medium_index / scope.illumination_um
    axial = wavenumber - np.sqrt(wavenumber**2 - frequency**2)
    for planes in (-6, -3, 3, 6):
        # Below the object the light has passed it, and crests of phase gather it.
        distance = -planes * scope.spacing_um[0]
        expected = 2 * radians * np.sin(2 * np.pi * axial * distance)
        assert contrast[32 + planes] == pytest.approx(expected, rel=0.05)


def _bead() -> np.ndarray:
    z, y, x = np.indices(SHAPE)
    places = zip((z, y, x), MIDDLE, SCOPE.spacing_um, strict=True)
    distance = np.sqrt(sum((size * (at - middle)) ** 2 for at, middle, size in places))
    return (SCOPE.medium_index + 0.02 / (1 + np.exp((distance - 0.6) / 0.08))).astype(np.float32)


def test_a_bead_is_bright_below_focus_dark_above_and_nearly_unseen_within() -> None:
    image = bright_field(_bead(), SCOPE)
    z, y, x = MIDDLE
    below, within, above = (float(image[z + d, y, x]) - 1 for d in (-4, 0, 4))
    assert below > 0.02
    assert above < -0.02
    # A thick object in focus is not wholly unseen, since its halves lie above and below.
    assert abs(within) < min(below, -above) / 10


def test_contrast_turns_over_with_the_sign_of_the_index() -> None:
    bead = _bead()
    away = 2 * np.float32(SCOPE.medium_index) - bead
    one, other = bright_field(bead, SCOPE) - 1, bright_field(away, SCOPE) - 1
    np.testing.assert_allclose(one, -other, atol=0.02 * float(np.abs(one).max()))


def test_nothing_but_the_medium_is_even_light() -> None:
    image = bright_field(np.full((8, 32, 32), SCOPE.medium_index, np.float32), SCOPE)
    np.testing.assert_allclose(image, 1.0, atol=1e-6)
