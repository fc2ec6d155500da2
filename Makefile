# make demo and make test are all that a fresh machine needs: python3 >= 3.11 and make, no compiler.

PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
MPIEXEC ?= $(BIN)/mpiexec
DEMO := runs/quickstart
RANKS ?= 1,2,3
TESTS ?=
# One thread per rank: the ranks are the parallelism.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export NUMBA_NUM_THREADS := 1

.PHONY: help demo test test-ci test-gpu gpu-session test-faults lint docs gallery bench venv develop clean

help:
	@echo "make demo    install into $(VENV), run examples/quickstart.toml on 2 ranks, analyse it"
	@echo "make test    install, then the test suite on 1, 2 and 3 ranks; RANKS=4: on others, TESTS=tests/spectral: those"
	@echo "make test-ci  the tests that take longer: examples, documentation, the built wheel"
	@echo "make test-faults  kills, full disks, damaged files: a table of what runs survive; LONG=1: many"
	@echo "make test-gpu  the tests that need a GPU, on 1, 2 and 4 ranks"
	@echo "make gpu-session  tests, times, roofline and memory on a GPU, into benchmarks/results"
	@echo "make lint    ruff and mypy"
	@echo "make docs    the documentation site, into build/site"
	@echo "make gallery the figures of the examples, from runs of all of them: six minutes of one core"
	@echo "make bench   steps beside NumPy, transforms beside libraries, tracers, memory, output"
	@echo "make venv    only install what runs need; make develop: what tests and lint need too"
	@echo "make clean   remove $(VENV), caches and the demo's results"
	@echo "PYTHON=/path/to/python3.x chooses the interpreter, MPIEXEC='mpirun --flags' the launcher"

venv: $(VENV)/stamp

# The stamp is older than pyproject.toml when the dependencies may have changed.
$(VENV)/stamp: pyproject.toml tools/make_venv.sh
	@sh tools/make_venv.sh $(VENV) "$(PYTHON)"
	@echo "installing epmpi and what it needs into $(VENV) ..."
	@$(PIP) install --prefer-binary --editable '.[mpi]'
	@touch $@

# What one extra brings, where something needs it: a demonstration needs none.
$(VENV)/with-%: $(VENV)/stamp
	@echo "installing what $* needs ..."
	@$(PIP) install --prefer-binary --editable '.[mpi,$*]'
	@touch $@

develop: $(VENV)/with-test $(VENV)/with-lint $(VENV)/with-fuzz

demo: venv
	@rm -rf $(DEMO)
	$(MPIEXEC) -n 2 $(BIN)/epmpi run examples/quickstart.toml -o $(DEMO)
	$(BIN)/epmpi analyse $(DEMO)

# On the CPU whatever the machine has: what is the same bit for bit is so there.
test: $(VENV)/with-test
	@CUDA_VISIBLE_DEVICES= $(BIN)/python tools/run_tests.py --ranks $(RANKS) $(TESTS)

# They start ranks of their own.
test-ci: develop
	@CUDA_VISIBLE_DEVICES= $(BIN)/python tools/run_tests.py --ranks 1 -m ci

# Needs the extra cuda12 or cuda13 in $(VENV), and a GPU; several ranks share it where there is one.
test-gpu: $(VENV)/with-test
	@$(BIN)/python tools/run_tests.py --ranks 1,2,4 tests/devices/gpu/test_on_hardware.py

# With the packages that the head of the script names, in $(VENV) or of PYTHON; nothing is installed.
gpu-session:
	@bash tools/gpu_session.sh "" $(or $(PYTHON),$(wildcard $(BIN)/python),python3)

test-faults: $(VENV)/with-test $(VENV)/with-fuzz
	@PYTHONPATH=tests:tests/faults:tools $(BIN)/python tests/faults/suite.py \
		$(if $(LONG),--kills 200 --times 40)
	@PYTHONPATH=tests:tests/faults:tools $(BIN)/python tests/faults/fuzz.py \
		--inputs $(if $(LONG),20000,1000)

lint: $(VENV)/with-lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy $(wildcard src tools benchmarks)

# MkDocs 1 is what the site is written for; the theme's notice about MkDocs 2 is no warning of ours.
docs: venv
	@$(PIP) install --prefer-binary --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

gallery: $(VENV)/with-test
	$(BIN)/python tools/gallery.py

bench: venv
	$(BIN)/python -m benchmarks.step --sizes 512 1024 --numpy
	$(BIN)/python -m benchmarks.lines
	$(BIN)/python -m benchmarks.pages
	$(BIN)/python -m benchmarks.tracers
	$(BIN)/python -m benchmarks.memory
	$(MPIEXEC) -n 2 $(BIN)/python -m benchmarks.output

clean:
	rm -rf $(VENV) $(DEMO) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
