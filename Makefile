# Every target rests on `make install`, which makes .venv once and does nothing while it is up to date.
# The recipes are plain commands: the README shows the same ones for people without make.

export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The first Python that is new enough. Another one: make PYTHON=/path/to/python3
PYTHON ?= $(firstword $(foreach name,python3.11 python3 python3.12 python3.13 python3.14,$(shell \
	$(name) -c 'import sys; sys.version_info >= (3, 11) and print(sys.executable)' 2>/dev/null)))

.PHONY: help install run test quick soak fresh format lock clean

help:
	@echo "make run      backtest the example strategy on demo data, then trade a day of it in the sandbox; leaves reports/"
	@echo "make test     linters, type checker, import contracts and tests"
	@echo "make quick    the first minute of it"
	@echo "make soak     what takes longer"
	@echo "make fresh    clone the last commit into an empty environment, install it there and run it"
	@echo "make format   let ruff mend what it can"
	@echo "make lock     pin the dependencies (make lock UPGRADE=--upgrade for newer ones)"
	@echo "make clean    remove .venv and all else that can be made again"

install: .venv/.installed

.venv/.installed: requirements.lock requirements-source.lock pyproject.toml
	@test -n "$(PYTHON)" || { \
		echo "algo needs Python 3.11 or newer: install it, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) cannot make environments: install its venv package (apt-get install python3-venv)" >&2; exit 1; }
	@echo "Installing the locked packages into .venv: a minute or two, this first time"
	@$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --no-deps --require-hashes --only-binary :all: -r requirements.lock
	.venv/bin/python -m pip install --quiet --no-deps --require-hashes --use-pep517 --no-build-isolation -r requirements-source.lock
	.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

run: install
	.venv/bin/python -m algo data demo
	.venv/bin/python -m algo backtest strategies/sma_cross.py --data VN30F1M --report reports/sma_cross.html
	.venv/bin/python -m algo run strategies/sma_cross.py --broker sandbox --data VN30F1M --from 2025-12-25 --speed 0 --report reports/sandbox_day.html

test: install
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/pytest -n 2 -m "not soak"

quick: install
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports
	.venv/bin/pytest -n 2 -m "not slow and not soak" --hypothesis-profile quick

soak: install
	.venv/bin/pytest -n 2 -m soak

fresh:
	@PYTHON="$(PYTHON)" .ci/fresh

format: install
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

# One resolution for every system and Python, then split: what has wheels, and the few packages that exist as
# source alone. Those are built by the locked setuptools, so that no build fetches another one unpinned.
SOURCE_ONLY := peewee|ssi-fc-data|ssi-fctrading
UV := 0.13.9

lock:
	@mkdir -p build
	@test -x build/lock/bin/python || $(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet uv==$(UV)
	@cat requirements.lock requirements-source.lock > build/all.lock
	build/lock/bin/uv --no-config pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-annotate --no-header --no-emit-index-url --extra dev --extra peers $(UPGRADE) \
		--output-file build/all.lock pyproject.toml
	@awk '/^[^ ]/ { file = /^($(SOURCE_ONLY))==/ ? "requirements-source.lock" : "requirements.lock" } \
		{ print > file }' build/all.lock
	@wc -l requirements.lock requirements-source.lock

clean:
	rm -rf .venv build dist reports catalog .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
