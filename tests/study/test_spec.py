"""Study files: what is wrong is said in one sentence that names the key and what is known."""

from pathlib import Path

import pytest

from cytopress.errors import UsageError
from cytopress.metrics import available, metric_names
from cytopress.study.entries import OF_IMAGES
from cytopress.study.spec import Study, load_study, parse_study
from cytopress.study.template import template

DATASET = '[[datasets]]\nname = "scratch-assay"\n'
CODEC = '[[codecs]]\nspec = "jpegls"\n'


def parse(text: str) -> Study:
    return parse_study(text, folder=Path("/here"), label="study.toml")


def specs(study: Study) -> list[str]:
    return [request.spec for entry in study.codecs for request in entry.requests]


def test_each_value_of_a_target_is_a_codec() -> None:
    study = parse(
        'name = "a"\n'
        + DATASET
        + CODEC
        + CODEC
        + "ratio = [10, 2.5]\n"
        + CODEC
        + "near = 3\n"
        + '[[codecs]]\nspec = "jpegls:tile=64,max_error=2"\n'
        + '[[codecs]]\nspec = "jpegls:tile=64"\npsnr = [40]\n'
    )
    assert specs(study) == [
        "jpegls",
        "jpegls:ratio=10",
        "jpegls:ratio=2.5",
        "jpegls:near=3",
        "jpegls:max_error=2,tile=64",
        "jpegls:psnr=40,tile=64",
    ]
    assert study.metrics == tuple(name for name in metric_names() if available(name))
    assert study.toml.startswith('name = "a"')


def test_a_folder_is_relative_to_the_study_file(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(
        'name = "a"\n[[datasets]]\nfolder = "../images"\n' + CODEC, encoding="utf-8"
    )
    study = load_study(tmp_path / "study.toml")
    assert study.datasets[0].source == tmp_path.parent / "images"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('nam = "a"\n' + DATASET + CODEC, ["unknown key 'nam'", "known: name, title, seed"]),
        ('name = "a"\n' + DATASET + "limt = 1\n" + CODEC, ["'limt' in datasets.0", "limit"]),
        ('name = "a"\n' + DATASET + CODEC + "rato = [1]\n", ["'rato'", "ratio", "near"]),
        (DATASET + CODEC, ["'name' must be given"]),
        ('name = "a"\n' + CODEC, ["'datasets' must be given"]),
        ('name = "a"\n' + DATASET, ["'codecs' must be given"]),
        ('name = "a"\n' + DATASET + '[[codecs]]\nspec = "jpgls"\n', ["'jpgls'", "jpegls"]),
        ('name = "a"\n' + DATASET + '[[codecs]]\nspec = "jpegls:nea=1"\n', ["'nea'", "near"]),
        (
            'name = "a"\n' + DATASET + CODEC + "ratio = [2]\npsnr = [3]\n",
            ["one of ratio and psnr, not both"],
        ),
        (
            'name = "a"\n' + DATASET + '[[codecs]]\nspec = "jpegls:ratio=2"\npsnr = [3]\n',
            ["jpegls:ratio=2", "not both"],
        ),
        ('name = "a"\n' + DATASET + CODEC + "ratio = []\n", ["at least one value"]),
        ('name = "a"\n' + DATASET + CODEC + "ratio = [-1]\n", ["ratio", "-1"]),
        ('name = "a"\n' + DATASET + CODEC + 'ratio = ["x"]\n', ["codecs.0", "'x'"]),
        ('name = "a"\n' + DATASET + CODEC + "ratio = [2, 2.0]\n", ["ratio=2", "twice"]),
        ('name = "a"\n' + DATASET + CODEC + CODEC, ["jpegls is given twice"]),
        ('name = "a"\nmetrics = ["psn"]\n' + DATASET + CODEC, ["'psn'", "psnr"]),
        ('name = "a"\nregimes = ["matched"]\n' + DATASET + CODEC, ["must hold raw"]),
        ('name = "a"\nregimes = ["rw"]\n' + DATASET + CODEC, ["'rw'", "raw"]),
        ('name = "a"\n[[datasets]]\nlimit = 1\n' + CODEC, ["one of name, folder and images"]),
        (
            'name = "a"\n[[datasets]]\nname = "b"\nfolder = "c"\n' + CODEC,
            ["one of name, folder and images"],
        ),
        ('name = "a"\n' + DATASET + 'split = "tset"\n' + CODEC, ["datasets.0.split", "tset"]),
        ('name = "a"\n' + DATASET + "limit = 0\n" + CODEC, ["datasets.0.limit", "0"]),
        ("name = a", ["not valid TOML"]),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(text: str, parts: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    message = str(caught.value)
    assert message.startswith("study.toml: ")
    assert message.endswith(".")
    assert "\n" not in message
    assert caught.value.exit_code == 2
    for part in parts:
        assert part in message


def test_a_study_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        load_study(tmp_path / "none.toml")


def test_a_study_cannot_be_changed() -> None:
    study = parse('name = "a"\n' + DATASET + CODEC)
    with pytest.raises(ValueError, match="frozen"):
        study.name = "b"  # type: ignore[misc]


def test_the_template_is_a_study_and_shows_every_key() -> None:
    study = parse(template())
    assert study.datasets[0].name == "scratch-assay"
    tables = [Study, type(study.datasets[0])]
    for key in (key for table in tables for key in table.model_fields):
        assert key in template()
    uncommented = "\n".join(
        line.removeprefix("# ")
        for line in template().splitlines()
        if not line.startswith("# ") or " = " in line
    )
    uncommented = uncommented.replace("... or", "# ... or")
    of_images = tuple(f"{key} = " for key in ("images", *OF_IMAGES))
    named, placed, loose = (
        "\n".join(line for line in uncommented.splitlines() if not line.startswith(left_out))
        for left_out in (
            ("folder = ", *of_images),
            ('name = "scratch', *of_images),
            ('name = "scratch', "folder = "),
        )
    )
    assert parse(named).datasets[0].previews == ("field-1",)
    assert str(parse(placed).datasets[0].folder).endswith("my-images")
    assert parse(loose).datasets[0].folder_options.only == ("DNA", "ER")
