# The README's two commands are `make demo` and `make test`; the rest serves those who work on it.
# TensorFlow is there for these alone; the first that works is taken, and `make PYTHON=...` another.
PYTHONS := python3 python3.13 python3.12 python3.11 python3.10
WORKS := import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for python in $(PYTHONS); do \
    $$python -c '$(WORKS)' 2>/dev/null && { echo $$python; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
OUT ?= out

.PHONY: setup demo test test-long e2e bench verification calibrate mutants census lint lock wheels release \
	clean

setup: $(STAMP)

$(STAMP): requirements/dev.txt pyproject.toml
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(WORKS)' || { \
	    echo "Python 3.10, 3.11, 3.12 or 3.13 is needed: TensorFlow is there for no other. Say where:"; \
	    echo "make PYTHON=/path/to/python3.12 setup"; exit 1; }
	@echo "Setting up $(VENV): about 1.5 GB of packages, some minutes the first time."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -r requirements/dev.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: setup
	$(BIN)/m5 release
	$(BIN)/m5 grade student/m5.ipynb solutions -o $(OUT)/demo --overwrite

test: setup
	$(BIN)/python -m pytest -m "not long" -n auto --dist loadgroup
	$(BIN)/m5 release --check

test-long: setup
	$(BIN)/python -m pytest -m long

# The autograder from its zip to grades, in a fresh Debian; needs root and debootstrap. More by
# E2E="--system FOLDER" and the like: tests/gradescope/whole.py says what there is.
e2e: setup
	PYTHONPATH=. $(BIN)/python tests/gradescope/whole.py $(E2E)

# What grading costs, beside running the notebook oneself: writes docs/performance.*. Half an hour
# on two cores that nobody else uses. BENCH="--quick -o FOLDER" only tries whether it works.
bench: setup
	$(BIN)/python -m benchmarks $(BENCH)

# Which honest networks are measured as they were trained: writes docs/verification.*, and goes on
# where it was stopped. VERIFICATION="--quick -o FOLDER" only tries whether it works.
verification: setup
	$(BIN)/python -m benchmarks.verification $(VERIFICATION)

# How often each network passes, from seed to seed: writes docs/calibration.*. Some hours.
# CALIBRATE="--help" says what it can be told.
calibrate: setup
	$(BIN)/python -m studies.calibration $(CALIBRATE)

# Are the tests sharp: is each of some 150 small faults noticed by the tests that must notice it?
# Goes on where it was stopped. MUTANTS="reflections pages" tries the faults of these alone.
mutants: setup
	$(BIN)/python -m studies.mutants $(MUTANTS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# How large the house is: modules, floors, lines of code, what is written twice.
census: setup
	$(BIN)/python -m studies.census

lock:
	for kind in runtime dev; do $(BIN)/uv pip compile --quiet --universal --python-version 3.10 \
	    --prerelease=allow --no-emit-index-url --no-annotate --custom-compile-command "make lock" \
	    requirements/$$kind.in -o requirements/$$kind.txt; done

# setup.sh of the Gradescope image installs wheels alone: is there one of every pin for the Python
# and the C library of Ubuntu 22.04, Debian 12 and Ubuntu 24.04? Installs nothing.
wheels: setup
	for image in 3.10:2_35 3.11:2_36 3.12:2_39; do for machine in x86_64 aarch64; do \
	    $(BIN)/uv pip install --dry-run --no-deps --only-binary :all: --target $(OUT)/wheels \
	    --python $(BIN)/python --python-version $${image%:*} \
	    --python-platform $$machine-manylinux_$${image#*:} -r requirements/runtime.txt --quiet || \
	    { echo "$$image on $$machine: not every pin has a wheel"; exit 1; }; done; done
	@echo "Every pin has a wheel for every image."

release: setup
	$(BIN)/m5 release

clean:
	rm -rf $(VENV) $(OUT) build dist/*.zip
