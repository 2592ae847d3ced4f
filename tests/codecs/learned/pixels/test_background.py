"""The surface that is taken out of a plane: exact bytes, straight lines, what comes back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.interpolate import RegularGridInterpolator
from scipy.special import softmax

from cytopress.codecs.learned.entropy.probability_tables import PRECISION, ProbabilityTables
from cytopress.codecs.learned.pixels.background import Background, Mesh
from cytopress.errors import CorruptDataError, PackageError

MESH = Mesh(8, 1 / 64)


def tables() -> ProbabilityTables:
    """Return three tables of -20 to 20, narrow to wide, and the one that chooses among them."""
    rows = [softmax(-np.abs(np.arange(-20, 22)) / spread) for spread in (0.3, 2.0, 9.0)]
    rows.append(np.full(7, 1 / 7))
    cdf = np.full((4, 43), 2**PRECISION)
    for row, probability in zip(cdf, rows, strict=True):
        counts = np.floor(probability * (2**PRECISION - len(probability))).astype(int) + 1
        counts[0] += 2**PRECISION - counts.sum()
        row[: len(counts) + 1] = np.concatenate(([0], np.cumsum(counts)))
    return ProbabilityTables(cdf, np.array([42, 42, 42, 7]), np.array([-20, -20, -20, 0]))


SURFACE = Background(MESH, tables())


@given(
    arrays(
        np.int32,
        st.tuples(st.integers(1, 6), st.integers(1, 6)),
        elements=st.integers(-50, 50) | st.integers(-(2**24), 2**24),
    )
)
def test_a_grid_comes_back(grid: np.ndarray) -> None:
    data = SURFACE.pack(grid)
    shape = 8 * grid.shape[0] - 3, 8 * grid.shape[1]
    found, rest = SURFACE.unpack(data + b"latents", shape)
    np.testing.assert_array_equal(found, grid)
    assert rest == b"latents"


def test_an_even_plane_costs_next_to_nothing() -> None:
    assert len(SURFACE.pack(np.zeros((32, 32), np.int32))) < 20
    ramp = np.add.outer(3 * np.arange(32), 5 * np.arange(32)).astype(np.int32)
    assert len(SURFACE.pack(ramp)) < 200
    noise = np.random.default_rng(1).normal(0, 6, (32, 32)).round().astype(np.int32)
    assert len(SURFACE.pack(noise)) < 1024 * 5.5 / 8


@given(st.binary(max_size=60))
def test_whatever_bytes_come_it_ends(data: bytes) -> None:
    try:
        grid, rest = SURFACE.unpack(data, (50, 30))
    except CorruptDataError:
        return
    assert grid.shape == (7, 4)
    assert data.endswith(rest)


def test_bytes_that_end_early_are_corrupt() -> None:
    data = SURFACE.pack(np.random.default_rng(1).integers(-20, 20, (9, 9)).astype(np.int32))
    for end in range(len(data)):
        with pytest.raises(CorruptDataError):
            SURFACE.unpack(data[:end], (72, 72))
    with pytest.raises(CorruptDataError):
        SURFACE.unpack(data, (720, 720))


def test_medians_of_blocks_in_steps() -> None:
    random = np.random.default_rng(2)
    plane = random.normal(size=(19, 24)).astype(np.float32)
    grid = MESH.fit(plane)
    assert grid.shape == (3, 3)
    for row in range(3):
        for column in range(3):
            block = plane[8 * row : 8 * row + 8 : 2, 8 * column : 8 * column + 8 : 2]
            assert abs(grid[row, column] / 64 - np.median(block)) <= 1 / 128 + 1e-6


def test_straight_lines_between_the_middles() -> None:
    grid = np.random.default_rng(3).integers(-99, 99, (4, 3)).astype(np.int32)
    middles = [8 * np.arange(n) + 3.5 for n in grid.shape]
    line = RegularGridInterpolator(middles, grid / 64, bounds_error=False, fill_value=None)
    rows, columns = range(32), range(21)
    expected = line(np.stack(np.meshgrid(rows, columns, indexing="ij"), -1))
    np.testing.assert_allclose(MESH.surface(grid, rows, columns), expected, atol=1e-5)
    part = MESH.surface(grid, range(5, 11), range(2, 20))
    np.testing.assert_array_equal(part, MESH.surface(grid, rows, columns)[5:11, 2:20])
    whole = np.zeros((32, 21), np.float32)
    MESH.add(whole, grid)
    np.testing.assert_array_equal(whole, MESH.surface(grid, rows, columns))
    MESH.subtract(whole, grid)
    assert not whole.any()


@pytest.mark.parametrize("form", [(1, 1), (1, 4), (4, 1)])
def test_one_row_or_column_is_even_across(form: tuple[int, int]) -> None:
    grid = np.arange(form[0] * form[1]).reshape(form).astype(np.int32)
    found = MESH.surface(grid, range(8 * form[0]), range(8 * form[1]))
    if form[0] == 1:
        assert (found == found[0]).all()
    if form[1] == 1:
        assert (found == found[:, :1]).all()


def test_a_ramp_leaves_nothing_but_the_rounding() -> None:
    y, x = np.mgrid[:48, :64]
    plane = (y / 90 - x / 70).astype(np.float32)
    grid = MESH.fit(plane)
    # A block's every second pixel lies half a pixel before its middle.
    assert np.abs(plane - MESH.surface(grid, range(48), range(64))).max() < 1.5 / 64 + 1 / 70


@pytest.mark.parametrize("shape", [(48, 64), (41, 57), (8, 30), (5, 5), (5, 1100), (1033, 9)])
def test_refitting_is_least_squares(shape: tuple[int, int]) -> None:
    """Against the dense matrix of all straight lines, each number's read off its own surface."""
    random = np.random.default_rng(4)
    fine = Mesh(8, 2.0**-16)
    seen, decoded = random.normal(0, 0.1, (2, *shape)).astype(np.float32)
    form = fine.form(shape)
    columns = []
    for place in np.ndindex(form):
        one = np.zeros(form, np.int32)
        one[place] = 2**16
        columns.append(fine.surface(one, range(shape[0]), range(shape[1])).reshape(-1))
    missed = (seen - decoded).reshape(-1)
    wanted, *_ = np.linalg.lstsq(np.stack(columns, 1), missed, rcond=None)
    found = fine.refit(seen, decoded)
    np.testing.assert_allclose(found.reshape(-1) * 2.0**-16, wanted, atol=1e-3)


