"""Installed from the sdist, with a C compiler and without: what it does, and what it says."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import cytopress
from cytopress.image import Image

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
LEAVE_OUT = ("PYTHONPATH", "CYTOPRESS_KERNELS", "CYTOPRESS_NATIVE", "CYTOPRESS_MODELS", "CC")
MOST_IMPORT_SECONDS = 0.3


@dataclass(frozen=True)
class Installed:
    """A fresh environment with cytopress in it, and what pip said."""

    folder: Path
    said: str

    def run(self, *command: str) -> str:
        """Return what Python prints."""
        return run(str(self.folder / "bin" / "python"), *command)


def run(*command: str, **changes: str) -> str:
    environment = {k: v for k, v in os.environ.items() if k not in LEAVE_OUT} | changes
    done = subprocess.run(
        command, env=environment, check=False, text=True, capture_output=True, cwd="/"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling", reason="builds with hatchling (extra test)")
    folder = tmp_path_factory.mktemp("dist")
    code = f"import os; os.chdir({str(ROOT)!r}); from hatchling.build import build_sdist; "
    run(sys.executable, "-c", f"{code}build_sdist({str(folder)!r})")
    (made,) = folder.glob("*.tar.gz")
    return made


@pytest.fixture(scope="module", params=["compiler", "no compiler"])
def installed(
    request: pytest.FixtureRequest, sdist: Path, tmp_path_factory: pytest.TempPathFactory
) -> Installed:
    """Install into an environment that borrows every other package from this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    pip = (sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install")
    options = ("-v", "--no-deps", "--no-index", "--no-build-isolation", "--ignore-installed")
    changes = {} if request.param == "compiler" else {"CC": "/nonexistent/cc"}
    return Installed(folder, run(*pip, *options, str(sdist), **changes))


def has_native(installed: Installed) -> bool:
    (kernels,) = installed.folder.glob("lib/python*/site-packages/cytopress/kernels")
    return bool(list(kernels.glob("_native.*")))


def test_it_compiles_where_it_can_and_says_so_where_not(
    installed: Installed, request: pytest.FixtureRequest
) -> None:
    expected = request.node.callspec.params["installed"] == "compiler"
    assert has_native(installed) == expected
    assert ("were not compiled, so learned codecs will be slow" in installed.said) != expected
    assert f"-{'abi3' if expected else 'none'}-" in installed.said


def test_the_demo_says_which_path_computes(installed: Installed, tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in LEAVE_OUT}
    command = [str(installed.folder / "bin" / "cytopress"), "demo", "--out", str(tmp_path / "out")]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as demo:
        assert demo.stderr is not None
        first = demo.stderr.readline()
        demo.kill()
    if has_native(installed):
        assert "Kernels of learned codecs: " in first
    else:
        assert "numpy computes, and learned codecs are slow" in first


# At this quality of noise another codec needs fewer bytes.
@pytest.mark.filterwarnings("ignore:.*at the same error")
def test_a_learned_codec_codes_the_same_bytes(installed: Installed, tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).normal(900, 40, (70, 90)).astype(np.uint16)
    image = Image(pixels, bits=12)
    cytopress.write(tmp_path / "image.tif", [image])
    code = (
        "import sys, cytopress; (image,) = cytopress.read(sys.argv[1]);"
        " data = cytopress.codec('learned/cytopress-2d:quality=0.5').encode(image);"
        " open(sys.argv[2], 'wb').write(data); print(cytopress.__file__)"
    )
    said = installed.run("-c", code, str(tmp_path / "image.tif"), str(tmp_path / "coded"))
    assert str(installed.folder) in said
    coded = cytopress.codec("learned/cytopress-2d:quality=0.5").encode(image)
    assert (tmp_path / "coded").read_bytes() == coded


def test_the_import_takes_less_than_a_third_of_a_second(installed: Installed) -> None:
    code = "import time; t = time.perf_counter(); import cytopress; print(time.perf_counter() - t)"
    assert min(float(installed.run("-c", code)) for _ in range(5)) < MOST_IMPORT_SECONDS
