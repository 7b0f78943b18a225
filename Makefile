# Everything a person or a build machine does here; `make` alone lists it.
# Needs make and Python 3.11 or later; the environment is made in .venv.

PYTHON ?= python3
VENV ?= .venv
WORKSPACE ?= demo
PORT ?= 8470
# Test processes. One a core; PYTEST_ARGS="-k name" narrows what runs.
JOBS ?= auto
PYTEST_ARGS ?=
UV ?= uv

BIN := $(VENV)/bin
READY := $(VENV)/ready
OMNIBASKET := $(BIN)/omnibasket
RESULTS := build/benchmarks

# Each of the many processes would compile the packages anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup test check demo notebooks api messages figures bench lock clean

help: ## Say what can be made
	@echo "Targets:"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) \
		| while IFS='|' read -r name what; do printf '  make %-9s %s\n' "$$name" "$$what"; done
	@echo "Settings, as in \`make demo CHECK=1\`:"
	@echo "  PYTHON=python3.12   which Python makes the environment"
	@echo "  CHECK=1             demo: check the answers and end, instead of serving on"
	@echo "  WORKSPACE=folder    demo: where the demo workspace is built"
	@echo "  PORT=8470           demo: where the service listens"
	@echo "  PYTEST_ARGS=...     test: more arguments for pytest"

setup: $(READY) ## Make the environment in .venv
	@echo "The environment in $(VENV) is ready."

# The lock holds every package with its hashes, so nothing is resolved here; the project itself
# goes in last, editable, with the build tools that the lock has just brought. Of the packages,
# Python compiles what is imported, when it is: pip would compile everything, which takes as long
# as all the rest.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "make: '$(PYTHON)' is missing or older than Python 3.11, which this project needs." >&2; \
		echo "      Install a newer one, or name it: make $(or $(MAKECMDGOALS),setup) PYTHON=python3.11" >&2; \
		exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "make: '$(PYTHON)' cannot make environments: its venv module is missing." >&2; \
		echo "      On Debian and Ubuntu: apt install python3-venv" >&2; \
		exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing the locked packages into $(VENV) (a minute or two the first time) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-compile \
		--require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check \
		--no-deps --no-build-isolation --editable .
	@touch $@

test: $(READY) ## Run every test
	$(BIN)/python -m pytest -n $(JOBS) $(PYTEST_ARGS)

check: $(READY) ## Lint, format, types, layers, lock
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q --durations=0 --no-header tests/test_layers.py tests/test_lock.py

demo: $(READY) ## Build the demo workspace, ingest, train, serve, ask
	$(OMNIBASKET) demo --workspace $(WORKSPACE)
	$(OMNIBASKET) ingest --workspace $(WORKSPACE)
	$(OMNIBASKET) train --workspace $(WORKSPACE)
	$(if $(CHECK),$(OMNIBASKET) week --workspace $(WORKSPACE) --check)
	$(OMNIBASKET) tour --workspace $(WORKSPACE) $(if $(CHECK),--check --port 0,--port $(PORT))

# In place: what a notebook shows is kept in its file.
notebooks: $(READY) ## Run every notebook on the demo workspace and keep its outputs
	$(BIN)/python notebooks/execute.py $(WORKSPACE)

api: $(READY) ## Write the API reference in docs/api from the docstrings
	$(BIN)/python docs/api_reference.py

# New texts come out empty, to be translated; texts that are gone are dropped.
messages: $(READY) ## Bring the catalogues of every language up to date with the source
	$(BIN)/python -m recsys.languages.extraction

figures: $(READY) ## Write the figures of README and docs from benchmarks/results
	$(BIN)/python -m benchmarks._figures

# A benchmark whose data is not there says how to get it and ends with 77.
bench: $(READY) ## Run every benchmark; results as JSON in build/benchmarks
	@mkdir -p $(RESULTS); failed=; \
	for script in benchmarks/[a-z]*.py; do \
		name=$$(basename $$script .py); echo "== $$name"; code=0; \
		$(BIN)/python -m benchmarks.$$name --json $(RESULTS)/$$name.json || code=$$?; \
		case $$code in 0) ;; 77) echo "-- $$name was left out";; *) failed="$$failed $$name";; esac; \
	done; \
	if [ -n "$$failed" ]; then echo "make: these benchmarks failed:$$failed" >&2; exit 1; fi

# For whoever changes a dependency; needs uv (https://docs.astral.sh/uv).
lock: ## Choose the versions in requirements.lock anew
	$(UV) pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
		--upgrade --output-file requirements.lock

clean: ## Remove the environment, the demo workspace and everything built
	rm -rf $(VENV) demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find recsys training serving tests benchmarks -name __pycache__ -prune -exec rm -rf {} +
