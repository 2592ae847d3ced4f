"""Encoders of format 2 write the same bytes on every machine and by every numpy."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.both_numpy

HERE = Path(__file__).parent
FOUND = importlib.util.spec_from_file_location("make_exact_digests", HERE / "make_exact_digests.py")
assert FOUND is not None
assert FOUND.loader is not None
make = importlib.util.module_from_spec(FOUND)
FOUND.loader.exec_module(make)


def test_bytes_and_pixels_have_the_digests_that_another_numpy_made() -> None:
    assert dict(make.digests()) == json.loads(make.FILE.read_text(encoding="utf-8"))
