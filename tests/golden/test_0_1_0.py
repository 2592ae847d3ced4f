"""Bytes of the learned codecs of 0.1.0 decode, also where newer packages bear their names."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cytopress import settings as settings_module
from cytopress.cli.app import main
from cytopress.codecs.container.container import unpack
from cytopress.codecs.learned.codec import Learned
from cytopress.codecs.registry import decode, find_family
from cytopress.codecs.spec import codec
from cytopress.errors import CytopressWarning
from cytopress.image import Image
from cytopress.models.model_package import Package, open_package
from cytopress.settings import SHIPPED, Settings

HERE = Path(__file__).parent / "learned_0_1_0"
TINY = Path(__file__).parents[1] / "codecs" / "learned" / "tiny-context.cytomodel"
NAMES = sorted(path.stem for path in HERE.glob("*.cyto"))


def digest_in(name: str) -> str:
    """Return the digest that golden bytes name, 16 hexadecimal digits."""
    return unpack((HERE / f"{name}.cyto").read_bytes())[0].recipe.options["model"].hex()


def original(name: str) -> Package:
    """Return the package of 0.1.0, wherever it ships now."""
    packages = map(open_package, SHIPPED.rglob("*.cytomodel"))
    (found,) = (one for one in packages if one.sha256.startswith(digest_in(name)))
    return found


def replacement(name: str, path: Path) -> Path:
    """Write a small package of another network that bears a name."""
    with zipfile.ZipFile(TINY) as tiny, zipfile.ZipFile(path, "w") as made:
        for member in tiny.namelist():
            data = tiny.read(member)
            if member == "manifest.json":
                data = json.dumps(json.loads(data) | {"name": name}).encode()
            made.writestr(member, data)
    return path


@pytest.fixture
def replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return settings where a newer package bears each name of 0.1.0."""
    shipped = tmp_path / "shipped"
    earlier = shipped / "earlier" / "0.1.0"
    earlier.mkdir(parents=True)
    for name in NAMES:
        shutil.copy(original(name).path, earlier)
        replacement(f"learned/{name}", shipped / f"{name}.cytomodel")
    monkeypatch.setattr(settings_module, "SHIPPED", shipped)
    return Settings(None, (), tmp_path / "cache", tmp_path / "user")


def assert_golden(name: str, image: Image) -> None:
    with np.load(HERE / f"{name}.npz") as golden:
        pixels = golden["arr_0"]
    assert (image.dtype, image.shape) == (pixels.dtype, pixels.shape)
    # Another processor may round another way.
    np.testing.assert_allclose(image.pixels.astype(int), pixels.astype(int), rtol=0, atol=1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore:.*not exactly the encoder's:UserWarning")
def test_golden_bytes_decode_before_and_after_a_replacement(name: str, replaced: Settings) -> None:
    data = (HERE / f"{name}.cyto").read_bytes()
    assert_golden(name, decode(data, replaced))
    newer = find_family(f"learned/{name}", replaced)
    assert not newer.package.sha256.startswith(digest_in(name))  # type: ignore[union-attr]


def test_a_name_means_the_newest_and_a_digest_selects_an_earlier_one(replaced: Settings) -> None:
    image = Image((np.mgrid[:64, :64].sum(0) * 30).astype(np.uint16))
    newest = codec("learned/cytopress-2d:quality=0.5,lines=0", replaced).encode(image)
    selected = f"learned/cytopress-2d@{digest_in('cytopress-2d')[:8]}"
    old = codec(f"{selected}:quality=0.5,lines=0", replaced).encode(image)
    models = [unpack(data)[0].recipe.options["model"].hex() for data in (newest, old)]
    assert models[1] == digest_in("cytopress-2d")
    assert models[0] != models[1]
    for data in (newest, old):
        assert decode(data, replaced).shape == image.shape


def test_the_old_package_in_the_users_folder_does_not_take_the_name_back(
    replaced: Settings,
) -> None:
    folder = replaced.user_data / "models"
    folder.mkdir(parents=True)
    shutil.copy(original("cytopress-2d").path, folder / "copy.cytomodel")
    found = find_family("learned/cytopress-2d", replaced)
    assert isinstance(found.from_options({}), Learned)
    assert not found.package.sha256.startswith(digest_in("cytopress-2d"))  # type: ignore[union-attr]


def test_a_package_of_the_users_own_with_the_name_is_told(replaced: Settings) -> None:
    folder = replaced.user_data / "models"
    folder.mkdir(parents=True)
    shutil.copy(original("ecoli-phase").path, folder / "other.cytomodel")
    own = replacement("learned/cytopress-2d", folder / "own.cytomodel")
    with zipfile.ZipFile(own, "a") as package:
        package.writestr("note.npy", b"")
    with pytest.warns(CytopressWarning, match=r"own\.cytomodel, but not the only model of this"):
        found = find_family("learned/cytopress-2d", replaced)
    assert found.package.path == own  # type: ignore[union-attr]


def test_models_lists_both_with_the_version(
    replaced: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as leave:
        main(["models", "--json"])
    assert not leave.value.code
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    old = rows[f"learned/cytopress-2d@{digest_in('cytopress-2d')[:8]}"]
    assert old["note"] == "of 0.1.0; a newer one bears the name"
    assert old["sha256"].startswith(digest_in("cytopress-2d"))
    assert rows["learned/cytopress-2d"]["note"] == ""
    assert Path(rows["learned/cytopress-2d"]["path"]).parent == settings_module.SHIPPED
