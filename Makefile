# Every environment is a plain venv, stamped with a digest of what it is installed from: while that
# does not change, nothing is installed again. The native kernels have a stamp of their own: when
# their sources change, editable installs compile them again.
PYTHON ?= python3
DIGEST_OF = $(shell $(PYTHON) -c "import hashlib, sys; print(hashlib.sha256(b''.join(open(f, 'rb').read() for f in sys.argv[1:])).hexdigest()[:16])" $(1))
DIGEST := $(call DIGEST_OF,pyproject.toml)
NATIVE := $(call DIGEST_OF,hatch_build.py $(sort $(wildcard src/cytopress/kernels/native/*)))
TEST := .venv-test/bin
# Seconds of fuzzing under sanitizers; in CI, with the tests before it, it is a minute.
SANITIZE ?= 600
# Given with =, else pytest takes the file for the tests that it is to run.
PASSED := .passed-in-core
# A file of tests stays in one process: its fixtures are made once. They go in their own order, which
# has the long ones first; else xdist begins with those that have the most tests.
TWO_AT_ONCE := -n 2 --dist loadfile --no-loadscope-reorder
# Two processes of several threads each would wait for each other: torch is then up to nine times slower.
ONE_THREAD := OMP_NUM_THREADS=1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: environments demo test test-core test-extras test-napari test-readers test-native test-slow lint dist docs docs-serve docs-generated bench golden clean

demo: .venv/native-$(NATIVE)
	.venv/bin/cytopress demo --out demo-out

# Every test but the slow ones: those that pass in the core's environment, then all others.
test:
	$(MAKE) test-core
	$(MAKE) test-extras

# With every extra, on the numpy 1.26 that CompressAI pins: what the last run of the core left, and the
# tests marked both_numpy once more.
test-extras: .venv-test/native-$(NATIVE)
	$(ONE_THREAD) $(TEST)/python -m pytest $(TWO_AT_ONCE) -m "not slow" --leave-passed=$(PASSED)

# What takes minutes a test: before a change of training, of codecs' numerics or of scoring lands.
test-slow: .venv-test/native-$(NATIVE)
	$(ONE_THREAD) $(TEST)/python -m pytest $(TWO_AT_ONCE) -m slow
	$(MAKE) test-native
	$(MAKE) test-napari
	$(MAKE) test-readers

# The native kernels under AddressSanitizer and UBSan: their tests, then streams and arguments of all
# kinds for SANITIZE seconds.
test-native: .venv-test/native-$(NATIVE)
	$(ONE_THREAD) $(TEST)/python tests/kernels/sanitize.py $(SANITIZE)

# The napari plugin and its widget, without a screen: napari and Qt are in no other environment.
# Both deprecate what they use themselves, which is no fault of a test.
test-napari: .venv-napari/stamp-$(DIGEST)
	$(ONE_THREAD) QT_QPA_PLATFORM=offscreen CYTOPRESS_REQUIRE_NAPARI=1 \
	  .venv-napari/bin/python -m pytest -m "not slow" -W ignore tests/napari

# Archives opened by the programs that people have: the core from its wheel beside the readers of
# OME-Zarr, and readers without cytopress. Everything is what installs today.
test-readers: .venv-test/native-$(NATIVE) .venv-readers/stamp-$(DIGEST) .venv-alone/stamp-$(DIGEST) dist
	.venv-readers/bin/python -m pip install --quiet --force-reinstall --no-deps dist/*.whl
	rm -rf .readers
	$(ONE_THREAD) $(TEST)/python tests/readers/make.py .readers
	.venv-readers/bin/python -I tests/readers/read.py .readers with-cytopress
	.venv-alone/bin/python -I tests/readers/read.py .readers alone

lint: .venv-test/native-$(NATIVE)
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
docs-generated: .venv-test/native-$(NATIVE)
	$(TEST)/python docs/tables.py
	$(ONE_THREAD) $(TEST)/python docs/results.py render

# The wheel is built from the sdist.
dist: .venv-dist/stamp-$(DIGEST)
	rm -rf dist
	.venv-dist/bin/python -m build --no-isolation

# Of another version too, and how many times as fast this one is: make bench AGAINST=../an-older-checkout
bench: .venv-test/native-$(NATIVE)
	$(TEST)/python bench/codecs.py
	$(TEST)/python bench/learned.py
	$(TEST)/python bench/terabyte.py
	$(TEST)/python bench/volumes.py
	$(TEST)/python bench/study.py $(if $(AGAINST),--against $(AGAINST))
	$(TEST)/python bench/targets.py $(if $(AGAINST),--against $(AGAINST))
	$(TEST)/python bench/intervals.py
	$(TEST)/python bench/archive.py
	$(TEST)/python bench/kernels.py
	$(TEST)/python bench/threads.py

# Rewrites the frozen bytes: only when the format itself changes.
golden: .venv-test/native-$(NATIVE)
	$(TEST)/python tests/golden/make.py
	$(TEST)/python tests/golden/make_learned.py

# Of several at once, `make -j3`, each takes as long as the slowest.
environments: .venv/native-$(NATIVE) .venv-test/native-$(NATIVE) .venv-core/stamp-$(DIGEST)

# The backend says in one line why nothing was compiled, and pip shows none of it.
.venv/native-$(NATIVE) .venv-test/native-$(NATIVE): %/native-$(NATIVE): %/stamp-$(DIGEST) hatch_build.py
	$*/bin/python -m pip install --quiet --no-deps --editable .
	@$*/bin/python -c "from cytopress.kernels.paths import described; print(described())"
	touch $@

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
	.venv-core/bin/python -m pip install --quiet dist/*.whl 'numpy>=2' pytest pytest-timeout pytest-xdist hypothesis scikit-image
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
	.venv-dist/bin/python -m pip install --quiet build 'hatchling>=1.25' 'setuptools>=70.1'
	touch $@

clean:
	rm -f src/cytopress/kernels/_native.*
	rm -rf .venv .venv-alone .venv-core .venv-dist .venv-napari .venv-readers .venv-test .readers $(PASSED) dist site demo-out docs/results/*.html docs/results/plotly.min.js
