# Two commands do all the set-up on a fresh machine: `make demo` and `make test`.
# The rest is for people who change the code; see CONTRIBUTING.md.

PYTHON ?= python3
BIN := .venv/bin
ROOT := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

# The scripts of .venv/bin are not used: their first line cannot name a path with a space in it.
PYTEST := $(BIN)/python -m pytest

# Tests start hundreds of processes, which would compile all of it anew each time.
unexport PYTHONDONTWRITEBYTECODE

# $(call leg,NAME,COMMAND): run a command, and say how many seconds it took.
leg = @began=$$(date +%s); printf '\n== %s\n' '$(1)'; $(2); ended=$$?; \
  printf '== %s: %s s\n' '$(1)' "$$(( $$(date +%s) - began ))"; exit $$ended

.PHONY: help demo lab test test-all packages binder coverage versions lowest pyright check lint types docs columns notebooks pictures soak bench bench-more bench-peers pack vendor vendor-check clean

help:
	@echo "make demo        the whole thing against a simulated exchange, in 10 seconds"
	@echo "make lab         open the notebooks in JupyterLab"
	@echo "make test        the tests, browser included"
	@echo "make test-all    the tests, and the reliability bars at full size: hours"
	@echo "make check       ruff, mypy --strict and the tests"
	@echo "make pyright     what pyright says of code that uses the kit"
	@echo "make packages    build the archive and both wheels, try each; tests of the pure one"
	@echo "make binder      as Binder does it, without a C compiler; runs a notebook"
	@echo "make coverage    what of the package the tests run; half an hour or more"
	@echo "make versions    the tests, but for the browser's, on other Pythons that are here"
	@echo "make lowest      the same with the lowest versions of packages that are allowed"
	@echo "make lint        ruff alone; make types: mypy alone"
	@echo "make docs        build the documentation into site/"
	@echo "make columns     write docs/columns.md anew, after a change of a schema"
	@echo "make pictures    draw every view into docs/images; about two minutes"
	@echo "make notebooks   run the notebooks anew and keep their outputs"
	@echo "make soak        the reliability bars, about 20 minutes; see docs/reliability.md"
	@echo "make bench       the figures to hold, side by side; see docs/performance.md"
	@echo "make bench-more  latency, growth, bulk, the defaults' worth; 25 minutes"
	@echo "make bench-peers install the peers beside, and measure against them"
	@echo "make pack        make anew what travels of the views' scripts"
	@echo "make vendor-check compare the chart library with npm's; make vendor VERSION=…"
	@echo "make clean       remove what the other commands made"

