"""The fuzzer of streams, for a moment: `tests/fuzz_streams.py` runs as long as it is told to."""

import runpy
import sys
from pathlib import Path

import pytest

FUZZER = runpy.run_path(str(Path(__file__).parents[1] / "fuzz_streams.py"), run_name="fuzzer")


@pytest.mark.skipif(sys.platform != "linux", reason="needs limits of memory")
@pytest.mark.parametrize("name", sorted(FUZZER["codecs"]()))
def test_crafted_streams_are_refused_or_decoded(name: str) -> None:
    if name.startswith(("hevc", "av1")):
        pytest.importorskip("av")
    counts = FUZZER["fuzz"](name, 60, 1, most=50)
    assert sum(counts.values()) > 0
    assert FUZZER["failures"](name, counts) == []
