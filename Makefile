# Bare `make` lists what there is.
.DEFAULT_GOAL := help
SHELL := bash
PYTHON ?= python3
VENV := .venv
FILES := tests/endurance
BIN := $(VENV)/bin
LOCK := UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile -q pyproject.toml --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-strip-extras

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## set up, then: a sentence becomes a verified PostgreSQL server in the simulated cluster
	@$(BIN)/berth demo

test: $(VENV)/.test ## set up, then run the tests
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder --ignore tests/endurance

test-systems: $(VENV)/.test ## then run what takes whole systems and many minutes
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder -m systems $$(grep -rl "mark.systems" tests --include "test_*.py")

test-endurance: $(VENV)/.test ## the same properties many times over; BERTH_ENDURANCE=nightly for more of them
	@$(BIN)/python -m pytest -n 3 --dist worksteal -p no:cacheprovider -m endurance $(FILES)

test-defences: $(VENV)/.test ## take each defence away, and see that its test fails (an hour)
	@$(BIN)/python -m tests.security.defences

web: $(VENV)/.demo ## the web UI, in the simulated cluster, on http://127.0.0.1:8000
	@$(BIN)/berth sim four_nodes -- berth web

chat: $(VENV)/.demo ## the terminal, in the simulated cluster
	@$(BIN)/berth sim four_nodes -- berth chat

azure: $(VENV)/.demo ## the web UI with a simulated cluster and a simulated Azure subscription
	@BERTH_ROLES_FILE=docs/roles.example.yaml $(BIN)/berth sim four_nodes azure_subscription -- berth web

check: $(VENV)/.test ## format, lint, types, who imports whom
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports

format: $(VENV)/.test ## format the code
	@$(BIN)/ruff format -q . && $(BIN)/ruff check --fix -q .

bench: $(VENV)/.test ## measure speed against its floors
	@$(BIN)/python -m benchmarks

eval: $(VENV)/.test ## score the configured model on hearing, refusing and choosing
	@$(BIN)/python -m benchmarks.evals

lock: ## resolve the dependencies anew into the two lock files (needs uv)
	$(LOCK) --extra sim --group build -o requirements.lock
	$(LOCK) --extra sim --extra models --extra policy --extra mcp --extra a2a --extra secrets --extra notices --extra traces --group build --group dev -c requirements.lock -o requirements-dev.lock

licences: $(VENV)/.test ## write docs/licences.md anew, after a change of the locks
	@$(BIN)/python install/licences.py > docs/licences.md

audit: ## look each locked package up in a list of known vulnerabilities (needs pip-audit and the internet)
	pip-audit --no-deps --disable-pip -r requirements.lock -r requirements-dev.lock

clean: ## remove the virtual environment and caches of this checkout
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info

# One stamp for each of the two sets of packages; the second holds the first.
$(VENV)/.demo: requirements.lock pyproject.toml $(wildcard install/*)
	@bash install/set_up.sh $(PYTHON) $(VENV) demo
	@touch $@

$(VENV)/.test: requirements-dev.lock pyproject.toml $(wildcard install/*)
	@bash install/set_up.sh $(PYTHON) $(VENV) test
	@touch $(VENV)/.demo $@

.PHONY: help demo test test-systems test-endurance test-defences web chat azure check format bench eval lock licences audit clean
