# make book   the book, in _build/html
# make test   the book and every test
# make lab    the notebooks, live;  make serve  the built book;  make bench  the speed tables

PYTHON ?= python3
TORCH ?= torch
PORT ?= 8000
WORKERS ?= 2
BIN := .venv/bin
SOURCES := $(shell find book data graves_nb _config.yml _toc.yml -type f -not -path '*/__pycache__/*' \
	-not -path '*/.ipynb_checkpoints/*')

.PHONY: env book test lab serve bench stamp sums clean

env: .venv/.ready

.venv/.ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[book,test]'
	touch $@

book: _build/.built
	@echo
	@echo 'The book is in _build/html. To open it: make serve, then http://localhost:$(PORT)/'

# A clean build each time: Sphinx says a warning only once. Real data is kept out of sight. One thread computes:
# small networks gain nothing from two, and lose much where another program takes a core.
_build/.built: .venv/.ready $(SOURCES)
	rm -rf _build
	env -u GRAVES_NB_DATA OMP_NUM_THREADS=1 PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/jupyter-book build . -W --keep-going
	touch $@

# One after the other: the browser keeps an event loop that the notebooks' kernels could not share.
# Each worker takes whole files, and computes on one core.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile
test: book
	$(PYTEST) --nbval-lax --nbval-current-env book
	$(PYTEST) tests

lab: env
	$(BIN)/jupyter lab book

serve: book
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

bench: book
	$(BIN)/python -m graves_nb bench

# Colab cells and links from graves_nb/site.toml: make stamp, or make stamp TO='owner/repository ref'
stamp:
	$(PYTHON) tools/stamp.py $(TO)

# After a change of a shipped file
sums:
	cd data && find . -type f ! -name SHA256SUMS | sed 's|^\./||' | LC_ALL=C sort | xargs sha256sum > SHA256SUMS

clean:
	rm -rf _build
