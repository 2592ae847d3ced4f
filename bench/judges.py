"""Curves of a study's judges side by side: with intervals, whether they fall, and BD-rates.

    python bench/judges.py FOLDER      of a study such as reference/nuclei-brightfield-judges.toml

For each task and codec: the change of the main score at every setting with its 95 % interval, and
whether the score falls with the rate (see cytopress.results.monotone). Bytes at equal accuracy
against JPEG 2000 and against AVIF are given only where both curves fall.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cytopress.errors import CytopressError
from cytopress.results.bd_table import bd_result
from cytopress.results.change import ends
from cytopress.results.curves import Curve
from cytopress.results.dataset_summary import DatasetSummary, dataset_summaries
from cytopress.results.monotone import Course, course
from cytopress.study.results import ScoreFacts
from cytopress.study.store import load_results

AGAINST = ("jpeg2000", "avif")


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        results = load_results(Path(sys.argv[1]))
    except CytopressError as error:
        sys.exit(str(error))
    for summary in dataset_summaries(results):
        for score in summary.main_scores:
            if score is not None:
                _print(summary, score)
    return 0


def _print(summary: DatasetSummary, score: ScoreFacts) -> None:
    print(f"\n## {score.task} on {summary.facts.name}: {score.name}\n")
    courses = {curve: course(curve, score) for curve in summary.lossy}
    for curve, found in courses.items():
        if found is None:
            continue
        print(f"{curve.label}: {found.word}")
        for row in summary.rows_of(score):
            if row.curve is curve and row.change is not None:
                span = ends(row.change.interval)
                interval = f" ({span[0]:+.4f} to {span[1]:+.4f})" if span else ""
                change = f"{row.change.difference:+.4f}{interval}"
                print(f"  {row.point.setting}, {row.point.ratio:.1f} times smaller: {change}")
        for reference in _references(courses):
            if reference is not curve:
                told = _bytes(summary, courses, reference, curve, score)
                print(f"  bytes against {reference.label}: {told}")


def _references(courses: dict[Curve, Course | None]) -> list[Curve]:
    return [curve for curve in courses if curve.codec in AGAINST and not curve.volumetric]


def _bytes(
    summary: DatasetSummary,
    courses: dict[Curve, Course | None],
    reference: Curve,
    curve: Curve,
    score: ScoreFacts,
) -> str:
    for each in (reference, curve):
        found = courses[each]
        if found is None or not found.monotone:
            word = found.word if found else "of too few settings"
            return f"not told (score of {each.label}: {word})"
    result = bd_result(summary, reference, curve, score)
    return result.reason if result.rate is None else f"{result.rate.percent:+.1f} %"


if __name__ == "__main__":
    raise SystemExit(main())
