import os
import sys
from pathlib import Path

import pytest

from cytopress.settings import from_environment


def test_folders_are_absolute_wherever_the_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CYTOPRESS_DATA", "data")
    monkeypatch.setenv("CYTOPRESS_MODELS", os.pathsep.join(["one", "", str(tmp_path / "two")]))
    monkeypatch.setenv("CYTOPRESS_CACHE", "~/cache")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    settings = from_environment()
    assert settings.data == tmp_path / "data"
    assert settings.models == (tmp_path / "one", tmp_path / "two")
    assert settings.cache == tmp_path / "home" / "cache"
    # The models that ship come last, so that nobody's own is hidden by them.
    assert settings.with_models(tmp_path / "zero").model_folders[:3] == (
        tmp_path / "zero",
        tmp_path / "one",
        tmp_path / "two",
    )
    assert (settings.model_folders[3] / "labelfree-ecoli-phase.cytomodel").is_file()


def test_nothing_set_is_no_data_and_the_users_own_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CYTOPRESS_DATA", "CYTOPRESS_MODELS", "CYTOPRESS_CACHE"):
        monkeypatch.delenv(name, raising=False)
    settings = from_environment()
    assert settings.data is None
    assert settings.models == ()
    assert settings.cache.name == "cytopress"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have folders of their own")
def test_the_users_folders_on_linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CYTOPRESS_CACHE", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = from_environment()
    assert settings.cache == tmp_path / ".cache/cytopress"
    assert settings.user_data == tmp_path / ".local/share/cytopress"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    settings = from_environment()
    assert settings.cache == tmp_path / "cache/cytopress"
    assert settings.user_data == tmp_path / "data/cytopress"
