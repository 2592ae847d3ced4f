"""The page, the schema and the example of the codec for zarr: they say what the codec does."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import zarr

from cytopress.archive.zarr_codec import CytopressCodec
from cytopress.codecs.registry import find_family
from cytopress.metrics.noise import NoiseModel

FOLDER = Path(__file__).parents[2] / "docs" / "zarr-codec"
SCHEMA = json.loads((FOLDER / "schema.json").read_text())
PAGE = (FOLDER / "README.md").read_text()


def faults(document: object) -> list[str]:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(SCHEMA)
    return [error.message for error in validator.iter_errors(document)]


@pytest.mark.parametrize("models", ["named", "inline", "carried"])
def test_the_schema_takes_what_the_codec_writes(models: str) -> None:
    noise = NoiseModel(0.0, 4.0)
    options = {"limits": (3, 500.5), "noise": noise, "bits": 12, "models": models}
    for codec in (
        CytopressCodec.from_spec("jpegls"),
        CytopressCodec.from_spec("anscombe-jpegxl:qstep=2", **options),
        CytopressCodec.from_spec("learned/cytopress-2d:quality=0.4", **options),
    ):
        assert not faults(codec.to_dict())


@pytest.mark.parametrize(
    "change",
    [
        {"format": 3},
        {"codec": ""},
        {"lossless": "yes"},
        {"limits": [1]},
        {"limits": [1, 2, 3]},
        {"noise": {"a": 1, "b": 0, "offset": 0}},
        {"bits": 0},
        {"models": [{"name": "learned/x", "bytes": 5, "sha256": "abc"}]},
    ],
    ids=str,
)
def test_the_schema_refuses_what_the_codec_does(change: dict) -> None:
    document = CytopressCodec.from_spec("jpegls").to_dict()
    assert not faults(document)
    document["configuration"] |= change
    assert faults(document)


def test_the_example_of_the_page_is_valid_and_names_the_model_that_ships() -> None:
    (text,) = re.findall(r"^```json\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    (document,) = json.loads(text)["codecs"][0]["configuration"]["codecs"]
    assert not faults(document)
    made = CytopressCodec.from_spec(
        "learned/cytopress-2d:quality=0.45", limits=(96, 4011), bits=12, models="carried"
    )
    assert document == made.to_dict()
    package = find_family("learned/cytopress-2d").package
    assert document["configuration"]["models"][0]["sha256"] == package.sha256


def test_the_tables_name_every_member_of_the_schema() -> None:
    members = SCHEMA["properties"]["configuration"]["properties"]
    for member in [*members, *members["models"]["items"]["properties"]]:
        assert f"| `{member}` |" in PAGE


def test_the_example_array_reads_as_the_page_says() -> None:
    array = zarr.open_array(FOLDER / "examples" / "ramp.zarr", mode="r")
    rows, columns = np.mgrid[:70, :50]
    np.testing.assert_array_equal(array[:], 100 + 3 * rows + columns)
    assert not faults(array.metadata.codecs[0].to_dict())
