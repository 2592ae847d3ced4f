"""Every example is a study, and the demo is the one that comes inside the package."""

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from cytopress.datasets.catalogue import KNOWN_DATASETS
from cytopress.errors import CytopressWarning
from cytopress.models.model_package import open_package
from cytopress.settings import from_environment
from cytopress.study.plan import takes_volumes
from cytopress.study.spec import load_study
from cytopress.study.trained_models import config_of
from cytopress.tasks.registry import task

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("name", ["demo", "ecoli", "nuclei", "zhou2024"])
def test_an_example_is_a_study_of_known_datasets(name: str) -> None:
    study = load_study(EXAMPLES / f"{name}.toml")
    assert study.name == name
    for entry in study.datasets:
        assert entry.name in KNOWN_DATASETS
        assert entry.tasks == (f"labelfree/{entry.name}",)
    for entry in study.codecs:
        assert len(entry.values) >= 5 or not entry.target


@pytest.mark.parametrize(
    ("name", "of"), [("learned", "nuclei-brightfield"), ("learned-ecoli", "ecoli-phase")]
)
def test_learned_codecs_stand_beside_classic_ones_at_the_same_ratios(name: str, of: str) -> None:
    study = load_study(EXAMPLES / f"{name}.toml")
    (entry,) = study.datasets
    assert (entry.name, entry.tasks) == (of, (f"labelfree/{of}",))
    ratios = {codec.spec: codec.values for codec in study.codecs}
    assert {f"learned/{of}", "learned/cytopress-2d", "jpeg2000", "avif"} <= ratios.keys()
    ours, classic = ratios[f"learned/{of}"], ratios["jpeg2000"]
    assert ours == ratios["learned/cytopress-2d"]
    # On bacteria ours go on to where they have lost what JPEG 2000 has by then.
    assert ours == (*classic, 640) if of == "ecoli-phase" else ours == classic


def test_the_example_of_volumes_holds_codecs_of_both_kinds() -> None:
    study = load_study(EXAMPLES / "volumes.toml")
    (entry,) = study.datasets
    assert KNOWN_DATASETS[str(entry.name)].axes == "ZYX"
    lossy = [request for entry in study.codecs if entry.target for request in entry.requests]
    whole = [takes_volumes(request) for request in lossy]
    assert 4 <= sum(whole) < len(whole)


def test_every_example_is_tried() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.toml")} == {
        "compressai",
        "demo",
        "ecoli",
        "learned",
        "learned-ecoli",
        "nuclei",
        "volumes",
        "zhou2024",
    }


def test_the_demo_is_the_one_inside_the_package() -> None:
    inside = (files("cytopress.study") / "demo.toml").read_text(encoding="utf-8")
    assert inside == (EXAMPLES / "demo.toml").read_text(encoding="utf-8")


def test_the_demo_has_enough_codecs_at_enough_rates() -> None:
    study = load_study(EXAMPLES / "demo.toml")
    lossy = {entry.spec for entry in study.codecs if len(entry.values) >= 5}
    assert len(lossy) >= 8


@pytest.mark.learn
def test_the_comparison_of_architectures_takes_what_its_trainings_make(tmp_path: Path) -> None:
    pytest.importorskip("compressai", reason="needs CompressAI (extra learn)")
    from cytopress.training.codec.compressai_network import (
        CompressAINetwork,
        write_compressai_package,
    )
    from cytopress.training.codec.config import read_codec_training

    trainings = sorted((EXAMPLES.parent / "trainings").glob("compressai-*-ecoli.toml"))
    configs = [read_codec_training(path) for path in trainings]
    for config in configs:
        # Untrained and small, but of the names and rates that the trainings give.
        networks = [CompressAINetwork(config.network.architecture, N=8, M=8)] * config.rate.networks
        path = tmp_path / f"{config.file_stem}.cytomodel"
        write_compressai_package(path, networks, {"name": config.name})
    study = load_study(EXAMPLES / "compressai.toml", from_environment().with_models(tmp_path))
    wanted = {f"{c.network.architecture}:weights={c.name}" for c in configs}
    assert {e.spec for e in study.codecs if e.target == "quality"} == wanted
    assert len(wanted) == 6
    # Apart from the network and how long an equal time lasts, they are trained alike.
    shared = [
        c.model_dump(exclude={"name": True, "network": True, "fit": {"steps", "validate_every"}})
        for c in configs
    ]
    assert all(each == shared[0] for each in shared)


