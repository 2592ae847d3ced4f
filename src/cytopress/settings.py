"""Where things are on this machine: the only reader of environment variables.

``CYTOPRESS_DATA``    a folder of datasets that are already there
``CYTOPRESS_MODELS``  folders of model packages, separated as in PATH
``CYTOPRESS_CACHE``   where fetched and cut data go (default: the platform's cache folder)
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Resolved folders; they travel with a job, so a worker needs no environment of its own."""

    data: Path | None
    models: tuple[Path, ...]
    cache: Path
    user_data: Path

    @property
    def model_folders(self) -> tuple[Path, ...]:
        """Folders searched for model packages, in order; the last ships inside cytopress."""
        return (
            *self.models,
            self.user_data / "models",
            Path(__file__).parent / "models" / "shipped",
        )

    def with_models(self, *folders: Path) -> Settings:
        """Return a copy that searches ``folders`` first."""
        return Settings(self.data, (*folders, *self.models), self.cache, self.user_data)


def from_environment() -> Settings:
    """Read the settings from the environment of this process."""
    home = Path.home()
    if sys.platform == "win32":
        local = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
        cache, user_data = local / "cytopress" / "cache", local / "cytopress"
    elif sys.platform == "darwin":
        cache = home / "Library" / "Caches" / "cytopress"
        user_data = home / "Library" / "Application Support" / "cytopress"
    else:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "cytopress"
        user_data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share") / "cytopress"
    data = os.environ.get("CYTOPRESS_DATA")
    models = os.environ.get("CYTOPRESS_MODELS", "")
    return Settings(
        data=_folder(data) if data else None,
        models=tuple(_folder(name) for name in models.split(os.pathsep) if name),
        cache=_folder(os.environ.get("CYTOPRESS_CACHE") or cache),
        user_data=user_data,
    )


def _folder(name: str | Path) -> Path:
    # Absolute, since a worker that gets it may run in another folder.
    return Path(name).expanduser().absolute()
