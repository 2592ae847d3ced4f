"""Notes on a study: how far it is, and whether parts of its split share groups."""

from __future__ import annotations

from cytopress.study.results import DatasetFacts


def progress_text(done: int, planned: int) -> str:
    """Return a note that a study is unfinished; "" for a finished one."""
    if done >= planned:
        return ""
    return (
        f"This study is not finished: {done:,} of {planned:,} trials are done. Everything below is"
        " over those and will change."
    )


def split_text(facts: DatasetFacts) -> str:
    """Describe whether parts of the split share groups: test images must be new to a model."""
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
