# Everything a newcomer types: demo, test, chaos, fuzz, lint, fmt, docs, bench, lock. Each installs what it needs into .venv.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test quick chaos fuzz bench docs lock lint fmt clean

demo: .venv/installed
	@PATH="$(CURDIR)/$(BIN):$$PATH" examples/demo.sh

test: .venv/developing
	$(BIN)/coverage erase
	$(BIN)/python -m pytest -n 2 --cov --cov-report=
	$(BIN)/coverage report --include='reconciler/model/*,reconciler/kinds/*,reconciler/planning/*' --fail-under=100
	$(BIN)/coverage report --fail-under=95

quick: .venv/developing
	$(BIN)/python -m pytest -n 2 -m 'not slow' -q

# make chaos RUNS=1000 SEED=1
RUNS ?= 100
SEED ?= 1
chaos: .venv/developing
	CHAOS_RUNS=$(RUNS) CHAOS_SEED=$(SEED) $(BIN)/python -m pytest -n 2 -q tests/chaos

# make fuzz RUNS=2000 SEED=1, of each target
fuzz: .venv/developing
	FUZZ_RUNS=$(RUNS) FUZZ_SEED=$(SEED) $(BIN)/python -m pytest -n 2 -q tests/fuzz

# figures beside their floors, into benchmarks/RESULTS.md
bench: .venv/benching
	$(BIN)/python -m benchmarks.run --results benchmarks/RESULTS.md

docs: .venv/developing
	$(BIN)/python -m pytest -q --update-golden tests/test_cli_page.py

# what action.yml installs, after a change of the dependencies
LOCK := reconciler/github_action/requirements.lock
lock: .venv/developing
	$(BIN)/python -m pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header --no-annotate \
	  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file $(LOCK).new pyproject.toml
	(head -1 $(LOCK); cat $(LOCK).new) >$(LOCK).made && mv $(LOCK).made $(LOCK) && rm $(LOCK).new

lint: .venv/developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: .venv/developing
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/benching: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,bench]'
	@touch $@ .venv/developing .venv/installed

.venv/developing: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ .venv/installed
