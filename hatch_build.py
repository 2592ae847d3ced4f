"""Build hook: compiles the native kernels; without a compiler the wheel is pure Python.

`CYTOPRESS_NATIVE=0` builds a pure wheel, `CYTOPRESS_NATIVE=1` fails where nothing can be compiled.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = Path("src/cytopress/kernels")
# The stable ABI of the oldest Python that cytopress takes.
OLDEST = "cp311"


class NativeKernels(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the compiled extension to wheels and editable installs."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the extension beside its package, where an editable install finds it."""
        wanted = os.environ.get("CYTOPRESS_NATIVE", "")
        if self.target_name != "wheel" or wanted == "0":
            return
        # Free-threaded Pythons have no stable ABI yet.
        if sysconfig.get_config_var("Py_GIL_DISABLED"):
            print("cytopress: no native kernels for a free-threaded Python", file=sys.stderr)
            return
        root = Path(self.root)
        try:
            built = compile_extension(root)
        except Exception as error:  # compilers fail in ways of their own
            if wanted == "1":
                raise
            print(
                "cytopress: the native kernels were not compiled, so learned codecs will be slow:"
                f" {str(error).strip().splitlines()[0]}",
                file=sys.stderr,
            )
            return
        build_data["pure_python"] = False
        build_data["artifacts"].append(f"/{built.relative_to(root).as_posix()}")
        build_data["tag"] = f"{OLDEST}-abi3-{platform_tag()}"


def compile_extension(root: Path, flags: tuple[str, ...] = ()) -> Path:
    """Compile and link with the compiler that this Python was made for; return the extension."""
    from setuptools import Distribution, Extension

    sources = sorted(str(path) for path in (root / PACKAGE / "native").glob("*.c"))
    windows = sys.platform == "win32"
    extension = Extension(
        "cytopress.kernels._native",
        sources,
        depends=[str(path) for path in (root / PACKAGE / "native").glob("*.[hi]*")],
        extra_compile_args=["/O2", "/std:c11"] if windows else ["-O3", "-g0", "-std=c11", *flags],
        extra_link_args=[*flags],
        py_limited_api=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        command = Distribution({"ext_modules": [extension]}).get_command_obj("build_ext")
        command.build_lib = command.build_temp = folder
        command.ensure_finalized()
        command.run()
        # Beside it MSVC's linker leaves an import library of the same name.
        made = Path(command.get_ext_fullpath(extension.name))
        built = root / PACKAGE / made.name
        # A process that has the old one loaded keeps it, and another may be compiling too.
        beside = built.with_name(f"{built.name}.{os.getpid()}")
        beside.write_bytes(made.read_bytes())
        beside.replace(built)
    return built


def platform_tag() -> str:
    """Return the platform of this Python, as wheels name it."""
    from packaging.tags import sys_tags

    # Linux tags of wheels for many distributions are given by auditwheel.
    names = (tag.platform for tag in sys_tags() if tag.interpreter == OLDEST and tag.abi == "abi3")
    name = next(name for name in names if not name.startswith(("manylinux", "musllinux")))
    if sys.platform == "darwin":
        from hatchling.builders.macos import process_macos_plat_tag

        return process_macos_plat_tag(name, compat=False)
    return name
