"""Verification against sources: which file belongs to which image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cytopress.archive.plan import Plan
from cytopress.archive.sources import Source, find_sources
from cytopress.archive.stores import Store
from cytopress.formats.remote import path_of


@dataclass
class Matched:
    """Sources by image; images without one; images of the folder that are not in the archive."""

    sources: dict[str, Source] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def match(store: Store, plan: Plan, against: Sequence[Path]) -> Matched:
    """Match images with sources: files of the same name, and of as many same folders as there are.

    So the originals may have been moved since they were archived, but not renamed.

    Raises
    ------
    UsageError
        There are no sources.
    """
    found, notes = find_sources(against, str(store), plan.layout)
    result = Matched(notes=notes)
    by_path = {source.path.resolve(): source for source in found}
    for image in plan.images:
        planned = path_of(image.source)
        same = {path: _common(path, planned) for path in by_path if path.name == planned.name}
        best = max(same.values(), default=0)
        chosen = [path for path, common in same.items() if common == best]
        if len(chosen) == 1:
            result.sources[image.name] = by_path[chosen[0]]
        elif chosen:
            result.failures[image.name] = f"could be of {chosen[0]} or of {chosen[1]}"
        else:
            named = ", ".join(map(str, against))
            result.failures[image.name] = f"has no source {planned.name} in {named}"
    used = set(result.sources.values())
    result.left_out = [str(path) for path, one in by_path.items() if one not in used]
    return result


def _common(path: Path, other: Path) -> int:
    """Return how many names two paths have in common, from their ends."""
    count = 0
    for one, another in zip(reversed(path.parts), reversed(other.parts), strict=False):
        if one != another:
            break
        count += 1
    return count
