# One virtual environment, .venv, made from the lock files, serves every target. It is made again when they change.
# PYTHON=python3.13 makes it with another interpreter. ARGS goes to pytest (test) or to the program (run, bench,
# chaos).

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup run test test-browser screenshots check format bench chaos

help: ## say what each target does
	@awk -F ': .*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.installed ## make .venv from the lock files (every other target does so when it is needed)
	@echo ".venv is ready."

run: .venv/.installed ## start everything on this machine: database, demo brokerage, server, webhook delivery
	@exec $(BIN)/python -m aureum run $(ARGS)

test: .venv/.installed ## run the tests on the embedded PostgreSQL (ARGS=tests/store runs some)
	@echo "Left out here: tests on PostgreSQL 15, pages in a browser, and generated clients. .ci/run runs these too."
	@command -v pdfsig >/dev/null && command -v qpdf >/dev/null || \
	  echo "Left out, too: pdfsig and qpdf judge sealed documents (Debian's packages poppler-utils and qpdf)."
	@$(BIN)/python -m pytest $(ARGS)

test-browser: .venv/.installed ## run the pages in Chromium: each by every role, on both screens, in both schemes, with and without script; allow an hour
	@AUREUM_ALL_COMBINATIONS=1 $(BIN)/python -m pytest -m browser tests/browser $(ARGS)

screenshots: .venv/.installed ## make the screenshots of docs/screens again, with the data of the demo
	@$(BIN)/python -m tests.browser.screens

check: .venv/.installed ## format, lint, types, direction of imports, changelog: changes nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict aureum tests bench
	$(BIN)/lint-imports --no-logo
	@version=$$($(BIN)/python -c 'import aureum; print(aureum.__version__)') && \
	{ grep -q "^## \[$$version\]" CHANGELOG.md || \
	  { echo "CHANGELOG.md has no entry \"## [$$version]\": write it, or mend aureum/__init__.py." >&2; exit 1; }; }

format: .venv/.installed ## format the code and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/.installed ## measure, in ratios to a yardstick of the same machine; takes minutes
	@$(BIN)/python -m bench $(ARGS)

chaos: .venv/.installed ## kill workers, crash PostgreSQL, fail over, misbehave as receivers do; nothing may be lost (--seconds 600)
	@$(BIN)/python -m tests.chaos $(ARGS)

.venv/.locked: requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	  "Aureum needs Python 3.11 or newer, not %d.%d: make PYTHON=/path/to/python3.11 ..." % sys.version_info[:2])'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make a virtual environment: its modules venv and ensurepip are missing. On Debian and Ubuntu:" \
	    "apt-get install $$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" >&2; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear .venv
	@echo "Installing the packages of $<, each checked against its hash"
	@$(BIN)/python -m pip install -qq --require-hashes --only-binary :all: --requirement $<
	@touch $@

.venv/.installed: .venv/.locked pyproject.toml
	@echo "Installing Aureum itself into .venv, editable"
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation --editable .
	@touch $@
