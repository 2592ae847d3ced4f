"""No import cycle: every module of the package can be read and tested without those above it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    import grimp

# Never skipped where every extra is installed: without import-linter's grimp it fails.
pytestmark = pytest.mark.extras


def test_no_modules_import_each_other() -> None:
    """Imports within functions count; only those for type checkers are left out."""
    import grimp

    graph = grimp.build_graph("cytopress", exclude_type_checking_imports=True, cache_dir=None)
    cycles = cycles_of(graph)
    assert not cycles, "\n".join(", ".join(sorted(cycle)) for cycle in cycles)


def test_a_cycle_would_be_found() -> None:
    import grimp

    graph = grimp.ImportGraph()
    for importer, imported in (("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("e", "a")):
        for module in (importer, imported):
            graph.add_module(module)
        graph.add_import(importer=importer, imported=imported)
    assert cycles_of(graph) == [{"a", "b", "c"}]


def cycles_of(graph: grimp.ImportGraph) -> list[set[str]]:
    """Return the groups of modules that reach each other: the strongly connected components."""
    modules = sorted(graph.modules)
    place = {module: number for number, module in enumerate(modules)}
    pairs = [
        (place[importer], place[imported])
        for importer in modules
        for imported in graph.find_modules_directly_imported_by(importer)
    ]
    rows, columns = zip(*pairs, strict=True)
    matrix = csr_array(([1] * len(pairs), (rows, columns)), shape=(len(modules), len(modules)))
    _, labels = connected_components(matrix, directed=True, connection="strong")
    groups: dict[int, set[str]] = {}
    for module, label in zip(modules, labels, strict=True):
        groups.setdefault(int(label), set()).add(module)
    return [group for group in groups.values() if len(group) > 1]
