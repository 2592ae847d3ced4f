"""Every code block of the documentation runs, page by page, in an empty folder.

A comment before a block says how it runs where that is not as it stands::

    <!-- test: network -->   against a local server in the place of the internet
    <!-- test: long -->      with few steps, in `make test-slow`
    <!-- test: make -->      a make target: only that make knows it (CI runs the target itself)
    <!-- test: demo -->      what `make demo` runs: only that it does (CI runs it)
    <!-- test: output -->    not run: what a command prints
"""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import pytest

from fakes.bucket import write_bucket
from fakes.serving import Server

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
BLOCK = re.compile(
    r"(?:<!-- test: (?P<how>\w+) -->\n+)?```(?P<language>\w*)\n(?P<code>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """One fenced block: how it is run, its language and its text."""

    how: str
    language: str
    code: str
    line: int


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page in their order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            found["how"] or "",
            found["language"],
            found["code"],
            text.count("\n", 0, found.start("code")) + 1,
        )
        for found in BLOCK.finditer(text)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_fence_is_understood(page: Path) -> None:
    fences = len(re.findall(r"^```", page.read_text(encoding="utf-8"), re.MULTILINE))
    found = blocks(page)
    assert 2 * len(found) == fences
    for block in found:
        assert block.how in ("", "network", "long", "make", "demo", "output"), f"line {block.line}"
        languages = ("bash", "python", "toml", "text", "json")
        assert block.language in languages, f"line {block.line}"
        # Only what nobody would type may go unrun.
        assert (block.how == "output") == (block.language in languages[3:]), f"line {block.line}"


@pytest.fixture
def bucket(server: Server) -> str:
    """Return the address of a small fake of the hiPSC bucket."""
    write_bucket(server.folder)
    return server.url


def test_the_generated_table_is_up_to_date() -> None:
    tables = runpy.run_path(str(ROOT / "docs" / "tables.py"))
    text = (ROOT / "docs" / "codecs.md").read_text(encoding="utf-8")
    assert text == tables["with_table"](text), "run `make docs` and commit docs/codecs.md"


def test_the_design_shows_the_layers_that_are_held() -> None:
    text = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    [shown] = re.findall(r"^## Layers\n.*?^```text\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    [layers] = [
        contract["layers"]
        for contract in linter["importlinter"]["contracts"]
        if contract["type"] == "layers"
    ]
    assert shown.splitlines() == [layer.replace("cytopress.", "") for layer in layers]


def test_the_design_names_paths_that_exist() -> None:
    text = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    paths = re.findall(r"`([a-z_0-9]+/[a-z_0-9/]*(?:\.py)?)`", text.split("## Layers")[0])
    assert len(paths) > 15
    for path in paths:
        assert any((folder / path).exists() for folder in (ROOT / "src" / "cytopress", ROOT)), path


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder without data, as a reader does: pages say where data come from."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


@pytest.mark.timeout(600)
@pytest.mark.extras
@pytest.mark.long
@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page)], ids=lambda page: page.stem
)
def test_the_page_runs_up_to_its_training(page: Path, empty_folder: Path, bucket: str) -> None:
    _run(page, takewhile(lambda block: block.how != "long", blocks(page)), empty_folder, bucket)


@pytest.mark.timeout(1200)
@pytest.mark.extras
@pytest.mark.slow
@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if any(block.how == "long" for block in blocks(page))],
    ids=lambda page: page.stem,
)
def test_the_page_runs_with_its_training(page: Path, empty_folder: Path, bucket: str) -> None:
    _run(page, blocks(page), empty_folder, bucket)


def _run(page: Path, chosen: Iterable[Block], folder: Path, bucket: str) -> None:
    namespace: dict[str, object] = {"__name__": "__main__"}
    for block in chosen:
        where = f"{page.name}, line {block.line}"
        if block.how == "make":
            for line in block.code.strip().splitlines():
                _would_make(line.split("#")[0], where)
        elif block.how == "demo":
            assert block.code.strip() in _would_make("make demo", where), where
        elif block.how == "network":
            _run_bash(
                block.code.replace("datasets fetch", f"datasets fetch --mirror {bucket}"), where
            )
        elif block.language == "bash":
            if block.how == "long":
                _few_steps(folder)
            _run_bash(block.code, where)
        elif block.language == "python":
            exec(compile(block.code, where, "exec"), namespace)
        elif block.language == "toml":
            _write_toml(block.code, where)


def _run_bash(code: str, where: str) -> None:
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, f"{where}:\n{code}\n{run.stdout}\n{run.stderr}"


def _would_make(command: str, where: str) -> str:
    """Return what a make target would run."""
    run = subprocess.run(
        [*command.split(), "--dry-run", "-C", str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, f"{where}: {run.stderr}"
    return run.stdout


def _few_steps(folder: Path) -> None:
    """Shorten every training that stands in the folder's configs."""
    for config in folder.rglob("*.toml"):
        text = config.read_text(encoding="utf-8")
        config.write_text(re.sub(r"(?m)^steps = \d+", "steps = 4", text), encoding="utf-8")


def _write_toml(code: str, where: str) -> None:
    """Write a TOML block to the file that its first comment names."""
    name = re.match(r"# ([\w./-]+\.toml)\n", code)
    assert name is not None, f"{where}: a TOML block starts with the name of its file"
    Path(name[1]).parent.mkdir(parents=True, exist_ok=True)
    Path(name[1]).write_text(code, encoding="utf-8")
