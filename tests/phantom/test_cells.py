"""Shapes and places of cells, without any optics."""

import numpy as np
import pytest

from cytopress.phantom.cells import seed_cells
from cytopress.phantom.shapes import Body, Grid, random_body
from cytopress.phantom.slides import SLIDES
from cytopress.phantom.specimen import Indices, Specimen, grow

SPACING = (0.29, 0.108, 0.108)
GRID = Grid((40, 160, 200), SPACING, (-5 * 0.29, 0.0, 0.0))


@pytest.fixture(scope="module")
def specimen() -> Specimen:
    return grow(SLIDES[0], GRID, np.random.default_rng(3))


def test_an_ellipsoid_has_its_volume() -> None:
    grid = Grid((60, 120, 120), (0.1, 0.1, 0.1), (-3.0, -6.0, -6.0))
    body = Body(np.zeros(3), np.array([1.5, 4.0, 3.0]))
    inside = (body.depth(grid, grid.box) > 0).sum() * 0.1**3
    assert inside == pytest.approx(4 / 3 * np.pi * 1.5 * 4.0 * 3.0, rel=0.01)


def test_no_voxel_of_a_bent_body_is_out_of_its_reach() -> None:
    grid = Grid((60, 120, 120), (0.1, 0.1, 0.1), (-3.0, -6.0, -6.0))
    for seed in range(5):
        random = np.random.default_rng(seed)
        body = random_body(np.zeros(3), np.array([1.5, 3.5, 3.0]), random, bent=0.08)
        z, y, x = grid.places(grid.box)
        beyond = np.sqrt(z**2 + y**2 + x**2) > body.reach_um
        assert not (body.depth(grid, grid.box)[beyond] > 0).any()
        assert (body.depth(grid, grid.box) > 0).any()


def test_depth_in_a_box_is_that_of_the_whole() -> None:
    body = random_body(
        np.array([2.0, 8.0, 9.0]), np.array([2.0, 4, 3]), np.random.default_rng(0), bent=0.05
    )
    box = GRID.around(body.center, body.reach_um)
    assert box is not None
    whole = body.depth(GRID, GRID.box)
    np.testing.assert_array_equal(whole[box], body.depth(GRID, box))
    assert (whole > 0).sum() == (whole[box] > 0).sum()


def test_what_lies_beside_the_grid_has_no_box() -> None:
    assert GRID.around(np.array([0.0, -9.0, 5.0]), 3.0) is None


def test_nuclei_are_apart_and_stand_on_the_coverslip() -> None:
    cells = seed_cells(SLIDES[4], GRID, np.random.default_rng(1))
    assert len(cells) > 5
    masks = [cell.nucleus.depth(GRID, GRID.box) > 0 for cell in cells]
    assert (np.sum(masks, axis=0) <= 1).all()
    below = int(np.ceil(5 * 1.0))
    assert not any(mask[:below].any() for mask in masks)


def test_a_denser_slide_holds_more_cells() -> None:
    numbers = {
        slide.cell_um2: len(seed_cells(slide, GRID, np.random.default_rng(0))) for slide in SLIDES
    }
    assert numbers[min(numbers)] > 1.5 * numbers[max(numbers)]


def test_light_meets_what_the_literature_says(specimen: Specimen) -> None:
    indices = Indices()
    # Nothing below the coverslip, and nothing thinner than the medium or denser than lipid.
    assert specimen.index[:4] == pytest.approx(indices.medium, abs=1e-3)
    assert specimen.index.min() > indices.medium - 0.005
    assert specimen.index.max() < 1.46
    nuclei = specimen.nuclei > 0
    mean = float(specimen.index[nuclei].mean())
    assert indices.medium < mean < indices.cytoplasm
    assert mean == pytest.approx(indices.nucleus, abs=0.003)


def test_the_dye_is_in_the_nuclei_and_varies_there(specimen: Specimen) -> None:
    nuclei = specimen.nuclei > 0
    within, without = specimen.stain[nuclei], specimen.stain[~nuclei]
    assert within.mean() == pytest.approx(1.0, abs=0.3)
    assert np.percentile(without, 95) < 0.1
    assert within.std() > 0.2


def test_no_nucleus_is_in_pieces(specimen: Specimen) -> None:
    from scipy import ndimage

    for number in np.unique(specimen.nuclei)[1:]:
        _, pieces = ndimage.label(specimen.nuclei == number)
        assert pieces == 1
