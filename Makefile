# Everything for working on the project. `make help` lists the targets; each installs what it needs into .venv.

# Each process would compile all sources again, pytest those of the tests, if none may keep what it compiled.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help

.PHONY: help demo quick test chaos fuzz bench lint fmt docs site lock wheel dist owner hooks clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/installed ## Run a whole life cycle against a simulated Novita
	@PATH="$(CURDIR)/$(BIN):$$PATH" examples/demo.sh

# The unit tests, and the end-to-end tests of plan and of the commands that only read.
QUICK := $(addprefix tests/,model kinds planning config yamlfile inventory novita apply reports simulator \
  e2e/plan e2e/endpoints test_architecture.py test_cases.py test_cli_page.py)
quick: .venv/developing ## Run the fast tests: units, plans, read commands
	$(BIN)/python -m pytest -n 2 -m 'not slow' -q $(QUICK)

# Tests that run the package in other processes, or repeat at length what others cover. Python 3.11 runs about 1.7 times as long under
# coverage. Many tests wait, so that there are more workers than the two cores of a runner.
UNMEASURED := $(addprefix tests/,chaos ci fuzz peers policies security/repository/test_linear_time.py) $(wildcard tests/test_*.py)
test: .venv/compiled ## Run all tests and check the coverage
	$(BIN)/coverage erase
	$(BIN)/python -m pytest -n 4 --dist worksteal --cov --cov-report= $(addprefix --ignore=,$(UNMEASURED))
	$(BIN)/python -m pytest -n 4 --dist worksteal $(UNMEASURED)
	$(BIN)/coverage report --include='reconciler/model/*,reconciler/kinds/*,reconciler/planning/*' --fail-under=100
	$(BIN)/coverage report --fail-under=95

RUNS ?= 100
SEED ?= 1
STORE ?= file
CHAOS := $(if $(filter file,$(STORE)),tests/chaos tests/server/test_concurrent_writes.py,tests/chaos/test_chaos.py tests/chaos/test_leaders.py)
chaos: .venv/developing ## Crash and disturb many runs (RUNS=100, SEED=1, STORE=file|postgres|s3|http)
	STORE='$(STORE)' CHAOS_RUNS=$(RUNS) CHAOS_SEED=$(SEED) SERVER_KILLS=$(RUNS) LEADER_KILLS=$(RUNS) \
	  $(BIN)/python -m pytest -n 2 -q $(CHAOS)

fuzz: .venv/developing ## Feed the readers random input (RUNS=100, SEED=1)
	FUZZ_RUNS=$(RUNS) FUZZ_SEED=$(SEED) $(BIN)/python -m pytest -n 2 -q tests/fuzz

bench: .venv/benching ## Measure the commands and write benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks.run --results benchmarks/RESULTS.md

lint: .venv/developing ## Check style, types and the layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: .venv/developing ## Format, and fix what ruff can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/developing ## Write the generated pages: docs/cli.md, docs/reconciler.1, docs/reference/
	$(BIN)/python -m pytest -q --update-golden tests/test_cli_page.py tests/test_man_page.py tests/reference

# MkDocs prints an advertisement without the variable. `--quiet` would hide warnings from `--strict` too.
site: .venv/developing ## Build the documentation site into build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo 'Built. `$(BIN)/python -m http.server -b 127.0.0.1 -d build/site` shows it at http://127.0.0.1:8000/'

LOCKS := reconciler/github_action
COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header --no-annotate \
  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links
lock: .venv/developing ## Write the requirements of action.yml, after a change of dependencies
	$(BIN)/python -m pip install --quiet pip-tools
	for name in requirements postgres object-store; do \
	  lock=$(LOCKS)/$$name.lock; extra=; [ $$name = requirements ] || extra="--extra $$name"; \
	  $(COMPILE) $$extra --output-file $$lock.new pyproject.toml && \
	  (head -1 $$lock; cat $$lock.new) >$$lock.made && mv $$lock.made $$lock && rm $$lock.new || exit 1; \
	done

wheel: .venv/bin/python ## Build the wheel into dist/
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

# The list of components is made from an environment that has only the wheel.
dist: .venv/developing ## Build the wheel, the source distribution and their list of components (SBOM) into dist/
	rm -rf dist build/sbom
	$(BIN)/python -m build --outdir dist .
	$(PYTHON) -m venv --without-pip build/sbom
	$(BIN)/python -m pip --python build/sbom/bin/python install --quiet --disable-pip-version-check dist/*.whl
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
	  --output-file dist/novita-reconciler.cdx.json build/sbom/bin/python

owner: ## Name the GitHub account that publishes the project (OWNER=name)
	@test -n "$(OWNER)" || { echo "Usage: make owner OWNER=name" >&2; exit 64; }
	git grep -lz 'acme/novita-reconciler' | xargs -0 perl -pi -e 's{acme/novita-reconciler}{$(OWNER)/novita-reconciler}g'

hooks: .venv/developing ## Check each commit with pre-commit before it is made
	$(BIN)/pre-commit install

clean: ## Remove the environment and the caches
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

# Compile the sources and the tests once, and not in each worker, under coverage.
.venv/compiled: .venv/developing
	$(BIN)/python -m compileall -q reconciler
	$(BIN)/python -m pytest --collect-only -q >/dev/null
	@touch $@
