"""A study of a folder of images: which study its options make."""

from __future__ import annotations

from pathlib import Path

import pytest

from cytopress.datasets.image_folder import FolderOptions
from cytopress.errors import UsageError
from cytopress.study.from_images import codec_entry, study_of_images
from cytopress.study.spec import Study, parse_study
from fakes.plate import write_plate


def study_of(images: Path, **options: object) -> Study:
    text = study_of_images(images, **{"codecs": ["jpegls"], **options})  # type: ignore[arg-type]
    return parse_study(text, folder=Path(), label="--images")


def test_the_options_are_in_the_study_and_in_its_file(tmp_path: Path) -> None:
    folder = write_plate(tmp_path / 'my "plate" µ', fields=(1,), size=16)
    options = FolderOptions(channels="*_{channel}", only=("DNA",), bits=13, pixel_size_um=0.5)
    study = study_of(folder, tasks=["measurement"], margin="0.02", options=options)
    assert (study.name, study.margin, study.noise_draws) == ('my "plate" µ', 0.02, 0)
    (entry,) = study.datasets
    assert (entry.images, entry.tasks) == (folder.resolve(), ("measurement",))
    assert entry.folder_options == options
    assert "margin = 0.02\n" in study.toml
    assert study_of(folder, margin="noise").noise_draws == 10
    assert study_of(folder, margin="2%").margin == "2%"
    with pytest.raises(UsageError, match="not two"):
        study_of(folder, margin="two")


@pytest.mark.parametrize(
    ("text", "specs"),
    [
        ("jpegls", ["jpegls"]),
        ("jpegls:max_error=4", ["jpegls:max_error=4"]),
        ("jpegxl:effort=3,ratio=5,10", ["jpegxl:effort=3,ratio=5", "jpegxl:effort=3,ratio=10"]),
        ("jpegxl:ratio=5,10,effort=3", ["jpegxl:effort=3,ratio=5", "jpegxl:effort=3,ratio=10"]),
    ],
)
def test_a_codec_may_have_several_values(tmp_path: Path, text: str, specs: list[str]) -> None:
    study = study_of(write_plate(tmp_path, fields=(1,), size=16), codecs=[text])
    assert [request.spec for request in study.requests] == specs


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("jpegxl:ratio=5,ten", "values of ratio must be numbers"),
        ("jpegxl:ratio=5,10,effort=3,4", "only one target"),
    ],
)
def test_wrong_values_are_one_sentence(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        codec_entry(text)


def test_a_program_is_a_task_with_the_name_of_its_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_plate(tmp_path / "plate", fields=(1,), size=16)
    (tmp_path / "my count.py").write_text("print(0)")
    command = ["python", "my count.py", "{original}", "{decoded}"]
    study = study_of(Path("plate"), tasks=["external"], command=command)
    assert study.datasets[0].tasks == ("external/my-count",)
    task = study.declared_task("external/my-count")
    assert task is not None
    assert [score.name for score in task.scores] == ["change"]
    for options in ({"tasks": ["external"]}, {"command": command}):
        with pytest.raises(UsageError, match="--task external goes with the program"):
            study_of(Path("plate"), **options)
