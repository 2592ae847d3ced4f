"""Metadata of formats other than OME-TIFF, and of bioio's plugins, as OME-XML."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import PIL.Image
import PIL.PngImagePlugin
import pytest
import tifffile

from cytopress.errors import CytopressWarning
from cytopress.formats.image_file import open_images
from fakes.microscopes import PIXELS, Microscope, ramp, use, write_hyperstack
from fakes.ome_files import CHANNELS, facts, six_channels

pytestmark = pytest.mark.both_numpy


def described(path: Path, **options: Any) -> tuple[set[tuple[str, str]], bool, tuple[str, ...]]:
    """Return names and values that a document holds, whether it is bare, and what is lost."""
    with open_images(path, **options) as images:
        document = images.document()
    found = {(f"{place.rpartition('>')[2].split()[0]} {key}" if key != "text" else
              place.rpartition(">")[2].strip(), value)
             for place, key, value in facts(document.text)}  # fmt: skip
    return found, document.bare, document.lost


def test_an_imagej_hyperstack(tmp_path: Path) -> None:
    write_hyperstack(tmp_path / "a.tif")
    found, bare, lost = described(tmp_path / "a.tif")
    assert found >= {
        ("Pixels SizeT", "3"), ("Pixels SizeZ", "4"), ("Pixels SizeC", "2"),
        ("Pixels PhysicalSizeX", "0.3"), ("Pixels PhysicalSizeY", "0.25"),
        ("Pixels PhysicalSizeZ", "0.7"), ("Pixels PhysicalSizeZUnit", "µm"),
        ("Pixels TimeIncrement", "12.5"), ("Pixels TimeIncrementUnit", "s"),
        ("Channel Name", "DNA"), ("Channel Name", "actin"),
        # Blue and orange, opaque.
        ("Channel Color", str(0x0000FFFF)), ("Channel Color", str(0xFF8000FF - 2**32)),
        ("Description //", "Objective = 40x\nUser = Löfgren"),
        ("M ImageJ Ranges", "0.0, 100.0, 5.0, 3000.0"), ("M ImageJ mode", "composite"),
    }  # fmt: skip
    assert (bare, lost) == (False, ())
    with open_images(tmp_path / "a.tif", select={"C": "actin", "T": 2}) as images:
        np.testing.assert_array_equal(images.read(0).pixels, PIXELS[2, :, 1])


def test_what_of_imagej_has_no_place(tmp_path: Path) -> None:
    fire = np.random.default_rng(0).integers(0, 255, (3, 256)).astype(np.uint8)
    labels = [f"c:{n % 2 + 1}/2 z:{n // 2 + 1}/12" for n in range(24)]
    write_hyperstack(
        tmp_path / "a.tif", LUTs=[fire, ramp(0, 255, 0)], ROI=b"Iout" + bytes(60),
        Overlays=[b"Iout" + bytes(60)], Labels=labels,
    )  # fmt: skip
    found, _, lost = described(tmp_path / "a.tif")
    assert set(lost) == {
        "ImageJ's overlays", "ImageJ's selection",
        "ImageJ's lookup tables that are no ramp from black to a color",
    }  # fmt: skip
    assert ("M ImageJ label 24", "c:2/2 z:12/12") in found
    assert not {value for key, value in found if key == "Channel Name"}
    assert {value for key, value in found if key == "Channel Color"} == {str(0x00FF00FF)}


def test_tags_of_plain_tiff(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif", PIXELS[0, 0, 0], description="well B12", metadata=None,
        datetime="2024:01:02 03:04:05", extratags=[(315, "s", 0, "Ada", True)],
    )  # fmt: skip
    found, bare, lost = described(tmp_path / "a.tif")
    assert found >= {
        ("Description //", "well B12"), ("AcquisitionDate //", "2024-01-02T03:04:05"),
        ("M Artist", "Ada"),
    }  # fmt: skip
    assert (bare, lost) == (False, ())


def test_each_series_has_its_own_tags(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for text, rows in (("first", 9), ("second", 5)):
            file.write(PIXELS[0, 0, 0, :rows], description=text, metadata=None)
    found, _, _ = described(tmp_path / "a.tif")
    assert {value for key, value in found if key.startswith("Description")} == {"first", "second"}
    assert {value for key, value in found if key == "Image ID"} == {"Image:0", "Image:1"}


def test_texts_of_png(tmp_path: Path) -> None:
    texts = PIL.PngImagePlugin.PngInfo()
    texts.add_text("Description", "well B12")
    texts.add_text("Author", "Ada")
    PIL.Image.fromarray(PIXELS[0, 0, 0].astype(np.uint8)).save(tmp_path / "a.png", pnginfo=texts)
    found, bare, _ = described(tmp_path / "a.png")
    assert found >= {("Description //", "well B12"), ("M Author", "Ada")}
    assert not bare


@pytest.mark.parametrize("software", [None, "plotter 1.0"])
def test_nothing_known_is_bare(tmp_path: Path, software: str | None) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PIXELS[0, 0, 0], software=software)
    texts = PIL.PngImagePlugin.PngInfo()
    if software:
        texts.add_text("Software", software)
    PIL.Image.fromarray(PIXELS[0, 0, 0].astype(np.uint8)).save(tmp_path / "a.png", pnginfo=texts)
    for name in ("a.tif", "a.png"):
        _, bare, lost = described(tmp_path / name)
        assert (bare, lost) == (True, ())


def test_ome_zarr(tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    group.create_array("0", data=PIXELS.transpose(0, 2, 1, 3, 4))
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
    axes = [{"name": "t", "unit": "minute"}, {"name": "c"}, *axes]
    scale = [{"type": "scale", "scale": [5, 1, 0.7, 0.25, 0.3]}]
    datasets = [{"path": "0", "coordinateTransformations": scale}]
    channels = [{"label": "DNA", "color": "0000FF", "window": {"start": 5, "end": 300}},
                {"label": "actin", "color": "nonsense"}]  # fmt: skip
    group.attrs["multiscales"] = [{"name": "B12", "axes": axes, "datasets": datasets}]
    group.attrs["omero"] = {"channels": channels}
    found, bare, _ = described(tmp_path / "a.zarr")
    assert found >= {
        ("Image Name", "B12"), ("Pixels TimeIncrement", "300.0"), ("Channel Name", "actin"),
        ("Channel Color", str(0x0000FFFF)), ("Pixels PhysicalSizeZ", "0.7"),
        ("M omero channel 0", '{"window": {"start": 5, "end": 300}}'),
    }  # fmt: skip
    assert not bare
    # The OME-XML of its source, where the converter kept it.
    (tmp_path / "a.zarr" / "OME").mkdir()
    text = '<OME><Image ID="Image:7"><AcquisitionDate>2024-03-05T06:07:08</AcquisitionDate><Pixels'
    text += ' ID="Pixels:7" SizeC="2" SizeT="3" SizeZ="4" SizeX="7" SizeY="9"/></Image></OME>'
    (tmp_path / "a.zarr" / "OME" / "METADATA.ome.xml").write_text(text, encoding="utf-8")
    found, _, _ = described(tmp_path / "a.zarr")
    assert {("Image ID", "Image:7"), ("AcquisitionDate //", "2024-03-05T06:07:08")} <= found


class Silent(Microscope):
    """A plugin without OME-XML."""

    @property
    def ome_metadata(self) -> Any:
        raise NotImplementedError


class Failing(Microscope):
    """A plugin whose conversion fails."""

    @property
    def ome_metadata(self) -> Any:
        raise KeyError("no such tag")


class OneAtATime(Microscope):
    """A plugin whose OME-XML describes the scene that is set."""

    @property
    def ome_metadata(self) -> Any:
        text = six_channels(1).replace("B12 field 0", f"at {self.number}")
        return SimpleNamespace(to_xml=lambda: text)


def test_a_plugin_s_ome_xml_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = use(monkeypatch, Microscope, tmp_path)
    monkeypatch.setattr(Microscope, "asked", 0)
    with open_images(path) as images:
        document = images.document()
    assert not facts(six_channels(2)) - facts(document.text)
    assert (document.bare, document.lost) == (False, ())
    assert Microscope.asked == 1


def test_a_plugin_that_describes_one_scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _, _ = described(use(monkeypatch, OneAtATime, tmp_path))
    assert {value for key, value in found if key == "Image Name"} == {"at 0", "at 1"}


@pytest.mark.parametrize(
    ("kind", "words"),
    [(Silent, "gives no OME-XML"), (Failing, "fails to give OME-XML (KeyError: 'no such tag')")],
)
def test_what_bioio_knows_of_any_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type, words: str
) -> None:
    found, bare, (lost,) = described(use(monkeypatch, kind, tmp_path))
    assert found >= {
        ("AcquisitionDate //", "2024-03-05T06:07:08"), ("Pixels TimeIncrement", "60.0"),
        ("Plane PositionX", "100.5"), ("Plane PositionY", "-7.25"), ("M binning", "1x1"),
        ("Objective Model", "Plan Apo 20x"), ("Experimenter UserName", "Ada"),
        ("Image Name", "XYPos:1"), ("Pixels PhysicalSizeX", "0.598"),
        *(("Channel Name", name) for name in CHANNELS),
    }  # fmt: skip
    assert lost == f"its plugin {words}, so only what bioio knows of every format is kept"
    assert not bare


def test_malformed_ome_xml_is_said(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.ome.tif", PIXELS[0, 0, 0], metadata=None,
                     description="<OME><Image></OME>")  # fmt: skip
    with (
        pytest.warns(CytopressWarning, match="malformed"),
        open_images(tmp_path / "a.ome.tif") as f,
    ):
        f.read(0)
