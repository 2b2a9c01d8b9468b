# Works from a fresh clone with python3.11 and make: the first call builds .venv, once.
PYTHON ?= python3.11
RUN ?= runs/base
STORES := .stores/cmu .stores/bandai_namco
BIN := .venv/bin
SETUP := .venv/.motionclip
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadscope
BENCH := .venv/.motionclip-bench
PIP := $(BIN)/pip install -qq --disable-pip-version-check --constraint constraints.txt

.PHONY: demo pictures gallery test quick floors lint docs train bench clean

demo: $(SETUP)  # motions of ten sentences, a sheet and a film of them, into out/demo
	$(BIN)/python examples/demo.py

pictures: demo  # the README's pictures anew, by the shipped weights
	cp out/demo/sheet.png docs/pictures/sentences.png
	cp out/demo/film.webp docs/pictures/sentences.webp

gallery: $(SETUP)  # the films of docs/gallery.md anew, by the commands on that page
	mkdir -p docs/pictures/gallery
	sed -n '/^```bash/,/^```/{//!p}' docs/gallery.md | (cd docs/pictures/gallery && PATH="$(CURDIR)/$(BIN):$$PATH" sh -e)
	rm -r docs/pictures/gallery/made

test: $(SETUP)  # all tests, in two processes
	$(PYTEST)

quick: $(SETUP)  # the tests that are not marked slow, for every change: under a minute
	$(PYTEST) -m "not slow"

floors: $(SETUP)  # the quick tests with the lowest versions that pyproject.toml names, in .venv/floors: by hand
	$(BIN)/python scripts/floors.py > .venv/floors.txt
	$(PYTHON) -m venv .venv/floors
	.venv/floors/bin/pip install -qq --disable-pip-version-check --constraint .venv/floors.txt --editable '.[all]' \
		pytest pytest-xdist hypothesis schemathesis
	.venv/floors/bin/python -m pytest -n 2 --dist loadscope -m "not slow"

lint: $(SETUP)  # style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

docs: $(SETUP)  # the guide and the reference as pages, into site; a broken link or docstring is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

train: $(STORES)  # a model of preset base, into $(RUN), from the data sets unpacked in .data
	$(BIN)/motionclip train --preset base --data $(STORES) --out $(RUN)

.stores/cmu: | $(SETUP)
	$(BIN)/motionclip prepare cmu:.data/cmu --out $@

.stores/bandai_namco: | $(SETUP)
	$(BIN)/motionclip prepare bandai_namco:.data/dataset --out $@

bench: $(BENCH) $(STORES)  # the figures that the documents quote, but for those that need Blender, wrk or hours
	$(BIN)/python benchmarks/parse_bvh.py .data/dataset --every 100
	for name in generate render_frames export_onnx linear_path decoding one_to_many complete recognize search train_step; do \
		$(BIN)/python benchmarks/$$name.py || exit 1; \
	done

clean:  # outputs and caches; not .venv, data, stores or runs
	rm -rf out site build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path "./.venv/*" -prune -exec rm -rf {} +

$(SETUP): pyproject.toml constraints.txt
	@echo "installing into .venv, about a minute"
	@$(PYTHON) -m venv .venv
	@$(PIP) --editable '.[dev]'
	@touch $@

$(BENCH): $(SETUP)
	@$(PIP) --editable '.[bench]'
	@touch $@
