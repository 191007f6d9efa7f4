# Two commands matter: `make demo` and `make test`. Both set up what they need by themselves.

PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3.14 python3,$(shell $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
VENV := .venv
BIN := $(VENV)/bin
# Twice quiet: of what pip has to say only errors concern whoever sets this up.
PIP := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --constraint .ci/constraints.txt

.PHONY: help demo test check test-pythons chaos bench docs clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer was not found: install it, or say make PYTHON=/path/to/python"; exit 2; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run-ready: $(VENV)/.made pyproject.toml .ci/constraints.txt
	@echo "Installing singer_kit and the packages it needs (a minute at most, on a usual line)"
	@$(PIP) --editable '.[all]'
	@touch $@

$(VENV)/.test-ready: $(VENV)/.run-ready
	@echo "Installing what the tests need"
	@$(PIP) --editable '.[all,test,lint]'
	@touch $@

demo: $(VENV)/.run-ready ## real data, tap-csv into DuckDB: three runs, from a clean folder
	@$(BIN)/python docs/demo/flights.py

test: $(VENV)/.test-ready ## style, types, and every test but the chaos ones
	$(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check .
	$(BIN)/mypy
	$(BIN)/pytest -q -n 2 --dist worksteal -m 'not chaos'

check: $(VENV)/.test-ready ## style and types only; what pre-commit runs
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

test-pythons: ## the tests on every other interpreter found (3.12 and up)
	bash .ci/pythons

chaos: $(VENV)/.test-ready ## kills real processes, 50 seeds
	$(BIN)/pytest -q -n 2 --dist worksteal -m chaos --timeout 600

bench: $(VENV)/.test-ready ## speed and memory, beside raw loops and peers; writes docs/benchmarks.md
	$(BIN)/python benchmarks/run.py

docs: $(VENV)/.test-ready ## the generated reference pages
	$(BIN)/python docs/generate.py

clean: ## all that was made here
	rm -rf $(VENV) .venv-* .demo .bench .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
