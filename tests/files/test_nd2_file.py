"""ND2 through bioio-nd2 itself: pixels and metadata go in and come out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from cytopress.files import channel_codecs, decode_file, encode_file
from fakes.nd2_file import write_nd2
from fakes.ome_files import facts

nd2 = pytest.importorskip("nd2", reason="needs bioio-nd2")
pytest.importorskip("bioio_nd2", reason="needs bioio-nd2")

STAINS = {"DAPI": (395.0, 461.0, 50.0), "GFP": (488.0, 509.0, 100.0), "Cy5": (640.0, 670.0, 200.0)}


def probe(nm: float) -> Mapping[str, Any]:
    return {"uiCount": 1, "pPoint": {"Point0": {"eType": 1, "dWavelength": nm, "dTValue": 1.0}}}


@pytest.fixture
def source(tmp_path: Path) -> tuple[Path, list[np.ndarray]]:
    """Two times of three channels, with what NIS-Elements stores of them."""
    planes = {
        f"a{number}": {
            "uiCompCount": 1,
            "sDescription": name,
            "uiColor": 255 << 8 * number,
            "uiModalityMask": 1,
            "pFluorescentProbe": {
                "m_ExcitationSpectrum": probe(excitation),
                "m_EmissionSpectrum": probe(emission),
            },
        }
        for number, (name, (excitation, emission, _)) in enumerate(STAINS.items())
    }
    settings = {
        f"a{number}": {"dExposureTime": time, "pCameraSetting": {"CameraUserName": "Zyla"}}
        for number, (_, _, time) in enumerate(STAINS.values())
    }
    picture = {
        "bCalibrated": True, "dCalibration": 0.325, "dXPos": 100.5, "dYPos": -20.25,
        "dObjectiveMag": 20.0, "dObjectiveNA": 0.75, "wsObjectiveName": "Plan Apo",
        "sPicturePlanes": {"uiCount": 3, "sPlaneNew": planes, "sSampleSetting": settings},
    }  # fmt: skip
    random = np.random.default_rng(0)
    frames = [random.poisson(200, (40, 48, 3)).astype(np.uint16) for _ in range(2)]
    path = tmp_path / "B02.nd2"
    write_nd2(path, frames, picture=picture, period_ms=5000.0, date_and_time=2460310.75)
    return path, frames


def test_pixels_and_every_field_come_back(
    tmp_path: Path, source: tuple[Path, list[np.ndarray]]
) -> None:
    path, frames = source
    coded, back = tmp_path / "B02.cyto", tmp_path / "B02.ome.tif"
    encoded = encode_file(path, coded, channel_codecs(["jpegls:max_error=2", "DAPI=jpegls"]))
    assert [one.place.label for one in encoded.images][:2] == ["C=DAPI,T=0", "C=GFP,T=0"]
    decode_file(coded, back)
    with tifffile.TiffFile(back) as file:
        pixels, text = file.asarray().astype(int), file.ome_metadata
    error = np.abs(pixels - np.stack([one.transpose(2, 0, 1) for one in frames]))
    assert error.max(axis=(0, 2, 3)).tolist() == [0, 2, 2]
    with nd2.ND2File(path) as opened:
        original = opened.ome_metadata(include_unstructured=False).to_xml()
    assert facts(original) - facts(text or "") == set()
    told = {(key, value) for _, key, value in facts(text or "")}
    for fact in (
        ("EmissionWavelength", "509.0"), ("ExposureTime", "200.0"), ("DeltaT", "5000.0"),
        ("PositionY", "-20.25"), ("Model", "Plan Apo"), ("Model", "Zyla"), ("LensNA", "0.75"),
        ("PhysicalSizeX", "0.325"), ("SignificantBits", "12"), ("text", "2024-01-01T06:00:00Z"),
    ):  # fmt: skip
        assert fact in told
