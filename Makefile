# `make` lists the targets. Needs make, a POSIX shell and Python 3.11 to 3.13; everything else goes into .venv.

PYTHON ?=           # the interpreter to use; empty: the first of python3, python3.11 ... that fits
ARGS ?=             # handed to pytest, dev or the benchmark:  make test ARGS="-k envelope"
UPGRADE ?=          # make lock UPGRADE=1 takes the newest versions that requirements*.in allow

JOBS ?= 2           # test files that run at the same time

VENV := .venv
VENV_313 := .venv-3.13
VENV_AUDIT := .venv-audit
VENVS_BENCH := .venv-bench
RUN := $(VENV)/bin/python -m
PIP_COMPILE = $(VENV)/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 \
	--generate-hashes --custom-compile-command 'make lock' $(if $(strip $(UPGRADE)),--upgrade)

.DEFAULT_GOAL := help
.PHONY: help setup run test check lint python-3.13 node-clients audit mutants bench tools-image soak format lock clean

help: ## list the targets
	@sed -n 's/^\([a-z][a-z0-9.-]*\):.*## /\1|/p' $(firstword $(MAKEFILE_LIST)) | \
		awk -F'|' '{ printf "  make %-12s %s\n", $$1, $$2 }'

setup: ## make .venv with everything in it (again only if a lock or the interpreter changed)
	@PYTHON="$(strip $(PYTHON))" scripts/make-venv $(VENV) requirements-dev.txt

# It stays where somebody looks; a script gets the proof alone.
run: setup ## Pub/Sub, Logging and the worker on this machine, a first message, and a page; Ctrl-C stops
	@if [ -t 1 ]; then $(RUN) worker dev $(ARGS); else $(RUN) worker dev --once $(ARGS); fi

test: setup ## run the tests
	@$(RUN) pytest -n $(strip $(JOBS)) --dist loadfile $(ARGS)

# `make test` comes last, so that pytest's closing line is the last one.
check: ## everything CI checks: format, lint, types, layers, deployment, Python 3.13, tests
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory python-3.13
	@$(MAKE) --no-print-directory test

lint: setup ## the part of check that runs no test
	@echo "== ruff format";      $(RUN) ruff format --check .
	@echo "== ruff check";       $(RUN) ruff check .
	@echo "== mypy";             $(RUN) mypy
	@echo "== import-linter";    $(VENV)/bin/lint-imports --no-logo
	@echo "== hadolint";         $(VENV)/bin/hadolint Dockerfile
	@echo "== cloudbuild.yaml";  $(VENV)/bin/check-jsonschema --builtin-schema vendor.cloudbuild cloudbuild.yaml
	@echo "== shellcheck";       $(VENV)/bin/shellcheck .ci/run $(filter-out %.py,$(wildcard scripts/*))
	@echo "== doctor";           $(RUN) worker doctor --offline
	@echo "== docs/features";    $(RUN) worker features docs --check

# The image runs 3.13; .venv is often older. Skipped where there is no 3.13, but never in CI. What is not in the image,
# such as the laptop cloud, is imported there and no more.
python-3.13: ## run the tests that start nothing on Python 3.13, in a .venv of its own
	@if python="$$(PYTHON= scripts/find-python 3.13 2>/dev/null)"; then \
		echo "== Python 3.13"; \
		PYTHON="$$python" scripts/make-venv $(VENV_313) requirements-dev.txt && \
		$(VENV_313)/bin/python -m pytest -q -p no:cacheprovider -n $(strip $(JOBS)) --dist loadfile --hypothesis-profile again \
			-m "not emulator and not server and not browser and not image and not tools" \
			$(addprefix --ignore=tests/,local differential benchmarks cloudbuild); \
	elif [ "$${CI:-}" = true ]; then echo "Python 3.13 not found, and CI has to test on it" >&2; exit 1; \
	else echo "== Python 3.13 not found: skipped"; fi

# They are tested if they are there, and in CI always.
node-clients: ## install Google's Node clients, which the tests of the laptop cloud use if they are there
	@npm ci --prefix tests/clients/node --ignore-scripts --no-audit --no-fund --silent

# Not part of check, which needs no network. The auditor has an environment of its own: it is not what is audited.
audit: ## look for known vulnerabilities in what the locks pin
	@PYTHON="$(strip $(PYTHON))" scripts/make-venv $(VENV_AUDIT) requirements-audit.txt
	@scripts/audit $(VENV_AUDIT)/bin/pip-audit requirements.txt requirements-build.txt requirements-dev.txt requirements-audit.txt

# What survives is explained in docs/mutation.md. It starts afresh: a result of an older test says nothing.
mutants: setup ## plant faults and list those that no test sees (about 15 minutes)
	@echo "== mutmut: about 15 minutes"
	@rm -rf mutants
	@$(RUN) mutmut run
	@$(RUN) mutmut results

# The peers have a lock and an environment each, under tests/benchmarks/peers and $(VENVS_BENCH).
bench: setup ## compare with other servers, write docs/performance.md (15 minutes; ARGS=--quick: 1)
	@$(RUN) tests.benchmarks $(ARGS)

tools-image: setup ## build the image that can build features, and a feature in it (2 to 5 minutes)
	@$(RUN) pytest tests/image/with_tools.py $(ARGS)

# What CI runs of it is part of `make test`.
soak: setup ## break things for half an hour, write docs/reliability.md (ARGS=--minutes=0: one round)
	@$(RUN) tests.faults $(ARGS)

format: setup ## format, and repair what ruff can repair
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .

lock: setup ## pin requirements*.in in requirements*.txt, with hashes (UPGRADE=1: newest versions)
	@$(PIP_COMPILE) requirements.in -o requirements.txt
	@$(PIP_COMPILE) requirements-build.in -o requirements-build.txt
	@$(PIP_COMPILE) requirements-dev.in -o requirements-dev.txt
	@$(PIP_COMPILE) requirements-audit.in -o requirements-audit.txt
	@for wanted in tests/benchmarks/peers/*/requirements.in; do \
		$(PIP_COMPILE) "$$wanted" -o "$${wanted%.in}.txt" || exit; \
	done

clean: ## remove the .venvs and the tools' caches
	@rm -rf $(VENV) $(VENV_313) $(VENV_AUDIT) $(VENVS_BENCH) .benchmarks mutants \
		.pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
