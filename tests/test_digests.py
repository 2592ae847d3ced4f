import hashlib
from pathlib import Path

import numpy as np

from cytopress.digests import (
    digest_image,
    digest_json,
    digest_labels,
    digest_path,
    digest_paths,
    digest_pixels,
)
from cytopress.image import Image

PIXELS = np.arange(12, dtype=np.uint16).reshape(3, 4)


def test_frozen_digests() -> None:
    """A change here makes every study run again, so it must be meant."""
    assert digest_image(Image(PIXELS, bits=12, spacing_um=(0.5, 0.25))) == (
        "6812e20fbec27fd3608c0febacf8fff59decc0185390c452075ebe9b9eebf939"
    )
    assert digest_labels(PIXELS) == (
        "0c219c407a9dbc0512fa1fe818093bc0acec4d5d6ed894bfeb708dd08af8150c"
    )
    assert digest_json({"b": [1, 2.5, None, "é"], "a": True}) == (
        "9c4bfd7a7a37f79a4cc84517bc1a568ada4dd69609e566813b0e51f5507ef70c"
    )
    assert digest_pixels(PIXELS.astype(">u2")) == hashlib.sha256(PIXELS.tobytes()).hexdigest()


def test_equal_pixels_have_equal_digests_and_meaning_counts() -> None:
    digest = digest_image(Image(PIXELS, bits=12, name="a"))
    assert digest == digest_image(Image(PIXELS.astype(">u2"), bits=12, name="b"))
    others = [
        Image(PIXELS, bits=13),
        Image(PIXELS.reshape(4, 3), bits=12),
        Image(PIXELS.reshape(1, 3, 4), bits=12),
        Image(PIXELS, bits=12, spacing_um=(0.5, 0.5)),
        Image(PIXELS.astype(np.float32)),
        Image(PIXELS + 1, bits=12),
    ]
    assert len({digest, *map(digest_image, others)}) == len(others) + 1


def test_labels_are_the_same_in_any_integer_type() -> None:
    assert digest_labels(PIXELS) == digest_labels(PIXELS.astype(np.int64))
    assert digest_labels(PIXELS) != digest_labels(PIXELS.reshape(4, 3))


def test_files_count_by_content_alone(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for path, data in {tmp_path / "one": b"1", folder / "b": b"2", folder / "a": b"3"}.items():
        path.write_bytes(data)
    digest = digest_paths([tmp_path / "one", folder])
    assert digest == "187ef2e2f96b6c50301b32edda0a65d7a9df3f7bd5c801aa93bbbce008f432a4"
    assert digest_path(tmp_path / "one") == hashlib.sha256(b"1").hexdigest()
    (tmp_path / "one").rename(tmp_path / "two")
    assert digest_paths([folder, tmp_path / "two"]) == digest