REFERENCE = EXAMPLES.parent / "reference"


# What is not in the repository is trained first: packages of CompressAI's networks, and new judges.
TRAINED_FIRST = ("zhou2024", "nuclei-brightfield-judges")
STUDIES = [path for path in sorted(REFERENCE.glob("*.toml")) if path.stem not in TRAINED_FIRST]


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_reference_study_finds_its_codecs_and_models(path: Path) -> None:
    settings = from_environment().with_models(REFERENCE / "models")
    study = load_study(path, settings)
    # One stack in three parts says nothing of other samples, whatever the seeds.
    assert study.seeds == (() if path.stem == "nuclei-3d" else (1, 2, 3))
    for entry in study.datasets:
        assert entry.name in KNOWN_DATASETS or entry.optional
        for name in entry.tasks:
            found = task(name, settings)
            config = config_of(found)
            assert config is None or config.seed == 1
            if config is not None and study.seeds:
                # The seeds beside the first are named by a digest of what made them.
                siblings = REFERENCE.glob(f"models/{config.file_stem}.seed*.cytomodel")
                assert {open_package(p).manifest["training"]["seed"] for p in siblings} >= {2, 3}


def test_every_model_of_the_reference_has_its_card() -> None:
    models = list((REFERENCE / "models").rglob("*.cytomodel"))
    assert models
    for path in models:
        package = open_package(path)
        stem = path.stem if package.manifest["kind"] == "task" else f"learned-{path.stem}"
        assert package.sha256 in (path.parent / f"{stem}.md").read_text(encoding="utf-8")


def test_what_a_reference_study_trains_first_has_its_training_file() -> None:
    trainings = REFERENCE.parent / "trainings"
    names = {tomllib.loads(path.read_text())["name"] for path in trainings.glob("*.toml")}
    judges = tomllib.loads((REFERENCE / "nuclei-brightfield-judges.toml").read_text())
    assert set(judges["datasets"][0]["tasks"]) <= names
    study = tomllib.loads((REFERENCE / "zhou2024.toml").read_text())
    trained = [entry for entry in study["codecs"] if "training" in entry]
    assert len(trained) == 3
    for entry in trained:
        training = tomllib.loads((REFERENCE / entry["training"]).read_text())
        assert entry["spec"] == f"{training['network']['architecture']}:weights={training['name']}"
        assert training["network"]["N"] >= 64
        assert len(training["rate"]["lambdas"]) == len(entry["quality"]) == 4
        assert (training["fit"]["steps"], training["fit"]["coarser_steps"]) == (60_000, 15_000)


@pytest.mark.learn
def test_the_reference_study_is_whole_once_its_codecs_are_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("compressai", reason="needs CompressAI (extra learn)")
    from cytopress.study.left_out import without_missing
    from cytopress.training.codec.compressai_network import (
        CompressAINetwork,
        write_compressai_package,
    )
    from cytopress.training.codec.config import read_codec_training

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for path in (REFERENCE.parent / "trainings").glob("compressai-*-long.toml"):
        config = read_codec_training(path)
        network = CompressAINetwork(config.network.architecture, N=8, M=8)
        package = tmp_path / f"{config.file_stem}.cytomodel"
        write_compressai_package(package, [network] * 4, {"name": config.name})
    settings = from_environment().with_models(REFERENCE / "models", tmp_path)
    study = load_study(REFERENCE / "zhou2024.toml", settings)
    for entry in study.datasets:
        assert entry.name in KNOWN_DATASETS
        assert all(task(name, settings) for name in entry.tasks)
    names = {entry.name for entry in study.datasets}
    assert {name for entry in study.codecs for name in entry.datasets or ()} <= names
    with pytest.warns(CytopressWarning, match="pretrained weights are not on this machine"):
        left, _ = without_missing(study)
    # One line for all of them, and the study goes on with what was trained here.
    assert not any("zoo" in request.spec for request in left.requests)
    planes = {request.name for request in left.requests_for("ecoli-phase")}
    volumes = {request.name for request in left.requests_for("phantom-3d")}
    assert planes - volumes == {"compressai/cheng2020-anchor"}
    assert volumes - planes == {"learned/cytopress-3d"}
    assert len(left.training_requests) == 2
