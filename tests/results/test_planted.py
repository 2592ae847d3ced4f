"""Planted truths: what is known to be safe or harmful comes out as that."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from cytopress.errors import NotAvailableError, UnknownNameError, UsageError
from cytopress.results.dataset_summary import dataset_summaries
from cytopress.results.recommendation import Criterion, Recommendation, recommend, sentence
from cytopress.results.verdicts import verdicts
from cytopress.statistics import LEAST_UNITS
from cytopress.study.results import Results, ScoreFacts, TaskFacts
from cytopress.study.trial import Trial
from fakes.made_up_study import TASK, make_results, make_trial

Loss = Callable[[str, float, int, int], float]
RATIOS = (10.0, 20.0, 40.0, 80.0)


def study(
    loss: Loss,
    *,
    fields: int = 10,
    groups: int = 5,
    codecs: tuple[str, ...] = ("jpeg2000",),
    seeds: tuple[int, ...] = (1, 2, 3),
    summary: Mapping[str, str] | None = None,
    noise: float = 0.01,
) -> Results:
    """Trials whose loss by codec, ratio, field and seed is known, and a lossless codec at 2x."""
    trials, noise_replicates = [], []
    random = np.random.default_rng(4)
    for field in range(fields):
        for seed in seeds:
            base = 0.9 + 0.01 * field + 0.002 * seed
            place = {"field": f"f{field}", "group": f"g{field % groups}", "seed": seed}
            settings = [("png", None), *((codec, ratio) for codec in codecs for ratio in RATIOS)]
            for codec, ratio in settings:
                decoded = base if ratio is None else base - loss(codec, ratio, field, seed)
                scores = {
                    "pixels/max_error": 0.0 if ratio is None else 9.0,
                    f"{TASK}/pearson/baseline": base,
                    f"{TASK}/pearson/harm": decoded,
                }
                trials.append(
                    make_trial(
                        codec=codec,
                        target="ratio" if ratio else "",
                        target_value=ratio,
                        coded_bytes=int(8000 / (ratio or 2)),
                        scores={name: v for name, v in scores.items() if np.isfinite(v)},
                        **place,
                    )
                )
            for draw in range(10):
                drawn = {f"{TASK}/pearson/harm": base + noise * random.standard_normal()}
                noise_replicates.append(
                    make_trial(codec="camera", key=f"d{draw}", scores=drawn, **place)
                )
    task = TaskFacts(name=TASK, weights="0" * 64, dataset="cells", summary=summary or {"seed": "1"})
    return make_results(trials, noise_replicates=tuple(noise_replicates), tasks=(task,))


def answer(results: Results, margin: float | str = 0.01, **criterion: object) -> Recommendation:
    (found,) = recommend(results, Criterion(task=TASK, margin=margin, **criterion))  # type: ignore[arg-type]
    return found


def noisy(scale: float) -> Loss:
    """Fields and seeds that differ, without any loss on average."""
    random = np.random.default_rng(1)
    drawn: dict[tuple[str, float, int, int], float] = {}
    return lambda *key: drawn.setdefault(key, scale * random.standard_normal())


def test_a_codec_without_effect_is_recommended_at_its_smallest_rate() -> None:
    for margin in (1e-6, 0.01, "noise"):
        found = answer(study(lambda *_: 0.0, codecs=("jpeg2000", "avif")), margin)
        assert found.chosen is not None
        assert found.chosen.ratio == 80
        assert found.chosen.bound == 0
        assert not found.unsafe
        assert any("smallest that was tried" in warning for warning in found.warnings)


@pytest.mark.parametrize("margin", ["noise", 0.01])
def test_a_task_that_ignores_its_input_shows_nothing_whatever_the_margin(
    margin: float | str,
) -> None:
    with pytest.raises(NotAvailableError, match="does not seem to look at the image"):
        answer(study(lambda *_: 0.0, noise=0.0), margin)


def test_noise_that_moves_nothing_is_no_margin() -> None:
    """A count, for one: it moves in steps, so the spread of a few replicates may be 0."""
    with pytest.raises(NotAvailableError, match="it is no margin"):
        answer(study(noisy(0.001), noise=0.0), "noise")


def rescored(results: Results, change: Callable[[Trial], Mapping[str, float]]) -> Results:
    """The same study with other scores."""

    def moved(trials: Sequence[Trial]) -> list[Trial]:
        return [make_trial(**{**vars(t), "scores": {**t.scores, **change(t)}}) for t in trials]

    return replace(
        results,
        trials=moved(results.trials),
        noise_replicates=tuple(moved(results.noise_replicates)),
    )


def flat(value: float, fields: Collection[str] = ()) -> Callable[[Trial], Mapping[str, float]]:
    """One score before and after any codec, on these fields or on all."""
    names = (f"{TASK}/pearson/baseline", f"{TASK}/pearson/harm")
    return lambda trial: dict.fromkeys(names, value) if not fields or trial.field in fields else {}


@pytest.mark.parametrize("margin", ["noise", 0.01])
@pytest.mark.parametrize("value", [0.0, 0.4])
def test_a_score_that_cannot_fall_recommends_nothing(value: float, margin: float | str) -> None:
    """As the overlap with labels that are a mask, or all 0: it is 0 before and after."""
    results = rescored(study(lambda *_: 0.0), flat(value))
    why = "cells: .* labels" if value == 0 else "cells: .* look at the image"
    with pytest.raises(NotAvailableError, match=why):
        answer(results, margin)
    (summary,) = dataset_summaries(results)
    found = verdicts(replace(results, margin=margin))
    words = {found.word(row) for row in summary.rows_of(summary.scores[0])}
    assert words == {"lossless", "not shown"}


def test_a_score_of_nan_from_the_originals_is_no_score() -> None:
    found = answer(rescored(study(lambda *_: 0.0), flat(np.nan)), 0.01)
    assert found.chosen is None
    assert "gave no score" in found.unsafe[0].reason


def test_fields_on_which_the_score_is_0_are_left_out_and_counted() -> None:
    """They would halve the loss of the others, and make the interval wide."""
    empty = {f"f{number}" for number in range(10, 20)}
    results = study(lambda *_: 0.03, fields=20)
    assert answer(results, 0.02).chosen is None
    found = answer(rescored(results, flat(0.0, empty)), 0.02)
    assert found.chosen is None
    assert found.settings[0].effect is not None
    assert found.settings[0].effect.mean == pytest.approx(0.03)
    assert found.warnings[0].startswith("10 fields of 20 left out")
    assert answer(rescored(results, flat(0.0, empty)), 0.04).chosen is not None


@pytest.mark.parametrize("mean", [-0.001, 0.001])
def test_a_score_within_its_noise_of_0_leaves_nothing_to_lose(mean: float) -> None:
    """As the correlation of a model with an image of the wrong channel."""

    def nothing(trial: Trial) -> dict[str, float]:
        base = mean + 1e-4 * (-1) ** int(trial.field[1:])
        drawn = 0.01 * int(trial.key[1:]) if trial.codec == "camera" else 0.0
        lost = 1e-5 * (trial.target_value or 0)
        names = (f"{TASK}/pearson/baseline", f"{TASK}/pearson/harm")
        return dict(zip(names, (base, base - lost - drawn), strict=True))

    with pytest.raises(UsageError, match="would leave nothing"):
        answer(rescored(study(lambda *_: 0.0), nothing), "noise")


def test_a_negative_error_is_not_at_its_floor() -> None:
    """A program may call 0 the best, and more the better."""

    def negative(trial: Trial) -> dict[str, float]:
        lost = {10: 0.001, 20: 0.002, 40: 0.003, 80: 0.5}.get(trial.target_value or 0, 0.0)
        spread = 1e-3 * int(trial.field[1:]) * (lost > 0)
        drawn = 0.01 * int(trial.key[1:]) if trial.codec == "camera" else 0.0
        return {f"{TASK}/pearson/baseline": 0.0, f"{TASK}/pearson/harm": -lost - spread - drawn}

    found = answer(rescored(study(lambda *_: 0.0, seeds=(1,)), negative), "noise")
    assert found.chosen is not None
    assert found.chosen.ratio == 40


def test_the_furthest_setting_inside_the_margin_is_found() -> None:
    def loss(codec: str, ratio: float, field: int, seed: int) -> float:
        return noise(codec, ratio, field, seed) + {10: 0, 20: 0.002, 40: 0.004, 80: 0.02}[ratio]

    noise = noisy(0.001)
    found = answer(study(loss, fields=20), 0.01)
    assert found.chosen is not None
    assert found.chosen.spec == "jpeg2000:ratio=40"
    assert found.chosen.bound is not None
    assert 0.004 < found.chosen.bound < 0.01
    (unsafe,) = found.unsafe
    assert unsafe.spec == "jpeg2000:ratio=80"
    assert unsafe.reason == "it gets worse by at least 0.019, and 0.01 is allowed"


def test_damage_to_one_group_of_five_makes_the_interval_wide_and_the_claim_none() -> None:
    def loss(codec: str, ratio: float, field: int, seed: int) -> float:
        return noise(codec, ratio, field, seed) + (0.05 if field % 5 == 2 else 0.0)

    noise = noisy(0.0005)
    # On average 0.01 is lost: less than the margin, but one group in five says otherwise.
    found = answer(study(loss, fields=20), 0.02)
    assert found.chosen is None
    effect = found.settings[0].effect
    assert effect is not None
    assert effect.unit == "groups"
    assert effect.mean == pytest.approx(0.01, abs=0.001)
    assert effect.low is not None
    assert effect.high is not None
    assert effect.high - effect.low > 0.03


def test_a_setting_behind_an_unsafe_one_is_not_claimed() -> None:
    def loss(codec: str, ratio: float, field: int, seed: int) -> float:
        return 0.0 if ratio != 20 else 0.5

    found = answer(study(loss), 0.01)
    assert found.chosen is not None
    assert found.chosen.ratio == 10
    behind = [setting for setting in found.settings if setting.ratio > 20]
    assert all("more bytes" in setting.reason for setting in behind)


def test_many_codecs_are_held_to_a_stricter_level() -> None:
    def loss(codec: str, ratio: float, field: int, seed: int) -> float:
        return shared((codec, ratio, field)) + 0.006

    def shared(key: tuple[str, float, int]) -> float:
        # The same of every codec, so that the correction alone tells one from many.
        return float(0.007 * np.random.default_rng([int(key[1]), key[2]]).standard_normal())

    alone = answer(study(loss, seeds=(1,)), 0.0155)
    many = answer(study(loss, seeds=(1,), codecs=tuple(f"c{n}" for n in range(12))), 0.0155)
    assert alone.settings[0].bound is not None
    assert many.settings[0].bound is not None
    assert alone.settings[0].bound < many.settings[0].bound
    assert alone.settings[0].effect is not None
    assert many.settings[0].effect is not None
    assert alone.settings[0].effect.high == many.settings[0].effect.high


def test_a_field_without_a_score_makes_a_setting_unsafe_and_is_counted() -> None:
    def loss(codec: str, ratio: float, field: int, seed: int) -> float:
        return np.nan if ratio == 40 and field in (3, 4) else 0.0

    found = answer(study(loss), 0.01)
    assert found.chosen is not None
    assert found.chosen.ratio == 20
    assert found.unsafe[0].reason == "2 of 10 fields gave no score"


def test_one_field_gives_no_interval_and_no_claim() -> None:
    found = answer(study(lambda *_: 0.0, fields=1, groups=1), 0.01)
    assert found.chosen is None
    assert found.settings[0].bound is None
    assert found.lossless is not None
    assert "one field" in found.warnings[0]
    assert "one field" in found.settings[0].reason


@pytest.mark.parametrize(
    ("fields", "safe"), [(2, False), (LEAST_UNITS - 1, False), (LEAST_UNITS, True)]
)
def test_nothing_is_safe_from_fewer_units_than_a_verdict_needs(fields: int, safe: bool) -> None:
    """Losses that are all equal, as of counts, leave the interval without width."""
    found = answer(study(lambda *_: 0.0, fields=fields, groups=2), 0.01)
    assert (found.chosen is not None) == safe
    assert any(f"only {fields} fields" in warning for warning in found.warnings) == (not safe)
    assert {setting.verdict == "inside" for setting in found.settings} == {safe}
    if not safe:
        assert found.unsafe[0].reason.startswith(
            f"{fields} fields are too few to show it: at least 5 are needed"
        )


def test_warnings_name_what_is_thin() -> None:
    few = answer(study(lambda *_: 0.0, fields=4, groups=2), 0.001)
    assert any("only 4 fields" in warning for warning in few.warnings)
    assert any("only 2 groups" in warning for warning in few.warnings)
    # The seeds differ by 0.002 each.
    assert any("spread over training seeds, 0.002" in warning for warning in few.warnings)
    one = answer(study(lambda *_: 0.0, seeds=(1,)), 0.001)
    assert any("one training seed" in warning for warning in one.warnings)
    plain = answer(study(noisy(1e-4), fields=20), 0.01)
    assert not any("only" in w or "seed" in w for w in plain.warnings)


def test_a_margin_of_noise_is_the_spread_over_its_replicates() -> None:
    found = answer(study(lambda *_: 0.0, fields=40, noise=0.02), "noise")
    assert found.margin == found.noise == pytest.approx(0.02, rel=0.05)


def test_lower_is_better_too() -> None:
    def turned(trial: Trial) -> Trial:
        scores = {
            name.replace("pearson", "nrmse"): -value if "pearson" in name else value
            for name, value in trial.scores.items()
        }
        return make_trial(**{**vars(trial), "scores": scores})

    loss = {10: -0.1, 20: 0.0, 40: 0.001, 80: 0.1}
    results = study(lambda codec, ratio, field, seed: loss[ratio])
    other = make_results([turned(trial) for trial in results.trials], tasks=results.tasks)
    found = answer(other, 0.01, metric="nrmse")
    assert found.chosen is not None
    assert found.chosen.ratio == 40


def test_questions_without_sense_are_refused() -> None:
    results = study(lambda *_: 0.0)
    for margin in (0.0, -1.0, float("nan"), float("inf"), "loud"):
        with pytest.raises(UsageError, match="positive"):
            answer(results, margin)
    with pytest.raises(UsageError, match="would leave nothing"):
        answer(results, 0.99)
    with pytest.raises(UsageError, match="between 0 and 1"):
        answer(results, 0.1, confidence=1.0)
    with pytest.raises(UnknownNameError, match="pearson"):
        answer(results, 0.1, metric="pearsons")
    with pytest.raises(UnknownNameError, match=TASK):
        recommend(results, Criterion(task="labelfree/cell", margin=0.1))
    undrawn = make_results(results.trials, tasks=results.tasks)
    with pytest.raises(NotAvailableError, match="noise_draws"):
        answer(undrawn, "noise")


def test_the_lossless_choice_promises_to_be_it() -> None:
    results = study(lambda *_: 0.5)
    exact = [
        make_trial(**{**vars(trial), "codec": "jpegxl", "target": "ratio", "target_value": 2.5})
        for trial in results.trials
        if trial.codec == "png"
    ]
    smaller = [make_trial(**{**vars(trial), "coded_bytes": 3000}) for trial in exact]
    found = answer(make_results([*results.trials, *smaller], tasks=results.tasks), 0.01)
    assert found.lossless is not None
    assert found.lossless.spec == "png"
    assert sentence(found).endswith("Use lossless png, 2.0x smaller.")


def measured(contrast: Callable[[str], float | None], *, loss: float = 0.002) -> Results:
    """A measurement whose original light is known: its error is relative to all of the light."""

    def scores(trial: Trial) -> dict[str, float]:
        share = contrast(trial.field)
        lost = 0.0 if trial.target_value is None else loss
        drawn = 1e-3 * int(trial.key[1:]) if trial.codec == "camera" else 0.0
        found = {
            "measurement/intensity_error/baseline": 0.0,
            "measurement/intensity_error/harm": lost + drawn,
        }
        return found if share is None else found | {"measurement/contrast/baseline": share}

    name = "intensity_error"
    column = f"measurement/{name}"
    score = ScoreFacts(
        column=column, name=name, unit="", better="lower", task="measurement", main=True
    )
    task = TaskFacts(name="measurement", weights="0" * 64, dataset="cells", summary={})
    results = rescored(study(lambda *_: 0.0, seeds=(1,)), scores)
    return replace(results, scores=[score], tasks=[task])


def measure(results: Results, margin: float | str) -> Recommendation:
    (found,) = recommend(results, Criterion(task="measurement", margin=margin))
    return found


def test_a_margin_of_more_than_half_of_the_signal_is_refused() -> None:
    """2 % of offset and light are all of the light where the offset is 32768."""
    with pytest.raises(UsageError, match=r"all of what is above the background .* signal_error"):
        measure(measured(lambda _: 0.004), 0.02)
    with pytest.raises(UsageError, match=r"67 % of what is above"):
        measure(measured(lambda _: 0.03), 0.02)
    half = measure(measured(lambda _: 0.05), 0.02)
    assert half.chosen is not None
    assert any("40 % of the signal" in warning for warning in half.warnings)
    plain = measure(measured(lambda _: 0.95), 0.02)
    assert not any("signal" in warning for warning in plain.warnings)
    # Noise is in the same unit as the loss.
    assert measure(measured(lambda _: 0.004), "noise").chosen is not None


def test_a_study_that_did_not_measure_the_contrast_says_so() -> None:
    found = measure(measured(lambda _: None), 0.02)
    assert any("how much of the light is signal was not measured" in w for w in found.warnings)


def test_blank_fields_are_left_out_of_a_measurement_and_counted() -> None:
    found = measure(measured(lambda field: 0.0 if field in ("f3", "f4") else 0.9), 0.02)
    assert found.warnings[0] == (
        "2 fields of 10 left out, since nothing was found there that could get lost: f3, f4"
    )
    assert found.settings[0].effect is not None
    assert found.settings[0].effect.fields == 8
    few = measure(measured(lambda field: 0.9 if field in ("f3", "f4") else 0.0), 0.02)
    assert few.chosen is None
    for margin in (0.02, "noise"):
        with pytest.raises(NotAvailableError, match="no object that stands out from the noise"):
            measure(measured(lambda _: 0.0), margin)
