"""A margin or a task that nothing can come of is refused before anything is coded."""

from __future__ import annotations

from pathlib import Path

import pytest
import tifffile

from cytopress.cli import main
from cytopress.study import run_here, trained_codecs
from fakes.plate import cells, write_plate

pytestmark = pytest.mark.filterwarnings("always::cytopress.errors.CytopressWarning")
# A program whose result from the original is its error from zero, as of any image without truth.
COUNT = "print(0)\n"


@pytest.fixture
def plate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a plate of one stain."""
    monkeypatch.chdir(tmp_path)
    Path("count.py").write_text(COUNT)
    return write_plate(tmp_path / "plate", fields=(1, 2), stains=("DNA",))


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of trials that were run; none codes anything."""
    found: list[str] = []

    def recorded(job, plan, recent):  # type: ignore[no-untyped-def]
        found.append(plan.dataset)
        raise KeyboardInterrupt

    monkeypatch.setattr(run_here, "run_job_trial", recorded)
    return found


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as leave:
        main(["study", "run", *arguments, "--out", "out"])
    return int(leave.value.code or 0)


def faint(folder: Path, stain: str) -> None:
    """Write a stain above an offset that holds nearly all of the light."""
    for field in (1, 2):
        tifffile.imwrite(folder / f"field{field}_{stain}.tif", cells((field, 0)) + 60000)


def measured(margin: str) -> list[str]:
    return ["--images", "plate", "--codec", "jpegls", "--task", "measurement", "--margin", margin]


@pytest.mark.parametrize("margin", ["200%", "100%", "51 %", "0.6", "5"])
def test_more_than_the_signal_is_refused_before_images_are_read(
    plate: Path, ran: list[str], capsys: pytest.CaptureFixture[str], margin: str
) -> None:
    # Cut short behind its metadata: reading it would be another error.
    path = plate / "field1_DNA.tif"
    path.write_bytes(path.read_bytes()[:-100])
    assert run(*measured(margin)) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "more than 50 % of the signal" in error
    assert "such as 2%" in error
    assert not ran
    assert not Path("out").exists()


@pytest.mark.parametrize("margin", ["-2%", "0", "nan", "much", "inf", "2%%"])
def test_what_is_no_margin_is_refused(
    plate: Path, ran: list[str], capsys: pytest.CaptureFixture[str], margin: str
) -> None:
    assert run(*measured(margin)[:-1], margin) == 2
    assert "a margin is the largest allowed loss" in capsys.readouterr().err
    assert not ran


def test_of_faint_images_the_margin_is_refused_from_the_originals(
    plate: Path, ran: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    faint(plate, "DNA")
    assert run(*measured("2%")) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "of what is above the background would be allowed to get lost" in error
    assert "recommend --metric signal_error" in error
    assert not ran
    assert not Path("out").exists()


def test_where_other_channels_bear_it_the_refused_one_is_a_note(
    plate: Path, ran: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    faint(plate, "RNA")
    assert run(*measured("2%")) == 130
    assert ran
    notes = [line for line in capsys.readouterr().err.splitlines() if "--margin" in line]
    (note,) = notes
    assert note.startswith("cytopress: note: --margin 2% will give no answer for measurement of")
    assert "plate/RNA" in note


def test_percent_of_a_change_that_begins_at_zero_are_refused(
    plate: Path, ran: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--images", "plate", "--codec", "jpegls", "--task", "external"]
    program = ["--", "python", "count.py", "{original}", "{decoded}"]
    with pytest.raises(SystemExit) as leave:
        main(["study", "run", *options, "--margin", "2%", "--out", "out", *program])
    assert leave.value.code == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "of which no share can be taken; give a number" in error
    assert not ran


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ('margin = "200%"', "more than 50 % of the signal"),
        ("margin = 0.7", "more than 50 % of the signal"),
        ('margin = "noise"\nnoise_draws = 0', "draws no noise replicates"),
        ('margin = "a lot"', "a margin is the largest allowed loss"),
    ],
)
def test_a_study_file_is_refused_as_well(
    plate: Path, ran: list[str], capsys: pytest.CaptureFixture[str], head: str, words: str
) -> None:
    text = f'name = "s"\n{head}\n[[datasets]]\nimages = "plate"\ntasks = ["measurement"]\n'
    Path("study.toml").write_text(f'{text}[[codecs]]\nspec = "jpegls"\n')
    assert run("study.toml") == 2
    assert words in capsys.readouterr().err.splitlines()[-1]
    assert not ran


@pytest.mark.parametrize(("margin", "words"), [("200%", "50 % of the signal"), ("much", "allowed")])
def test_of_codecs_to_train_the_margin_is_refused_before_their_training(
    plate: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    margin: str,
    words: str,
) -> None:
    """The study file cannot be read whole before its codecs are there."""
    begun: list[object] = []
    monkeypatch.setattr(trained_codecs, "_with_codec", lambda *_: begun.append(1))
    text = 'name = "s"\n[[datasets]]\nimages = "plate"\ntasks = ["measurement"]\n[[codecs]]\n'
    text += 'spec = "learned/mine"\ntraining = "mine.toml"\n'
    for head, options in (("", ["--margin", margin]), (f'margin = "{margin}"\n', [])):
        Path("study.toml").write_text(head + text)
        assert run("study.toml", *options) == 2
        assert words in capsys.readouterr().err.splitlines()[-1]
    assert not begun


def test_the_margin_of_the_command_line_counts_before_that_of_the_file(
    plate: Path, ran: list[str]
) -> None:
    text = 'name = "s"\nmargin = "200%"\n[[datasets]]\nimages = "plate"\ntasks = ["measurement"]\n'
    Path("study.toml").write_text(f'{text}[[codecs]]\nspec = "jpegls"\n')
    assert run("study.toml", "--margin", "2%") == 130
    assert ran


@pytest.mark.parametrize("program", ["print('many')", "raise SystemExit(3)"])
def test_a_task_that_fails_on_every_original_is_an_error_before_anything_is_coded(
    plate: Path, ran: list[str], capsys: pytest.CaptureFixture[str], program: str
) -> None:
    Path("count.py").write_text(program)
    options = ["--images", "plate", "--codec", "jpegls", "--task", "external", "--out", "out"]
    with pytest.raises(SystemExit) as leave:
        main(["study", "run", *options, "--", "python", "count.py", "{original}", "{decoded}"])
    assert leave.value.code == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "no task can predict from the originals, so nothing was run" in error
    assert "external/count of plate/DNA" in error
    assert not ran
    assert not Path("out").exists()


def test_a_task_that_reads_some_originals_is_run(plate: Path, ran: list[str]) -> None:
    Path("count.py").write_text("import sys\nsys.exit('1_DNA' in sys.argv[1])\nprint(0)")
    options = ["--images", "plate", "--codec", "jpegls", "--task", "measurement", "--out", "out"]
    options += ["--task", "external"]
    with pytest.raises(SystemExit) as leave:
        main(["study", "run", *options, "--", "python", "count.py", "{original}", "{decoded}"])
    assert leave.value.code == 130
    assert ran
