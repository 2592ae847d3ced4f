import pickle
import tracemalloc
import warnings
from pathlib import Path

import google_crc32c
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cytopress.codecs.container import container
from cytopress.codecs.container.container import Form
from cytopress.codecs.learned.codec import Learned, LearnedFamily
from cytopress.codecs.learned.entropy.range_coder import RangeEncoder
from cytopress.codecs.learned.model.networks import Networks
from cytopress.codecs.learned.model.packages import find_by_digest, learned_packages
from cytopress.codecs.registry import decode, decode_by
from cytopress.codecs.spec import codec
from cytopress.codecs.targets.encodes import Encodes
from cytopress.errors import (
    CorruptDataError,
    CytopressWarning,
    ImageError,
    PackageError,
    UnsupportedImageError,
    UsageError,
)
from cytopress.image import Image
from cytopress.models.model_package import Package, open_package, write_package
from cytopress.settings import Settings


def resealed(data: bytes, stream: bytes) -> bytes:
    """Return a container of the same header around another stream, its checksum right."""
    header, _ = container.unpack(data)
    return container.pack(header.recipe, header.form, stream, header.notes)


def hard_images() -> dict[str, Image]:
    random = np.random.default_rng(8)
    sparse = np.zeros((100, 90), np.uint16)
    sparse[50, 40] = 65_535
    hot = random.normal(0, 1, (70, 70)).astype(np.float32)
    hot[3, 3] = 3e38
    return {
        "constant": Image(np.full((33, 20), 77, np.uint8)),
        "constant float": Image(np.full((33, 20), -1.25, np.float32)),
        "1 x 1": Image(np.array([[500]], np.uint16)),
        "1 x 90": Image(random.integers(0, 4096, (1, 90)).astype(np.uint16), bits=12),
        "90 x 1": Image(random.integers(0, 256, (90, 1)).astype(np.uint8)),
        "odd": Image(random.integers(0, 256, (127, 65)).astype(np.uint8)),
        "one pixel": Image(sparse),
        "hot pixel": Image(hot),
        "wide": Image(np.linspace(-3e38, 3e38, 4000, dtype=np.float32).reshape(50, 80)),
        "tiny": Image((random.random((40, 40)) * 1e-42).astype(np.float32)),
        "noise": Image(random.integers(0, 65_536, (130, 70)).astype(np.uint16)),
    }


@pytest.mark.parametrize("name", hard_images())
def test_hard_images_code_and_decode(package: Package, name: str) -> None:
    image = hard_images()[name]
    codec = Learned(package)
    data = codec.encode(image)
    decoded = decode_by(codec, data)
    assert (decoded.shape, decoded.dtype, decoded.bits) == (image.shape, image.dtype, image.bits)
    if "constant" in name or name == "1 x 1":
        assert decoded == image
        assert len(data) < 60


def test_what_decodes_is_the_encoders_reconstruction(package: Package, cells: Image) -> None:
    # The first and second decoding of equal bytes, and the checksum inside, agree.
    codec = Learned(package)
    data = codec.encode(cells)
    assert codec.encode(cells) == data
    decoded = decode_by(codec, data)
    stream = container.unpack(data)[1]
    assert google_crc32c.value(decoded.pixels.tobytes()) == int.from_bytes(stream[10:14], "little")
    assert decoded == decode_by(codec, data)


def test_a_higher_quality_takes_more_bytes_and_errs_less(tiny: Package, cells: Image) -> None:
    sizes = [len(Learned(tiny, quality).encode(cells)) for quality in (0, 0.3, 0.31, 0.7, 1)]
    assert sizes == sorted(sizes)
    assert sizes[0] < 0.7 * sizes[-1]


def test_a_decoder_of_the_package_decodes_every_quality(tiny: Package, cells: Image) -> None:
    data = Learned(tiny, 0.9).encode(cells)
    assert decode_by(Learned(tiny, 0.1), data) == decode_by(Learned(tiny, 0.9), data)


