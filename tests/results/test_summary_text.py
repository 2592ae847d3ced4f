import dataclasses

import pytest

from cytopress.results.summary_text import progress_text, split_text


@pytest.mark.parametrize(
    ("split", "text"),
    [
        ({"train": {"a": ("f",)}, "test": {"b": ("g",)}}, "No group is in two parts"),
        (
            {"train": {"a": ("f",)}, "validation": {"a": ("h",)}, "test": {"b": ("g",)}},
            "The test groups are in no other part",
        ),
        ({"train": {"a": ("f",)}, "test": {"a": ("g",)}}, "Caution: a of the test part"),
    ],
)
def test_split_says_whether_groups_are_shared(make_facts, split, text):
    assert split_text(dataclasses.replace(make_facts(), split=split)).startswith(text)


def test_progress_is_told_only_while_there_is_some():
    assert progress_text(10, 10) == ""
    assert progress_text(1200, 3000).startswith("This study is not finished: 1,200 of 3,000")
