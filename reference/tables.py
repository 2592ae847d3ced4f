"""Print what studies found as Markdown: docs/results/reference.md is made of this.

    python reference/tables.py DIR...

For each study, dataset and task: the loss of each setting with its interval, what is safe within
the noise of the camera, bytes at equal quality, and what training on decoded images wins back. Of
volumes also bytes in 3D against 2D, and the error along z and in the plane.
"""

import sys
from pathlib import Path

from cytopress.errors import CytopressError
from cytopress.results.axial_error import along_z
from cytopress.results.bd_table import bd_tables
from cytopress.results.dataset_summary import Findings, findings
from cytopress.results.headline import finding_text
from cytopress.results.losses import yardstick
from cytopress.results.number_format import number_text, ratio_text
from cytopress.results.recommendation import Criterion, recommend, sentence
from cytopress.results.recovery import regained, regained_text
from cytopress.results.similarity import example_text, likeness_text, likenesses
from cytopress.results.train_test_matrix import matrix
from cytopress.results.volume_vs_plane import versus
from cytopress.study.results import Results, ScoreFacts
from cytopress.study.store import load_results


def main(folders: list[str]) -> None:
    for folder in folders:
        results = load_results(Path(folder))
        print(f"# {results.name}: {results.cells_done} of {results.cells_planned} codings\n")
        for found in findings(results):
            print(f"## {found.facts.name}\n")
            for score in found.scores:
                if score.main:
                    print_task(results, found, score)
            print_rates(results, found)
            print_volumes(results, found)


def print_task(results: Results, found: Findings, score: ScoreFacts) -> None:
    print(f"### {score.column}\n")
    print("| setting | ratio | PSNR (dB) | from originals | change | 95 % interval |")
    print("|---|---|---|---|---|---|")
    for row in found.rows_of(score):
        change, psnr = row.change, row.point.mean("pixels/psnr")
        if change is None or change.interval is None or row.curve.lossless:
            continue
        print(
            f"| `{row.curve.label}:{row.point.setting}` | {ratio_text(row.point.ratio)}"
            f" | {psnr:.2f} | {change.baseline:.4f} | {change.difference:+.5f}"
            f" | {change.interval.low:+.5f} to {change.interval.high:+.5f} |"
        )
    print()
    for one in likenesses(found, score):
        print(f"- {likeness_text(one)}")
    print(f"- {example_text(found, score, yardstick(results, found.facts.name, score))}")
    print(f"- {finding_text(found, score, matrix(results, found.facts.name, score))}\n")
    print_matrix(results, found, score)
    try:
        told = recommend(results, Criterion(task=score.task, margin="noise"))
    except CytopressError as error:
        print(f"{error}\n")
        return
    for one in told:
        if one.found.facts.name == found.facts.name:
            print(f"Seeds spread by {one.seed_spread}, the camera's noise by {one.noise}.")
            print(f"{sentence(one)}\n")
            print("\n".join(f"- {warning}" for warning in one.warnings), "\n")


def print_matrix(results: Results, found: Findings, score: ScoreFacts) -> None:
    table = matrix(results, found.facts.name, score)
    if table is None:
        return
    print("| trained on | " + " | ".join(f"`{column}`" for column in table.columns) + " |")
    print("|---" * (len(table.columns) + 1) + "|")
    for row in table.rows:
        cells = [table.cell(row, column) for column in table.columns]
        means = ["" if cell is None else f"{cell.mean:.4f}" for cell in cells]
        print(f"| `{row}` | " + " | ".join(means) + " |")
    print(f"\n{regained_text(regained(table), table)}\n")


def print_volumes(results: Results, found: Findings) -> None:
    told = versus(results, found)
    for duel in told.duels if told else ():
        cells = ", ".join(
            f"{score.column} none"
            if cell.rate is None
            else f"{score.column} {cell.rate.percent:+.1f} %"
            f" ({cell.rate.low:.4g} to {cell.rate.high:.4g})"
            for score, cell in zip(told.scores, duel.cells, strict=True)
        )
        print(f"- {duel.what}: `{duel.test.label}` against `{duel.reference.label}`: {cells}")
    for one in along_z(results, [found]):
        print(f"\nAt about {one.size:g}x. {one.text}\n")
        print("| codec | takes | FRC plane | FRC z | variation plane | variation z |")
        print("|---" * 6 + "|")
        for line in one.lines:
            takes = "volumes" if line.row.curve.volumetric else "planes"
            numbers = [number_text(value) for value in (*line.frc, *line.variation)]
            print(f"| `{line.row.curve.label}` | {takes} | {' | '.join(numbers)} |")
        print()


def print_rates(results: Results, found: Findings) -> None:
    for table in bd_tables(results, found):
        print(f"Bytes at equal quality, against {table.against} {table.reason}\n")
        print("| codec | " + " | ".join(score.column for score in table.scores) + " |")
        print("|---" * (len(table.scores) + 1) + "|")
        for curve, cells in table.rows:
            told = [
                "none"
                if cell.rate is None
                else f"{cell.rate.percent:+.1f} % ({cell.rate.low:.4g} to {cell.rate.high:.4g})"
                for cell in cells
            ]
            print(f"| `{curve.label}` | " + " | ".join(told) + " |")
        print()


if __name__ == "__main__":
    main(sys.argv[1:])
