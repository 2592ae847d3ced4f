"""Pictures of a study that has grown: which fields are shown stays as it was."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from cytopress.study.inspect_datasets import InspectedDataset
from cytopress.study.plan import TrialPlan


def with_kept_previews(
    plans: Sequence[TrialPlan],
    inspected: Sequence[InspectedDataset],
    finished: AbstractSet[str],
    *,
    size: int,
) -> tuple[TrialPlan, ...]:
    """Return the plans, where a finished trial with other pictures stands for an unfinished one.

    Without a choice of the study's, pictures are kept of the first field of each group. A file that
    comes before it later would otherwise run trials again only for their pictures.
    """
    free = {found.facts.name for found in inspected if not found.previews_chosen}
    return tuple(_kept(one, finished, size) if one.dataset in free else one for one in plans)


def _kept(plan: TrialPlan, finished: AbstractSet[str], size: int) -> TrialPlan:
    if plan.spec.key in finished:
        return plan
    other = replace(plan.spec, preview=0 if plan.spec.preview else size)
    return replace(plan, spec=other) if other.key in finished else plan
