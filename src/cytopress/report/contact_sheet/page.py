"""The contact sheet as one HTML page, self-contained; a section for each channel."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

from cytopress.atomic import atomic_file
from cytopress.quick_look.look import QuickLook
from cytopress.report.contact_sheet.picture import legend
from cytopress.report.contact_sheet.tiles import Drawing, Tile, tiles
from cytopress.report.data_uri import Bytes2D, data_uri, png
from cytopress.report.pictures import diverging

FOLDER = files("cytopress.report.contact_sheet")


def write_page(looks: Sequence[QuickLook], path: Path, *, source: str) -> None:
    """Write the contact sheets of a file or folder as one HTML page, whole or not at all.

    Parameters
    ----------
    looks : sequence of QuickLook
        One for each channel.
    path : Path
        The file to write.
    source : str
        The file or folder that was looked at, for the heading.
    """
    template = Template((FOLDER / "sheet.html").read_text(encoding="utf-8"))
    sections = "\n".join(_section(look, with_title=len(looks) > 1) for look in looks)
    page = template.substitute(source=html.escape(source), sections=sections)
    with atomic_file(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _section(look: QuickLook, *, with_title: bool) -> str:
    shown = tiles(look)
    head = "".join(f"<th scope=col>{html.escape(size)}" for size in shown.sizes)
    rows = "\n".join(
        f"<tr><th scope=row>{_breakable(name)}{''.join(map(_cell, row))}"
        for name, row in zip(shown.names, shown.rows, strict=True)
    )
    notes = "; ".join(look.notes)
    heading = f"<h2>{html.escape(look.title)}</h2>" if with_title else ""
    across = sum(max(len(row[at].pictures) for row in shown.rows) for at in range(len(look.sizes)))
    return f"""<section style="--pictures: {max(across, 1)}">
{heading}
<p class=advice>{_with_code(look.advice.sentence)}</p>
<div class=top>{_figure(shown.original)}
<p class=note>{html.escape(notes[:1].upper() + notes[1:] + ". " if notes else "")}\
{html.escape(legend(look, shown))} {html.escape(_noise_text(look))}</p></div>
<p class=hint>Scroll the table sideways for smaller files.</p>
<div class=scroll tabindex=0><table><thead><tr><th scope=col>codec{head}</thead>
<tbody>{rows}</tbody></table></div>
</section>"""


def _noise_text(look: QuickLook) -> str:
    if look.properties.noise_hidden:
        return "A filter or rounding hides the noise, so errors in its units are uncertain."
    sigma = look.properties.background_sigma
    return f"The noise of the background is {sigma:.3g} counts."


def _cell(tile: Tile) -> str:
    if not tile.pictures:
        return f"<td class=none>{html.escape(' '.join(tile.caption))}"
    return f"<td>{_figure(tile)}"


def _figure(tile: Tile) -> str:
    pictures = "".join(
        f'<img alt="{one.kind}" src="{data_uri(png(one.levels, _palette(one)))}">'
        for one in tile.pictures
    )
    caption = "<br>".join(html.escape(line) for line in tile.caption)
    return (
        f"<figure><div class=pictures>{pictures}</div><figcaption>{caption}</figcaption></figure>"
    )


def _palette(one: Drawing) -> Bytes2D | None:
    return diverging() if one.kind == "difference" else None


def _breakable(name: str) -> str:
    return re.sub("([-/])", r"\1<wbr>", html.escape(name))


def _with_code(sentence: str) -> str:
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(sentence))
