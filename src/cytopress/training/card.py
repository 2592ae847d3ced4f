"""Model card of a task's package: data, training and results, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cytopress.datasets.dataset import Dataset
from cytopress.training.kinds.kind import CardPart

MOST_CURVE_ROWS = 12


def model_card(
    manifest: Mapping[str, Any],
    dataset: Dataset,
    part: CardPart,
    history: Sequence[Mapping[str, float | None]],
    *,
    sha256: str,
    size: int,
) -> str:
    """Write the card of a task's package.

    Parameters
    ----------
    manifest : mapping
        The package's.
    dataset : Dataset
        The training data.
    part : CardPart
        The part of the kind of task.
    history : sequence of mapping
        ``step``, ``loss`` and validation score of each round.
    sha256 : str
        The package's identity.
    size : int
        Its bytes.
    """
    sections = (
        _head(manifest, part, sha256, size),
        _data(manifest, dataset),
        _model(manifest, part),
        _scores(manifest, part),
        _curve(history),
        _limits(dataset, part),
    )
    return "\n\n".join(sections) + "\n"


def _head(manifest: Mapping[str, Any], part: CardPart, sha256: str, size: int) -> str:
    return (
        f"# {manifest['name']}\n\n{part.summary}\n\n"
        f"Package: {size / 1e6:.2f} MB, sha256 `{sha256}`."
    )


def _data(manifest: Mapping[str, Any], dataset: Dataset) -> str:
    trained = manifest["trained_on"]
    rows = [
        "## Data",
        "",
        f"{dataset.title}. License: {dataset.licence}. Source: {dataset.attribution}.",
        "",
        "| part | groups | fields |",
        "|---|---|---|",
    ]
    for part in ("train", "validation", "test"):
        fields, groups = trained[part]["fields"], trained[part]["groups"]
        rows.append(f"| {part} | {', '.join(groups) or 'none'} | {len(fields)} |")
    shared = sorted(set(trained["train"]["groups"]) & set(trained["validation"]["groups"]))
    rows += ["", _seen(manifest)]
    rows += ["", "The test groups were used neither for training nor for choosing a checkpoint."]
    if shared:
        rows.append(
            f"Validation shares the groups {', '.join(shared)} with training: it was split by field"
            " (position), so its score flatters; it chose the checkpoint only."
        )
    validation = ", ".join(trained["validation"]["fields"])
    if validation:
        rows += ["", f"Validation fields: {validation}."]
    return "\n".join(rows)


def _seen(manifest: Mapping[str, Any]) -> str:
    codecs = manifest["codecs"]
    if not codecs:
        return "Trained and validated on originals; the scores below are on originals too."
    listed = ", ".join(f"`{spec}`" for spec in codecs)
    return (
        f"Trained and validated on inputs as these codecs give them back, in equal shares: {listed}"
        " (`original` is the image itself). The scores below are on originals, never compressed."
    )


def _model(manifest: Mapping[str, Any], part: CardPart) -> str:
    config = manifest["training"]
    network, fit, compute = config["network"], config["fit"], manifest["compute"]
    augmentation = ", ".join(f"{key} {value}" for key, value in config["augmentation"].items())
    chosen = (
        f"the averaged weights of step {manifest['selection']['step']}, best of the"
        f" {manifest['selection']['of']} that were validated"
        if manifest["selection"]["by"]
        else f"the averaged weights of the last step; {_why_last(manifest)}"
    )
    lines = [
        "## Model and training",
        "",
        (
            f"- Network: U-Net of {network['channels']} channels and {network['depth']} halvings"
            f"{_in_volume(config)}, {manifest['parameters'] / 1e6:.2f} million parameters,"
            f" receptive field {_by(manifest['receptive_field'])} pixels. Weights are stored as"
            " float16, computed in float32."
        ),
        "- Input: standardized by the mean and standard deviation of the image given.",
        *(f"- {line}" for line in part.output),
        (
            f"- Loss: {fit['loss']}. Seed: {config['seed']}. {fit['steps']} steps of {fit['batch']}"
            f" crops of {_crop(config)} pixels; AdamW, largest learning rate"
            f" {fit['learning_rate']:g}, weight decay {fit['weight_decay']:g};"
            f" {compute.get('precision', fit['precision'])}."
        ),
        f"- Augmentation, largest values: {augmentation}.",
        f"- Exported: {chosen}.",
        _compute(compute, fit["threads"]),
        (
            "- Config: the table `training` of the package's manifest, run with `cytopress train"
            " task`."
        ),
    ]
    return "\n".join(lines)


def _by(lengths: int | Sequence[int]) -> str:
    return " x ".join(map(str, [lengths] * 2 if isinstance(lengths, int) else lengths))


def _crop(config: Mapping[str, Any]) -> str:
    side = config["fit"]["crop"]
    return _by([config["volume"]["planes"], side, side] if "volume" in config else side)


def _in_volume(config: Mapping[str, Any]) -> str:
    if "volume" not in config:
        return ""
    halvings, fold = config["volume"]["halvings"], config["volume"]["fold"]
    folded = f", {fold} x {fold} pixels of a plane folded into one before it" if fold > 1 else ""
    return f" of the plane, the last {halvings} of them of Z too{folded}"


def _why_last(manifest: Mapping[str, Any]) -> str:
    if manifest["trained_on"]["validation"]["fields"]:
        return "the validation score is shown, but chose nothing"
    return "there is no validation part"


def _compute(compute: Mapping[str, Any], threads: int) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in compute["versions"].items())
    return (
        f"- Compute: {compute['minutes']:.0f} minutes by the clock with {threads} of"
        f" {compute['cores']} cores ({compute['processor']}), which other programs may have shared;"
        f" Python {compute['python']}, {versions}."
    )


def _scores(manifest: Mapping[str, Any], part: CardPart) -> str:
    results = manifest["results"]
    names = [name for name in results["scores"] if name in results["mean"]]
    rows = ["## Scores on the test fields", ""]
    if not names:
        return "\n".join([*rows, "None were measured."])
    rows += [
        part.scored,
        "",
        "| field | " + " | ".join(names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    base = results.get("baseline_fields", {})
    table = [(f"`{field}`", found, base.get(field)) for field, found in results["fields"].items()]
    table.append(("**mean**", results["mean"], results.get("baseline_mean")))
    for label, found, other in table:
        cells = (
            f"{found[name]:.4f}" + (f" ({other[name]:.4f})" if other else "") for name in names
        )
        rows.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _curve(history: Sequence[Mapping[str, float | None]]) -> str:
    every = -(-len(history) // MOST_CURVE_ROWS)
    shown = [*history[every - 1 :: every]]
    if history and shown[-1] is not history[-1]:
        shown.append(history[-1])
    names = [name for name in history[0] if name != "step"]
    titles = " | ".join(name.replace("_", " ") for name in ("step", *names))
    rows = ["## Curve", "", f"| {titles} |", "|---" * (len(names) + 1) + "|"]
    for row in shown:
        cells = ("none" if row[name] is None else f"{row[name]:.4f}" for name in names)
        rows.append(f"| {row['step']:.0f} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _limits(dataset: Dataset, part: CardPart) -> str:
    lines = [
        "One seed: the spread over seeds is not known.",
        (
            "It knows the cells, the microscope and the magnification of its training fields, and"
            " no others."
        ),
        (
            "Standardizing each input hides a gain or an offset of the whole image, so this task"
            " cannot see\n  what a codec does to those; the bias metric can."
        ),
        *part.limits,
    ]
    if dataset.notes:
        lines.append(f"About the data: {dataset.notes}")
    return "\n".join(["## Limits", "", *(f"- {line}" for line in lines)])
