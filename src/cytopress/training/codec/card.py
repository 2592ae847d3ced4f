"""Model card of a codec package: its data, network, training and results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cytopress.figures import count_text
from cytopress.models.model_package import EXACT_FORMAT
from cytopress.training.codec.evaluate import OPPONENT

Entries = Mapping[str, Any]
MOST_CURVE_ROWS = 14


def codec_card(manifest: Entries, history: Sequence[Entries], *, sha256: str, size: int) -> str:
    """Write the card of a package, in Markdown.

    Parameters
    ----------
    manifest : mapping
        The package's.
    history : sequence of mapping
        A row a validation: ``network``, counted from 0, ``step``, ``loss``, ``bpp`` and ``psnr`` of
        the training crops.
    sha256 : str
        The package's identity.
    size : int
        Its bytes.
    """
    sections = (
        _head(manifest, sha256, size),
        _data(manifest["trained_on"]),
        _network(manifest),
        *(_results(name, result) for name, result in manifest["results"].items()),
        _curve(history),
        _limits(manifest),
    )
    return "\n\n".join(sections) + "\n"


def _head(manifest: Entries, sha256: str, size: int) -> str:
    reached = [
        f"{result['bd_rate']:+.1f} % bytes at equal PSNR against JPEG 2000 on the test fields of"
        f" {name}"
        for name, result in manifest["results"].items()
        if "bd_rate" in result
    ]
    text = "; ".join(reached) or "nothing is known about it on unseen fields"
    return (
        f"# {manifest['name']}\n\nA learned codec for {_images(manifest)}: {text}.\n\n"
        f"Package: {size / 1e6:.2f} MB, sha256 `{sha256}`."
    )


def _data(sources: Sequence[Entries]) -> str:
    rows = [
        "## Data",
        "",
        "| source | license | groups | planes | megapixels | share of the crops |",
        "|---|---|---|---|---|---|",
    ]
    total = sum(source["weight"] for source in sources)
    rows += [
        f"| `{source['name']}`: {source['title']} | {source['licence']} | {len(source['groups'])} |"
        f" {source['planes']} | {source['pixels'] / 1e6:.1f} |"
        f" {100 * source['weight'] / total:.0f} % |"
        for source in sources
    ]
    rows += ["", "Attribution:", ""]
    rows += [f"- `{source['name']}`: {source['attribution']}" for source in sources]
    rows += ["", "Test groups were used neither for training nor for choosing anything."]
    return "\n".join(rows)


def _network(manifest: Entries) -> str:
    training = manifest["training"]
    rate, fit = training["rate"], training["fit"]
    loss, compute = training["loss"], manifest["compute"]
    rates = (
        f"{rate['gains']} gain nodes, lambda from {rate['lambda_range'][0]:g} to"
        f" {rate['lambda_range'][1]:g}"
        if rate["gains"]
        else f"lambda {', '.join(f'{value:g}' for value in rate['lambdas'])}"
    )
    start = training.get("init")
    versions = ", ".join(f"{name} {version}" for name, version in compute["versions"].items())
    return "\n".join(
        (
            "## Network and training",
            "",
            *_architecture(manifest),
            f"- Rates: {rates}; distortion {loss['distortion']} in the {loss['domain']} domain.",
            *_task(manifest),
            (
                f"- {_steps(fit)} of {fit['batch']} crops of {fit['crop']} x {fit['crop']}"
                f"{_deep(fit)}, Adam at {fit['learning_rate']:g} falling along a cosine,"
                f" {compute.get('precision', fit['precision'])};"
                f" seed {training['seed']}. Started from {f'`{start}`' if start else 'nothing'}."
            ),
            (
                f"- Compute: {compute['minutes']:.0f} minutes by the clock on {fit['threads']} of"
                f" {compute['cores']} cores ({compute['processor']}), which other programs may have"
                f" shared; Python {compute['python']}, {versions}."
            ),
        )
    )


def _architecture(manifest: Entries) -> list[str]:
    """Describe the network; of CompressAI's, what it was built with."""
    if _theirs(manifest):
        built = ", ".join(f"{key} {value}" for key, value in manifest["model"].items())
        rates = manifest["rates"]
        return [
            f"- Architecture: {manifest['architecture']} of CompressAI ({built}), {rates} rates."
        ]
    network, cost = manifest["training"]["network"], manifest["multiply_adds"]
    return [
        (
            f"- Architecture: {manifest['architecture']}, {manifest['latent_channels']} latents"
            f" for {_span(manifest)},"
            f" {manifest['hyper_channels']}"
            f" hyper-latents; widths {network['analysis']} (analysis), {network['synthesis']}"
            f" (synthesis); {manifest['parameters'] / 1e6:.2f} million parameters."
        ),
        (
            f"- Cost: {cost['encoder']:.0f} multiply-adds a pixel to encode,"
            f" {cost['decoder']:.0f}"
            " to decode."
        ),
    ]


