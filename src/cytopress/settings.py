"""Folders and limits of this machine; environment variables are read here only.

``CYTOPRESS_DATA``    a folder that holds datasets
``CYTOPRESS_MODELS``  folders of model packages, separated as in PATH
``CYTOPRESS_CACHE``   the folder of fetched and generated data (default: the platform's cache)
``CYTOPRESS_INLINE_MODELS``  0 to refuse models that come inside the metadata of an array
``CYTOPRESS_KERNELS`` the kernels' path: avx512, avx2, sse4.1, neon, plain or numpy (the fastest)
``OMP_NUM_THREADS``   threads of the kernels (default: 1)
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass, replace
from pathlib import Path

SHIPPED = Path(__file__).parent / "models" / "shipped"
# Holds a folder for each version, such as 0.1.0, with the packages that a later one replaced.
EARLIER = "earlier"
MOST_THREADS = 64


@dataclass(frozen=True)
class Settings:
    """Resolved folders and limits, passed to workers, which need no environment of their own.

    Parameters
    ----------
    data, models, cache, user_data : Path
        Folders of this machine.
    max_bytes : int, optional
        Largest image in bytes that is decoded. Unless given, half of the machine's memory, and no
        image of many times its coded bytes (`codecs.limits`).
    inline_models : bool, optional
        Whether models are taken that come inside the metadata of an array.
    """

    data: Path | None
    models: tuple[Path, ...]
    cache: Path
    user_data: Path
    max_bytes: int | None = None
    inline_models: bool = True

    @property
    def model_folders(self) -> tuple[Path, ...]:
        """Folders searched for model packages, in order; the last ones are part of cytopress.

        They are that of this version, and one for each earlier version whose packages were
        replaced, the latest first.
        """
        return (*self.models, self.user_data / "models", SHIPPED, *_earlier(SHIPPED / EARLIER))

    def with_models(self, *folders: Path) -> Settings:
        """Return a copy that searches ``folders`` first."""
        return replace(self, models=(*folders, *self.models))


def from_environment() -> Settings:
    """Read the settings from the environment of this process."""
    import platformdirs

    folders = platformdirs.PlatformDirs("cytopress", appauthor=False)
    data = os.environ.get("CYTOPRESS_DATA")
    models = os.environ.get("CYTOPRESS_MODELS", "")
    return Settings(
        data=_folder(data) if data else None,
        models=tuple(_folder(name) for name in models.split(os.pathsep) if name),
        cache=_folder(os.environ.get("CYTOPRESS_CACHE") or folders.user_cache_path),
        user_data=folders.user_data_path,
        inline_models=os.environ.get("CYTOPRESS_INLINE_MODELS") != "0",
    )


@functools.cache
def omp_threads() -> int:
    """Return how many threads OpenMP's variable names; 1 unless it names a number."""
    named = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return min(max(int(named), 1), MOST_THREADS) if named.isdecimal() else 1


def forced_kernels() -> str:
    """Return the path that kernels must take; empty unless the environment names one."""
    return os.environ.get("CYTOPRESS_KERNELS", "")


def _earlier(folder: Path) -> list[Path]:
    """Return the folders of versions, the latest first."""

    def version(path: Path) -> tuple[int, ...]:
        return tuple(int(part) for part in path.name.split(".") if part.isdigit())

    return sorted((path for path in folder.glob("*") if path.is_dir()), key=version, reverse=True)


def torch_hub() -> Path:
    """Return the folder of torch's pretrained weights, as `torch.hub.get_dir`, without torch.

    Importing torch takes seconds. A folder set by `torch.hub.set_dir` is not known here.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("TORCH_HOME") or str(Path(cache) / "torch")
    return Path(home).expanduser() / "hub"


def _folder(name: str | Path) -> Path:
    # Absolute, since a worker may run in another folder.
    return Path(name).expanduser().absolute()
