"""One HTML page of a study: everything inside it, nothing fetched."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cytopress.atomic import whole_file
from cytopress.errors import NotAvailableError
from cytopress.report import tables
from cytopress.report.bd_table import BDCell, bd_tables
from cytopress.report.change import LEAST_UNITS, SEED
from cytopress.report.findings import Findings, findings
from cytopress.report.formats import (
    MINUS,
    count_text,
    label_text,
    moment_text,
    number_text,
    ratio_text,
)
from cytopress.report.gallery import Gallery, gallery
from cytopress.report.plots import plot_data
from cytopress.report.reading import progress_text, reading, split_text
from cytopress.report.speed import speed_rows
from cytopress.study.results import Results

if TYPE_CHECKING:
    from jinja2 import Environment

ASSETS = files("cytopress.report") / "assets"
FIRST_METRICS = ("pixels/psnr", "pixels/ssim")
VERDICT_CLASSES = {
    "no loss seen": "none",
    "better": "better",
    "loss": "loss",
    "lossless": "lossless",
}


def write_report(results: Results, path: Path) -> Path:
    """Write the report of a study as one HTML file that opens from disk without a network.

    Parameters
    ----------
    results : Results
        A finished study, or one on the way; the page says which.
    path : Path
        The file to write; it appears whole or not at all.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    NotAvailableError
        The extra ``report`` is not installed.
    """
    page = _render(results)
    with whole_file(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def _render(results: Results) -> str:
    found = findings(results)
    pictures = gallery(results, [curve for each in found for curve in each.curves])
    metrics = [score for score in results.scores if not score.task]
    columns = [score.column for score in metrics]
    markup = _environment()
    template = markup.get_template("page.html")
    return template.render(
        **_inlined(results, found, pictures),
        results=results,
        found=found,
        title=results.title or results.name,
        gallery=pictures,
        metrics=metrics,
        first_metrics=[c for c in FIRST_METRICS if c in columns] or columns[:2],
        any_drawn_task=any(each.scores and each.lossy for each in found),
        any_task=any(each.scores for each in found),
        progress=progress_text(results.cells_done, results.cells_planned),
        failed=sum(bool(trial.error) for trial in results.trials),
        speed_rows=speed_rows(results),
        error_rows=tables.error_rows(results),
        bd_tables=lambda each: bd_tables(results, each),
        units=_units(found),
        least_units=LEAST_UNITS,
        near=round(100 * (tables.NEAR - 1)),
        reading=reading,
        split_text=split_text,
    )


def _environment() -> Environment:
    """Return the templates: every name and text of a study is escaped."""
    jinja2, _ = _libraries()
    made: Environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: (ASSETS / name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "ratio": ratio_text,
        "number": lambda value, significant=4: number_text(value, significant=significant),
        "exact": lambda value: f"{value:.6g}".replace("-", MINUS),
        "moment": moment_text,
        "label": label_text,
        "count": count_text,
        "percent": lambda value: f"{value:+.0f} %".replace("-", MINUS),
        "verdict_class": lambda word: VERDICT_CLASSES.get(word, "unclear"),
        "bd_reasons": _reasons,
    }
    made.globals |= {
        "verdicts": tables.verdicts,
        "lossless_rows": tables.lossless_rows,
        "sizes": tables.sizes,
        "psnr": tables.psnr_text,
        "difference": tables.difference_text,
        "interval": tables.interval_text,
    }
    return made


def _inlined(results: Results, found: Sequence[Findings], pictures: Gallery) -> dict[str, Any]:
    from markupsafe import Markup

    _, plotly = _libraries()
    content = {"entries": pictures.entries, "pictures": pictures.pictures}
    texts = {
        "css": (ASSETS / "page.css").read_text(encoding="utf-8"),
        "plots_js": (ASSETS / "plots.js").read_text(encoding="utf-8"),
        "gallery_js": (ASSETS / "gallery.js").read_text(encoding="utf-8"),
        "plotly": plotly.get_plotlyjs(),
        "plot_data": _json(plot_data(results, found)),
        "gallery_data": _json(content),
    }
    return {name: Markup(text) for name, text in texts.items()}  # noqa: S704 - ours, or escaped by _json


def _libraries() -> tuple[Any, Any]:
    try:
        import jinja2
        from plotly import offline
    except ImportError as error:
        raise NotAvailableError(
            f"A report needs {error.name}, which is not installed; install the extra report:"
            " pip install 'cytopress[report]'."
        ) from error
    return jinja2, offline


def _json(value: object) -> str:
    """Return JSON that cannot end the script element that holds it."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("&", "\\u0026")


def _reasons(rows: Sequence[tuple[object, Sequence[BDCell]]]) -> list[str]:
    return list(dict.fromkeys(cell.reason for _, cells in rows for cell in cells if cell.reason))


def _units(found: Sequence[Findings]) -> str:
    """Say over what the intervals of each dataset are."""
    sentences = []
    for each in found:
        intervals = [
            row.change.interval
            for rows in each.rows.values()
            for row in rows
            if row.change is not None and row.change.interval is not None
        ]
        for unit in dict.fromkeys(interval.unit for interval in intervals):
            numbers = sorted({interval.n for interval in intervals if interval.unit == unit})
            span = f"{numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else f"{numbers[0]}"
            sentences.append(f"{each.facts.title}: over {span} {unit}.")
    return " ".join([*sentences, f"10,000 draws, seed {SEED}."])
