"""Claims against made-up studies whose answer is planted."""

from __future__ import annotations

import dataclasses

import pytest

from cytopress.results.claims.claim import FAILS, HOLDS, OPEN, verdict_of
from cytopress.results.claims.zhou2024 import claims
from cytopress.results.dataset_summary import dataset_summaries
from cytopress.results.field_bd_rate import field_bd_rate
from cytopress.results.unfinished import loss_slope, training_rows
from cytopress.study.results import UnfinishedNetwork, UnfinishedTraining

THEIRS = "compressai/mbt2018-mean"
# Of the made-up study, each codec is 0.7 dB better than the one before, and 3 dB are a factor of 2.
STEP = 100 * (2 ** (-0.7 / 3) - 1)


def told(study):
    return claims(study, dataset_summaries(study))


def planted(make_study, with_noise_replicates, *codecs, **options):
    return with_noise_replicates(make_study(codecs=codecs, **options))


def test_fewer_bytes_hold_where_they_were_planted(make_study, with_noise_replicates):
    study = planted(make_study, with_noise_replicates, "jpeg2000", "jpegxr", THEIRS)
    claim = told(study)[1]
    assert claim.verdict == HOLDS
    of_jpeg2000, of_jpegxr = claim.findings
    assert of_jpeg2000.about == "mbt2018-mean as trained here against jpeg2000"
    assert of_jpegxr.about.startswith("mbt2018-mean as trained here against jpegxr, the best of")
    assert f"PSNR −{-STEP:.0f} %" in of_jpegxr.text
    # And they fail where the classic codec is the better one.
    other = planted(make_study, with_noise_replicates, THEIRS, "jpeg2000", "jpegxr")
    assert told(other)[1].verdict == FAILS


def test_four_fields_show_nothing(make_study, with_noise_replicates):
    study = planted(make_study, with_noise_replicates, "jpeg2000", "jpegxr", THEIRS, fields=4)
    claim = told(study)[1]
    assert claim.verdict == OPEN
    assert "too few fields" in claim.findings[0].text


def test_a_bd_rate_by_field_is_the_planted_one(make_study):
    study = make_study(codecs=("jpeg2000", "jpegxr", THEIRS))
    (summary,) = dataset_summaries(study)
    by_codec = {curve.codec: curve for curve in summary.lossy}
    psnr = next(score for score in study.scores if score.column == "pixels/psnr")
    found = field_bd_rate(by_codec["jpeg2000"], by_codec[THEIRS], psnr)
    assert found.percent == pytest.approx(100 * ((1 + STEP / 100) ** 2 - 1), abs=0.2)
    assert found.low <= found.percent <= found.high
    assert (found.fields, found.of) == (6, 6)


def test_no_verdict_on_a_codec_in_training(make_study, with_noise_replicates):
    study = planted(make_study, with_noise_replicates, "jpeg2000", "jpegxr", THEIRS)
    losses = tuple((1000 * n, 4 - 0.1 * n) for n in range(1, 9))
    network = UnfinishedNetwork(quality=4, steps=8000, of=60000, loss="validation", losses=losses)
    training = UnfinishedTraining(
        codec=THEIRS, options="", package=f"{THEIRS}-own", networks=(network,)
    )
    study = dataclasses.replace(study, unfinished=(training,))
    fewer, planes = told(study)[1:3]
    assert {fewer.verdict, planes.verdict} == {OPEN}
    assert "training has not ended" in fewer.findings[0].text
    (row,) = training_rows(study)
    # The last four losses fall by 0.1 from 3.5 to 3.2, that is from a mean of 3.35.
    assert row.slope.percent == pytest.approx(-100 * 0.1 / 3.35)
    assert row.slope.error == pytest.approx(0, abs=1e-9)
    assert row.slope.steps == 3000
    ended = dataclasses.replace(network, steps=60000)
    assert (
        training_rows(
            dataclasses.replace(
                study, unfinished=(dataclasses.replace(training, networks=(ended,)),)
            )
        )[0].text
        == "ended"
    )


def test_too_few_losses_have_no_slope():
    network = UnfinishedNetwork(
        quality=1, steps=3, of=9, loss="training", losses=((1, 2.0), (2, 1.9), (3, 1.8))
    )
    assert loss_slope(network) is None


def test_one_harmful_rate_refutes_harmlessness(make_study, with_noise_replicates):
    # Up to 80 times smaller the made-up task loses far more than its noise of 0.004.
    study = planted(make_study, with_noise_replicates, "jpeg2000", "jpegxr", THEIRS)
    planes = told(study)[2]
    assert planes.verdict == FAILS
    fine = planted(
        make_study, with_noise_replicates, "jpeg2000", "jpegxr", THEIRS, ratios=(2, 4, 6, 8)
    )
    assert told(fine)[2].verdict == HOLDS


def test_a_planted_recovery_holds(make_trainings):
    assert told(make_trainings())[4].verdict == HOLDS
    assert told(make_trainings(fields=4))[4].verdict == OPEN


def test_without_volumes_their_claim_is_open(make_study):
    assert told(make_study())[3].verdict == OPEN


@pytest.mark.parametrize(
    ("ends", "verdict"),
    [
        ([(-2, -1), (-3, -0.5)], HOLDS),
        ([(1, 2), (0.5, 3)], FAILS),
        ([(-2, 1)], OPEN),
        ([(-2, -1), (1, 2)], OPEN),
        ([(None, None)], OPEN),
        ([], OPEN),
    ],
)
def test_only_a_whole_interval_gives_a_verdict(ends, verdict):
    assert verdict_of(ends) == verdict
