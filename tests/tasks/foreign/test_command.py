"""Commands of programs: the places of the images, and the interpreter."""

from __future__ import annotations

import sys

import pytest

from cytopress.tasks.foreign.command import (
    has_places,
    lacks_place,
    with_images,
    with_own_python,
    without_places,
)


@pytest.mark.parametrize(
    ("command", "called", "asked"),
    [
        (("count",), ("count", "A", "B"), ("count",)),
        (("count", "{decoded}", "{original}"), ("count", "B", "A"), ("count",)),
        (
            ("count", "--in={original}", "--out={decoded}", "-q"),
            ("count", "--in=A", "--out=B", "-q"),
            ("count", "-q"),
        ),
        (
            ("python", "-c", "print(f'{original}')"),
            ("python", "-c", "print(f'{original}')", "A", "B"),
            ("python", "-c", "print(f'{original}')"),
        ),
    ],
)
def test_images_go_into_their_places_or_to_the_end(
    command: tuple[str, ...], called: tuple[str, ...], asked: tuple[str, ...]
) -> None:
    assert with_images(command, "A", "B") == called
    assert without_places(command) == asked
    assert has_places(command) == (called != (*command, "A", "B"))


def test_one_place_lacks_the_other() -> None:
    assert lacks_place(("count", "{original}")) == "decoded"
    assert lacks_place(("count", "--x={decoded}")) == "original"
    assert lacks_place(("count",)) == lacks_place(("c", "{original}", "{decoded}")) == ""


def test_python_is_the_interpreter_that_runs_cytopress() -> None:
    assert with_own_python(("python", "count.py")) == [sys.executable, "count.py"]
    assert with_own_python(("python3", "python")) == ["python3", "python"]
