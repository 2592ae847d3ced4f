"""How many trials a second a study does, and how much of its time is spent on the work itself.

Run with `make bench`. Uses ecoli-phase where it is on this machine, else scratch-assay.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from cytopress.codecs.base import StreamCodec
from cytopress.codecs.targets.request import CodecRequest
from cytopress.datasets.catalogue import find_folder
from cytopress.errors import UnknownNameError
from cytopress.metrics import Metric
from cytopress.settings import Settings, from_environment
from cytopress.study import run
from cytopress.study.execute import execute
from cytopress.study.spec import parse_study
from cytopress.tasks import registry

STUDY = """
name = "bench"
[[datasets]]
name = "{dataset}"
limit = 2
{tasks}
[[codecs]]
spec = "jpegls"
max_error = [2, 8]
[[codecs]]
spec = "jpeg2000"
ratio = [10, 40]
[[codecs]]
spec = "htj2k"
ratio = [10, 40]
[[codecs]]
spec = "jpegxl"
ratio = [40]
"""


class Stopwatch:
    """Adds up the time inside the functions it watches, nested ones once."""

    def __init__(self) -> None:
        self.seconds, self._depth = 0.0, 0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            begin = time.perf_counter()
            self._depth += 1
            try:
                return function(*args, **kwargs)
            finally:
                self._depth -= 1
                if not self._depth:
                    self.seconds += time.perf_counter() - begin

        return watched


@contextmanager
def watching(tasks: list[type]) -> Iterator[Stopwatch]:
    """Watch codecs, metrics and the given classes of tasks."""
    watch = Stopwatch()
    places = [(CodecRequest, "solve"), (StreamCodec, "encode"), (StreamCodec, "restore")]
    places += [(Metric, "__call__")] + [(task, "predict") for task in tasks]
    places += [(task, "score") for task in tasks]
    with mock.patch.object(run, "decode", watch.around(run.decode)):
        patches = [mock.patch.object(c, n, watch.around(getattr(c, n))) for c, n in places]
        for patch in patches:
            patch.start()
        try:
            yield watch
        finally:
            for patch in patches:
                patch.stop()


def bench(settings: Settings) -> None:
    """Run one study alone and by two processes, and print what it took."""
    dataset = "ecoli-phase" if find_folder("ecoli-phase", settings) else "scratch-assay"
    name = f"labelfree/{dataset}"
    try:
        tasks = [type(registry.task(name, settings))]
    except UnknownNameError:
        tasks = []
    line = f'tasks = ["{name}"]' if tasks else ""
    study = parse_study(STUDY.format(dataset=dataset, tasks=line), folder=Path(), label="bench")
    print(f"study on {dataset}, {'with' if tasks else 'without'} its label-free task")
    for jobs in (1, 2):
        moments: list[float] = []

        def mark(_done: int, _total: int, now: str, moments: list[float] = moments) -> None:
            if now == "trials":
                moments.append(time.perf_counter())

        with tempfile.TemporaryDirectory() as folder, watching(tasks) as watch:
            begin = time.perf_counter()
            execute(study, Path(folder), settings=settings, jobs=jobs, progress=mark)
            whole = time.perf_counter() - begin
        # From the first result on: processes take a few seconds to start, once.
        start, count, seconds = moments[1] - moments[0], len(moments) - 2, moments[-1] - moments[1]
        print(
            f"jobs {jobs}: {count / seconds:.2f} trials a second ({count} in {seconds:.1f} s;"
            f" the first came after {start:.1f} s)"
        )
        if jobs == 1:
            share = watch.seconds / whole
            print(f"        {share:.0%} of {whole:.1f} s inside codecs, metrics and tasks")


if __name__ == "__main__":
    bench(from_environment())
