# What a newcomer types: `make demo` and `make test`. Each sets itself up; Python 3.11 or newer is all it needs.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test bench lint typecheck suite coverage matrix host vcrpy providers browser screenshot docs fuzz \
	suites format clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

demo: $(READY) ## Record a streamed conversation, replay it with the network blocked
	@$(BIN)/python -m scripts.demo

test: lint typecheck suite matrix ## Everything below down to matrix: what must pass before a commit

lint: $(READY) ## Ruff: rules and format
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet || { echo "Run: make format"; exit 1; }

typecheck: $(READY) ## mypy --strict over package, tests and scripts
	@$(BIN)/mypy

suite: $(READY) ## The tests on the default Python
	@$(BIN)/python -m pytest -q -n auto -m "not shared and not aimock"

coverage: $(READY) ## The same with branch coverage, which takes twice as long
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -q -n auto -m "not shared and not aimock"
	@$(BIN)/coverage combine -q
	@$(BIN)/coverage report

matrix: $(READY) ## The built wheel on every installed Python, lowest dependencies, openai 1 and 2
	@$(BIN)/python -m scripts.matrix

host: $(READY) ## pytest-recording's own tests, without and with vcr-llm installed
	@$(BIN)/python -m scripts.host_suite

vcrpy: $(READY) ## vcrpy's own tests, with our recorder in place of its own
	@$(BIN)/python -m scripts.vcrpy_suite

providers: $(READY) ## Every provider recorded and replayed through its own newest SDK (needs the npm server)
	@$(BIN)/python -m scripts.providers

browser: $(READY) ## The report in Debian's Chromium (needs chromium, and npm ci in tests/browser)
	@$(BIN)/python -m scripts.browser

screenshot: $(READY) ## The picture of the report in the README, made again
	@$(BIN)/python -m scripts.browser screenshot

suites: $(READY) ## Test suites of public projects, as they are and with their cassettes converted
	@$(BIN)/python -m scripts.public_suites

bench: $(READY) ## Benchmarks, in eleven minutes on an idle machine
	@$(BIN)/python -m scripts.bench

fuzz: $(READY) ## A million random bodies and documents of each kind, there and back (hours)
	@$(BIN)/python -m scripts.fuzz

docs: $(READY) ## The site, in build/site; writes what the pages say about options and commands
	@$(BIN)/python -m scripts.docs

format: $(READY) ## Let ruff mend what it can, and write what the pages say about the code
	@$(BIN)/ruff check --quiet --fix-only
	@$(BIN)/ruff format --quiet
	@$(BIN)/python -m scripts.docs --write

clean: ## Remove every environment, cache and build
	@rm -rf .venv* build dist .cache .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(READY): pyproject.toml
	@test -n "$(PYTHON)" || { echo "vcr-llm needs Python 3.11 or newer; none was found. Name one: make PYTHON=..."; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version)"
	@rm -rf .venv
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --upgrade pip # the first that knows --group is 25.1
	@$(BIN)/python -m pip install -qq --editable . --group dev
	@touch $@
