# Every environment is a plain venv, stamped with a digest of pyproject.toml: while that does not
# change, nothing is installed again.
PYTHON ?= python3
DIGEST := $(shell $(PYTHON) -c "import hashlib; print(hashlib.sha256(open('pyproject.toml','rb').read()).hexdigest()[:16])")
TEST := .venv-test/bin
# Given with =, else pytest takes the file for the tests that it is to run.
PASSED := .passed-in-core
# A file of tests stays in one process: its fixtures are made once. They go in their own order, which
# has the long ones first; else xdist begins with those that have the most tests.
TWO_AT_ONCE := -n 2 --dist loadfile --no-loadscope-reorder
# Two processes of several threads each would wait for each other: torch is then up to nine times slower.
ONE_THREAD := OMP_NUM_THREADS=1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: environments demo test test-core test-extras test-napari test-readers test-slow lint dist docs docs-serve docs-generated bench golden clean

demo: .venv/stamp-$(DIGEST)
	.venv/bin/cytopress demo --out demo-out

# Every test but the slow ones: those that pass in the core's environment, then all others.
test:
	$(MAKE) test-core
	$(MAKE) test-extras

# With every extra, on the numpy 1.26 that CompressAI pins: what the last run of the core left, and the
# tests marked both_numpy once more.
test-extras: .venv-test/stamp-$(DIGEST)
	$(ONE_THREAD) $(TEST)/python -m pytest $(TWO_AT_ONCE) -m "not slow" --leave-passed=$(PASSED)

# What takes minutes a test: before a change of training, of codecs' numerics or of scoring lands.
test-slow: .venv-test/stamp-$(DIGEST)
	$(ONE_THREAD) $(TEST)/python -m pytest $(TWO_AT_ONCE) -m slow
	$(MAKE) test-napari
	$(MAKE) test-readers

# The napari plugin and its widget, without a screen: napari and Qt are in no other environment.
# Both deprecate what they use themselves, which is no fault of a test.
test-napari: .venv-napari/stamp-$(DIGEST)
	$(ONE_THREAD) QT_QPA_PLATFORM=offscreen CYTOPRESS_REQUIRE_NAPARI=1 \
	  .venv-napari/bin/python -m pytest -m "not slow" -W ignore tests/napari

# Archives opened by the programs that people have: the core from its wheel beside the readers of
# OME-Zarr, and readers without cytopress. Everything is what installs today.
test-readers: .venv-test/stamp-$(DIGEST) .venv-readers/stamp-$(DIGEST) .venv-alone/stamp-$(DIGEST) dist
	.venv-readers/bin/python -m pip install --quiet --force-reinstall --no-deps dist/*.whl
	rm -rf .readers
	$(ONE_THREAD) $(TEST)/python tests/readers/make.py .readers
	.venv-readers/bin/python -I tests/readers/read.py .readers with-cytopress
	.venv-alone/bin/python -I tests/readers/read.py .readers alone

lint: .venv-test/stamp-$(DIGEST)
	$(TEST)/ruff check .
	$(TEST)/ruff format --check .
	$(TEST)/mypy
	$(TEST)/lint-imports

# The core alone, from its wheel, on numpy 2, without torch: what most users install.
test-core: .venv-core/stamp-$(DIGEST) dist
	.venv-core/bin/python -m pip install --quiet --force-reinstall --no-deps dist/*.whl
	.venv-core/bin/python tests/core_install.py
	$(ONE_THREAD) .venv-core/bin/python -m pytest $(TWO_AT_ONCE) \
	  -m "not slow and not learn and not browser and not extras" --record-passed=$(PASSED)

docs: docs-generated
	$(TEST)/mkdocs build --strict

docs-serve: docs-generated
	$(TEST)/mkdocs serve

# The table of codecs, and the reports of the saved results.
docs-generated: .venv-test/stamp-$(DIGEST)
	$(TEST)/python docs/tables.py
	$(ONE_THREAD) $(TEST)/python docs/results.py render

# The wheel is built from the sdist.
dist: .venv-dist/stamp-$(DIGEST)
	rm -rf dist
	.venv-dist/bin/python -m build --no-isolation

# Of another version too, and how many times as fast this one is: make bench AGAINST=../an-older-checkout
bench: .venv-test/stamp-$(DIGEST)
	$(TEST)/python bench/codecs.py
	$(TEST)/python bench/learned.py
	$(TEST)/python bench/volumes.py
	$(TEST)/python bench/study.py $(if $(AGAINST),--against $(AGAINST))
	$(TEST)/python bench/targets.py $(if $(AGAINST),--against $(AGAINST))
	$(TEST)/python bench/intervals.py
	$(TEST)/python bench/archive.py

# Rewrites the frozen bytes: only when the format itself changes.
golden: .venv-test/stamp-$(DIGEST)
	$(TEST)/python tests/golden/make.py
	$(TEST)/python tests/golden/make_learned.py

# Of several at once, `make -j3`, each takes as long as the slowest.
environments: .venv/stamp-$(DIGEST) .venv-test/stamp-$(DIGEST) .venv-core/stamp-$(DIGEST)

.venv/stamp-$(DIGEST):
	$(PYTHON) -m venv --clear .venv
	.venv/bin/python -m pip install --quiet --editable '.[report,demo]'
	touch $@

# Most of torch is never imported: it is compiled when it is.
.venv-test/stamp-$(DIGEST):
	$(PYTHON) -m venv --clear .venv-test
	.venv-test/bin/python -m pip install --quiet --no-compile --editable '.[all]'
	touch $@

.venv-core/stamp-$(DIGEST): | dist
	$(PYTHON) -m venv --clear .venv-core
	.venv-core/bin/python -m pip install --quiet dist/*.whl 'numpy>=2' pytest pytest-timeout pytest-xdist hypothesis
	touch $@

.venv-napari/stamp-$(DIGEST):
	$(PYTHON) -m venv --clear .venv-napari
	.venv-napari/bin/python -m pip install --quiet --no-compile --editable '.[archive,napari]' \
	  pyqt6 hypothesis pytest pytest-timeout
	touch $@

.venv-readers/stamp-$(DIGEST): | dist
	$(PYTHON) -m venv --clear .venv-readers
	.venv-readers/bin/python -m pip install --quiet dist/*.whl bioio bioio-ome-zarr dask napari-ome-zarr ome-zarr
	touch $@

.venv-alone/stamp-$(DIGEST):
	$(PYTHON) -m venv --clear .venv-alone
	.venv-alone/bin/python -m pip install --quiet tensorstore zarr
	touch $@

.venv-dist/stamp-$(DIGEST):
	$(PYTHON) -m venv --clear .venv-dist
	.venv-dist/bin/python -m pip install --quiet build 'hatchling>=1.25'
	touch $@

clean:
	rm -rf .venv .venv-alone .venv-core .venv-dist .venv-napari .venv-readers .venv-test .readers $(PASSED) dist site demo-out docs/results/*.html docs/results/plotly.min.js
