"""No library that codecs call may change how urgent the process is."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest

from cytopress.codecs.adapters import scheduling
from cytopress.codecs.spec import codec
from cytopress.image import Image

LINUX = pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="Linux's scheduling")
ROOT = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may be real-time"
)


@LINUX
@pytest.mark.parametrize("name", ["hevc", "av1"])
def test_coding_leaves_the_process_as_urgent_as_it_was(name: str) -> None:
    """Of root, who could become more urgent; of anyone else it cannot change."""
    pytest.importorskip("av", reason="PyAV is not installed (extra video)")
    before = os.sched_getscheduler(0)
    noise = np.random.default_rng(0).integers(0, 900, (3, 100, 100), np.uint16)
    codec(f"{name}:psnr=30").encode(Image(noise))
    assert os.sched_getscheduler(0) == before
    assert all(
        os.sched_getscheduler(int(task.name)) == before
        for task in Path("/proc/self/task").iterdir()
    )


@LINUX
@ROOT
def test_what_a_library_made_urgent_is_not_any_more() -> None:
    started, done = threading.Event(), threading.Event()
    found: list[int] = []

    def worker() -> None:
        started.set()
        done.wait()
        found.append(os.sched_getscheduler(0))

    thread = threading.Thread(target=worker)
    with scheduling.preserved():
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        thread.start()
        started.wait()
    here = os.sched_getscheduler(0)
    done.set()
    thread.join()
    assert here == os.SCHED_OTHER
    assert found == [os.SCHED_OTHER]
