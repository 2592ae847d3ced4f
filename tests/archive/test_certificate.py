"""Certificates: what images and archives say of their loss, held against the pixels themselves."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from cytopress.archive import certificate, inspecting
from cytopress.archive.analysis import Analysis
from cytopress.archive.certificate_content import image_facts
from cytopress.archive.certificate_summary import summary
from cytopress.archive.export import export
from cytopress.archive.plan import read_plan
from cytopress.archive.planning import make_plan
from cytopress.archive.run import run
from cytopress.archive.verify import verify
from cytopress.archive.wanted import Wanted
from cytopress.digests import digest_file
from fakes.archives import in_this_process

pytest.importorskip("yaozarrs")
DOCS = Path(__file__).parents[2] / "docs" / "certificate"


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work on shards in this process: a new one takes seconds to start."""
    monkeypatch.setattr("cytopress.archive.run.run_tasks", in_this_process)
    monkeypatch.setattr(inspecting, "SMALL", 60)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a TIFF file with JPEG inside; its second scan has a bright, noisy corner."""
    y, x = np.mgrid[:96, :80]
    random = np.random.default_rng(0)
    pixels = random.normal(90 + 40 * np.sin(x / 9) * np.cos(y / 7), 4).clip(1, 255)
    pixels[48:, :48] += random.integers(0, 60, (48, 48))
    path = tmp_path / "in" / "a.tif"
    path.parent.mkdir()
    tifffile.imwrite(path, pixels.clip(0, 255).astype(np.uint8), compression="jpeg")
    return path


def archived(source: Path, out: Path, **wanted: object) -> dict:
    make_plan([source], out, Wanted(**({"codec": "jpegls:max_error=3", "chunk": 48} | wanted)))
    assert run(out).complete
    return json.loads((out / "cytopress/certificate.json").read_text())


def test_what_it_says_is_so(source: Path, tmp_path: Path) -> None:
    document = archived(source, tmp_path / "out", hash=True)
    raw = tifffile.imread(source).astype(float)
    group = zarr.open_group(str(tmp_path / "out/a.ome.zarr"), mode="r")
    error = group["0"][0, 0, 0] - raw
    (channel,) = document["channels"]
    assert channel["error"]["max"] == np.abs(error).max()
    assert channel["error"]["rmse"] == pytest.approx(np.sqrt(np.mean(error**2)))
    assert channel["error"]["bias"] == pytest.approx(error.mean())
    peak = channel["error"]["data_range"]
    assert channel["error"]["psnr"] == pytest.approx(10 * np.log10(peak**2 / np.mean(error**2)))
    chunks = {
        (y, x): np.sqrt(np.mean(error[y : y + 48, x : x + 48] ** 2))
        for y in (0, 48)
        for x in (0, 48)
    }
    worst = max(chunks, key=lambda at: chunks[at])
    assert channel["worst_chunk"]["at"] == [0, 0, 0, *worst]
    assert channel["worst_chunk"]["rmse"] == pytest.approx(chunks[worst])
    assert channel["promise"]["kind"] == "max_error"
    image = document["images"]["a.ome.zarr"]
    assert image["source"]["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert image["source"]["bytes"] == source.stat().st_size
    assert document["plan"] == hashlib.sha256(
        (tmp_path / "out/cytopress/plan.json").read_bytes()
    ).hexdigest()  # fmt: skip
    assert document["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    # JPEG in the source, and again here.
    assert document["history"] == [{"method": "JPEG in TIFF", "lossy": True, "images": 1}]
    assert (image["second_generation"], document["second_generation"]) == (True, 1)
    text = " ".join(summary(document))
    assert "second generation: 1 image with" in text
    assert "not verified against the sources yet" in text


def test_loss_is_never_reset(source: Path, tmp_path: Path) -> None:
    archived(source, tmp_path / "first")
    document = archived(tmp_path / "first", tmp_path / "second", codec="")
    assert (document["lossy"], document["ever_lossy"]) == (False, True)
    group = zarr.open_group(str(tmp_path / "second/a.ome.zarr"), mode="r")
    history = group.attrs["cytopress"]["history"]
    assert [one.get("method") or one["channels"][0]["asked"] for one in history] == [
        "JPEG in TIFF", "jpegls:max_error=3", "jpegls",
    ]  # fmt: skip
    assert group.attrs["cytopress"]["lossy"]
    page = (tmp_path / "second/cytopress/certificate.html").read_text()
    assert "The sources themselves had been coded with loss before" in page
    # The first archive's own errors, from its pixels, for whoever signs the second.
    first = zarr.open_array(str(tmp_path / "first/a.ome.zarr/0"), mode="r")[0, 0, 0]
    difference = first.astype(float) - tifffile.imread(source)
    rmse = np.sqrt(np.mean(difference**2))
    _, past = document["history"]
    assert past["error"]["max"] == np.abs(difference).max()
    assert past["error"]["rmse"] == pytest.approx(rmse)
    assert f"against its source RMSE up to {rmse:.2f}" in page
    told = re.search(
        r"was coded with loss, errors at most 3 counts, RMSE ([\d.]+)", " ".join(summary(document))
    )
    assert told
    assert float(told[1]) == pytest.approx(rmse, abs=0.006)


@pytest.mark.parametrize(("codec", "lossy"), [("", False), ("jpegls:max_error=3", True)])
def test_an_exported_file_bears_the_loss_of_its_archive(
    tmp_path: Path, codec: str, lossy: bool
) -> None:
    pixels = np.random.default_rng(0).normal(500, 40, (60, 80)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    archived(tmp_path / "a.tif", tmp_path / "first", codec=codec)
    export(tmp_path / "first", tmp_path / "back", "ome-tiff")
    document = archived(tmp_path / "back", tmp_path / "second", codec="jpegls:max_error=5")
    (past,) = document["history"]
    assert past == {"method": "cytopress: exported from an archive", "lossy": lossy, "images": 1}
    assert document["second_generation"] == lossy


@pytest.mark.parametrize(
    "entry",
    [
        {"channels": None, "lossy": {}},
        {"channels": 7, "method": ["x"]},
        {"channels": [None, 3, {"codec": [], "error": 5}], "lossy": "yes"},
        {"channels": [{"error": {"max": None, "rmse": "much"}}]},
        {"channels": [{"error": {"max": 4}}], "method": 5},
    ],
)
def test_an_earlier_certificate_of_anybody_is_taken(tmp_path: Path, entry: dict) -> None:
    from fakes.archive_sources import write_v04

    write_v04(tmp_path / "a.zarr", labels=np.zeros((150, 130), np.uint16))
    group = zarr.open_group(str(tmp_path / "a.zarr"))
    group.attrs["cytopress"] = {"history": [entry]}
    document = archived(tmp_path / "a.zarr", tmp_path / "out", codec="")
    (past,) = document["history"]
    assert past["images"] == 1
    assert document["ever_lossy"]
    assert "Before this archive" in (tmp_path / "out/cytopress/certificate.html").read_text()


def test_attributes_follow_the_convention(source: Path, tmp_path: Path) -> None:
    (source.parent / "sub").mkdir()
    source.rename(source.parent / "sub" / "a.tif")
    out = tmp_path / "out"
    archived(source.parent, out)
    group = zarr.open_group(str(out / "sub/a.ome.zarr"), mode="r")
    (convention,) = group.attrs["zarr_conventions"]
    assert convention.keys() == {"uuid", "name", "schema_url", "spec_url", "description"}
    for key, name in (("schema_url", "schema.json"), ("spec_url", "README.md")):
        found = (out / "sub/a.ome.zarr" / convention[key]).resolve()
        assert found.read_text() == (DOCS / name).read_text()
    schema = json.loads((DOCS / "schema.json").read_text())
    assert convention["uuid"] in json.dumps(schema)
    page = (DOCS / "README.md").read_text()
    assert convention["uuid"] in page
    attributes = json.loads(json.dumps(dict(group.attrs)))
    (entry,) = [one for one in attributes["cytopress"]["history"] if "channels" in one]
    for member in [*entry, *entry["channels"][0]]:
        assert f"`{member}`" in page


def test_the_schema_takes_what_is_written(source: Path, tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((DOCS / "schema.json").read_text())
    archived(source, tmp_path / "out")
    group = zarr.open_group(str(tmp_path / "out/a.ome.zarr"), mode="r")
    attributes = json.loads(json.dumps(dict(group.attrs)))
    validator = jsonschema.Draft202012Validator(schema)
    assert not list(validator.iter_errors(attributes))
    attributes["cytopress"]["history"][-1]["channels"][0].pop("error")
    assert list(validator.iter_errors(attributes))


def test_other_conventions_stay(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    archived(source, out)
    plan = read_plan(out)
    facts = image_facts(plan, plan.images[0], certificate.rows_of(out))
    found = certificate.attributes(plan, plan.images[0], facts, [{"uuid": "other"}])
    assert [one["uuid"] for one in found["zarr_conventions"]] == ["other", certificate.UUID]


def test_what_a_study_says_is_carried(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    archived(source, out)
    plan = read_plan(out)
    analysis = Analysis(
        study="cells", study_sha256="0" * 64, dataset="d", task="labelfree", metric="pearson",
        recommended="jpegls:max_error=3", margin=0.02, confidence=0.95, harm=0.001, bound=0.011,
        fields=7,
    )  # fmt: skip
    coding = replace(plan.codings[0], analysis=analysis)
    plan = replace(plan, codings=(coding,))
    (channel,) = image_facts(plan, plan.images[0], certificate.rows_of(out))["channels"]
    assert channel["analysis"]["bound"] == 0.011
    assert channel["chunks_unlike_the_study"] == channel["finer_chunks"]


def test_a_run_that_finds_nothing_to_do_leaves_it_as_it_is(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    archived(source, out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    plan = read_plan(out)
    certificate.write(out, plan)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    # Interrupted while it was written.
    (out / "cytopress/certificate.json").write_text("{}")
    certificate.write(out, plan)
    assert json.loads((out / "cytopress/certificate.json").read_text())["plan"] == digest_file(
        out / "cytopress/plan.json"
    )


def test_without_jinja2_the_json_alone_is_written(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    make_plan([source], tmp_path / "out", Wanted(codec="jpegls:max_error=3", chunk=48))
    (note,) = run(tmp_path / "out").notes
    assert "JSON alone" in note
    assert "cytopress[report]" in note
    assert (tmp_path / "out/cytopress/certificate.json").is_file()
    assert not (tmp_path / "out/cytopress/certificate.html").exists()


def test_sources_that_could_not_be_read_are_counted(source: Path, tmp_path: Path) -> None:
    (source.parent / "broken.tif").write_bytes(b"II*\0nothing")
    out = tmp_path / "out"
    document = archived(source.parent, out, skip_unreadable=True)
    (sentence,) = document["left_out"]
    assert "broken.tif is left out" in sentence
    assert "left out: 1 source " in " ".join(summary(document))
    # Whoever deletes the folder would lose it.
    found = verify(out, depth="full", against=source.parent)
    assert (found.passed, found.fit) == (True, False)
    assert "broken.tif" in found.reasons[0]
