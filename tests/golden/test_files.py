"""A file of several images that was written once is read for ever."""

from __future__ import annotations

import hashlib
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import tifffile

import cytopress
from cytopress.files import decode_file, open_cyto

pytestmark = pytest.mark.both_numpy

FILE = Path(__file__).parent / "files" / "several.cyto"
DIGEST = "14981153e380fe447b1bd203290e1b51c45d392432ef51184135b396fbbed72b"
LABELS = [
    "C=DNA,T=0,S=0", "C=µ-tubule,T=0,S=0", "C=DNA,T=1,S=0", "C=µ-tubule,T=1,S=0", "S=1",
]  # fmt: skip


def test_it_decodes_to_its_images() -> None:
    assert hashlib.sha256(FILE.read_bytes()).hexdigest() == DIGEST
    expected = np.load(FILE.with_suffix(".npz"))
    with open_cyto(FILE) as file:
        assert [place.label for place in file.places] == LABELS
        for number, name in enumerate(expected.files):
            np.testing.assert_array_equal(file.read(number).pixels, expected[name])
            assert cytopress.decode(file.container(number)) == file.read(number)
        assert {header.form.bits for header in file.headers} == {12}
        assert file.headers[4].form.spacing_um == (0.3, 0.1, 0.1)


def test_it_keeps_its_metadata(tmp_path: Path) -> None:
    decode_file(FILE, tmp_path / "x.ome.tif")
    with tifffile.TiffFile(tmp_path / "x.ome.tif") as file:
        root = ET.fromstring(file.ome_metadata)
        assert [series.shape for series in file.series] == [(2, 2, 24, 32), (2, 24, 32)]
    assert root.findtext("{*}Image/{*}AcquisitionDate") == "2024-03-05T06:07:08"
    channel = root.find("{*}Image/{*}Pixels/{*}Channel")
    plane = root.find("{*}Image/{*}Pixels/{*}Plane")
    assert (channel.get("Name"), channel.get("EmissionWavelength")) == ("DNA", "461")
    assert (plane.get("TheT"), plane.get("ExposureTime")) == ("1", "0.1")