def _theirs(manifest: Entries) -> bool:
    return str(manifest["architecture"]).startswith("compressai/")


def _steps(fit: Entries) -> str:
    coarser = fit.get("coarser_steps")
    if coarser is None:
        return f"{fit['steps']} steps"
    return f"{fit['steps']} steps at the finest rate and {coarser} at each coarser one, each"


def _images(manifest: Entries) -> str:
    return "volumes" if manifest.get("depth") else "planes"


def _span(manifest: Entries) -> str:
    """Describe the extent of a latent."""
    stride, depth = manifest["stride"], manifest.get("depth")
    if not depth:
        return f"{stride} x {stride} pixels"
    below = ", each slab predicted from the previous one" if "below" in manifest else ""
    return f"{stride} x {stride} x {depth['stride']} voxels (the last along z){below}"


def _deep(fit: Entries) -> str:
    return f" x {fit['planes']} voxels" if fit.get("planes", 1) > 1 else " pixels"


def _task(manifest: Entries) -> list[str]:
    """Describe the task distortion, if there is one."""
    options = manifest["training"].get("task")
    if not options:
        return []
    text = (
        f"- Task: distortion is {options['pixels']:g} x that of pixels + {options['weight']:g} x"
        f" what the frozen `{options['name']}` (sha256 `{manifest['task']['sha256'][:16]}`) loses"
        f" of the variance of its {options['layer']}. Decoding takes none of it."
    )
    return [text]


def _results(name: str, result: Entries) -> str:
    rows = [
        f"## Test fields of {name}",
        "",
        (
            f"Groups {', '.join(result['groups'])}, {count_text(len(result['fields']), 'field')};"
            f" true bytes, PSNR"
            f" over {result['data_range']:g} counts, means over fields."
        ),
        "",
    ]
    if "bd_rate" in result:
        known = [rate for rate in result["bd_rate_fields"] if rate is not None]
        rows += [
            (
                f"BD-rate against JPEG 2000: **{result['bd_rate']:+.1f} %** ({_of_fields(result)}"
                f"single fields {min(known):+.1f} to {max(known):+.1f} %)."
            ),
            "",
        ]
    rows += ["| | bits a pixel | ratio | PSNR (dB) |", "|---|---|---|---|"]
    for label, points in (("this", result["curve"]), ("JPEG 2000", result[OPPONENT])):
        rows += [
            f"| {label} | {point['bpp']:.4f} | {point['ratio']:.1f} | {point['psnr']:.2f} |"
            for point in _thinned(points)
        ]
    return "\n".join(rows)


def _of_fields(result: Entries) -> str:
    """Describe on how many fields a BD-rate is defined, if not on all of them."""
    rates = result["bd_rate_fields"]
    known = sum(rate is not None for rate in rates)
    return "" if known == len(rates) else f"{known} of {count_text(len(rates), 'field')} have one; "


def _curve(history: Sequence[Entries]) -> str:
    networks = sorted({row["network"] for row in history})
    several = len(networks) > 1
    rows = [
        "## Curve",
        "",
        "Over the crops and qualities drawn since the row before.",
        "",
        ("| network " if several else "")
        + "| step | loss | bits a pixel | PSNR in used ranges (dB) |",
        ("|---" if several else "") + "|---|---|---|---|",
    ]
    for network in networks:
        own = _thinned([row for row in history if row["network"] == network])
        rows += [
            (f"| {network + 1} " if several else "")
            + f"| {row['step']} | {row['loss']:.4f} | {row['bpp']:.4f} | {row['psnr']:.2f} |"
            for row in own
        ]
    return "\n".join(rows)


def _thinned(rows: Sequence[Entries]) -> list[Entries]:
    """Return evenly spaced rows, and the last."""
    every = -(-len(rows) // MOST_CURVE_ROWS)
    shown = [*rows[every - 1 :: every]]
    return shown if not rows or shown[-1] is rows[-1] else [*shown, rows[-1]]


def _limits(manifest: Entries) -> str:
    if _theirs(manifest):
        return LIMITS_OF_THEIRS
    return LIMITS + (
        PIXELS_IN_INTEGERS if manifest.get("format") == EXACT_FORMAT else PIXELS_IN_FLOATS
    )


LIMITS = """## Limits

- One seed: the spread over seeds is not known.
- It knows images like those above. Others code and decode correctly, at a worse ratio.
- It removes noise first: where single counts matter, take a lossless codec, or `guard=`."""
PIXELS_IN_INTEGERS = """
- Pixels are computed in integers and are the same on every machine; a decoder that gets others
  refuses the bytes as damaged."""
PIXELS_IN_FLOATS = """
- Pixels come from a network in floats: another processor may round one by a count, and then the
  decoder says so. The entropy coding is exact everywhere."""
LIMITS_OF_THEIRS = """## Limits

- One seed: the spread over seeds is not known.
- It knows images like those above.
- For comparison, not for storage: decoding needs torch and CompressAI, and its probabilities are
  floats, so that another machine may decode noise."""
