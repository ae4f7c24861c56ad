# What to type. `make` alone lists the targets.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
BIN := .venv/bin
# The suite shares the machine with servers it starts: one worker a core.
JOBS ?= $(shell nproc 2>/dev/null || echo 2)

.DEFAULT_GOAL := help
.PHONY: help run test proof bench check fix docs lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## serve on 127.0.0.1:8000 (PORT= changes it), installing first what is missing
	@PYTHON=$(PYTHON) tools/setup.sh run
	@$(BIN)/watchword serve --host $(HOST) --port $(PORT)

test: check ## everything: style, types and the whole test suite
	@$(BIN)/python -m pytest -n $(JOBS) -q $(ARGS)

proof: ## the long runs of what `make test` runs briefly
	@PYTHON=$(PYTHON) tools/setup.sh dev
	@$(BIN)/python -m proofs.state $(PROOF)
	@$(BIN)/python -m proofs.size $(PROOF)
	@$(BIN)/python -m proofs.rotation $(PROOF)
	@$(BIN)/python -m proofs.upgrades $(PROOF)
	@$(BIN)/python -m proofs.reseal $(PROOF)
	@$(BIN)/python -m proofs.galera $(PROOF)
	@$(BIN)/python -m proofs.standby $(PROOF)
	@PROOF_HISTORIES=$${PROOF_HISTORIES:-5000} $(BIN)/python -m pytest -q tests/test_engine_machine.py
	@PROOF_CASES=$${PROOF_CASES:-60} $(BIN)/python -m pytest -q tests/test_openapi.py

bench: ## measure every claim about speed and publish the figures, a quarter of an hour
	@PYTHON=$(PYTHON) tools/setup.sh dev
	@$(BIN)/python -m benchmarks --publish $(BENCH)
	@$(BIN)/python tools/write_docs.py

check: ## style and types only
	@PYTHON=$(PYTHON) tools/setup.sh dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

fix: ## mend what can be mended by itself
	@PYTHON=$(PYTHON) tools/setup.sh dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: ## write the pages that are made from code and figures: coverage, API reference, capacity
	@PYTHON=$(PYTHON) tools/setup.sh dev
	@$(BIN)/python tools/write_docs.py

lock: ## write the versions of .venv into constraints.txt
	@PYTHON=$(PYTHON) tools/setup.sh dev
	@{ echo "# The versions the tests ran with; \`make lock\` writes this file."; \
	   $(BIN)/python -m pip freeze --disable-pip-version-check --exclude-editable --exclude watchword; } > constraints.new
	@mv constraints.new constraints.txt && touch .venv/installed-run .venv/installed-dev

clean: ## remove .venv and what the tools left
	@rm -rf .venv .mypy_cache .ruff_cache .hypothesis dist .bench
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
