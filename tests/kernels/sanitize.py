"""The native tests and a fuzz loop over streams, with AddressSanitizer and UBSan.

    python tests/kernels/sanitize.py [SECONDS]      60 unless told; by hand 600

Compiles the extension into a copy of the package, so that no other process loads it. Any error that
a sanitizer finds ends the run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
FLAGS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1", "-g")
TESTS = (
    "tests/kernels/test_convolution.py",
    "tests/kernels/test_lapped_transform.py",
    "tests/kernels/test_block_matrices.py",
    "tests/kernels/test_places.py",
    "tests/kernels/test_pixel_rows.py",
    "tests/kernels/test_plane_synthesis.py",
    "tests/kernels/test_context_step.py",
    "tests/kernels/test_pixel_shuffle.py",
    "tests/kernels/test_workspace.py",
    "tests/kernels/test_cosine_sums.py",
    "tests/kernels/test_fractions.py",
    "tests/kernels/test_rate_distortion.py",
    "tests/kernels/test_forward_transforms.py",
    "tests/kernels/test_stack_matrix.py",
    "tests/kernels/test_rans.py",
    "tests/kernels/test_extension.py",
    "tests/codecs/learned/entropy/test_rans_coder.py",
    "tests/codecs/periodic_noise/test_layer_stream.py",
)


def main() -> int:
    seconds = sys.argv[1] if len(sys.argv) > 1 else "60"
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        models = shutil.ignore_patterns("shipped", "__pycache__", "_native.*")
        shutil.copytree(ROOT / "src", copy / "src", ignore=models)
        sys.path.insert(0, str(ROOT))
        from hatch_build import compile_extension

        compile_extension(copy, FLAGS)
        library = subprocess.run(
            ["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
        )
        environment = os.environ | {
            "LD_PRELOAD": library.stdout.strip(),
            # Python itself does not free everything.
            "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1",
            "UBSAN_OPTIONS": "print_stacktrace=1",
            "PYTHONPATH": str(copy / "src"),
            "PYTHONMALLOC": "malloc",
            "CYTOPRESS_REQUIRE_NATIVE": "1",
        }
        pytest = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-m",
            "not slow",
            "-p",
            "no:cacheprovider",
        ]
        fuzz = [sys.executable, "tests/kernels/fuzz.py", seconds]
        for command in ([*pytest, *TESTS], fuzz):
            done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
            if done.returncode:
                return done.returncode
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
