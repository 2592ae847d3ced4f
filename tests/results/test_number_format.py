import pytest

from cytopress.results.number_format import (
    change_text,
    end_text,
    label_text,
    moment_text,
    number_text,
    plain,
    ratio_text,
    target_text,
)


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(2.71, "2.7x"), (9.94, "9.9x"), (9.96, "10x"), (40.2, "40x"), (1250.0, "1,250x"), (None, "–")],
)
def test_ratio(ratio, text):
    assert ratio_text(ratio) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.91234, "0.9123"),
        (37.456, "37.46"),
        (-0.5, "−0.5000"),
        (0.0, "0.000"),
        (float("inf"), "exact"),
        (float("nan"), "–"),
        (None, "–"),
        (1234567.0, "1.235e+06"),
    ],
)
def test_number(value, text):
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("value", "scale", "text"),
    [
        (-0.00213, 0.9, "−0.0021"),
        (0.0005, 0.9, "+0.0005"),
        (0.0, 0.9, "0.0000"),
        (12.345, 250.0, "+12"),
        (-0.5, 30.0, "−0.5"),
    ],
)
def test_change(value, scale, text):
    assert change_text(value, scale=scale) == text


def test_a_tiny_change_is_rounded_but_an_intervals_end_keeps_its_sign():
    assert change_text(-0.00004, scale=0.9) == "0.0000"
    assert end_text(-0.00004, scale=0.9) == "−0.00004"
    assert end_text(-0.004, scale=5000.0) == "−0.004"
    assert end_text(0.0, scale=0.9) == "0.0000"


def test_targets_are_written_as_in_a_spec_string():
    assert target_text("ratio", 40.0) == "ratio=40"
    assert target_text("", None) == "lossless"


def test_terminals_get_a_keyboards_minus():
    assert plain("−0.1 – 2") == "-0.1 - 2"


def test_known_scores_bear_their_papers_names():
    assert label_text("ms_ssim") == "MS-SSIM"
    assert label_text("my_own_score") == "my own score"


def test_moments_are_told_to_the_minute_in_utc():
    assert moment_text("2026-01-02T05:04:31+02:00") == "2026-01-02 03:04 UTC"
    assert moment_text("2026-01-02T03:04:31") == "2026-01-02 03:04 UTC"
    assert moment_text("last week") == "last week"
