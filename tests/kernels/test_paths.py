import os
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest

from cytopress.errors import CytopressWarning, UsageError
from cytopress.kernels import convolution, extension, paths, threads
from cytopress.kernels.threads import in_spans
from cytopress.settings import omp_threads


@pytest.mark.skipif(
    os.environ.get("CYTOPRESS_REQUIRE_NATIVE") != "1", reason="CYTOPRESS_REQUIRE_NATIVE is not set"
)
def test_the_native_kernels_were_compiled() -> None:
    assert "plain" in paths.available()


def test_numpy_is_always_there_and_last() -> None:
    assert paths.available()[-1] == paths.NUMPY


def test_an_installation_without_native_code_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    assert paths.available()[0] in paths.described()
    monkeypatch.setattr(extension, "native", lambda: None)
    assert paths.available() == (paths.NUMPY,)
    assert "not compiled: numpy computes" in paths.described()


def test_a_path_is_taken_inside_a_block_only(path: str) -> None:
    with paths.using("numpy"):
        assert paths.current() == "numpy"
    assert paths.current() == path


def test_other_paths_are_refused() -> None:
    with pytest.raises(UsageError, match=r"'mmx' here, only one of: .*numpy"), paths.using("mmx"):
        pass


def chosen(value: str) -> str:
    """Return what a process with this environment takes, or its error."""
    code = "from cytopress.kernels import paths; print(paths.current())"
    environment = os.environ | {"CYTOPRESS_KERNELS": value}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


def test_the_environment_chooses() -> None:
    assert chosen("numpy") == "numpy"
    assert chosen("") == paths.available()[0]
    assert "only one of" in chosen("mmx")


@pytest.fixture
def untried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Return to the state of a process that has used no kernel."""
    if paths.available()[0] == paths.NUMPY:
        pytest.skip("there is no native code")
    monkeypatch.setattr(paths, "_trust", paths._Trust())


def test_a_wrong_known_answer_switches_native_code_off_once(
    untried: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.warns(CytopressWarning, match="do not compute what numpy does"):
        assert paths.current(lambda path: False) == paths.NUMPY
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert paths.current(lambda path: True) == paths.NUMPY
        assert paths.current() == paths.NUMPY


def test_a_kernel_that_computes_something_else_is_found(
    untried: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    native = extension.native()

    class Wrong:
        """As the extension, but for the last bit of one number."""

        instruction_sets = staticmethod(native.instruction_sets)

        @staticmethod
        def convolve(*arguments: object) -> None:
            native.convolve(*arguments)
            arguments[5][-1, -1, -1] ^= 1

    monkeypatch.setattr(extension, "loaded", Wrong)
    of = convolution.Convolution(
        np.ones((1, 1, 1, 1), np.int16), np.zeros(1, np.int32), 0, -(2**15), 2**15 - 1
    )
    with pytest.warns(CytopressWarning, match="do not compute"):
        assert of(np.full((1, 1, 1), 6, np.int16)) == 6


def test_an_extension_of_another_version_is_not_used(
    untried: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that stayed behind when the sources changed has other functions or arguments."""
    native = extension.native()

    class Earlier:
        instruction_sets = staticmethod(native.instruction_sets)

        @staticmethod
        def convolve(first: object, second: object) -> None:
            raise AssertionError

    of = convolution.Convolution(
        np.ones((1, 1, 1, 1), np.int16), np.zeros(1, np.int32), 0, -(2**15), 2**15 - 1
    )
    monkeypatch.setattr(extension, "loaded", Earlier)
    with pytest.warns(CytopressWarning, match="compile them anew"):
        assert of(np.full((1, 1, 1), 6, np.int16)) == 6
    monkeypatch.setattr(paths, "_trust", paths._Trust())
    monkeypatch.delattr(Earlier, "convolve")
    with pytest.warns(CytopressWarning, match="compile them anew"):
        assert of(np.full((1, 1, 1), 6, np.int16)) == 6


def test_no_thread_trusts_what_another_is_still_asking(untried: None) -> None:
    asked, answered = threading.Event(), threading.Event()

    def wrong(path: str) -> bool:
        asked.set()
        assert threading.current_thread() is not first or answered.wait(20)
        return False

    first = threading.Thread(target=paths.current, args=(wrong,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first.start()
        assert asked.wait(20)
        try:
            assert paths.current(wrong) == paths.NUMPY
        finally:
            answered.set()
            first.join()


def test_threads_that_outlive_the_main_one_still_compute() -> None:
    """Pools of threads take nothing more then."""
    code = """
import threading, time
import numpy as np
from cytopress.kernels import threads
seen = np.zeros(10, int)
def add(first, end):
    seen[first:end] += 1
def late():
    threading.main_thread().join()
    with threads.using(4):
        threads.in_spans(add, 10)
    print((seen == 1).all())
threading.Thread(target=late).start()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("True", "")


@pytest.mark.parametrize(("count", "number"), [(1, 1), (5, 2), (3, 8), (100, 7), (4, 1)])
def test_spans_cover_every_number_once(count: int, number: int) -> None:
    seen = np.zeros(count, int)

    def add(first: int, end: int) -> None:
        seen[first:end] += 1

    with threads.using(number):
        in_spans(add, count)
    assert (seen == 1).all()


def test_threads_take_the_path_of_their_caller(path: str) -> None:
    found: list[str] = []
    with threads.using(3):
        in_spans(lambda *_: found.append(paths.current()), 30)
    assert found == [path] * 3


def test_an_error_in_a_thread_is_raised() -> None:
    def fail(first: int, end: int) -> None:
        if first == 0:
            raise ValueError("span of the first thread")

    with pytest.raises(ValueError, match="first thread"), threads.using(3):
        in_spans(fail, 10)


@pytest.mark.parametrize(
    ("named", "number"), [("", 1), ("3", 3), ("2,4", 2), ("0", 1), ("many", 1), ("1000", 64)]
)
def test_threads_are_those_of_openmp_variable(
    monkeypatch: pytest.MonkeyPatch, named: str, number: int
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", named)
    omp_threads.cache_clear()
    assert threads.number() == number
    with threads.using(5):
        assert threads.number() == 5
    monkeypatch.undo()
    omp_threads.cache_clear()
