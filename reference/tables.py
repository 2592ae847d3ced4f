"""Print what studies found as Markdown: docs/results/reference.md is made of this.

    python reference/tables.py DIR...

For each study, dataset and task: the loss of each setting with its interval, what is safe within
the noise of the camera, bytes at equal quality, and what training on decoded images wins back. Of
volumes also bytes in 3D against 2D, and the error along z and in the plane.
"""

import sys
from pathlib import Path

from cytopress.errors import CytopressError
from cytopress.results.axial_error import axial_errors
from cytopress.results.bd_table import bd_tables
from cytopress.results.dataset_summary import DatasetSummary, dataset_summaries
from cytopress.results.headline import headline_text
from cytopress.results.losses import noise_spread
from cytopress.results.number_format import number_text, ratio_text
from cytopress.results.recommendation import Criterion, recommend, sentence
from cytopress.results.recovery import recoveries, recovery_text
from cytopress.results.similarity import example_text, similarities, similarity_text
from cytopress.results.train_test_matrix import matrix
from cytopress.results.volume_vs_plane import volume_vs_plane
from cytopress.study.results import Results, ScoreFacts
from cytopress.study.store import load_results


def main(folders: list[str]) -> None:
    for folder in folders:
        results = load_results(Path(folder))
        print(f"# {results.name}: {results.trials_done} of {results.trials_planned} codings\n")
        for summary in dataset_summaries(results):
            print(f"## {summary.facts.name}\n")
            for score in summary.scores:
                if score.main:
                    print_task(results, summary, score)
            print_rates(results, summary)
            print_volumes(results, summary)


def print_task(results: Results, summary: DatasetSummary, score: ScoreFacts) -> None:
    print(f"### {score.column}\n")
    print("| setting | ratio | PSNR (dB) | from originals | change | 95 % interval |")
    print("|---|---|---|---|---|---|")
    for row in summary.rows_of(score):
        change, psnr = row.change, row.point.mean("pixels/psnr")
        if change is None or change.interval is None or row.curve.lossless:
            continue
        print(
            f"| `{row.curve.label}:{row.point.setting}` | {ratio_text(row.point.ratio)}"
            f" | {'some exact' if psnr is None else f'{psnr:.2f}'}"
            f" | {change.original:.4f} | {change.difference:+.5f}"
            f" | {change.interval.low:+.5f} to {change.interval.high:+.5f} |"
        )
    print()
    for one in similarities(summary, score):
        print(f"- {similarity_text(one)}")
    said = (
        example_text(summary, score, noise_spread(results, summary.facts.name, score)),
        headline_text(summary, score, matrix(results, summary.facts.name, score)),
    )
    print("".join(f"- {text}\n" for text in said if text))
    print_matrix(results, summary, score)
    try:
        answers = recommend(results, Criterion(task=score.task, margin="noise"))
    except CytopressError as error:
        print(f"{error}\n")
        return
    for one in answers:
        if one.summary.facts.name == summary.facts.name:
            print(f"Seeds spread by {one.seed_spread}, the camera's noise by {one.noise}.")
            print(f"{sentence(one)}\n")
            print("\n".join(f"- {warning}" for warning in one.warnings), "\n")


def print_matrix(results: Results, summary: DatasetSummary, score: ScoreFacts) -> None:
    table = matrix(results, summary.facts.name, score)
    if table is None:
        return
    print("| trained on | " + " | ".join(f"`{column}`" for column in table.columns) + " |")
    print("|---" * (len(table.columns) + 1) + "|")
    for row in table.rows:
        cells = [table.mean_score(row, column) for column in table.columns]
        means = ["" if cell is None else f"{cell.mean:.4f}" for cell in cells]
        print(f"| `{row}` | " + " | ".join(means) + " |")
    print(f"\n{recovery_text(recoveries(table), table)}\n")


def print_volumes(results: Results, summary: DatasetSummary) -> None:
    compared = volume_vs_plane(results, summary)
    for comparison in compared.comparisons if compared else ():
        cells = ", ".join(
            f"{score.column} none"
            if cell.rate is None
            else f"{score.column} {cell.rate.percent:+.1f} %"
            f" ({cell.rate.low:.4g} to {cell.rate.high:.4g})"
            for score, cell in zip(compared.scores, comparison.results, strict=True)
        )
        pair = f"`{comparison.test.label}` against `{comparison.reference.label}`"
        print(f"- {comparison.what}: {pair}: {cells}")
    for one in axial_errors(results, [summary]):
        print(f"\nAt about {one.size:g}x. {one.text}\n")
        print("| codec | takes | FRC plane | FRC z | variation plane | variation z |")
        print("|---" * 6 + "|")
        for line in one.lines:
            takes = "volumes" if line.row.curve.volumetric else "planes"
            numbers = [number_text(value) for value in (*line.frc, *line.variation)]
            print(f"| `{line.row.curve.label}` | {takes} | {' | '.join(numbers)} |")
        print()


def print_rates(results: Results, summary: DatasetSummary) -> None:
    for table in bd_tables(results, summary):
        print(f"Bytes at equal quality, against {table.against} {table.reason}\n")
        print("| codec | " + " | ".join(score.column for score in table.scores) + " |")
        print("|---" * (len(table.scores) + 1) + "|")
        for curve, cells in table.rows:
            rates = [
                "none"
                if cell.rate is None
                else f"{cell.rate.percent:+.1f} % ({cell.rate.low:.4g} to {cell.rate.high:.4g})"
                for cell in cells
            ]
            print(f"| `{curve.label}` | " + " | ".join(rates) + " |")
        print()


if __name__ == "__main__":
    main(sys.argv[1:])
