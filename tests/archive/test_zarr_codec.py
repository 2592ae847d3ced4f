import json
import pickle
import threading
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import example, given, settings
from hypothesis import strategies as st
from zarr.core.sync import sync
from zarr.storage import LocalStore, MemoryStore

import cytopress
from archive.conftest import written
from cytopress.archive.codec_configuration import chunk_coding
from cytopress.archive.zarr_codec import CytopressCodec
from cytopress.codecs.adapters.jpegls import JpegLS
from cytopress.codecs.learned.codec import Learned
from cytopress.errors import (
    CorruptDataError,
    CytopressError,
    LimitError,
    UnsupportedImageError,
    UsageError,
)
from cytopress.settings import from_environment

LOSSLESS = CytopressCodec.from_spec("jpegls", bits=12)
PLACES = pytest.mark.parametrize("shard", [None, 64], ids=["plain", "sharded"])
ROOT = Path(__file__).parents[2]


def chunks_of(store: MemoryStore) -> dict[str, bytes]:
    return {
        key: value.to_bytes() for key, value in store._store_dict.items() if key.startswith("c/")
    }


def replaced(store: MemoryStore, key: str, data: bytes) -> None:
    sync(store.set(key, zarr.core.buffer.default_buffer_prototype().buffer.from_bytes(data)))


@PLACES
def test_pixels_come_back(cells: np.ndarray, shard: int | None) -> None:
    store = written(cells, LOSSLESS, shard=shard)
    array = zarr.open_array(store, mode="r")
    np.testing.assert_array_equal(array[:], cells)
    np.testing.assert_array_equal(array[0, 0, 0, 5:70, 40:41], cells[0, 0, 0, 5:70, 40:41])


def test_the_entry_point_loads_the_codec() -> None:
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    module, _, name = points["zarr.codecs"]["cytopress"].partition(":")
    assert getattr(import_module(module), name) is CytopressCodec
    assert CytopressCodec.from_spec("png").to_dict()["name"] == "cytopress"


def test_a_chunk_is_a_container_of_what_is_not_fill(cells: np.ndarray) -> None:
    store = written(cells, LOSSLESS, chunk=64)
    corner = cytopress.decode(chunks_of(store)["c/0/0/0/1/1"])
    # 100 x 90 pixels in chunks of 64 x 64: the last has 36 x 26 of them.
    np.testing.assert_array_equal(corner.pixels, cells[0, 0, 0, 64:, 64:])
    assert corner.bits == 12