def test_a_grid_is_found_again_in_its_own_surface() -> None:
    grid = np.random.default_rng(5).integers(-40, 40, (5, 6)).astype(np.int32)
    decoded = np.random.default_rng(6).normal(size=(38, 41)).astype(np.float32)
    seen = decoded + MESH.surface(grid, range(38), range(41))
    np.testing.assert_array_equal(MESH.refit(seen, decoded), grid)
    seen[20, 20] = 1e4
    assert np.abs(MESH.refit(seen, decoded) - grid).max() <= 64 / 8


def test_steps_are_halved_up_to_the_finest_rate() -> None:
    mesh = Mesh(8, 1 / 64, halvings=5)
    steps = [1 / mesh.at(quality).step for quality in (0, 0.1999, 0.2, 0.5, 0.79, 0.8, 1)]
    assert steps == [64, 64, 128, 256, 512, 1024, 2048]
    assert MESH.at(1) == MESH
    assert SURFACE.at(0.5).mesh == MESH


def test_tables_without_a_choice_are_refused() -> None:
    whole = tables()
    with pytest.raises(PackageError, match="last table"):
        Background(MESH, ProbabilityTables(whole.cdf[:3], whole.size[:3], whole.offset[:3]))


def test_a_long_line_is_refitted_without_a_dense_matrix() -> None:
    # Dense, the lines of 2 million pixels alone would take 250 GB.
    seen = np.ones((1, 2_000_000), np.float32)
    grid = MESH.refit(seen, np.zeros_like(seen))
    assert (grid == 64).all()
