"""What a codec trained through a task gains on that task, and loses on pixels and on others.

    cytopress train codec trainings/learned-nuclei-brightfield-task.toml --out runs/task
    CYTOPRESS_MODELS=runs/task python bench/task_aware.py ROWS.jsonl FIELDS [SPEC ...]

Every codec at ratios 20 to 320 on at most so many test fields of `nuclei-brightfield`, and of
`ecoli-phase`, on whose images neither learned one was fine-tuned: PSNR, the label-free task against
the truth, and on the former another task, `labelfree/scratch-assay`, against what it makes of the
original. True bytes, through the public API. A row a field, codec and ratio goes to the file; what
it holds is not done again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from timing import stay_on_one_core

import cytopress
from cytopress.errors import UnreachableTargetError
from cytopress.image import Image
from cytopress.metrics import metric
from cytopress.metrics.data_range import data_range

SPECS = ("jpeg2000", "learned/nuclei-brightfield", "learned/nuclei-brightfield-task")
RATIOS = (20, 40, 80, 160, 320)
OTHERS = {"nuclei-brightfield": ("scratch-assay",), "ecoli-phase": ()}
# Of a learned codec: where its bytes are looked at before a ratio is solved between them.
GRID = tuple(step / 8 for step in range(9))
CLOSE, MOST_TRIES = 0.01, 4
Row = dict[str, Any]


def main() -> int:
    stay_on_one_core()
    path, most, specs = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] or list(SPECS)
    lines = path.read_text().splitlines() if path.exists() else []
    done = [json.loads(line) for line in lines]
    for name in OTHERS:
        for spec in specs:
            known = {row["field"] for row in done if (row["data"], row["spec"]) == (name, spec)}
            with path.open("a") as stream:
                for found in rows(name, spec, known, most):
                    stream.write("".join(json.dumps(row) + "\n" for row in found))
                    stream.flush()
                    done += found
    for name in OTHERS:
        show(name, [row for row in done if row["data"] == name and row["spec"] in specs])
    return 0


def rows(name: str, spec: str, known: set[str], most: int) -> Iterator[list[Row]]:
    """Yield the rows of each field, one a ratio."""
    data, own = cytopress.dataset(name), cytopress.task(f"labelfree/{name}")
    others = {other: cytopress.task(f"labelfree/{other}") for other in OTHERS[name]}
    span = data_range(data.read_input(field).pixels for field in data.part("train"))
    # The experiments in turn, so that a run that was stopped holds some of each.
    fields = data.part("test")
    ranks = [sum(f.group == field.group for f in fields[:n]) for n, field in enumerate(fields)]
    in_turn = sorted(zip(ranks, fields, strict=True), key=lambda pair: pair[0])
    for _, field in in_turn[:most]:
        if field.name in known:
            continue
        image, truth = data.read_input(field), data.read_target(field)
        before = {other: each.predict(image) for other, each in others.items()}
        baseline = own.score(own.predict(image), truth, image)["pearson"]
        found = []
        for ratio, coded in at_ratios(spec, image):
            decoded = cytopress.decode(coded)
            row = {
                "data": name,
                "spec": spec,
                "field": field.name,
                "group": field.group,
                "asked": ratio,
                "ratio": image.raw_bytes / len(coded),
                "psnr": metric("psnr").function(image.pixels, decoded.pixels, span),
                "change": own.score(own.predict(decoded), truth, image)["pearson"] - baseline,
                "others": {
                    other: each.score(each.predict(decoded), before[other], image)["pearson"]
                    for other, each in others.items()
                },
            }
            found.append(row)
        yield found


def at_ratios(spec: str, image: Image) -> Iterator[tuple[int, bytes]]:
    """Yield the bytes at each ratio that the codec reaches."""
    if not spec.startswith("learned/"):
        for ratio in RATIOS:
            try:
                yield ratio, cytopress.encode(image, f"{spec}:ratio={ratio}")
            except UnreachableTargetError:
                return
        return
    made: dict[float, bytes] = {}

    def coded(quality: float) -> bytes:
        if quality not in made:
            made[quality] = cytopress.encode(image, f"{spec}:quality={quality:.4g}")
        return made[quality]

    for quality in GRID:
        coded(quality)
    for ratio in RATIOS:
        yield ratio, _solved(coded, made, image.raw_bytes / ratio)


def _solved(coded: Callable[[float], bytes], made: dict[float, bytes], size: float) -> bytes:
    """Return bytes of about a size: the logarithm of the size interpolated, a few times."""
    for _ in range(MOST_TRIES):
        known = sorted(made)
        sizes = np.log([len(made[quality]) for quality in known])
        quality = float(f"{np.interp(np.log(size), sizes, known):.4g}")
        if abs(len(coded(quality)) / size - 1) < CLOSE:
            break
    return min(made.values(), key=lambda data: abs(len(data) / size - 1))


def show(name: str, found: list[Row]) -> None:
    """Print means over the fields that every codec was tried on."""
    specs = list(dict.fromkeys(row["spec"] for row in found))
    shared = set.intersection(
        *({row["field"] for row in found if row["spec"] == spec} for spec in specs)
    )
    print(f"\n{name}: {len(shared)} test fields")
    others = OTHERS[name]
    print("| codec | ratio | PSNR (dB) | change of r |", *(f"{o}, r |" for o in others))
    for ratio in RATIOS:
        for spec in specs:
            own = [r for r in found if (r["spec"], r["asked"]) == (spec, ratio)]
            own = [row for row in own if row["field"] in shared]
            if not own:
                continue
            mean = {key: np.mean([row[key] for row in own]) for key in ("ratio", "psnr", "change")}
            other = (f"{np.mean([row['others'][o] for row in own]):.3f} |" for o in others)
            print(
                f"| `{spec}` | {mean['ratio']:.0f} | {mean['psnr']:.2f} | {mean['change']:+.4f} |",
                *other,
            )


if __name__ == "__main__":
    sys.exit(main())