@PLACES
def test_partial_reads_decode_only_the_chunks_touched(
    cells: np.ndarray, shard: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = zarr.open_array(written(cells, LOSSLESS, shard=shard), mode="r")
    decoded: list[int] = []
    once = JpegLS.decompress

    def counted(self: JpegLS, stream: bytes, form: object) -> np.ndarray:
        decoded.append(len(stream))
        return once(self, stream, form)

    monkeypatch.setattr(JpegLS, "decompress", counted)
    array[0, 0, 0, 3:9, 3:9]
    assert len(decoded) == 1
    array[0, 0, 0, 30:34, :10]
    assert len(decoded) == 3
    array[:]
    assert len(decoded) == 3 + 12


@pytest.mark.parametrize("spec", ["jpegls", "jpegxl:distance=1", "avif:quality=60"])
def test_fill_values_at_the_end_are_exact_under_any_codec(spec: str) -> None:
    pixels = np.full((1, 70, 60), 7, np.uint16)
    pixels[0, :40, :25] = np.arange(1000).reshape(40, 25) + 100
    codec = CytopressCodec.from_spec(spec, limits=(0, 4095), bits=12)
    store = written(pixels, codec, chunk=64, fill=7)
    with zarr.config.set({"array.write_empty_chunks": True}):
        store = written(pixels, codec, chunk=32, fill=7)
    assert len(chunks_of(store)) == 6
    back = zarr.open_array(store, mode="r")[:]
    np.testing.assert_array_equal(back[0, 40:], 7)
    np.testing.assert_array_equal(back[0, :, 25:], 7)
    # Of a lossy codec, errors of the pixels that it coded.
    assert np.abs(back.astype(int) - pixels).max() < 200


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("fill", [0, 9])
@PLACES
def test_chunks_of_nothing_but_fill_are_written_and_exact(
    dtype: type, fill: int, shard: int | None
) -> None:
    pixels = np.full((64, 64), fill, dtype)
    codec = CytopressCodec.from_spec("learned/cytopress-2d:quality=0.2", limits=(50, 200))
    with zarr.config.set({"array.write_empty_chunks": True}):
        store = written(pixels, codec, shard=shard, fill=fill)
    assert len(chunks_of(store)) == (4 if shard is None else 1)
    back = zarr.open_array(store, mode="r", fill_value=fill)[:]
    np.testing.assert_array_equal(back, pixels)
    assert back.dtype == dtype


def test_a_fill_value_that_is_no_number_needs_no_chunk() -> None:
    pixels = np.full((64, 64), np.nan, np.float32)
    pixels[:3, :3] = 1
    codec = CytopressCodec.from_spec("zstd")
    with zarr.config.set({"array.write_empty_chunks": True}):
        store = written(pixels, codec, fill=np.nan)
    assert list(chunks_of(store)) == ["c/0/0"]
    np.testing.assert_array_equal(zarr.open_array(store, mode="r")[:], pixels)
    with pytest.raises(cytopress.image.ImageError, match="NaN"):
        zarr.open_array(store)[3, 3] = 5


@pytest.mark.parametrize("chunk", [(1, 1, 4, 16, 16), (1, 4, 16, 16), (4, 16, 16)])
def test_stacks_are_coded_whole_or_by_plane(chunk: tuple[int, ...]) -> None:
    random = np.random.default_rng(2)
    shape = tuple(n if n == 1 else n + 2 for n in chunk)
    pixels = random.integers(1, 200, shape, np.uint8)
    for spec in ("zstd", "jpegls"):
        store = written(pixels, CytopressCodec.from_spec(spec), chunk=chunk)
        np.testing.assert_array_equal(zarr.open_array(store, mode="r")[:], pixels)
    coded = cytopress.decode(chunks_of(store)["c" + "/0" * len(chunk)])
    assert coded.axes == "ZYX"


def test_a_volume_codec_takes_a_single_plane_as_a_stack() -> None:
    pixels = np.random.default_rng(0).integers(0, 200, (1, 1, 16, 16), np.uint8)
    codec = CytopressCodec.from_spec("learned/cytopress-3d:quality=0.8", limits=(0, 200))
    store = written(pixels, codec)
    assert zarr.open_array(store, mode="r")[:].shape == pixels.shape
    assert cytopress.decode(chunks_of(store)["c/0/0/0/0"]).axes == "ZYX"


def test_big_endian_chunks_in_memory(cells: np.ndarray) -> None:
    store = written(cells.astype(">u2"), LOSSLESS)
    np.testing.assert_array_equal(zarr.open_array(store, mode="r")[:], cells)


@PLACES
def test_a_flipped_bit_in_any_byte_and_every_cut_is_noticed(shard: int | None) -> None:
    pixels = np.random.default_rng(0).integers(100, 200, (32, 32), np.uint8)
    pixels[:] = pixels[:1]
    store = written(pixels, CytopressCodec.from_spec("zstd"), shard=None if shard is None else 32)
    (key, whole), *_ = chunks_of(store).items()
    array = zarr.open_array(store, mode="r")
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        replaced(store, key, bytes(damaged))
        with pytest.raises(ValueError):
            array[:]
    for length in range(1, len(whole), 7):
        replaced(store, key, whole[:length])
        with pytest.raises((ValueError, AssertionError)):
            array[:]


def test_a_chunk_of_another_array_is_refused_before_it_is_decoded(cells: np.ndarray) -> None:
    store = written(cells, LOSSLESS, chunk=32)
    for other in (
        written(cells.astype(np.float32), CytopressCodec.from_spec("zstd")),
        written(cells, LOSSLESS, chunk=40),
        written(np.repeat(cells, 3, axis=2), LOSSLESS, chunk=(1, 1, 3, 32, 32)),
    ):
        data = chunks_of(other)["c/0/0/0/0/0"]
        replaced(store, "c/0/0/0/0/0", data)
        with pytest.raises(CorruptDataError, match="do not fit the array's chunks, 1 x 1 x 1 x 32"):
            zarr.open_array(store, mode="r")[:]


def test_a_chunk_that_claims_to_be_huge_is_refused_at_once(cells: np.ndarray) -> None:
    from cytopress.codecs.container import container

    store = written(cells, LOSSLESS)
    header, stream = container.unpack(chunks_of(store)["c/0/0/0/0/0"])
    form = container.Form("YX", (2**18, 2**18), header.form.dtype, 12)
    replaced(store, "c/0/0/0/0/0", container.pack(header.recipe, form, stream, {}))
    began = time.perf_counter()
    with pytest.raises(CorruptDataError, match="262144 x 262144 pixels of uint16"):
        zarr.open_array(store, mode="r")[:]
    assert time.perf_counter() - began < 5


@PLACES
@pytest.mark.parametrize("dtype", ["int64", "uint64", "float16", "bool"])
def test_a_dtype_that_no_codec_takes_is_refused_at_creation(dtype: str, shard: int | None) -> None:
    store = MemoryStore()
    with pytest.raises(UnsupportedImageError, match=f"uint32 or float64, not {dtype}: convert"):
        written(np.zeros((64, 64), dtype), LOSSLESS, store=store, shard=shard)
    assert not store._store_dict


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "uint32", "float64"])
def test_labels_and_signed_counts_are_coded_losslessly(dtype: str) -> None:
    pixels = (np.arange(70 * 40).reshape(70, 40) - 900 * (dtype != "uint32")).astype(dtype)
    store = written(pixels, CytopressCodec.from_spec("zstd"), shard=64)
    np.testing.assert_array_equal(zarr.open_array(store, mode="r")[:], pixels)
    with pytest.raises(UnsupportedImageError, match=f"not {dtype}"):
        written(pixels, CytopressCodec.from_spec("jpegxl:distance=1"))


