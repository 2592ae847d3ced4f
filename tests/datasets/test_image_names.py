"""File names as microscopes write them: which part is the channel, and what a group is."""

from __future__ import annotations

import pytest

from cytopress.datasets.image_names import groups_of, is_derived, split_names
from cytopress.errors import UsageError

GUIDS = "9A1B0C2D-1111-2222-3333-0123456789AB", "0F0F0F0F-4444-5555-6666-ABCDEFABCDEF"


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        # Opera Phenix and Operetta, whole and shortened.
        (
            ["r01c01f01p01-ch2sk1fk1fl1", "r01c02f01p01-ch3sk1fk1fl1"],
            [("r01c01f01p01sk1fk1fl1", "ch2"), ("r01c02f01p01sk1fk1fl1", "ch3")],
        ),
        (["r01c01f01-ch2", "r01c01f01-ch1"], [("r01c01f01", "ch2"), ("r01c01f01", "ch1")]),
        # ImageXpress, with the GUIDs that differ between the channels of a field, and MetaMorph.
        (["A01_s1_w1", "A01_s1_w3"], [("A01_s1", "w1"), ("A01_s1", "w3")]),
        (
            [f"p_A01_s1_w{k}{GUIDS[k - 1]}" for k in (1, 2)],
            [("p_A01_s1", "w1"), ("p_A01_s1", "w2")],
        ),
        (["x_w1DAPI_s1", "x_w2Cy3_s1"], [("x_s1", "w1DAPI"), ("x_s1", "w2Cy3")]),
        # Yokogawa, whose action number differs too.
        (
            ["B02_T0001F001L01A01Z01C01", "B02_T0001F001L01A02Z01C02"],
            [("B02_T0001F001L01Z01", "C01"), ("B02_T0001F001L01Z01", "C02")],
        ),
        # The Broad's benchmark collection, and its older scheme.
        (
            ["AS_0904_O24f01d0", "AS_0904_O24f01d2"],
            [("AS_0904_O24f01", "d0"), ("AS_0904_O24f01", "d2")],
        ),
        (
            ["Channel1-01-A-01", "Channel2-01-A-01"],
            [("01-A-01", "Channel1"), ("01-A-01", "Channel2")],
        ),
        # ImageJ's split channels, Micro-Manager, Leica.
        (["C1-cells", "C2-cells"], [("cells", "C1"), ("cells", "C2")]),
        (
            ["img_channel000_position001_z000", "img_channel001_position001_z000"],
            [("img_position001_z000", "channel000"), ("img_position001_z000", "channel001")],
        ),
        (["s1_ch00", "s1_ch01"], [("s1", "ch00"), ("s1", "ch01")]),
        # Words, one of them unknown; in folders; a wavelength; a mark that all names share.
        (["f1_DNA", "f1_ER", "f1_Foo"], [("f1", "DNA"), ("f1", "ER"), ("f1", "Foo")]),
        (["DNA/f1", "ER/f1"], [("f1", "DNA"), ("f1", "ER")]),
        (["day 1/f1 488", "day 1/f1 561"], [("day 1/f1", "488"), ("day 1/f1", "561")]),
        (
            ["mito-drug_f1_DAPI", "mito-drug_f1_BF"],
            [("mito-drug_f1", "DAPI"), ("mito-drug_f1", "BF")],
        ),
        (["f1_DAPI", "f2_DAPI"], [("f1", "DAPI"), ("f2", "DAPI")]),
    ],
)
def test_channels_are_found_in_names(names: list[str], parts: list[tuple[str, str]]) -> None:
    found = split_names(names)
    assert found is not None
    assert [(one.field, one.channel) for one in found] == parts


@pytest.mark.parametrize(
    "names",
    [
        ["control_1", "control_2", "treated_1", "treated_2"],
        ["C01_f1", "C02_f1"],
        ["1", "2"],
        ["A01_s1", "A02_s1"],
    ],
)
def test_conditions_wells_and_numbers_are_no_channels(names: list[str]) -> None:
    assert split_names(names) is None


@pytest.mark.parametrize(
    "names",
    [["f1_DNA", "f1_ER", "overview"], ["A01_s1_w1", "A01_s1_w2", "A01_s1"], ["b", "C1-a", "C2-a"]],
)
def test_names_that_only_mostly_hold_a_channel_are_refused(names: list[str]) -> None:
    with pytest.raises(UsageError, match="1 of 3 names do not hold a channel, such as"):
        split_names(names)


@pytest.mark.parametrize(
    ("pattern", "name", "field", "channel"),
    [
        ("*_{channel}", "A01_s1_x3", "A01_s1", "x3"),
        ("{channel}-*", "nuc-01-a", "01-a", "nuc"),
        ("*_{channel}_?", "p/f_GFP_1", "p/f_1", "GFP"),
        ("{channel}/*", "blue/f1", "f1", "blue"),
        (r"(?P<channel>x\d)", "f1x3z", "f1z", "x3"),
        ("scan (1)*{channel}", "scan (1)Q", "scan (1)", "Q"),
    ],
)
def test_patterns(pattern: str, name: str, field: str, channel: str) -> None:
    (found,) = split_names([name], pattern) or []
    assert (found.field, found.channel) == (field, channel)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("*_w*", r"needs \{channel\} once"),
        ("{channel}_{channel}", r"needs \{channel\} once"),
        ("(?P<channel>[", "no regular expression"),
        ("*-{channel}", "1 of 2 names do not match it, such as b_2"),
    ],
)
def test_a_pattern_that_does_not_fit_is_one_sentence(pattern: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        split_names(["a-1", "b_2"], pattern)


def test_groups_are_subfolders_then_wells_then_none() -> None:
    assert groups_of(["mouse1/f1", "mouse2/f1"]) == (["mouse1", "mouse2"], "the subfolders")
    assert groups_of(["mouse1/f1", "f2"]) == (["mouse1", "."], "the subfolders")
    wells = groups_of(["p/A01_s1", "p/A01_s2", "p/B12_s1"])
    assert wells == (["A01", "A01", "B12"], "the wells in the names")
    assert groups_of(["r01c01f01", "r01c02f01"]) == (["r01c01", "r01c02"], wells[1])
    assert groups_of(["x_O24f01", "x_P24f01"]) == (["O24", "P24"], wells[1])
    assert groups_of(["f1", "f2"]) is None
    assert groups_of(["A01_s1", "A01_s2"]) is None
    assert groups_of(["A01_1", "x"]) is None
    assert groups_of(["day1_a", "day2_a"], "{group}_*") == (
        ["day1", "day2"],
        "by --groups {group}_*",
    )
    with pytest.raises(UsageError, match=r"--groups \*: needs \{group\}"):
        groups_of(["a"], "*")


@pytest.mark.parametrize(
    ("name", "derived"),
    [
        ("f1_mask", True),
        ("f1-Labels", True),
        ("f1_thumb", True),
        ("masked/f1", False),
        ("f1", False),
    ],
)
def test_labels_and_thumbnails_are_known_by_name(name: str, derived: bool) -> None:
    assert is_derived(name) is derived
