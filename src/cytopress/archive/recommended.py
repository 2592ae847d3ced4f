"""A study's recommendation as the coding of a channel, its task run again on what is archived."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cytopress.archive.analysis import Analysis
from cytopress.archive.chunk_decoding import decode_chunk
from cytopress.archive.chunk_form import ChunkForm
from cytopress.archive.chunk_writer import ShardChunks
from cytopress.archive.errors_of_pixels import Errors, errors_between
from cytopress.archive.plan import Ceiling, Coding, Shape
from cytopress.archive.promise import surplus_of_share
from cytopress.archive.sample_codings import SampleCodings, Samples
from cytopress.archive.sampling import FIELDS, spread
from cytopress.archive.setting_search import Search
from cytopress.archive.solving import CLOSE, coding_of, native_setting, solve, with_scales
from cytopress.codecs.targets.request import CodecRequest
from cytopress.digests import digest_text
from cytopress.errors import CytopressWarning, NotAvailableError, UsageError
from cytopress.figures import count_text
from cytopress.image import Image, Pixels
from cytopress.results.recommendation.rebound import Rebound, rebound
from cytopress.results.recommendation.recorded import RecordedRecommendation
from cytopress.settings import from_environment
from cytopress.study.rescoring import StudiedField, studied_fields
from cytopress.study.results import Results
from cytopress.study.store import load_results


@dataclass(frozen=True)
class Study:
    """A study's folder, its recommendation for a channel, and the chunks of the archive."""

    folder: Path
    recorded: RecordedRecommendation
    chunk: Shape

    def solve(self, samples: Samples, *, seen: float = 0.0) -> Coding:
        """Return the coding of a channel.

        The setting meets the recommended target over chunks of the study's fields. All of them are
        coded as the archive will be, and the task is run on them: the largest error of their chunks
        is the ceiling of every chunk of the archive.

        Raises
        ------
        NotAvailableError
            Coded so, the analysis is not shown to stay inside the margin.
        UsageError, StoreError
            The study's images are not found, are of another kind, or have changed.
        """
        settings = from_environment()
        request = self.recorded.request(settings)
        if request.lossless:
            return replace(solve(request, samples, seen=seen), analysis=self._lossless())
        results = load_results(self.folder)
        with warnings.catch_warnings():
            # What there is to say of the study's images was said when it was run.
            warnings.simplefilter("ignore", CytopressWarning)
            fields = studied_fields(
                self.folder, results, self.recorded.dataset, self.recorded.spec, settings
            )
        request, limits = with_scales(request, samples)
        of_study = SampleCodings(request, self._chunks(fields, samples), limits, samples.bits)
        native = native_setting(request, of_study)
        codings = SampleCodings(request, samples.chunks, limits, samples.bits)
        coding = coding_of(request, request, samples, codings, native, None)
        # Limits and bits as in the archive; nothing is held against a ceiling here.
        coding = replace(coding, limits=limits)
        errors, found = self._rerun(results, fields, coding)
        ceiling = _ceiling(request, errors)
        fine = _fine_enough(request, codings, native, samples, ceiling)
        if fine != native:
            native = fine
            coding = coding_of(request, request, samples, codings, native, None)
            _, found = self._rerun(results, fields, replace(coding, limits=limits))
        done = coding_of(request, request, samples, codings, native, ceiling)
        return replace(done, analysis=self._analysis(results, found))

    def _chunks(self, fields: Sequence[StudiedField], samples: Samples) -> list[Pixels]:
        """Return sampled chunks of the study's fields."""
        places = np.linspace(0, len(fields) - 1, min(FIELDS, len(fields)), dtype=int)
        chunks: list[Pixels] = []
        for place in places:
            original = fields[place].read().original
            if original.dtype != samples.dtype:
                raise UsageError(
                    f"{self.folder}: the study's images are {original.dtype.name}, and those of"
                    f" channel {samples.channel!r} {samples.dtype.name}: what it found does not"
                    " hold for them; give --channel NAME=SPEC."
                )
            stack = original.pixels.reshape(-1, *original.shape[-2:])
            first = (len(stack) - min(self.chunk[2], len(stack))) // 2
            part = stack[first : first + self.chunk[2]]
            chunks += spread(part, self.chunk, -(-16 // len(places)), len(chunks))
        deep = any(len(chunk) > 1 for chunk in chunks)
        return chunks if deep else [chunk[0] for chunk in chunks]

    def _rerun(
        self, results: Results, fields: Sequence[StudiedField], coding: Coding
    ) -> tuple[list[Errors], Rebound]:
        """Return the errors of all chunks of the study, and the bound; refuse what is outside."""
        errors: list[Errors] = []
        scores = {}
        for field in fields:
            inputs = field.read()
            decoded, of_chunks = code_field(inputs.original, coding, self.chunk)
            errors += of_chunks
            scores[field.key] = field.scores(inputs, decoded)
        found = rebound(results, self.recorded, scores)
        margin = self.recorded.margin_value
        if found.bound is None or found.bound > margin:
            unit = f" {found.unit}" if found.unit else ""
            most = "by how much is not shown" if found.bound is None else f"by {found.bound:.4g}"
            raise NotAvailableError(
                f"{coding.channel or 'The images'}: coded in chunks as the archive would be"
                f" ({coding.spec}), {self.recorded.task} may lose {most}{unit} on the study's"
                f" {count_text(found.fields, 'field')}, and the margin is {margin:.4g}{unit}:"
                " nothing was planned. Recommend at a smaller margin, or give --codec."
            )
        return errors, found

    def _analysis(self, results: Results, found: Rebound) -> Analysis:
        assert found.bound is not None
        return Analysis(
            study=results.name,
            study_sha256=digest_text(results.spec_toml),
            dataset=self.recorded.dataset,
            task=self.recorded.task,
            metric=self.recorded.metric,
            recommended=self.recorded.spec,
            margin=self.recorded.margin_value,
            confidence=self.recorded.confidence,
            harm=found.harm,
            bound=found.bound,
            fields=found.fields,
        )

    def _lossless(self) -> Analysis:
        results = load_results(self.folder)
        return self._analysis(results, Rebound(harm=0.0, bound=0.0, fields=0, unit=""))


def code_field(original: Image, coding: Coding, chunk: Shape) -> tuple[Image, list[Errors]]:
    """Return a field coded and decoded in chunks as in an archive, and the errors of each chunk."""
    writer = ShardChunks(coding)
    pixels = original.pixels.reshape(1, 1, -1, *original.shape[-2:])
    decoded, errors = np.empty_like(pixels), []
    steps = (
        range(0, length, edge) for length, edge in zip(pixels.shape[2:], chunk[2:], strict=True)
    )
    for corner in itertools.product(*steps):
        starts = zip(corner, chunk[2:], strict=True)
        place: tuple[Any, ...] = (..., *(slice(start, start + edge) for start, edge in starts))
        whole = np.ascontiguousarray(pixels[place])
        form = ChunkForm(whole.shape, whole.dtype, whole.dtype.type(0))
        data = writer.encode(whole, form)
        assert data is not None
        decoded[place] = decode_chunk(data, form, [])
        errors.append(errors_between(whole, decoded[place], coding.noise_model))
    return replace(original, pixels=decoded.reshape(original.shape)), errors


def _ceiling(request: CodecRequest, errors: Iterable[Errors]) -> Ceiling:
    """Return the largest error of a chunk that the study saw."""
    found = list(errors)
    kind, value = request.asked or ("", 0.0)
    if kind == "max_error":
        return Ceiling(kind="max_error", chunk=min(value, max(one.max_error for one in found)))
    return Ceiling(kind="rmse", chunk=max(one.rmse for one in found))


def _fine_enough(
    request: CodecRequest,
    codings: SampleCodings,
    native: float | None,
    samples: Samples,
    ceiling: Ceiling,
) -> float | None:
    """Return a setting, finer where too many chunks of the archive are beyond the ceiling."""
    parameter = codings.parameter
    if native is None or parameter is None:
        return native

    def surplus(value: float) -> float:
        return surplus_of_share(codings.at(value).errors, samples.fields, ceiling)

    if surplus(native) >= 0:
        return native
    found = Search(parameter, surplus, CLOSE).run(parameter.position_of(native))
    if found is None:
        raise UsageError(
            f"{request.name}: no setting keeps the errors of channel {samples.channel!r} within"
            " what the study saw: its fields are unlike these; give --channel NAME=SPEC."
        )
    return parameter.value_at(found)
