"""The model card: what a package was made from, how, and what it reached, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cytopress.io.dataset import Dataset
from cytopress.tasks.labelfree import SCORES

MOST_CURVE_ROWS = 12


def model_card(
    manifest: Mapping[str, Any],
    dataset: Dataset,
    history: Sequence[Mapping[str, float | None]],
    *,
    sha256: str,
    size: int,
) -> str:
    """Write the card of a label-free package.

    Parameters
    ----------
    manifest : mapping
        The package's.
    dataset : Dataset
        What it was trained on.
    history : sequence of mapping
        ``step``, ``loss`` and ``validation_pearson`` of each round.
    sha256 : str
        The package's identity.
    size : int
        Its bytes.
    """
    sections = (
        _head(manifest, dataset, sha256, size),
        _data(manifest, dataset),
        _model(manifest),
        _scores(manifest),
        _curve(history),
        _limits(dataset),
    )
    return "\n\n".join(sections) + "\n"


def _head(manifest: Mapping[str, Any], dataset: Dataset, sha256: str, size: int) -> str:
    mean, base = manifest["results"]["mean"], manifest["results"]["baseline_mean"]
    reached = (
        f"Mean over the test fields: Pearson r **{mean['pearson']:.4f}**, a linear filter bank"
        f" fitted on the same fields {base['pearson']:.4f}."
        if mean
        else "The dataset has no test fields, so nothing is known about its accuracy."
    )
    return (
        f"# {manifest['name']}\n\n"
        f"Predicts {dataset.target} from {dataset.input}. {reached}\n\n"
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


def _config(manifest: Mapping[str, Any]) -> str:
    if manifest["name"] != manifest["task"]:
        return "- Config: the table `training` of the package's manifest."
    stem = manifest["name"].replace("/", "-")
    return f"- Config: `trainings/{stem}.toml`, run with `cytopress train task`."


def _model(manifest: Mapping[str, Any]) -> str:
    config, target, side = manifest["training"], manifest["target"], manifest["receptive_field"]
    network, fit = config["network"], config["fit"]
    augmentation = ", ".join(f"{key} {value}" for key, value in config["augmentation"].items())
    chosen = (
        f"the averaged weights of step {manifest['selection']['step']}, best of the"
        f" {manifest['selection']['of']} that were validated"
        if manifest["selection"]["by"]
        else "the averaged weights of the last step, since there is no validation part"
    )
    lines = [
        "## Model and training",
        "",
        (
            f"- Network: U-Net of {network['channels']} channels and {network['depth']} halvings,"
            f" {manifest['parameters'] / 1e6:.2f} million parameters, receptive field"
            f" {side} x {side} pixels. Weights are stored as float16, computed in float32."
        ),
        "- Input: standardized by the mean and standard deviation of the image given.",
        (
            f"- Output: counts, `z * {target['std']:.6g} + {target['mean']:.6g}`: standard"
            " deviation and mean of a target, averaged over the training fields. In training each"
            " target was standardized by itself."
        ),
        (
            "- Data range of the target, for SSIM and the normalized error:"
            f" {target['data_range']:.6g} counts."
        ),
        (
            f"- Loss: {fit['loss']}. Seed: {config['seed']}. {fit['steps']} steps of {fit['batch']}"
            f" crops of {fit['crop']} x {fit['crop']} pixels; AdamW, largest learning rate"
            f" {fit['learning_rate']:g}, weight decay {fit['weight_decay']:g}; {fit['precision']}."
        ),
        f"- Augmentation, largest values: {augmentation}.",
        f"- Exported: {chosen}.",
        _compute(manifest["compute"], fit["threads"]),
        _config(manifest),
    ]
    return "\n".join(lines)


def _compute(compute: Mapping[str, Any], threads: int) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in compute["versions"].items())
    return (
        f"- Compute: {compute['minutes']:.0f} minutes by the clock with {threads} of"
        f" {compute['cores']} cores ({compute['processor']}), which other programs may have shared;"
        f" Python {compute['python']}, {versions}."
    )


def _scores(manifest: Mapping[str, Any]) -> str:
    results = manifest["results"]
    names = [score.name for score in SCORES if score.name in results["mean"]]
    rows = [
        "## Scores on the test fields",
        "",
        "Prediction against ground truth, in counts. In brackets: the linear filter bank.",
        "",
        "| field | " + " | ".join(names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    pairs = [
        (f"`{field}`", scores, results["baseline_fields"][field])
        for field, scores in results["fields"].items()
    ]
    pairs.append(("**mean**", results["mean"], results["baseline_mean"]))
    for label, scores, base in pairs:
        cells = (f"{scores[name]:.4f} ({base[name]:.4f})" for name in names)
        rows.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _curve(history: Sequence[Mapping[str, float | None]]) -> str:
    every = -(-len(history) // MOST_CURVE_ROWS)
    shown = [*history[every - 1 :: every]]
    if history and shown[-1] is not history[-1]:
        shown.append(history[-1])
    rows = ["## Curve", "", "| step | training loss | validation Pearson r |", "|---|---|---|"]
    for row in shown:
        r = row["validation_pearson"]
        rows.append(
            f"| {row['step']:.0f} | {row['loss']:.4f} | {'none' if r is None else f'{r:.4f}'} |"
        )
    return "\n".join(rows)


def _limits(dataset: Dataset) -> str:
    notes = f"\n- About the data: {dataset.notes}" if dataset.notes else ""
    return f"""## Limits

- One seed: the spread over seeds is not known.
- It knows the cells, the microscope and the magnification of its training fields, and no others.
- Standardizing each input hides a gain or an offset of the whole image, so this task cannot see
  what a codec does to those; the bias metric can.
- Predictions are in the scale of the training fields: a field twice as bright is predicted at their
  brightness. Pearson's r does not see that, the normalized error does.{notes}"""