def test_several_models_have_whole_qualities(cells: Image) -> None:
    package = open_package(Path(__file__).parent / "tiny-hyperprior.cytomodel")
    parameter = Learned(package).traits.parameter
    assert parameter is not None
    assert (parameter.least, parameter.most, parameter.integer) == (1, 2, True)
    one, two = (Learned(package, quality).encode(cells) for quality in (1, 2))
    assert one != two
    for quality in (0, 3, 1.5, True, "1"):
        with pytest.raises(UsageError, match="integer from 1 to 2"):
            Learned(package, quality)


def test_qualities_out_of_range_are_refused(tiny: Package) -> None:
    for quality in (-0.1, 1.1, float("nan"), True, "x"):
        with pytest.raises(UsageError, match="from 0 to 1"):
            Learned(tiny, quality)


def test_a_package_at_one_rate_has_no_quality_parameter() -> None:
    package = open_package(Path(__file__).parent / "tiny-factorized.cytomodel")
    assert Learned(package).traits.parameter is None
    with pytest.raises(UsageError, match="no quality"):
        Learned(package, 0.5)


def test_codecs_are_equal_by_digest_and_quality(tiny: Package, tmp_path: Path) -> None:
    copy = tmp_path / "copy.cytomodel"
    copy.write_bytes(tiny.path.read_bytes())
    assert Learned(open_package(copy), 1) == Learned(tiny, 1.0)
    assert hash(Learned(open_package(copy), 1)) == hash(Learned(tiny, 1.0))
    assert Learned(tiny, 0.5) != Learned(tiny, 0.25)
    assert pickle.loads(pickle.dumps(Learned(tiny, 0.5))) == Learned(tiny, 0.5)


