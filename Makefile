# Everything a person or a CI needs; `make` alone lists it.
# Any Python may start the set-up: scripts/bootstrap.py finds the one it needs. `make setup PYTHON=python3.12` names it.

PYTHON ?=
RUN := .venv/bin/python -m
UPGRADE ?=
CANDIDATES := $(or $(PYTHON),.venv/bin/python python3 python python3.13 python3.12 python3.11)

# The first of these that starts is enough: it looks for the Python that the project needs.
define BOOTSTRAP
for python in $(CANDIDATES); do \
	if "$$python" -c '' 2>/dev/null; then exec "$$python" scripts/bootstrap.py $(1); fi; \
done; \
echo 'setup: No Python was found. Install Python 3.11 or newer (Debian, Ubuntu: `sudo apt-get install python3 python3-venv`) and run make again.' >&2; \
exit 1
endef

.DEFAULT_GOAL := help
.PHONY: help setup run test lint audit bench soak pictures gallery schema lock

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: ## Make .venv with exactly what the lock names (nothing to do when it is there)
	@$(call BOOTSTRAP)

run: setup ## Try it: the bot, an embedded Redis and a simulated Slack with a page in the browser
	@$(RUN) bot playground

test: lint ## Check style and types, then run every test but the long ones
	@.venv/bin/python scripts/browser.py
	$(RUN) pytest -n 3 --dist loadfile -m "not soak and not bench"

lint: setup ## Style, format and types
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy

audit: setup ## Known weaknesses in what is locked, and secrets in what is committed
	.venv/bin/pip-audit --strict --disable-pip --require-hashes -r requirements.lock
	git ls-files -z | xargs -0 .venv/bin/detect-secrets-hook --exclude-files '\.lock$$' \
		--disable-plugin KeywordDetector --disable-plugin HexHighEntropyString --disable-plugin BasicAuthDetector

bench: setup ## Measure, and print the figures
	$(RUN) pytest -m bench -s

soak: setup ## The long fault runs
	$(RUN) pytest -m soak --timeout 3600

pictures: setup ## Take the pictures of docs/ anew, from the browser tests
	@.venv/bin/python scripts/browser.py
	$(RUN) pytest tests/browser --pictures

gallery: setup ## Print every Slack view as JSON
	@$(RUN) bot.view.gallery

schema: setup ## Write the JSON Schema of the workspace, which editors use, from the models
	$(RUN) harness_core.workspace.json_schema

lock: ## Write both lock files from pyproject.toml; UPGRADE=--upgrade moves every pin
	@$(call BOOTSTRAP,lock $(UPGRADE))