@PLACES
def test_a_dtype_that_this_codec_does_not_take_is_refused_at_creation(shard: int | None) -> None:
    with pytest.raises(UnsupportedImageError, match="uint8, uint16, not float32; zstd codes"):
        written(np.zeros((64, 64), np.float32), CytopressCodec.from_spec("jpegls"), shard=shard)


@pytest.mark.parametrize("chunk", [(2, 1, 3, 32, 32), (2, 1, 1, 8, 8)])
def test_a_chunk_that_is_no_plane_or_stack_is_refused(chunk: tuple[int, ...]) -> None:
    with pytest.raises(UnsupportedImageError, match="chunks of one plane or one stack"):
        written(np.zeros((2, 1, 3, 64, 64), np.uint8), CytopressCodec.from_spec("png"), chunk=chunk)
    with pytest.raises(UnsupportedImageError, match="chunks of one plane or one stack"):
        zarr.create_array(
            MemoryStore(),
            shape=(64,),
            chunks=(8,),
            dtype="uint8",
            serializer=CytopressCodec.from_spec("png"),
            compressors=None,
        )


@pytest.mark.parametrize(
    ("spec", "options", "sentence"),
    [
        ("jpegxl:ratio=50", {}, "each chunk would search for its own ratio; give distance"),
        ("jpegls:max_error=4", {}, "give near"),
        ("anscombe-jpegxl:qstep=1", {}, "chunks need the noise model of their field"),
        ("jpegxl:distance=1", {"limits": (5, 5)}, "limits are two numbers"),
        ("jpegxl:distance=1", {"bits": 33}, "bits must be 1 to 32"),
        ("nothing", {}, "There is no codec named 'nothing'"),
    ],
)
def test_a_setting_that_chunks_cannot_share_is_refused(
    spec: str, options: dict, sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        CytopressCodec.from_spec(spec, **options)


def test_what_is_given_is_in_the_metadata(cells: np.ndarray) -> None:
    noise = cytopress.metrics.noise.NoiseModel(0.5, 9.5, 100)
    codec = CytopressCodec.from_spec(
        "anscombe-jpegxl:qstep=1", limits=(96, 4011), noise=noise, bits=12
    )
    store = written(cells, codec)
    document = json.loads(store._store_dict["zarr.json"].to_bytes())
    assert document["codecs"] == [
        {
            "name": "cytopress",
            "configuration": {
                "format": 1,
                "codec": "anscombe-jpegxl:qstep=1",
                "lossless": False,
                "limits": [96.0, 4011.0],
                "noise": {"a": 0.5, "b": 9.5, "offset": 100},
                "bits": 12,
            },
        }
    ]
    # An array that is opened again codes as the one that was made.
    before = chunks_of(store)
    zarr.open_array(store)[...] = cells
    assert chunks_of(store) == before
    notes = cytopress.codecs.container.container.unpack(before["c/0/0/0/0/0"])[0].recipe.options
    assert (notes["a"], notes["b"], notes["offset"]) == (0.5, 9.5, 100)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)


@settings(max_examples=40)
@given(
    st.dictionaries(
        st.sampled_from(["format", "codec", "limits", "noise", "bits", "models", "x"]), JSON
    )
    | JSON
)
def test_metadata_of_any_kind_can_be_opened_and_are_kept(configuration: object) -> None:
    document = {"name": "cytopress", "configuration": configuration, "must_understand": True}
    codec = CytopressCodec.from_dict(document)
    assert codec.to_dict() == document
    assert codec == CytopressCodec.from_dict(codec.to_dict())
    assert hash(codec) == hash(pickle.loads(pickle.dumps(codec)))
    assert "CytopressCodec" in repr(codec)


