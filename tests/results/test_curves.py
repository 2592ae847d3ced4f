import math

import pytest

from cytopress.results.curves import best_lossless, bytes_per_pixel, curves, setting_text


def sizes(make_trial, codec, target_value, coded, **changes):
    """One trial per entry of ``coded``: fields f0, f1, ..."""
    return [
        make_trial(
            codec=codec, field=f"f{i}", target_value=target_value, coded_bytes=size, **changes
        )
        for i, size in enumerate(coded)
    ]


def test_ratio_is_of_all_fields_together(make_results, make_trial):
    results = make_results(sizes(make_trial, "jpegxl", 10.0, [400, 1600]))
    (curve,) = curves(results, "cells")
    # 16,000 bytes of pixels became 2,000; the mean of the fields' own ratios would be 12.5.
    assert curve.points[0].ratio == 8.0
    assert curve.points[0].bits_per_pixel(2) == 2.0


def test_points_run_from_many_bytes_to_few(make_results, make_trial):
    trials = sizes(make_trial, "jpegxl", 40.0, [200]) + sizes(make_trial, "jpegxl", 5.0, [1600])
    (curve,) = curves(make_results(trials), "cells")
    assert [point.target_value for point in curve.points] == [5.0, 40.0]


def test_reference_scales_do_not_part_a_curve_but_options_do(make_results, make_trial):
    trials = [
        make_trial(options="range=100,effort=3", target="psnr", target_value=40.0),
        make_trial(options="effort=3", target_value=10.0),
        make_trial(options="effort=9", target_value=10.0),
    ]
    found = curves(make_results(trials), "cells")
    assert [(curve.label, len(curve.points)) for curve in found] == [
        ("jpegxl:effort=3", 2),
        ("jpegxl:effort=9", 1),
    ]


def test_reference_scales_part_a_curve_whose_settings_they_are(make_results, make_trial):
    trials = [make_trial(options="a=1"), make_trial(options="a=2")]
    found = curves(make_results(trials), "cells")
    assert [curve.label for curve in found] == ["jpegxl:a=1", "jpegxl:a=2"]


def test_lossless_settings_are_a_curve_of_their_own(make_results, make_trial):
    exact = {"pixels/max_error": 0.0, "pixels/psnr": math.inf}
    lossy = {"pixels/max_error": 9.0, "pixels/psnr": 40.0}
    trials = [
        make_trial(target="", target_value=None, coded_bytes=4000, scores=exact),
        make_trial(scores=lossy),
        make_trial(target="max_error", target_value=0.0, coded_bytes=3900, scores=exact),
    ]
    lossless, other = curves(make_results(trials), "cells")
    assert (lossless.lossless, len(lossless.points)) == (True, 2)
    assert (other.lossless, len(other.points)) == (False, 1)


def test_a_codec_without_target_that_changed_a_pixel_is_not_lossless(make_results, make_trial):
    trial = make_trial(target="", target_value=None, scores={"pixels/max_error": 1.0})
    (curve,) = curves(make_results([trial]), "cells")
    assert not curve.lossless


def test_best_lossless_holds_every_field(make_results, make_trial):
    lossless = {"target": ""}
    trials = sizes(make_trial, "png", None, [4000, 4000], **lossless)
    trials += sizes(make_trial, "jpegls", None, [1000], **lossless)
    best = best_lossless(curves(make_results(trials), "cells"))
    assert best is not None
    assert (best[0].codec, best[1].ratio) == ("png", 2.0)


def test_means_do_not_mix_exact_and_inexact_fields(make_results, make_trial):
    def mean(*values):
        trials = [
            make_trial(field=f"f{i}", scores={"pixels/psnr": v}) for i, v in enumerate(values)
        ]
        (curve,) = curves(make_results(trials), "cells")
        return curve.points[0].mean("pixels/psnr")

    assert mean(40.0, 42.0) == pytest.approx(41.0)
    assert mean(math.inf, math.inf) == math.inf
    assert mean(40.0, math.inf) is None


def test_a_failed_codec_gives_no_point_and_a_failed_task_gives_one(make_results, make_trial):
    trials = [
        make_trial(codec="lerc", coded_bytes=None, error="cannot"),
        make_trial(codec="jpegxl", error="the task cannot", scores={"pixels/psnr": 40.0}),
    ]
    found = curves(make_results(trials), "cells")
    assert [curve.codec for curve in found] == ["jpegxl"]


def test_only_the_test_part_counts_where_there_is_one(make_results, make_trial):
    trials = [make_trial(split="train", coded_bytes=1), make_trial(field="f1")]
    (curve,) = curves(make_results(trials), "cells")
    assert curve.points[0].ratio == 10.0


def test_bytes_per_pixel_come_from_a_stored_original(make_study, make_results, make_facts):
    study = make_study(fields=1)
    assert bytes_per_pixel(study, study.datasets[0]) == 2
    assert bytes_per_pixel(make_results([]), make_facts()) == 2


@pytest.mark.parametrize(
    ("promised", "setting"),
    [
        (True, {"target": "", "target_value": None}),
        (True, {"target": "max_error", "target_value": 0.0}),
        (True, {"target": "sigma", "target_value": 0.0}),
        (
            True,
            {"codec": "learned/cells", "options": "guard=0", "target": "", "target_value": None},
        ),
        (False, {"target": "ratio", "target_value": 2.0}),
        (False, {"target": "psnr", "target_value": 90.0}),
        (False, {"target": "level", "target_value": 120.0}),
        (False, {"codec": "learned/cells", "target": "", "target_value": None}),
    ],
)
def test_only_what_promises_every_pixel_is_the_lossless_choice(
    make_results, make_trial, promised, setting
):
    """A ratio that the lossless form met here is lossy on the next image."""
    exact = {"pixels/max_error": 0.0, "pixels/psnr": math.inf}
    found = curves(make_results([make_trial(**setting, scores=exact)]), "cells")
    assert found[0].lossless
    assert (best_lossless(found) is not None) == promised


def test_a_codec_of_a_fixed_rate_is_not_lossless_because_no_error_was_measured(
    make_results, make_trial
):
    scores = {"pixels/psnr": 40.0}
    fixed = make_trial(codec="learned/cells", target="", target_value=None, scores=scores)
    (curve,) = curves(make_results([fixed]), "cells")
    assert not curve.lossless


def test_what_a_learned_codec_does_unless_told_is_not_part_of_its_name(make_trial, make_results):
    said = "lines=auto,scale=auto"
    learned = make_trial(codec="learned/cytopress-2d", options=said)
    assert setting_text(learned) == "learned/cytopress-2d:ratio=10"
    assert setting_text(make_trial(codec="avif", options=said)) == f"avif:ratio=10,{said}"
    told = make_trial(codec="learned/cytopress-2d", options="lines=0,scale=auto")
    assert setting_text(told) == "learned/cytopress-2d:ratio=10,lines=0"
    # Trials of a version without both are beside it under a name of their own.
    before = make_trial(codec="learned/cytopress-2d", options="")
    labels = {curve.label for curve in curves(make_results([learned, before]), "cells")}
    assert labels == {"learned/cytopress-2d", f"learned/cytopress-2d:{said}"}
