"""Notes on a study: how far it is, and whether parts of its split share groups."""

from __future__ import annotations

from cytopress.study.results import DatasetFacts, Results

# Key of a task's summary.
TRUTH = "ground truth"


def progress_text(done: int, planned: int) -> str:
    """Return a note that a study is unfinished; "" for a finished one."""
    if done >= planned:
        return ""
    return (
        f"This study is not finished: {done:,} of {planned:,} trials are done. Everything below is"
        " over those and will change."
    )


def reference_text(results: Results) -> str:
    """Return what predictions of a study's tasks are scored against."""
    # A task says this where its reference is no measured one.
    without = [TRUTH in task.summary for task in results.tasks]
    if all(without):
        return "the prediction from the original, since there is no ground truth"
    if any(without):
        return "the ground truth, or the prediction from the original where there is none"
    return "the ground truth"


def split_text(facts: DatasetFacts) -> str:
    """Describe whether parts of the split share groups: test images must be new to a model.

    It is "" where there is one part only.
    """
    if sum(map(bool, facts.split.values())) < 2:
        return ""
    groups = [group for part in facts.split.values() for group in part]
    shared = {group for group in groups if groups.count(group) > 1}
    if not shared:
        return "No group is in two parts of the split."
    seen = sorted(shared.intersection(facts.split.get("test", {})))
    if seen:
        return f"Caution: {', '.join(seen)} of the test part is also in another part of the split."
    return (
        "The test groups are in no other part of the split; training and validation share groups."
    )
