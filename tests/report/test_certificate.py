"""The page of a certificate: what it says in plain words, and that it is self-contained."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cytopress.image import Image
from cytopress.report.certificate import WorstChunk, certificate_page, promise_text

pytest.importorskip("jinja2", reason="reports need the extra report")
ERROR = {"max": 13.0, "rmse": 1.5, "bias": -0.01, "psnr": 44.0, "data_range": 244.0}
WORST = {"image": "a b.ome.zarr", "at": [0, 0, 3, 512, 0], "max": 11.0, "rmse": 1.6}


def promise(kind: str, chunk: float, shard: float | None = None) -> dict[str, Any]:
    return {"kind": kind, "chunk": chunk, "shard": shard, "data_range": 240.0}


def document(**changed: Any) -> dict[str, Any]:
    channel = {
        "label": "<b>DNA", "codec": "jpegxl:distance=2", "asked": "jpegxl:sigma=0.5",
        "promise": promise("sigma", 0.63, 0.525), "ratio": 7.03, "error": ERROR,
        "worst_chunk": WORST, "chunks": 1016, "finer_chunks": 12,
    }  # fmt: skip
    source = {"name": "a b.tif", "scene": 0, "bytes": 12345, "changed": "2026-01-02T03:04:05+00:00"}
    return {
        "when": "2026-02-03T04:05:06+00:00", "software": "cytopress 1", "readers": "cytopress",
        "versions": {"python": "3.11"}, "processor": "a processor", "plan": "0" * 64,
        "ledger_sha256": "1" * 64, "lossy": True, "ever_lossy": True, "second_generation": 0,
        "history": [], "left_out": [], "exact_decoding": True, "raw_bytes": 7_030_000,
        "coded_bytes": 10**6, "stored_bytes": 13 * 10**5, "models": [],
        "checked": {"shards": 4, "read_back": 4},
        "channels": [channel], "verified": None,
        "images": {"a b.ome.zarr": {"source": source, "channels": [channel]}},
    } | changed  # fmt: skip


def verified(**changed: Any) -> dict[str, Any]:
    return {
        "when": "2026-02-04T04:05:06+00:00", "passed": True, "fit_to_delete_sources": True,
        "reasons": [], "metadata_compared": "sizes", "statement": "", "failures": 0,
    } | changed  # fmt: skip


def page(chunks: list[WorstChunk] | None = None, **changed: Any) -> str:
    return certificate_page(document(**changed), name="my <store>", chunks=chunks or [])


def words(text: str) -> str:
    """Return the text of a page without its tags, on one line."""
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]*>", " ", text, flags=re.DOTALL).split())


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (None, "Every pixel is kept exactly."),
        (promise("max_error", 4), "No pixel differs by more than 4 counts."),
        (
            promise("psnr", 43, 44.7),
            "PSNR of every field at least 44.7 dB, of a single chunk at least 43 dB,"  # noqa: ISC004
            " over a range of 240 counts.",
        ),
        (
            promise("sigma", 0.63, 0.525),
            "Error (RMSE) of every field at most 0.525 times the noise of the camera,"  # noqa: ISC004
            " of a single chunk at most 0.63 times the noise of the camera.",
        ),
        (promise("rmse", 2.5), "Error (RMSE) of every single chunk at most 2.5 counts."),
    ],
)
def test_promises_in_plain_words(given: dict | None, sentence: str) -> None:
    assert promise_text({"promise": given}) == sentence


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (None, "May the originals be deleted? Not yet."),
        (verified(), "May the originals be deleted? Yes, as far as this archive is concerned."),
        (
            verified(fit_to_delete_sources=False, reasons=["a model is missing"]),
            "What stands against deleting them: a model is missing",
        ),
        (
            verified(passed=False, fit_to_delete_sources=False, failures=3),
            "May the originals be deleted? No. The verification of 2026-02-04 04:05 UTC failed at",
        ),
    ],
)
def test_the_ruling(given: dict | None, sentence: str) -> None:
    found = words(page(verified=given))
    assert sentence in found
    assert found.count("May the originals be deleted?") == 1


def test_what_it_says() -> None:
    history = [{"method": "JPEG in TIFF", "lossy": None, "images": 2}]
    found = words(page(history=history, second_generation=2, exact_decoding=False))
    assert "12 chunks of 1,016 would have broken the promise" in found
    assert "2 images had been coded with loss before, or may have been" in found
    assert "JPEG in TIFF, which may have lost something (2 images)" in found
    assert "another processor may decode a pixel that differs by one count" in found
    assert "sha256sum -c --quiet SHA256SUMS" in found
    assert "Signature" in found
    assert "1 source could not be read" in words(page(left_out=["b.tif is left out: damaged."]))
    one = words(page(checked={"shards": 1, "read_back": 1}))
    assert "The one shard was decoded again when written" in one
    assert "1 image and its source" in one
    exact = words(page(lossy=False, ever_lossy=False))
    assert "No: every pixel of every image is exactly as it was in its source." in exact


def test_an_earlier_loss_is_told_with_its_errors() -> None:
    error = {"max": 47.0, "rmse": 9.841}
    past = {"method": "cytopress: jpegls:near=47", "lossy": True, "images": 3, "error": error}
    found = words(page(history=[past], second_generation=3))
    assert "may have been: this loss comes on top of that one. The errors on this page" in found
    assert "with loss (3 images; against their sources RMSE up to 9.84 counts, largest" in found
    assert "largest error 47)." in found


def test_a_channel_without_a_name() -> None:
    channel = document()["channels"][0] | {"label": ""}
    assert "unnamed channel jpegxl:sigma=0.5" in words(page(channels=[channel]))


def test_a_study_and_its_bound() -> None:
    analysis = {
        "study": "cells", "task": "labelfree", "metric": "pearson", "dataset": "plates",
        "fields": 7, "harm": 0.001, "bound": 0.011, "margin": 0.02, "confidence": 0.95,
    }  # fmt: skip
    channel = document()["channels"][0] | {"analysis": analysis, "chunks_unlike_the_study": 2}
    found = words(page(channels=[channel]))
    assert "with 95 % confidence by no more than 0.011; the margin is 0.020" in found
    assert "2 chunks of this archive had larger errors than any that the study saw" in found


def test_it_is_self_contained_and_escapes_names() -> None:
    random = np.random.default_rng(0)
    before = Image(random.integers(0, 200, (64, 48), np.uint8), spacing_um=(0.5, 0.5))
    after = Image((before.pixels + 2).astype(np.uint8))
    found = page([WorstChunk(0, before, after)])
    assert len(re.findall(r'<img src="data:image/png;base64,', found)) == 3
    assert not re.findall(r"(?:src|href)=\"(?!data:)", found)
    assert "<b>DNA" not in found
    assert "my <store>" not in found
    assert "a b.ome.zarr, z 3, row 512, column 0" in words(found)


@pytest.mark.browser
def test_it_fits_a_phone_and_a_screen(browser: Any, tmp_path: Path) -> None:
    long = document()["channels"][0] | {
        "asked": "learned/cytopress-2d:quality=0.123456", "codec": "per chunk:" + "x" * 60,
    }  # fmt: skip
    path = tmp_path / "certificate.html"
    path.write_text(page(channels=[long] * 3), encoding="utf-8")
    for width in (420, 900, 1400):
        view = browser.new_page(viewport={"width": width, "height": 900})
        view.goto(path.as_uri())
        assert view.evaluate("document.documentElement.scrollWidth") <= width
        # A column that has to be scrolled to is not on paper.
        hidden = "all => all.some(one => one.scrollWidth > one.clientWidth)"
        tables = ".scroll" if width > 420 else "#channels .scroll"
        assert not view.eval_on_selector_all(tables, hidden)
        view.close()
