"""Certificates of archives' images, as the widget shows them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cytopress.napari.certificates import certificate_lines, find_certificate
from fakes.archives import in_this_process

CHANNEL = {
    "label": "DNA",
    "codec": "jpegls:near=4",
    "ratio": 12.345,
    "error": {"max": 4.0, "rmse": 1.987, "worst_chunk_rmse": 2.1, "psnr": 61.27},
}
HISTORY = [
    {"method": "JPEG in TIFF", "lossy": True},
    {"software": "cytopress 1", "source": {"name": "a.tif"}, "channels": [CHANNEL]},
]


def archived(folder: Path, attributes: object) -> Path:
    image = folder / "my store" / "a.ome.zarr"
    (image / "0" / "c").mkdir(parents=True)
    (image / "zarr.json").write_text(json.dumps({"attributes": attributes}))
    (image / "0" / "zarr.json").write_text(json.dumps({"attributes": {}, "shape": [1]}))
    return image


def test_it_is_found_from_the_image_and_its_resolutions(tmp_path: Path) -> None:
    wanted = {"version": 1, "lossy": True, "history": HISTORY}
    image = archived(tmp_path, {"cytopress": wanted})
    for source in (image, str(image / "0"), image.as_uri()):
        assert find_certificate(source) == wanted
    for other in (tmp_path, None, "", "s3://bucket/a.ome.zarr", "https://a.b/c", "no/such"):
        assert find_certificate(other) is None


def test_its_lines_say_what_was_lost() -> None:
    *lines, last = certificate_lines({"lossy": True, "history": HISTORY})
    assert lines == [
        "With loss.",
        "Before: JPEG in TIFF, with loss.",
        "cytopress 1, from a.tif:",
    ]
    assert last == (
        "DNA: jpegls:near=4, 12.3 times smaller, largest error 4 counts, RMSE 1.99 counts,"
        " 2.1 in the worst chunk, PSNR 61.3 dB"
    )
    exact = {"label": "", "codec": "jpegls", "ratio": 2.0, "error": {"max": 0.0}}
    lines = certificate_lines({"lossy": False, "history": [{"channels": [exact]}]})
    assert lines[0].startswith("Without loss")
    assert lines[-1] == "all channels: jpegls, 2 times smaller, every pixel exact"


@pytest.mark.parametrize(
    "attributes",
    [
        None, [], {"cytopress": 5}, {"cytopress": {"history": "none"}}, {"cytopress": {}},
    ],
)  # fmt: skip
def test_what_is_no_certificate_is_none(tmp_path: Path, attributes: object) -> None:
    assert find_certificate(archived(tmp_path, attributes)) is None


def test_a_strange_certificate_is_shown_as_far_as_it_goes() -> None:
    strange = [5, {"lossy": []}, {"channels": [3, {"error": 7, "ratio": "much"}], "source": "b"}]
    lines = certificate_lines({"lossy": 1, "history": strange})
    assert lines[1] == "Before: coded, perhaps lossy."
    assert lines[-1] == "all channels: lossless"


def test_that_of_an_archive_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("yaozarrs")
    import numpy as np
    import tifffile

    from cytopress import archive

    monkeypatch.setattr("cytopress.archive.run.run_tasks", in_this_process)
    counts = np.random.default_rng(1).integers(90, 200, (64, 64)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", counts)
    wanted = archive.Wanted(codec="jpegls:max_error=3")
    archive.plan_archive([tmp_path / "a.tif"], tmp_path / "store", wanted)
    archive.run_archive(tmp_path / "store")
    found = find_certificate(tmp_path / "store" / "a.ome.zarr")
    assert found is not None
    assert "largest error 3 counts" in certificate_lines(found)[-1]
