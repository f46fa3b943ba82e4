# Everything runs from a private .venv; nothing outside this directory is touched.
PYTHON ?= python3
BIN := .venv/bin
LIMIT ?= 600
.DEFAULT_GOAL := help

.PHONY: help demo test test-all check tables paper readers clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: .venv/ready  ## compile, solve and certify an ensemble query on real digits
	@mkdir -p build
	$(BIN)/ensc compile examples/digits/not_robust.rq -o build/not_robust.mps --stats
	$(BIN)/ensc solve --strategy joint examples/digits/not_robust.rq
	$(BIN)/ensc solve examples/digits/robust.rq

test: .venv/ready  ## run the test suite (minutes)
	$(BIN)/pytest -n 2 -m 'not slow'

test-all: .venv/ready  ## run every test, the slow ones too
	$(BIN)/pytest -n 2

check: .venv/ready  ## lint, check formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests

tables: .venv/ready  ## write the parser's tables anew after a change of compiler/query.lark
	$(BIN)/pytest -q tests/compiler/test_grammar_tables.py --update

paper: .venv/ready  ## the 38 benchmark rows of the paper (hours): MNIST=path GTSRB=path LIMIT=seconds
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --editable '.[dev,paper]'
	$(BIN)/python benchmarks/paper/run.py $(if $(MNIST),--mnist '$(MNIST)') $(if $(GTSRB),--gtsrb '$(GTSRB)') \
	    --limit $(LIMIT) $(ONLY)

readers: .venv/ready  ## install other programs' readers and writers, which tests then ask, and Dask
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --editable '.[dev,conformance,dask,exporters]'

clean:  ## remove everything generated
	rm -rf .venv build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache

# --without-pip: needs neither python3-venv nor permission from an externally managed pip.
.venv/ready: pyproject.toml
	$(PYTHON) -m venv --without-pip .venv
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --editable '.[dev]'
	mkdir -p .venv/types/ensc
	ln -sfn $(CURDIR)/__init__.py $(CURDIR)/py.typed $(CURDIR)/compiler $(CURDIR)/formats $(CURDIR)/runner $(CURDIR)/commands $(CURDIR)/cli.py .venv/types/ensc
	touch $@
