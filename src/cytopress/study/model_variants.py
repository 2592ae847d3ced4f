"""Model variants of a study: which models predict, by training regime and seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cytopress.codecs.targets.request import CodecRequest
from cytopress.study.inspect_datasets import InspectedDataset
from cytopress.study.spec import Study
from cytopress.study.trained_models import ORIGINAL, Trainer, config_of
from cytopress.study.trial_spec import ModelVariant
from cytopress.tasks.protocol import Task


def with_variants(study: Study, found: InspectedDataset, trainer: Trainer) -> InspectedDataset:
    """Return an inspected dataset with all its model variants; missing models are trained."""
    variants: list[ModelVariant] = []
    models: dict[tuple[str, str], Task] = {}
    for variant, tasks in _variants(study, found, trainer):
        names = tuple((task.name, task.weights) for task in tasks)
        variants.append(replace(variant, tasks=names))
        models |= dict(zip(names, tasks, strict=True))
    return replace(found, variants=tuple(variants), models=models)


def _variants(
    study: Study, found: InspectedDataset, trainer: Trainer
) -> Iterator[tuple[ModelVariant, tuple[Task, ...]]]:
    trained = {task.name: config for task in found.tasks if (config := config_of(task))}
    seeds = study.seeds or tuple(dict.fromkeys(config.seed for config in trained.values())) or (0,)
    retrained = bool(study.seeds) or trainer.retrain
    for place, seed in enumerate(seeds):
        tasks = tuple(
            trainer.model(task, seed, ()) if task.name in trained and retrained else task
            for task in found.tasks
            # A task without a seed predicts once.
            if task.name in trained or place == 0
        )
        yield ModelVariant(seed=seed), tasks
    seeded = [task for task in found.tasks if task.name in trained]
    if not seeded:
        return
    for regime, trained_on, codecs in _regimes(study, found):
        for seed in seeds:
            variant = ModelVariant(regime=regime, trained_on=trained_on, seed=seed)
            yield variant, tuple(trainer.model(task, seed, codecs) for task in seeded)


def _regimes(
    study: Study, found: InspectedDataset
) -> Iterator[tuple[str, str, tuple[CodecRequest | None, ...]]]:
    """Yield regime, training codecs as the table names them, and training codecs themselves."""
    here = {request.spec for request in study.requests_for(found.facts.name)}
    requests = [request for request in study.training_requests if request.spec in here]
    facts = found.facts
    full = [one.with_reference_scales(facts.data_range, facts.noise.model) for one in requests]
    if {"matched", "cross"} & set(study.regimes):
        for request, with_scales in zip(requests, full, strict=True):
            yield "matched", request.spec, (with_scales,)
    if "mixed" in study.regimes:
        shown = " + ".join([ORIGINAL, *(request.spec for request in requests)])
        yield "mixed", shown, (None, *full)
