# The one door.  Nothing but python3 (3.11 or later) and make has to be there: .ci/bootstrap sees to the rest.

BIN := .venv/bin
INSTALLED := .venv/.installed
WITH_TOOLS := .venv/.installed-dev
WITH_PEERS := .venv/.installed-bench
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help run install format lint types test property acceptance bench soak crash mail-crash docs docs-check check clean

help:  ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: $(INSTALLED)  ## start the daemon on examples/, with its state in var/
	$(BIN)/gavo-exec serve examples --state-dir var

install: $(INSTALLED)  ## make .venv and install gavo-exec into it

format: $(WITH_TOOLS)  ## bring all Python files into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(WITH_TOOLS)  ## style, and the import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: $(WITH_TOOLS)  ## mypy, strict, over package and tests
	$(BIN)/mypy

test: $(WITH_TOOLS)  ## all tests
	$(PYTEST)

property: $(WITH_TOOLS)  ## the laws alone
	$(PYTEST) tests/property

acceptance: $(WITH_TOOLS)  ## the real command alone, with real files, sockets and signals
	$(PYTEST) tests/acceptance

bench: $(WITH_TOOLS) $(WITH_PEERS)  ## the project beside its peers, as ratios; takes its time
	$(BIN)/python -m benchmarks.run $(FIGURES)

soak: $(WITH_TOOLS)  ## a million runs, a third of which fail: does anything grow?
	$(BIN)/python -m benchmarks.soak

crash: $(WITH_TOOLS)  ## the daemon killed 200 times under load: is anything lost, or run twice?
	GAVO_EXEC_CRASH_ROUNDS=200 $(PYTEST) tests/acceptance/test_crashes.py

mail-crash: $(WITH_TOOLS)  ## 10,000 failures, a mail server in all bad moods, the daemon killed: is anybody forgotten?
	GAVO_EXEC_MAIL_RUNS=10000 $(PYTEST) -s tests/acceptance/test_mail_delivery.py

docs: $(WITH_TOOLS)  ## write the documents that are derived from the code
	$(BIN)/python docs/derive.py

docs-check: $(WITH_TOOLS)  ## fail where a derived document differs from the code
	$(BIN)/python docs/derive.py --check

check: lint types docs-check test  ## everything that must hold before a commit

clean:  ## remove all that was made, except var/
	rm -rf .venv .tools build dist *.egg-info .coverage
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Where pyproject.toml has changed, dependencies may have, too.
$(INSTALLED): pyproject.toml
	@.ci/bootstrap

$(WITH_TOOLS): pyproject.toml
	@.ci/bootstrap dev

$(WITH_PEERS): pyproject.toml
	@.ci/bootstrap bench
