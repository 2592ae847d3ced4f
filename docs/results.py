"""Keep the results of studies in the repository, and render their reports from them.

    python docs/results.py save FOLDER NAME   the store of a study to docs/results/NAME.sqlite.xz
    python docs/results.py render             every one of them to docs/results/NAME-report.html

A saved result is the store itself, compressed: every trial, and pictures in the order of the
gallery, as many as fit into 1 MB. Images are kept exactly, predicted images to half a gray level of
what the page shows. The reports share one copy of plotly.js.
"""

from __future__ import annotations

import lzma
import os
import sqlite3
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from cytopress.codecs.spec import codec
from cytopress.digests import digest_bytes
from cytopress.report import write_report
from cytopress.report.gallery import gallery_order
from cytopress.report.pictures import display_range
from cytopress.results.curves import curves
from cytopress.results.recommendation.pictured import pictured_keys
from cytopress.study.pictures import pack_picture, unpack_picture
from cytopress.study.results import Results
from cytopress.study.schema import FILE
from cytopress.study.store import load_results

RESULTS = Path(__file__).with_name("results")
SUFFIX = ".sqlite.xz"
PLOTLY = "plotly.min.js"
MOST_BYTES = 1_000_000
# Part of the room that the database takes beside the pictures in it.
OVERHEAD = 0.03
GRAY_LEVELS = 255


def save(folder: Path, name: str, *, results: Path = RESULTS, most: int = MOST_BYTES) -> Path:
    """Write the store of a study as a saved result of at most ``most`` bytes."""
    study = load_results(folder)
    with TemporaryDirectory() as temporary:
        copy = Path(temporary) / FILE
        with closing(sqlite3.connect(copy, isolation_level=None)) as db:
            source = f"{(folder / FILE).absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(source, uri=True)) as store:
                store.backup(db)
            db.execute("PRAGMA journal_mode=DELETE")
            rows = db.execute("SELECT * FROM previews ORDER BY key, position").fetchall()
            pictures = dict(db.execute("SELECT digest, data FROM pictures"))
            db.execute("DELETE FROM previews")
            db.execute("DELETE FROM pictures")
            room = (most - len(compressed(db, copy))) * (1 - OVERHEAD)
            add_pictures(db, study, rows, pictures, room)
            data = compressed(db, copy)
    if len(data) > most:
        sys.exit(f"{name}: {len(data):,} bytes, more than {most:,}.")
    path = results / f"{name}{SUFFIX}"
    path.write_bytes(data)
    return path


def compressed(db: sqlite3.Connection, path: Path) -> bytes:
    """Return the bytes of a database, without free pages."""
    db.execute("VACUUM")
    return lzma.compress(path.read_bytes(), preset=9 | lzma.PRESET_EXTREME)


def add_pictures(
    db: sqlite3.Connection,
    study: Results,
    rows: list[tuple[str, ...]],
    pictures: dict[str, bytes],
    room: float,
) -> None:
    """Put back the pictures of trials until there is no room.

    Those that the page begins with come first, then the gallery's in its order.
    """
    found = [curve for facts in study.datasets for curve in curves(study, facts.name)]
    keys = [*pictured_keys(study), *(trial.key for _, _, trial in gallery_order(found))]
    shrunk: dict[str, tuple[str, bytes]] = {}
    for key in dict.fromkeys(keys):
        some = [row for row in rows if row[0] == key]
        new = {
            digest: shrink(pictures[digest], kind)
            for _, _, kind, _, digest, *_ in some
            if digest not in shrunk
        }
        room -= sum(len(data) for _, data in new.values())
        if room < 0:
            return
        shrunk |= new
        for key_, position, kind, task, digest, section, crossing in some:
            smaller, data = shrunk[digest]
            db.execute("INSERT OR IGNORE INTO pictures VALUES (?, ?)", (smaller, data))
            row = (key_, position, kind, task, smaller, section, crossing)
            db.execute("INSERT INTO previews VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def shrink(data: bytes, kind: str) -> tuple[str, bytes]:
    """Return the digest and the bytes of a picture, smaller than the study's store keeps it."""
    picture = unpack_picture(data)
    if picture.dtype.kind != "f":
        smaller = codec("jpegxl").encode(picture)
    elif kind in ("original", "decoded"):
        return pack_picture(picture)
    else:
        span = display_range(picture)
        half_a_level = (span.high - span.low) / GRAY_LEVELS / 2
        smaller = codec(f"sz3:max_error={half_a_level!r}").encode(picture)
    return digest_bytes(smaller), smaller


@contextmanager
def opened(path: Path) -> Iterator[Results]:
    """Unpack a saved result for as long as it is read."""
    with TemporaryDirectory() as temporary:
        (Path(temporary) / FILE).write_bytes(lzma.decompress(path.read_bytes()))
        yield load_results(Path(temporary))


def render(path: Path) -> Path:
    """Write the report of a saved result beside it."""
    page = path.with_name(path.name.removesuffix(SUFFIX) + "-report.html")
    with opened(path) as results:
        return write_report(results, page, plotly_script=PLOTLY)


def render_all(folder: Path = RESULTS) -> None:
    """Write the report of every saved result, and the script that they share."""
    from plotly.offline import get_plotlyjs

    (folder / PLOTLY).write_text(get_plotlyjs(), encoding="utf-8")
    with ProcessPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for page in pool.map(render, sorted(folder.glob(f"*{SUFFIX}"))):
            print(page)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["save", folder, name]:
            print(save(Path(folder), name))
        case ["render"]:
            render_all()
        case _:
            sys.exit(__doc__)
