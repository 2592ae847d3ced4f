"""A module is short enough to be read at one sitting."""

from __future__ import annotations

from pathlib import Path

import cytopress

MOST_LINES = 300


def test_no_module_is_longer() -> None:
    modules = sorted(Path(cytopress.__file__).parent.rglob("*.py"))
    lengths = {path.name: len(path.read_text("utf-8").splitlines()) for path in modules}
    assert len(modules) > 400
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}
