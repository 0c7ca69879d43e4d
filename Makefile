# Every target works on a fresh machine with python3 and make: the first one that needs it sets .venv up.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
MINING := .venv-mining/.ready
TESTS ?=
UV_SYNC = $(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode

# Without compiled bytecode every command starts half a second later.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup run demo test test-long prove check cluster docs screenshots bench migration mining format lock clean

help:
	@echo "make run        set up, play the demo story, and let the clock run with Prefect until Ctrl-C"
	@echo "make demo       the same without the clock: exits 0 when the story was played"
	@echo "make test       every test but the long ones; PostgreSQL is started when it is installed"
	@echo "make test-long  the long ones: servers, clusters, sweeps of crashes, replays, races on PostgreSQL"
	@echo "make prove      races and crashes with the counts of a release"
	@echo "make check      format, lint, types, imports, fast tests: before each commit"
	@echo "make cluster    several machines as processes on this one: pays while workers are killed"
	@echo "make docs       write the pages that follow from code"
	@echo "make screenshots  take pictures of every page into screenshots/ and those of the READMEs; needs Chromium"
	@echo "make bench      measure speed and memory"
	@echo "make migration MESSAGE='what changes'   draft a migration from the tables"
	@echo "make mining     install what reads our exported histories (large, AGPL; CI only)"
	@echo "make lock       resolve requirements.lock anew from pyproject.toml"
	@echo "make clean      remove what the other targets made, except the database and evidence"

setup: $(READY)

$(READY): requirements.lock requirements-uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "on Debian: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements-uv.lock
	@$(UV_SYNC) --python $(BIN)/python requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

run: demo
	@echo "console: http://127.0.0.1:8701    database: pilotway.db    the clock runs until Ctrl-C    elsewhere: $(BIN)/pilotway runs list"
	@PILOTWAY_PREFECT=on $(BIN)/pilotway serve

demo: $(READY)
	$(BIN)/pilotway demo

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(TESTS)

test-long: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "long and not prove" $(TESTS)

prove: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m prove $(TESTS)

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder -m "not slow and not long and not postgres and not reference and not prove"

cluster: $(READY)
	$(BIN)/python -m deploy.cluster

docs: $(READY)
	$(BIN)/python -m docs.generate

screenshots: $(READY)
	$(BIN)/python -m tests.web.screenshots

bench: $(READY)
	$(BIN)/python -m benchmarks

migration: $(READY)
	@test -n "$(MESSAGE)" || { echo "say what changes: make migration MESSAGE='add the booking table'"; exit 1; }
	@$(BIN)/python -m models.migrations "$(MESSAGE)"

mining: $(MINING)

$(MINING): requirements-mining.lock $(READY)
	@test -x .venv-mining/bin/python || $(PYTHON) -m venv .venv-mining
	@$(UV_SYNC) --python .venv-mining/bin/python requirements-mining.lock
	@touch $@

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(READY)
	$(BIN)/uv pip compile pyproject.toml --extra test --extra dev --generate-hashes --no-header --no-annotate \
		--universal --python-version 3.11 --quiet -o requirements.lock > /dev/null

clean:
	rm -rf $(VENV) .venv-mining .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