# A stamp a set of extras: filled again only when what is installed, or compiled on the way, changes.
INSTALLED := pyproject.toml setup.py $(wildcard kalshi_nb/*.pyx kalshi_nb/*/*.pyx kalshi_nb/*/*.pxd)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "kalshi_nb needs Python 3.11 or newer; say which: make demo PYTHON=/path/to/python3.12"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/run.stamp: $(INSTALLED) | $(BIN)/python
	@echo "installing kalshi_nb into .venv: a minute, the first time"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/lab.stamp: $(INSTALLED) | $(BIN)/python
	@echo "installing kalshi_nb and JupyterLab into .venv: a minute or two, the first time"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[lab,dask]'
	@touch $@ .venv/run.stamp

.venv/dev.stamp: $(INSTALLED) | $(BIN)/python
	@echo "installing kalshi_nb and what its tests need into .venv: some minutes, the first time"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ .venv/run.stamp .venv/lab.stamp

.venv/s3.stamp: $(INSTALLED) .venv/dev.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev-s3]'
	@touch $@

# The browser tests drive Debian's Chromium; with one at hand nothing is installed.
.venv/browser.stamp: | $(BIN)/python
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || [ -n "$$KALSHI_NB_CHROMIUM" ] || { \
	  command -v apt-get >/dev/null && { [ -z "$(ROOT)" ] || command -v sudo >/dev/null; } && \
	  echo "installing chromium for the browser tests" && \
	  $(ROOT) apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive $(ROOT) apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; } || { \
	  echo "The browser tests need Chromium. It is not here and cannot be installed from here: that takes apt-get, and root or sudo."; \
	  echo "Have it installed, name one in KALSHI_NB_CHROMIUM, or run the other tests: $(BIN)/python -m pytest -m 'not browser'"; \
	  exit 1; }
	@touch $@

# The accessibility tests run axe-core in the page. It is fetched once, checked by hash, and no part of the project.
.venv/axe.stamp: tests/browser/axe_core.json tests/npm.py | $(BIN)/python
	$(BIN)/python -m tests.npm axe
	@touch $@

# Kernels of other versions than JupyterLab's own, an environment each, which it starts beside its own.
IPYKERNELS := 6 7.1
.venv-ipykernel%/stamp: $(INSTALLED) | $(BIN)/python
	$(BIN)/python -m venv .venv-ipykernel$*
	.venv-ipykernel$*/bin/python -m pip install --quiet --disable-pip-version-check --editable . 'ipykernel==$*.*'
	@touch $@

demo: .venv/run.stamp
	$(BIN)/python -m kalshi_nb demo

# JupyterLab starts as root, as in a container, only where it is told to.
lab: .venv/lab.stamp
	$(BIN)/python -m jupyterlab $(if $(filter 0,$(shell id -u)),--allow-root) notebooks

# Most tests wait for something to happen most of the time, so that there are more of them at once than cores.
WORKERS ?= 4
WITHOUT_A_BROWSER := -m pytest -p no:nbval -n $(WORKERS) --dist loadgroup -m "not matrix" --ignore tests/browser

# Kernels, hosts and browsers share two cores with all the rest, and a pause of some seconds can be the machine's own. Where
# no more than three tests of thousands fail, they are named and run once more with nothing beside them: what fails again is
# red, and what does not is to be mended all the same. The first run has printed how it failed.
SEEN := -o cache_dir=.pytest_cache/of_make
ALONE = || { [ $$? -eq 1 ] && [ "$$(grep -c :: .pytest_cache/of_make/v/cache/lastfailed)" -le 3 ] && \
  printf '\n== failed beside the others, and once more alone:\n' && grep :: .pytest_cache/of_make/v/cache/lastfailed && \
  $(PYTEST) $(SEEN) -p no:nbval --last-failed --last-failed-no-failures none tests; }

# What keeps the feed from lying is covered whole, branch by branch. Counting doubles the time of those tests, so the
# others run without it. The browser's driver runs an event loop in the main thread: a process of their own for its tests.
test: .venv/dev.stamp .venv/browser.stamp .venv/axe.stamp
	$(call leg,tests of wire and session with their coverage,$(PYTEST) -p no:nbval -n $(WORKERS) tests/wire tests/session --cov=kalshi_nb._wire \
	  --cov=kalshi_nb._session --cov-report=term-missing:skip-covered --cov-fail-under=100)
	$(call leg,all other tests but those in a browser,$(PYTEST) -p no:nbval -n $(WORKERS) --dist loadgroup -m "not matrix" \
	  --ignore tests/wire --ignore tests/session --ignore tests/browser $(SEEN) --cache-clear $(ALONE))
	$(call leg,views on pages of our own,$(PYTEST) -p no:nbval -n $(WORKERS) --dist worksteal -m "browser and not matrix" tests/browser/cards $(SEEN) --cache-clear $(ALONE))
	$(call leg,views in JupyterLab and Notebook and Voila and marimo,$(PYTEST) -p no:nbval -n 3 --dist worksteal -m "browser and not matrix" tests/browser --ignore tests/browser/cards $(SEEN) --cache-clear $(ALONE))
	$(call leg,notebooks,KALSHI_ENV=sim KALSHI_NB_CLOCK=manual $(PYTEST) -n 2 --dist loadfile --nbval-lax --nbval-current-env --nbval-cell-timeout=60 \
	  -p no:randomly notebooks)

# What takes too long for every day. docs/reliability.md has a table of what was measured last.
STEADY_SECONDS ?= 1200
test-all: test .venv/s3.stamp $(IPYKERNELS:%=.venv-ipykernel%/stamp)
	$(call leg,packages,$(BIN)/python -m tests.packages)
	$(call leg,what Binder does and without a C compiler,$(BIN)/python -m tests.binder)
	$(call leg,every view in every state and host,$(PYTEST) -m matrix tests/browser)
	$(call leg,a store that speaks S3 and clusters whose workers die and what else is many times over,$(PYTEST) -n 2 --dist loadfile -m matrix tests --ignore tests/browser)
	$(call leg,a faulty line,$(BIN)/python -m tests.soak line --seeds 20 --frames 50000)
	$(call leg,two hundred kills,$(BIN)/python -m tests.soak kills --seeds 1 --kills 200)
	$(call leg,a hundred kills of a recorder,$(BIN)/python -m tests.soak recorder --seeds 1 --kills 100)
	$(call leg,two nights that are recorded and exported,$(BIN)/python -m tests.soak night)
	$(call leg,a line that loses a message every few seconds,$(BIN)/python -m tests.soak losses)
	$(call leg,two hundred gaps of trades that are fetched,$(BIN)/python -m tests.soak backfill --seeds 1 --gaps 200)
	$(call leg,a million trades of history,$(BIN)/python -m tests.soak history)
	$(call leg,steady load,$(BIN)/python -m tests.soak steady --seconds $(STEADY_SECONDS) --warm-up 300)
	$(call leg,ten million broken frames,$(BIN)/python -m tests.soak fuzz --frames 10000000 --seed 2)

# The archive of the source and both wheels, each installed where nothing else is; with the pure one, and no C compiler, the
# tests of wire and session and a notebook.
packages: .venv/dev.stamp
	$(BIN)/python -m tests.packages

# In an environment of its own, where no C compiler works, as on the images of Binder.
binder: .venv/dev.stamp
	$(BIN)/python -m tests.binder

# A module with less than 90 % has a look: whether a way that somebody goes is tried by nobody. What runs in processes of
# its own (kernels, kills, commands that end the process) is not counted, so the true figure is higher.
coverage: .venv/dev.stamp
	$(BIN)/python $(WITHOUT_A_BROWSER) --ignore tests/benchmarks --ignore tests/soak \
	  --cov=kalshi_nb --cov-branch --cov-report=term-missing:skip-covered

# What does not need a browser, with other versions of Python, as far as they are here …
VERSIONS ?= 3.12 3.13 3.14
versions:
	@failed=; for each in $(VERSIONS); do \
	  "python$$each" -c '' 2>/dev/null || { echo "python$$each is not here: not tried"; continue; }; \
	  $(MAKE) --no-print-directory ".venv-python$$each/stamp" && ".venv-python$$each/bin/python" $(WITHOUT_A_BROWSER) \
	    || failed="$$failed $$each"; \
	done; [ -z "$$failed" ] || { echo "red with Python$$failed"; exit 1; }

# Editable, since the tests run in the checkout: what is compiled for this version has to lie there.
.venv-python%/stamp: $(INSTALLED)
	python$* -m venv .venv-python$*
	.venv-python$*/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# … and with the lowest versions of packages that pyproject.toml allows.
lowest: $(INSTALLED)
	$(PYTHON) -m tests.lowest .venv-lowest
	.venv-lowest/bin/python $(WITHOUT_A_BROWSER)

lint: .venv/dev.stamp
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check

types: .venv/dev.stamp
	$(BIN)/python -m mypy

# A second type checker, on code that uses the kit; npm, which comes with Node.js, gets it.
pyright: .venv/dev.stamp
	npm exec --yes --package=pyright -- pyright --pythonpath $(BIN)/python tests/typed_use.py

check: lint types test

# Asks no network; its authors' advertisement is left out. To read it with its search: python3 -m http.server --directory site
docs: .venv/dev.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "site/index.html"

columns: .venv/dev.stamp
	$(BIN)/python -m tests.columns_page

# Runs the notebooks anew and keeps their outputs, which the tests compare.
notebooks: .venv/dev.stamp
	$(BIN)/python -m tests.notebooks

# What the README and docs/views.md show: of a simulated exchange with its clock in the hand, so that it is the same market.
pictures: .venv/dev.stamp .venv/browser.stamp
	$(BIN)/python -m tests.browser.sheets docs/images

# One line of JSON a run. For other sizes: .venv/bin/python -m tests.soak --help
soak: .venv/dev.stamp
	$(BIN)/python -m tests.soak line --seeds 20 --frames 50000
	$(BIN)/python -m tests.soak kills --seeds 1 --kills 20
	$(BIN)/python -m tests.soak losses
	$(BIN)/python -m tests.soak backfill --seeds 1 --gaps 50
	$(BIN)/python -m tests.soak steady --seconds 300 --warm-up 300
	$(BIN)/python -m tests.soak fuzz --frames 1000000 --seed 1

# For some rows, other rounds and sizes, or JSON: .venv/bin/python -m tests.benchmarks --help
bench: .venv/dev.stamp
	$(BIN)/python -m tests.benchmarks --page

# Writes its tables and a plot into docs/; nothing here has a bar.
bench-more: .venv/dev.stamp
	$(BIN)/python -m tests.benchmarks latency variants growth bulk --page

# One of the peers needs Python 3.12; the kit is measured with the same interpreter as they are.
PEERS_PYTHON ?= python3.12
.venv-peers/stamp: $(INSTALLED)
	@$(PEERS_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 12))' \
	  || { echo "kalshi-sdk needs Python 3.12 or newer; say which: make bench-peers PEERS_PYTHON=/path/to/python3.12"; exit 1; }
	$(PEERS_PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --editable . picows kalshi-sdk pykalshi synpath
	@touch $@

bench-peers: .venv/dev.stamp .venv-peers/stamp
	$(BIN)/python -m tests.benchmarks 3 7

# What travels of the views' scripts; npm, which comes with Node.js, gets terser and oxc.
pack: .venv/run.stamp
	$(BIN)/python -m tests.pack

# Online: the vendored files against npm's, and whether there is a newer version.
vendor-check: | $(BIN)/python
	$(BIN)/python -m tests.npm check

vendor: | $(BIN)/python
	$(BIN)/python -m tests.npm update $(VERSION)

clean:
	rm -rf .venv .venv-* build site kalshi_nb.egg-info output kalshi_nb/*.c kalshi_nb/*.so kalshi_nb/*/*.c kalshi_nb/*/*.so .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
