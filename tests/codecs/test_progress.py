"""Whoever listens hears shares that rise to 1, however loops nest."""

from __future__ import annotations

import numpy as np
import pytest

from cytopress.codecs import progress
from cytopress.codecs.registry import decode
from cytopress.codecs.spec import codec
from cytopress.image import Image


def heard(work) -> list[tuple[float, str]]:
    told: list[tuple[float, str]] = []
    with progress.listen(lambda share, now: told.append((share, now))):
        work()
    return told


def test_loops_within_loops_rise_evenly_to_one() -> None:
    def work() -> None:
        for _ in progress.track("ab"):
            for _ in progress.track(iter(range(4)), total=4):
                pass

    eighths = [share * 8 for share, _ in heard(work)]
    assert eighths == pytest.approx([1, 2, 3, 4, 4, 5, 6, 7, 8, 8])


def test_a_stage_begins_anew_even_after_a_loop_that_broke_off() -> None:
    def work() -> None:
        for _ in progress.track(range(3)):
            break
        progress.stage("again")
        for _ in progress.track(range(2)):
            pass

    assert heard(work) == [(0.0, "again"), (0.5, "again"), (1.0, "again")]


def test_nobody_hears_what_goes_on_outside() -> None:
    told = heard(lambda: None)
    assert list(progress.track("abc")) == ["a", "b", "c"]
    assert told == []
    with pytest.raises(TypeError, match="total"):
        list(progress.track(iter("abc")))


def test_coding_a_stack_is_told_plane_by_plane() -> None:
    stack = Image(np.random.default_rng(0).integers(0, 99, (5, 8, 9), dtype=np.uint8))
    request = codec("jpegls")
    data: list[bytes] = []
    fifths = [share * 5 for share, _ in heard(lambda: data.append(request.encode(stack)))]
    assert fifths == pytest.approx([1, 2, 3, 4, 5])
    assert [share for share, _ in heard(lambda: decode(data[0]))][-1] == pytest.approx(1)
