# Everything works on a machine with Python 3.11 and pip: the targets make .venv themselves.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test check fuzz bench lint types layers clean

run: $(VENV)/.run
	$(BIN)/atpdsl run specs/ioi.atp
	@echo '(for `atpdsl` in your shell: source $(VENV)/bin/activate)'

test: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: lint types layers
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not real_model"

# What a nightly job runs: 50,000 texts through the whole front end.
fuzz: $(VENV)/.test
	ATPDSL_FUZZ=50000 $(BIN)/python -m pytest -n 2 --dist loadfile tests/fuzz

# Short versions of all benchmarks and one table: some fifteen minutes of one core. Peers need
# `python -m benchmarks.peers.environments` once.
bench: $(VENV)/.run
	$(BIN)/python -m benchmarks.summary

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy

layers: $(VENV)/.test
	$(BIN)/lint-imports

$(VENV)/bin/python:
	@$(PYTHON) --version >/dev/null 2>&1 && $(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.test: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	@touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV) runs dist .pytest_cache .mypy_cache .ruff_cache
