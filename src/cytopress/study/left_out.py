"""What a study names and this machine lacks, and packages whose training has not ended."""

from __future__ import annotations

import warnings
from collections import defaultdict
from pathlib import Path

from cytopress.codecs.learned.compressai.codec import CompressAI
from cytopress.codecs.targets.request import CodecRequest
from cytopress.errors import CytopressWarning, UsageError
from cytopress.study.entries import DatasetEntry
from cytopress.study.plan import options_of
from cytopress.study.results import UnfinishedNetwork, UnfinishedTraining
from cytopress.study.spec import Study


def without_missing(study: Study) -> tuple[Study, tuple[str, ...]]:
    """Return a study without what cannot be run here, and a sentence for each reason.

    Left out are settings of an ``optional`` codec whose pretrained weights are not on this machine
    (nothing is fetched), ``optional`` folders that are not there, and rates of a codec whose
    training has not begun.

    Raises
    ------
    UsageError
        No codec or no dataset is left.
    """
    missing = list[str]()
    said = defaultdict[str, list[str]](list)
    for entry in study.codecs:
        reasons = {r.spec: _missing(r, optional=entry.optional) for r in entry.requests}
        specs = [spec for spec, why in reasons.items() if why]
        missing += specs
        whole = len(specs) == len(reasons) and len(set(reasons.values())) == 1
        for spec in specs:
            # Of a codec that is missing at all its rates, the rates need not be named.
            named = entry.spec if whole else spec
            if named not in said[reasons[spec]]:
                said[reasons[spec]].append(named)
    absent = [one for one in study.datasets if one.optional and not _is_there(one)]
    for one in absent:
        folder = one.images or one.folder or Path()
        said["there is no such folder"].append(f"{folder.parent.name}/{folder.name}")
    if not said:
        return study, ()
    left = study.without(missing)
    datasets = tuple(one for one in study.datasets if one not in absent)
    left = left.model_copy(update={"datasets": datasets})
    if not left.requests or not datasets:
        raise UsageError("No codec, or no dataset, of the study is on this machine.")
    sentences = tuple(f"{', '.join(specs)}: left out, {why}." for why, specs in said.items())
    for sentence in sentences:
        warnings.warn(sentence, CytopressWarning, stacklevel=3)
    return left, sentences


def _is_there(entry: DatasetEntry) -> bool:
    folder = entry.images or entry.folder
    return folder is None or folder.exists()


def _missing(request: CodecRequest, *, optional: bool) -> str:
    if not request.name.startswith("compressai/") or request.asked is not None:
        return ""
    codec = request.adapter(request.native)
    if not isinstance(codec, CompressAI) or (codec.weights.package is None and not optional):
        return ""
    return codec.weights.missing(1 if codec.quality is None else codec.quality)


def unfinished_trainings(study: Study) -> tuple[UnfinishedTraining, ...]:
    """Return how far the trainings of packages are that were exported before their end."""
    found = dict[str, UnfinishedTraining]()
    for request in study.requests:
        for package in request.packages:
            networks = package.manifest.get("unfinished")
            if networks:
                found.setdefault(
                    package.sha256,
                    UnfinishedTraining(
                        codec=request.name,
                        options=options_of(request),
                        package=package.name,
                        networks=tuple(
                            UnfinishedNetwork(
                                quality=each["quality"],
                                steps=each["steps"],
                                of=each["of"],
                                loss=each["loss"],
                                losses=tuple((step, loss) for step, loss in each["losses"]),
                            )
                            for each in networks
                        ),
                    ),
                )
    return tuple(found.values())
