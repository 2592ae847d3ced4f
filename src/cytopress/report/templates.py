"""Templates of the page, with the number formats that they use."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from cytopress.errors import NotAvailableError
from cytopress.figures import count_text
from cytopress.results import tables
from cytopress.results.bd_table import BDResult
from cytopress.results.number_format import MINUS, label_text, moment_text, number_text, ratio_text
from cytopress.results.recommendation import amounts, text
from cytopress.results.recommendation.plain_words import (
    field_text,
    hero_text,
    question_text,
)

if TYPE_CHECKING:
    from jinja2 import Environment

ASSETS = files("cytopress.report") / "assets"
TEMPLATES = files("cytopress.report") / "templates"
STYLES = ("page.css", "answer.css", "print.css")
# Each set of scripts is one function: its parts share names, and nothing else sees them.
SCRIPTS = {
    "plots": (
        *(f"plots/{part}.js" for part in ("shared", "axes", "curves", "equivalence", "others")),
        *(f"plots/{part}.js" for part in ("legend", "draw")),
    ),
    "gallery": ("gallery.js",),
    "answer": ("answer.js", "layout.js"),
}


def environment() -> Environment:
    """Return the template environment, which escapes every name and text of a study."""
    jinja2 = _library("jinja2")
    made: Environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: (TEMPLATES / name).read_text(encoding="utf-8")),
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
        "verdict_class": lambda word: "unclear" if word == "not shown" else word,
        "bd_reasons": _reasons,
    }
    made.globals |= {
        "codec_verdicts": tables.codec_verdicts,
        "lossless_rows": tables.lossless_rows,
        "sizes": tables.sizes,
        "psnr": tables.psnr_text,
        "difference": tables.difference_text,
        "interval": tables.interval_text,
        "sentence": text.sentence,
        "hero": hero_text,
        "question": question_text,
        "field_text": field_text,
        "bound": lambda *amount: amounts.above_figures(*amount)[0],
    }
    return made


def styles(names: Sequence[str] = STYLES) -> str:
    """Return style sheets, unless named those of the page, those for paper last."""
    return "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in names)


def script(name: str) -> str:
    """Return a set of scripts as one that runs at once."""
    parts = "\n".join((ASSETS / part).read_text(encoding="utf-8") for part in SCRIPTS[name])
    return f'(() => {{\n"use strict";\n{parts}\n}})();'


def offline_plotly() -> Any:
    """Return plotly's offline part.

    Raises
    ------
    NotAvailableError
        The extra ``report`` is not installed.
    """
    return _library("plotly.offline")


def check_libraries() -> None:
    """Refuse to write reports where the libraries are missing, before there is anything to write.

    Raises
    ------
    NotAvailableError
        The extra ``report`` is not installed.
    """
    for name in ("jinja2", "plotly"):
        _library(name)


def _library(name: str) -> Any:
    try:
        import_module(name.partition(".")[0])
        return import_module(name)
    except ImportError as error:
        raise NotAvailableError(
            f"A report needs {error.name}, which is not installed; install the extra report:"
            " pip install 'cytopress[report]'."
        ) from error


def _reasons(rows: Sequence[tuple[object, Sequence[BDResult]]]) -> list[str]:
    return list(dict.fromkeys(cell.reason for _, cells in rows for cell in cells if cell.reason))
