"""``train codec``: what goes in is checked; the package's path comes out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cytopress.cli import main
from cytopress.cli.training import LOCK
from cytopress.errors import Stopped
from cytopress.lock import locked
from cytopress.settings import Settings

Run = Callable[..., tuple[int, str, str]]
CONFIG = """kind = "codec"
name = "learned/cells"
[network]
architecture = "mean-scale"
[rate]
lambdas = [0.01]
[fit]
steps = 1
[[sources]]
folder = "{folder}"
"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as leave:
            main(arguments)
        out, err = capsys.readouterr()
        return int(leave.value.code or 0), out, err

    return call


@pytest.mark.learn
@pytest.mark.parametrize(
    ("stopped", "code", "sentence"),
    [
        (KeyboardInterrupt(), 130, "Stopped; run the same command again to resume."),
        (Stopped("Stopped after 7 of 9 steps.", exit_code=143), 143, "Stopped after 7 of 9 steps."),
    ],
)
def test_a_stopped_training_says_how_to_go_on(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stopped: BaseException,
    code: int,
    sentence: str,
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise stopped

    monkeypatch.setattr("cytopress.training.codec.train.train_codec", stop)
    path = tmp_path / "a.toml"
    path.write_text(CONFIG.format(folder=tmp_path))
    given = ("train", "codec", str(path), "--out", str(tmp_path / "out"))
    assert run(*given) == (code, "", f"cytopress: {sentence}\n")


@pytest.mark.learn
def test_prints_the_package_and_passes_settings_on(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[object] = []

    def train(config: object, out: Path, *, settings: Settings, progress: object) -> Path:
        given.extend((config, out, settings.data))
        return out / "cells.cytomodel"

    monkeypatch.setattr("cytopress.training.codec.train.train_codec", train)
    monkeypatch.setenv("CYTOPRESS_DATA", str(tmp_path))
    config = tmp_path / "training.toml"
    config.write_text(CONFIG.format(folder="x"))
    code, out, _ = run("train", "codec", str(config), "--out", str(tmp_path / "out"))
    assert (code, out) == (0, f"{tmp_path / 'out' / 'cells.cytomodel'}\n")
    assert given[0].name == "learned/cells"  # type: ignore[attr-defined]
    assert given[1:] == [tmp_path / "out", tmp_path]


@pytest.mark.learn
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("steps = 1", "stepps = 1", "'stepps' in fit"),
        ('name = "learned/cells"', 'name = "cells"', "name = 'cells'"),
        ("[network]", "[network", "not valid TOML"),
        ("{folder}", "none", "there is no such folder"),
    ],
)
def test_bad_input_is_one_sentence_and_writes_nothing(
    run: Run, tmp_path: Path, old: str, new: str, said: str
) -> None:
    config = tmp_path / "training.toml"
    config.write_text(CONFIG.replace(old, new))
    code, out, err = run("train", "codec", str(config), "--out", str(tmp_path / "out"))
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists()


@pytest.mark.learn
def test_a_second_training_into_a_folder_is_refused(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "training.toml"
    config.write_text(CONFIG)
    with locked(tmp_path / "out", LOCK, "training a model"):
        code, _, err = run("train", "codec", str(config), "--out", str(tmp_path / "out"))
    assert code == 1
    assert "another process is training a model here" in err
    assert err.count("\n") == 1