def test_the_header_is_small_and_bytes_are_near_the_entropy(
    tiny: Package, cells: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    bits = 0.0
    put = RangeEncoder.encode

    def counted(self, values, rows, tables) -> None:
        nonlocal bits
        for value, row in zip(values.tolist(), rows.tolist(), strict=True):
            counts = np.diff(tables.cdf[row, : tables.size[row] + 1])
            symbol, last = value - int(tables.offset[row]), len(counts) - 1
            inside = 0 <= symbol < last
            bits += 24 - np.log2(counts[symbol if inside else last])
            if not inside:
                # As Elias' gamma code has it.
                beyond = -2 * symbol - 1 if symbol < 0 else 2 * (symbol - last)
                bits += 2 * (beyond + 1).bit_length() - 1
        put(self, values, rows, tables)

    monkeypatch.setattr(RangeEncoder, "encode", counted)
    data = Learned(tiny, 0.5).encode(cells)
    assert bits / 8 < len(data) <= 1.01 * bits / 8 + 80
    header, _ = container.unpack(data)
    assert header.header_bytes + 14 <= 80


def test_the_container_names_package_and_quality(tiny: Package, cells: Image) -> None:
    header, _ = container.unpack(Learned(tiny, 0.25).encode(cells))
    assert header.recipe.number == 32
    assert header.recipe.options == {"model": bytes.fromhex(tiny.sha256)[:8], "quality": 0.25}
    family = LearnedFamily(tiny)
    assert family.from_options(header.recipe.options) == Learned(tiny, 0.25)
    assert family.from_options({"quality": 0.25}) == Learned(tiny, 0.25)
    with pytest.raises(PackageError, match="0101010101010101"):
        family.from_options({"model": b"\1" * 8, "quality": 0.25})
    with pytest.raises(UsageError, match="speed"):
        family.from_options({"speed": 1})


def test_packages_are_found_by_digest(tiny: Package, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    other = write_package(folder / "a.cytomodel", tiny.manifest, graphs={})
    (folder / "b.cytomodel").write_bytes(b"damaged")
    settings = Settings(data=None, models=(folder,), cache=tmp_path, user_data=tmp_path / "none")
    digest = bytes.fromhex(tiny.sha256)[:8]
    with pytest.raises(PackageError, match=digest.hex()):
        find_by_digest(digest, settings)
    # Neither another package of this name nor a damaged one hides it, once it is there.
    (folder / "c.cytomodel").write_bytes(tiny.path.read_bytes())
    assert find_by_digest(digest, settings).package.path == folder / "c.cytomodel"
    assert other.name == tiny.name
    (folder / "b.cytomodel").unlink()
    assert "learned/tiny" in [package.name for package in learned_packages(settings)]
    with pytest.raises(PackageError, match=f"0202020202020202.*{folder}.*CYTOPRESS_MODELS"):
        find_by_digest(b"\2" * 8, settings)


def test_other_pixels_than_the_encoders_are_told(tiny: Package, cells: Image) -> None:
    codec = Learned(tiny)
    data = codec.encode(cells)
    stream = bytearray(container.unpack(data)[1])
    stream[10] ^= 1
    with pytest.warns(CytopressWarning, match="not exactly the encoder's"):
        decode_by(codec, resealed(data, bytes(stream)))


@pytest.mark.parametrize("options", [{"quality": 7}, {"quality": "x"}, {"speed": 3}])
def test_options_that_no_encoder_wrote_are_corrupt(
    tiny: Package, cells: Image, options: dict
) -> None:
    header, stream = container.unpack(Learned(tiny).encode(cells))
    recipe = container.Recipe(32, "", {"model": header.recipe.options["model"]} | options)
    with pytest.raises(CorruptDataError, match="options"):
        decode_by(Learned(tiny), container.pack(recipe, header.form, stream, {}))


def test_stacks_and_nan_are_refused(tiny: Package) -> None:
    with pytest.raises(UnsupportedImageError):
        Learned(tiny).encode(Image(np.zeros((2, 3, 4), np.uint8)))
    with pytest.raises(ImageError):
        Image(np.full((3, 3), np.nan, np.float32))


def restored(codec: Learned, stream: bytes, form: Form) -> None:
    """Decode what may be damaged: an image of the form promised, or corrupt data."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CytopressWarning)
        try:
            image = codec.restore(stream, form)
        except CorruptDataError:
            return
    assert image.shape == form.shape


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_stream_is_an_image_or_corrupt(
    package: Package, cells: Image, data: st.DataObject
) -> None:
    codec = Learned(package)
    stream = bytearray(codec.compress(Image(cells.pixels[:80, :70])))
    for _ in range(data.draw(st.integers(0, 6))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(stream)) | st.just(len(stream)))
    more = data.draw(st.binary(max_size=40))
    height, width = data.draw(st.tuples(st.integers(1, 200), st.integers(1, 200)))
    dtype = np.dtype(data.draw(st.sampled_from(["uint8", "uint16", "float32"])))
    form = Form("YX", (height, width), dtype, dtype.itemsize * 8)
    restored(codec, bytes(stream[:cut]) + more, form)


def peak(codec: Learned, stream: bytes, form: Form) -> int:
    """Return the most memory that arrays took while decoding."""
    tracemalloc.start()
    try:
        restored(codec, stream, form)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_damage_takes_no_more_than_twice_the_memory(tiny: Package, cells: Image) -> None:
    codec, form = Learned(tiny), Form.of(cells)
    stream = codec.compress(cells)
    whole = peak(codec, stream, form)
    random = np.random.default_rng(0)
    for _ in range(30):
        damaged = bytearray(stream)
        start = random.integers(14, len(stream))
        damaged[start : start + 40] = random.bytes(len(damaged[start : start + 40]))
        assert peak(codec, bytes(damaged), form) < 2 * whole


@settings(max_examples=100)
@given(stream=st.binary(max_size=300))
def test_any_stream_is_an_image_or_corrupt(package: Package, stream: bytes) -> None:
    form = Form("YX", (40, 90), np.dtype(np.uint16), 12)
    restored(Learned(package), stream, form)


def test_the_surface_takes_what_latents_lost_of_low_frequencies() -> None:
    """No other surface of straight lines comes nearer, but for half a step."""
    package = open_package(Path(__file__).parent / "tiny-context.cytomodel")
    y, x = np.mgrid[:64, :96]
    noise = np.random.default_rng(3).normal(0, 30, y.shape)
    light = np.rint(1000 + 3 * x + 40 * np.sin(y / 9) + noise).astype(np.uint16)
    data = Learned(package, 0.0).encode(Image(light))
    missed = light - decode_by(Learned(package), data).pixels.astype(float)
    low, high = np.percentile(light, (0.1, 99.9))
    hats = [
        np.maximum(0, 1 - np.abs(np.arange(length)[:, None] + 0.5 - 16 * np.arange(n) - 8) / 16)
        for length, n in ((64, 4), (96, 6))
    ]
    for hat in hats:
        # Outside the outermost middles a straight line goes on.
        for edge, step in ((slice(None, 8), 1), (slice(-8, None), -1)):
            place = np.arange(len(hat))[edge]
            near, next_ = (8, 24) if step > 0 else (len(hat) - 8, len(hat) - 24)
            share = (place + 0.5 - near) / (next_ - near)
            hat[edge] = 0
            hat[edge, 0 if step > 0 else -1] = 1 - share
            hat[edge, 1 if step > 0 else -2] = share
    inverse = [np.linalg.pinv(hat) for hat in hats]
    left = inverse[0] @ missed @ inverse[1].T / (high - low)
    assert np.abs(left).max() < 0.51 / 64 + 1 / (high - low)


def test_a_search_analyzes_the_image_once(
    tiny: Package, cells: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyzed: list[tuple[int, ...]] = []
    honest = Networks._analyzed

    def counting(networks: Networks, planes: list[np.ndarray]) -> np.ndarray:
        analyzed.append(planes[0].shape)
        return honest(networks, planes)

    monkeypatch.setattr(Networks, "_analyzed", counting)
    codecs = [Learned(tiny, quality) for quality in (0.2, 0.6, 0.7)]
    encodes = Encodes(cells)
    shared = [encodes.encode(codec) for codec in codecs]
    assert analyzed == [cells.shape]
    assert shared == [codec.encode(cells) for codec in codecs]
    # Outside a search nothing is kept: times of encodes are those of whole encodes.
    assert len(analyzed) == 1 + len(codecs)


@pytest.mark.filterwarnings("ignore:.*not the only model of this name")
def test_an_earlier_package_whose_name_another_has_taken(tiny: Package, tmp_path: Path) -> None:
    newer = open_package(Path(__file__).parent / "tiny-context.cytomodel")
    graphs = {
        name.removesuffix(".onnx"): newer.read(name)
        for name in newer.names()
        if name.endswith(".onnx")
    }
    arrays = {
        name.removesuffix(".npy"): newer.array(name[:-4])
        for name in newer.names()
        if name.endswith(".npy")
    }
    manifest = {**newer.manifest, "name": tiny.name}
    write_package(tmp_path / "new" / "a.cytomodel", manifest, graphs=graphs, arrays=arrays)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "b.cytomodel").write_bytes(tiny.path.read_bytes())
    folders = (tmp_path / "new", tmp_path / "old")
    both = Settings(data=None, models=folders, cache=tmp_path, user_data=tmp_path / "none")
    image = hard_images()["odd"]
    before = Learned(tiny, 0.5).encode(image)
    name = f"{tiny.name}@{tiny.sha256[:8]}"
    chosen = codec(f"{name}:quality=0.5", both)
    assert chosen.name == name
    assert chosen.solve(image).data == before
    assert codec(f"{tiny.name}:quality=0.5", both).solve(image).data != before
    pixels = decode(before, both).pixels
    np.testing.assert_array_equal(pixels, decode_by(Learned(tiny), before).pixels)
