"""Every public name has an example in its docstring, and the example runs."""

from __future__ import annotations

import doctest

import pytest

import cytopress
import cytopress.files


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.extras if name == "dataset" else ())
        for name in cytopress.__all__
    ],
)
def test_a_public_name_has_an_example_that_runs(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run_example(getattr(cytopress, name), name, capsys)


@pytest.mark.parametrize("name", ["channel_codecs", "decode_file", "encode_file", "open_cyto"])
def test_functions_for_whole_files_have_examples(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run_example(getattr(cytopress.files, name), name, capsys)


def run_example(function, name, capsys):
    [test] = doctest.DocTestFinder(recurse=False).find(function, name, globs={})
    assert test.examples, f"{name} has no example"
    result = doctest.DocTestRunner().run(test)
    assert result.failed == 0, capsys.readouterr().out


def test_the_packages_own_example_runs():
    assert doctest.testmod(cytopress).failed == 0
