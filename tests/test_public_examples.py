"""Every public name has an example in its docstring, and the example runs."""

from __future__ import annotations

import doctest

import pytest

import cytopress


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.extras if name == "dataset" else ())
        for name in cytopress.__all__
    ],
)
def test_a_public_name_has_an_example_that_runs(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    [test] = doctest.DocTestFinder(recurse=False).find(getattr(cytopress, name), name, globs={})
    assert test.examples, f"{name} has no example"
    result = doctest.DocTestRunner().run(test)
    assert result.failed == 0, capsys.readouterr().out


def test_the_packages_own_example_runs():
    assert doctest.testmod(cytopress).failed == 0
