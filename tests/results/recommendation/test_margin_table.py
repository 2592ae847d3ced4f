"""The smallest margin of each setting is where the fixed-sequence tests begin to show it inside."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest

from cytopress.results.dataset_summary import dataset_summaries
from cytopress.results.losses import losses_of
from cytopress.results.recommendation import Criterion, recommend
from cytopress.results.recommendation.bounds import bounded_settings
from cytopress.results.recommendation.margin_table import as_json, margin_table
from cytopress.statistics import LEAST_UNITS, effects, fixed_sequence_tests
from cytopress.study.results import Results, Speed, TaskFacts
from fakes.made_up_study import TASK, make_results, make_trial

RATIOS = (5.0, 10.0, 20.0, 40.0)


def random_study(seed: int) -> Results:
    """Codecs that lose more and more, on few or many fields, with gaps, ties and blank fields."""
    random = np.random.default_rng(seed)
    fields, groups = int(random.integers(1, 13)), int(random.integers(1, 8))
    codecs = ["jpeg2000", "jpegxl", "avif", "zfp"][: random.integers(1, 5)]
    seeds = range(int(random.integers(1, 4)))
    steps = random.random() < 0.3
    blank = int(random.integers(0, 2)) if fields > 6 else 0
    trials = []
    for field, seed_, codec, ratio in itertools.product(range(fields), seeds, codecs, RATIOS):
        base = 0.0 if field < blank else 0.8 + 0.01 * field
        lost = 0.002 * (codecs.index(codec) + 1) * np.log2(ratio) * random.normal(1, 0.6)
        lost = round(lost, 2) if steps else lost
        scores = {
            f"{TASK}/pearson/baseline": base,
            f"{TASK}/pearson/harm": base if field < blank else base - lost,
        }
        trials.append(
            make_trial(
                field=f"f{field}", group=f"g{field % groups}", seed=seed_, codec=codec,
                target_value=ratio, raw_bytes=80_000,
                coded_bytes=int(80_000 / ratio * random.uniform(0.98, 1.02)),
                # Now and then a task fails.
                scores={} if random.random() < 0.002 else scores,
            )
        )  # fmt: skip
    for field, seed_ in itertools.product(range(fields), seeds):
        base = {f"{TASK}/pearson/{kind}": 0.8 + 0.01 * field for kind in ("baseline", "harm")}
        if field < blank:
            base = dict.fromkeys(base, 0.0)
        trials.append(
            make_trial(
                field=f"f{field}", group=f"g{field % groups}", seed=seed_, codec="png", target="",
                target_value=None, raw_bytes=80_000, coded_bytes=13_000,
                scores=base | {"pixels/max_error": 0.0},
            )
        )  # fmt: skip
    speeds = [
        Speed(
            dataset="cells", field="f0", codec=codec, options="", target="ratio",
            target_value=10.0, raw_bytes=80_000, coded_bytes=8_000,
            encode_s=float(random.uniform(0.1, 1)), decode_s=0.1, repeats=1, threads=1,
        )
        for codec in codecs
        if random.random() < 0.7
    ]  # fmt: skip
    task = TaskFacts(name=TASK, weights="0" * 64, dataset="cells", summary={"seed": "1"})
    return make_results(trials, tasks=(task,), speeds=tuple(speeds))


def margins(table: dict, seed: int) -> list[float]:
    """Random margins, and every bound with its neighbors among the floats."""
    random = np.random.default_rng(seed)
    found = [s[key] for c in table["codecs"] for s in c["settings"] for key in ("bound", "low")]
    edges = [value for value in found if value is not None]
    beside = [np.nextafter(value, to) for value in edges for to in (-np.inf, np.inf)]
    drawn = random.permutation([*edges, *beside])[:10].tolist()
    return [m for m in [*drawn, *random.uniform(1e-4, 0.05, 6).tolist()] if 0 < m < 0.7]


def answer(table: dict, margin: float) -> tuple[str | None, dict[str, str]]:
    """What a script makes of the JSON, as its docstring says: the chosen spec, and all verdicts."""
    verdicts, inside = {}, []
    for setting in (one for codec in table["codecs"] for one in codec["settings"]):
        bound, low = setting["bound"], setting["low"]
        if bound is not None and bound <= margin:
            verdicts[setting["spec"]] = "inside"
            inside.append(setting)
        else:
            outside = low is not None and low > margin
            verdicts[setting["spec"]] = "outside" if outside else "not shown"
    inside = [one for one in inside if one["ratio"] > table["lossless"]["ratio"]]
    best = max(inside, key=lambda one: one["ratio"], default=None)
    if best is None:
        return None, verdicts
    if best["speed"] is not None:
        tied = [one for one in inside if one["ratio"] * 1.03 >= best["ratio"]]
        best = max(tied, key=lambda one: (one["speed"] or 0.0, one["ratio"]))
    return best["spec"], verdicts


def more_of(table: dict, codec: dict, place: int, margin: float) -> int | None:
    """How many more fields a script says from the JSON, as its docstring says."""

    def needed(one: dict) -> int | None:
        if one["below"] is None or one["above"] is None:
            return None
        for more, times, quantile, floor in table["steps"]:
            share = one["seed_share"]
            shrunk = quantile * math.sqrt(share + (1 - share) / times)
            if one["mean"] > margin:
                settled = one["mean"] - one["below"] * shrunk > margin
            else:
                settled = max(one["mean"] + one["above"] * shrunk, floor or -math.inf) <= margin
            if settled:
                return int(more)
        return None

    walk = codec["settings"][: place + 1]
    last = walk[-1]
    if last["mean"] is None:
        return None
    if last["n"] < 2:
        return LEAST_UNITS - last["n"]
    if last["mean"] > margin:
        return needed(last)
    if any(one["mean"] is None or one["mean"] > margin for one in walk):
        return None
    numbers = [needed(one) for one in walk]
    return None if None in numbers else max(numbers)


@pytest.mark.parametrize("seed", range(10))
def test_the_table_says_how_many_fields_as_recommend_does(seed: int) -> None:
    results = random_study(seed)
    (summary,) = dataset_summaries(results)
    score = next(one for one in results.scores if one.task and one.main)
    table = json.loads(json.dumps(as_json(margin_table(results, summary, score), results)))
    for margin in margins(table, seed)[::4]:
        (found,) = recommend(results, Criterion(task=TASK, margin=margin))
        open_ones = {s.spec: s.more_fields for s in found.settings if s.verdict == "not shown"}
        said = {
            one["spec"]: more_of(table, codec, place, margin)
            for codec in table["codecs"]
            for place, one in enumerate(codec["settings"])
            if one["spec"] in open_ones
        }
        assert said == open_ones


@pytest.mark.parametrize("seed", range(10))
def test_the_table_answers_as_recommend_does(seed: int) -> None:
    results = random_study(seed)
    (summary,) = dataset_summaries(results)
    score = next(one for one in results.scores if one.task and one.main)
    table = json.loads(json.dumps(as_json(margin_table(results, summary, score), results)))
    for margin in margins(table, seed):
        (found,) = recommend(results, Criterion(task=TASK, margin=margin))
        spec, verdicts = answer(table, margin)
        assert (found.chosen and found.chosen.spec) == spec
        assert {one.spec: one.verdict for one in found.settings} == verdicts


@pytest.mark.parametrize("seed", range(10))
def test_bounds_say_what_p_values_and_the_graphical_procedure_say(seed: int) -> None:
    """An independent walk: p-values at the margin, tested one margin at a time."""
    results = random_study(seed)
    (summary,) = dataset_summaries(results)
    score = next(one for one in results.scores if one.task and one.main)
    blank = {t.field for t in results.trials if t.scores.get(f"{TASK}/pearson/baseline") == 0}
    curves = summary.lossy
    bounded = bounded_settings(curves, score, confidence=0.95, without=blank)
    losses = losses_of([p for c in curves for p in c.points], score, without=blank)
    random = np.random.default_rng(seed)
    # A margin that a loss in steps may equal decides by rounding alone.
    for margin in random.uniform(1e-4, 0.06, 12).tolist():
        found = iter(effects(losses.values, losses.groups, margin=margin, seed=0))
        p_values = [
            [one.p if one.missing == 0 else None for one in itertools.islice(found, len(c.points))]
            for c in curves
        ]
        tested = fixed_sequence_tests(p_values)
        walks = zip(curves, tested, strict=True)
        shown = [n < t.rejected for c, t in walks for n in range(len(c.points))]
        assert [one.bound is not None and one.bound <= margin for one in bounded] == shown


def test_what_is_inside_one_margin_is_inside_every_larger_one() -> None:
    results = random_study(3)
    (summary,) = dataset_summaries(results)
    score = next(one for one in results.scores if one.task and one.main)
    for codec in margin_table(results, summary, score).codecs:
        walk = [float("inf") if one.bound is None else one.bound for one in codec]
        assert walk == sorted(walk)
