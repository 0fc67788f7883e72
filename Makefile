# Every verb is a thin name for a command that works without make. `make` alone lists them.
PYTHON ?= python3
BOOT := $(PYTHON) -m aios_workbench.bootstrap
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo lab test bench lint format types lock dist clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv, install the locked packages, build the front end
	@$(BOOT) setup

demo: ## run the main job, headless, end to end
	@$(BOOT) demo

lab: ## open JupyterLab on notebooks/
	@$(BOOT) lab

test: ## linters, types, every test (`make test ARGS="tests/house -x"` for some)
	@$(BOOT) test $(ARGS)

bench: setup ## run every benchmark; tables here, JSON in benchmarks/results/
	@for script in benchmarks/*.py; do case $$script in */_*) ;; *) $(BIN)/python $$script $(ARGS) || exit 1 ;; esac; done

lint: setup ## ruff and mypy, without the tests
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

format: setup ## let ruff format and mend what it can
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

types: setup ## write protocol.ts and api_types.ts from the Python models
	@$(BIN)/python -m aios_workbench.widgets.generate_ts && $(BIN)/python -m aios_workbench.server.generate_ts

lock: setup ## resolve requirements.lock anew (hashes, every platform, no address)
	@$(BIN)/uv pip compile pyproject.toml --all-extras --universal --generate-hashes --python-version 3.11 \
	  --no-emit-index-url --no-emit-find-links --no-header --upgrade -o requirements.lock

dist: setup ## wheel and sdist in dist/, with the front end just built
	@rm -rf dist && $(BIN)/uv build --quiet --sdist --wheel --out-dir dist . && ls -l dist

clean: ## remove everything made: .venv, bundles, caches (not workspaces)
	@rm -rf .venv .venv.lock build dist labextension/node_modules labextension/lib labextension/.yarn \
	  aios_workbench/labextension aios_workbench/static .mypy_cache .ruff_cache .hypothesis benchmarks/results
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
