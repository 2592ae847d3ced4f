"""The fuzzer of streams, for a moment; by hand it runs as long as it is told to."""

import subprocess
import sys
from pathlib import Path

import pytest

FUZZER = Path(__file__).parents[1] / "fuzz_streams.py"


@pytest.mark.skipif(sys.platform != "linux", reason="needs limits of memory")
def test_crafted_streams_are_refused_or_decoded() -> None:
    command = [sys.executable, str(FUZZER), "--seconds", "900", "--most", "50", "--seed", "1"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
    assert ended.stdout.count(" 50 streams") > 20