@example({"format": 1, "codec": "jpegxl:distance=1", "limits": [0, 10**400]})
@settings(max_examples=60)
@given(
    st.fixed_dictionaries(
        {"format": st.just(1), "codec": st.just("jpegxl:distance=1") | JSON},
        optional=dict.fromkeys(["limits", "noise", "bits", "models", "lossless"], JSON),
    )
)
def test_metadata_that_make_no_sense_are_a_sentence_when_chunks_are_coded(
    configuration: dict,
) -> None:
    document = {"name": "cytopress", "configuration": configuration}
    with suppress(CytopressError):
        assert chunk_coding(json.dumps(document)).request.name == "jpegxl"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": 3}, "format 3 .* this version reads formats 1 and 2; update cytopress"),
        ({"format": None}, "coded with format None"),
        ({"format": 1, "new": [1]}, ""),
        ({"codec": 7}, ""),
    ],
)
def test_an_array_of_a_later_version_opens_and_decoding_says_why_not(
    cells: np.ndarray, change: dict, sentence: str
) -> None:
    store = written(cells, LOSSLESS)
    document = json.loads(store._store_dict["zarr.json"].to_bytes())
    document["codecs"][0]["configuration"] |= change
    replaced(store, "zarr.json", json.dumps(document).encode())
    array = zarr.open_array(store)
    assert array.shape == cells.shape
    array.attrs["note"] = "kept"
    after = json.loads(store._store_dict["zarr.json"].to_bytes())
    assert after["codecs"] == document["codecs"]
    if sentence:
        with pytest.raises(UsageError, match=sentence):
            array[:]
    else:
        np.testing.assert_array_equal(array[:], cells)


@PLACES
def test_each_chunk_may_have_a_setting_of_its_own(cells: np.ndarray, shard: int | None) -> None:
    learned = CytopressCodec.from_spec("learned/cytopress-2d:quality=0.4", limits=(300, 1500))
    both = CytopressCodec.per_chunk([LOSSLESS, learned])
    configuration = both.to_dict()["configuration"]
    assert configuration["codec"] == "per chunk"
    assert not configuration["lossless"]
    assert configuration["models"] == learned.to_dict()["configuration"]["models"]
    pixels = np.concatenate([cells, cells], axis=1)
    empty = np.zeros_like(pixels)
    store = written(empty, both, shard=shard)
    # As a writer does: the codec is another in memory, and stays as it is in the store.
    array = zarr.open_array(store)
    for channel, codec in enumerate((LOSSLESS, learned)):
        (outer,) = array.metadata.codecs
        inner = codec if shard is None else replace(outer, codecs=(codec,))
        metadata = replace(array.metadata, codecs=(inner,))
        writer = zarr.Array(zarr.AsyncArray(metadata=metadata, store_path=array.store_path))
        writer[:, channel] = cells[:, 0]
    found = zarr.open_array(store, mode="r")
    assert found.metadata.codecs == array.metadata.codecs
    np.testing.assert_array_equal(found[:, 0], cells[:, 0])
    error = found[:, 1].astype(int) - cells[:, 0]
    assert 0 < np.abs(error).max() < 150
    with pytest.raises(UsageError, match="names no codec for its chunks, but 'per chunk'"):
        array[:] = 5


def test_a_chunk_larger_than_the_limit_is_not_read(
    cells: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = written(cells, LOSSLESS)
    settings = replace(from_environment(), max_bytes=2000)
    monkeypatch.setattr("cytopress.archive.chunk_decoding.from_environment", lambda: settings)
    with pytest.raises(LimitError, match="has 2048 bytes, and the limit is 2000"):
        zarr.open_array(store, mode="r")[:]


def test_few_learned_codecs_work_at_once(
    cells: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = CytopressCodec.from_spec("learned/cytopress-2d:quality=0.3", limits=(300, 1500))
    store = written(cells, codec, chunk=32)
    lock, at_work, most = threading.Lock(), 0, []

    def slow(self: Learned, stream: bytes, form: object) -> np.ndarray:
        nonlocal at_work
        with lock:
            at_work += 1
            most.append(at_work)
        time.sleep(0.01)
        with lock:
            at_work -= 1
        return np.zeros(form.shape, form.dtype)

    monkeypatch.setattr(Learned, "decompress", slow)
    one, other = (zarr.open_array(store, mode="r") for _ in range(2))
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda array: array[:], [one, other, one, other]))
    assert len(most) == 4 * 12
    assert max(most) == 2


def test_threads_and_processes_read_the_same(cells: np.ndarray, tmp_path: Path) -> None:
    store = written(cells, LOSSLESS, store=LocalStore(tmp_path), shard=64)
    array = zarr.open_array(store, mode="r")
    with ThreadPoolExecutor(4) as threads:
        for found in threads.map(lambda _: array[:], range(8)):
            np.testing.assert_array_equal(found, cells)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(array))[:], cells)
