"""Contracts of archives, each with the tests that hold it; some of these tests are here."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

from cytopress.archive.plan import Plan
from cytopress.archive.planning import make_plan
from cytopress.archive.run import run
from cytopress.archive.wanted import Readers, Wanted
from cytopress.codecs.spec import codec
from cytopress.image import Image
from fakes.archives import in_this_process, write_fields

pytest.importorskip("yaozarrs")
CONTRACTS = {
    "rounded pixels open in tensorstore": (
        "test_readers: test_everyone_reads_without_cytopress",
        "test_contracts: test_the_ladder_in_tensorstore",
    ),
    "other codecs are refused by name": ("test_contracts: test_the_ladder_in_tensorstore",),
    "a flipped bit is found": (
        "test_zarr_codec: test_a_flipped_bit_in_any_byte_and_every_cut_is_noticed",
        "test_verify: test_damage_is_found",
    ),
    "a lost, swapped or truncated shard is found": (
        "test_verify: test_damage_is_found",
        "test_archive: test_a_damaged_archive_is_not_exported",
    ),
    "kill -9 of a worker and of the client change no byte": (
        "test_run: test_kills_of_a_worker_and_of_the_client_change_no_byte",
        "test_whole_dataset: test_processes",
        "test_whole_dataset: test_a_scheduler",
        "test_whole_dataset: test_parts",
        "test_whole_dataset: test_a_bucket",
    ),
    "edge chunks are cropped and come back": (
        "test_edge_chunks: test_a_cropped_chunk_comes_back",
        "test_zarr_codec: test_a_chunk_is_a_container_of_what_is_not_fill",
        "test_zarr_codec: test_fill_values_at_the_end_are_exact_under_any_codec",
    ),
    "chunks cost within 10 % of the whole image": (
        "test_contracts: test_chunks_cost_about_what_the_whole_image_does",
    ),
    "a missing model is one sentence through bioio": (
        "test_models: test_a_missing_model_is_one_sentence_with_the_command_that_helps",
        "test_models: test_readers_open_the_image_and_pass_the_sentence_on",
    ),
    "a shard of zeros is written": (
        "test_zarr_codec: test_chunks_of_nothing_but_fill_are_written_and_exact",
        "test_contracts: test_a_shard_of_zeros_is_a_file",
    ),
    "each channel may have its codec": (
        "test_zarr_codec: test_each_chunk_may_have_a_setting_of_its_own",
        "test_archive: test_channels_have_codecs_of_their_own",
    ),
    "two runs at once are refused": (
        "test_archive: test_wrong_use_is_one_sentence_and_writes_nothing",
        "test_run: test_no_run_beside_one_that_divides_in_another_way",
        "test_bucket: test_a_lock_is_held_given_back_and_taken_from_the_dead",
    ),
}


@pytest.mark.parametrize("tests", CONTRACTS.values(), ids=CONTRACTS.keys())
def test_every_contract_has_its_tests(tests: tuple[str, ...]) -> None:
    for test in tests:
        module, _, name = test.partition(": ")
        tree = ast.parse((Path(__file__).parent / f"{module}.py").read_text(encoding="utf-8"))
        assert name in {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}, test


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cytopress.archive.run.run_tasks", in_this_process)


@pytest.mark.parametrize("readers", ["everyone", "fiji", "cytopress"])
def test_the_ladder_in_tensorstore(tmp_path: Path, readers: Readers) -> None:
    tensorstore = pytest.importorskip("tensorstore")
    spec = "jpegls:max_error=4" if readers == "cytopress" else "round-zstd:max_error=4"
    source = write_fields(tmp_path / "in", 1)
    make_plan([source], tmp_path / "out", Wanted(codec=spec, readers=readers, chunk=64))
    assert run(tmp_path / "out").complete
    (image,) = (tmp_path / "out").glob("*.ome.zarr")
    place = {"driver": "zarr3", "kvstore": f"file://{image}/0/"}
    if readers == "cytopress":
        with pytest.raises(ValueError, match='"cytopress" is not registered'):
            tensorstore.open(place).result()
        return
    array = tensorstore.open(place).result()
    import tifffile

    (path,) = source.iterdir()
    found = array[0, :, 0].read().result().astype(int)
    assert 0 < np.abs(found - tifffile.imread(path)).max() <= 4
    # A flipped bit is an error, not another picture.
    shard = next(one for one in (image / "0/c").rglob("*") if one.is_file())
    data = bytearray(shard.read_bytes())
    data[len(data) // 3] ^= 1
    shard.write_bytes(data)
    with pytest.raises(ValueError, match=r"(?i)digest|checksum|corrupt|decod"):
        tensorstore.open(place).result().read().result()


def cells(edges: tuple[int, int]) -> np.ndarray:
    """Return 12-bit counts of round cells on a dark ground, of noise as a camera's."""
    y, x = np.mgrid[: edges[0], : edges[1]]
    light = 150 + 2500 * (np.sin(x / 17) * np.cos(y / 13)).clip(0) ** 2
    # Cells of some parts alone, so that chunks have ranges of their own.
    light = np.where((y // 300 + x // 400) % 2, light, 150 + (light - 150) / 20)
    return np.random.default_rng(0).poisson(light).clip(1, 4095).astype(np.uint16)


@pytest.mark.parametrize(
    ("spec", "chunk", "edges"),
    [
        ("learned/cytopress-2d:quality=0.5", 512, (1024, 1024)),
        ("jpegxl:distance=4", 1024, (1024, 2048)),
        ("avif:quality=60", 1024, (1024, 2048)),
    ],
)
def test_chunks_cost_about_what_the_whole_image_does(
    tmp_path: Path, spec: str, chunk: int, edges: tuple[int, int]
) -> None:
    import tifffile

    pixels = cells(edges)
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    plan, _ = make_plan([tmp_path / "a.tif"], tmp_path / "out", Wanted(codec=spec, chunk=chunk))
    result = run(tmp_path / "out")
    assert result.complete
    chunks = sum(row["coded_bytes"] for key, row in result.rows.items() if "zarr/0/" in key)
    whole = len(codec(_solved(plan)).encode(Image(pixels, bits=16)))
    assert chunks == pytest.approx(whole, rel=0.1)


def _solved(plan: Plan) -> str:
    (coding,) = plan.codings
    return coding.spec


def test_a_shard_of_zeros_is_a_file(tmp_path: Path) -> None:
    """Else a lost one could not be told from black."""
    import tifffile

    tifffile.imwrite(tmp_path / "a.tif", np.zeros((90, 80), np.uint16))
    make_plan([tmp_path / "a.tif"], tmp_path / "out", Wanted(codec="jpegls:max_error=3"))
    assert run(tmp_path / "out").complete
    (shard,) = (one for one in (tmp_path / "out/a.ome.zarr/0/c").rglob("*") if one.is_file())
    assert shard.stat().st_size > 0
