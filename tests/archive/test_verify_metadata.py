"""Verification of metadata: whatever a source says and an archive does not is told by its place."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import tifffile
import zarr

from cytopress.archive.planning import make_plan
from cytopress.archive.run import run
from cytopress.archive.steps import verify_archive
from cytopress.archive.verify import verify
from cytopress.archive.wanted import Wanted
from fakes.archive_sources import write_plate
from fakes.archives import field, in_this_process

pytest.importorskip("yaozarrs")
# What tifffile writes no argument for.
MORE = [
    ('EmissionWavelength="525"', 'EmissionWavelength="530"', "530"),
    ("10:11:12", "10:11:13", "10:11:13"),
    ('PositionX="12.5"', 'PositionX="13.5"', "13.5"),
    ('TimeIncrement="2.0"', 'TimeIncrement="3.0"', "3.0"),
    ('Color="-16776961"', 'Color="16711935"', "00FF00"),
    ('NominalMagnification="60"', 'NominalMagnification="63"', "63"),
    ('Name="ER"', 'Name="RNA"', "RNA"),
    ('PhysicalSizeX="0.3"', 'PhysicalSizeX="0.4"', "0.4"),
]
XML = """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
<Instrument ID="Instrument:0"><Objective ID="Objective:0" NominalMagnification="60"/></Instrument>
<Image ID="Image:0" Name="a"><AcquisitionDate>2026-11-28T10:11:12</AcquisitionDate>
<InstrumentRef ID="Instrument:0"/><ObjectiveSettings ID="Objective:0"/>
<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="130" SizeY="150" SizeZ="1"
 SizeC="2" SizeT="1" SignificantBits="12" PhysicalSizeX="0.3" PhysicalSizeY="0.3"
 TimeIncrement="2.0" TimeIncrementUnit="s">
<Channel ID="Channel:0:0" Name="DNA" SamplesPerPixel="1" Color="-16776961"
 EmissionWavelength="525" EmissionWavelengthUnit="nm"/>
<Channel ID="Channel:0:1" Name="ER" SamplesPerPixel="1"/>
<TiffData FirstC="0"/><TiffData FirstC="1" IFD="1"/>
<Plane TheZ="0" TheT="0" TheC="0" PositionX="12.5" PositionXUnit="µm"/>
</Pixels></Image></OME>"""


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cytopress.archive.run.run_tasks", in_this_process)


def write(path: Path, text: str) -> None:
    """Write a file of two channels with this OME-XML."""
    path.parent.mkdir(exist_ok=True)
    tifffile.imwrite(path, field(0), description=text.encode(), metadata=None)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a source in ``in`` and its archive in ``out``."""
    root = tmp_path_factory.mktemp("metadata")
    write(root / "in/a.ome.tif", XML)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cytopress.archive.run.run_tasks", in_this_process)
        make_plan([root / "in"], root / "out", Wanted(codec="jpegls:max_error=3"))
        assert run(root / "out").complete
    return root


def reasons(out: Path, source: Path) -> str:
    found = verify(out, depth="full", against=source)
    assert found.passed, found.failures
    assert found.fit == (not found.reasons)
    return "; ".join(found.reasons)


def test_nothing_differs(made: Path) -> None:
    assert reasons(made / "out", made / "in") == ""


@pytest.mark.parametrize(("old", "new", "told"), MORE)
def test_each_thing_that_a_source_says_is_compared(
    made: Path, tmp_path: Path, old: str, new: str, told: str
) -> None:
    assert old in XML
    write(tmp_path / "in/a.ome.tif", XML.replace(old, new))
    found = reasons(made / "out", tmp_path / "in")
    assert "metadata differ from those of the source in 1 image group," in found
    assert told in found.partition("its source's")[2]


def test_what_the_archive_lost_or_changed_is_found(made: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(made / "out", tmp_path / "out"))
    image, document = out / "a.ome.zarr", out / "a.ome.zarr/OME/METADATA.ome.xml"
    # As if it had been written so: no checksum tells.
    (out / "SHA256SUMS").unlink()
    document.unlink()
    found = verify(out, depth="full", against=made / "in")
    assert "has no OME-XML, which its source has" in "; ".join(found.reasons)
    attributes = json.loads((image / "zarr.json").read_text())
    attributes["attributes"]["ome"]["omero"]["channels"][1]["color"] = "123456"
    (image / "zarr.json").write_text(json.dumps(attributes))
    found = verify(out, depth="full", against=made / "in")
    assert "omero/channels/1/color is '123456'" in "; ".join(found.reasons)


def test_what_cannot_be_carried_over_stands_against_deleting(tmp_path: Path) -> None:
    source, out = tmp_path / "in/a.zarr", tmp_path / "out"
    group = zarr.create_group(str(source), attributes={"ome": {
        "version": "0.5",
        "multiscales": [{
            "axes": [{"name": name, "type": "space"} for name in "yx"],
            "datasets": [{"path": "0", "coordinateTransformations": [
                {"type": "scale", "scale": [1.0, 1.0]}]}],
        }],
    }, "lab": {"animal": 7}})  # fmt: skip
    group.create_array("0", data=field(0)[0], chunks=(64, 64))
    group.create_group("tables")
    make_plan([source.parent], out, Wanted(codec="jpegls:max_error=3"))
    assert run(out).complete
    found = verify_archive(out, depth="full", against=source.parent, workers=1)
    assert (found.passed, found.fit) == (True, False)
    assert "its folder 'tables'; verify with --accept-lost" in found.reasons[0]
    found = verify_archive(out, depth="full", against=str(source.parent), accept_lost=True)
    assert (found.passed, found.fit, found.reasons) == (True, True, [])
    written = json.loads((out / "cytopress/certificate.json").read_text())["verified"]
    assert written["metadata_lost"] == {"a.ome.zarr": "its folder 'tables'"}
    pytest.importorskip("jinja2")
    page = (out / "cytopress/certificate.html").read_text()
    assert "not all that the originals say of 1 image was" in page
    assert "its folder &#39;tables&#39;" in page
    group.attrs["lab"] = {"animal": 8}
    assert "lab/animal is 7, its source's 8" in reasons(out, source.parent)


def test_plates_and_labels_are_compared(tmp_path: Path) -> None:
    source, out = tmp_path / "in/plate.zarr", tmp_path / "out"
    write_plate(source)
    make_plan([source.parent], out, Wanted(codec="jpegls:max_error=3"))
    assert run(out).complete
    assert reasons(out, source.parent) == ""
    plate = zarr.open_group(str(source), mode="r+")
    ome = plate.attrs["ome"]
    assert isinstance(ome, dict)
    plate.attrs["ome"] = ome | {"plate": ome["plate"] | {"name": "another"}}
    assert "plate.ome.zarr: its ome/plate/name is" in reasons(out, source.parent)
