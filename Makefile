# make demo    set up, then a real clip becomes a side-by-side 3D video
# make test    set up, then the whole test suite
# make check   lint, format and types
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed

.PHONY: demo test check bench bench-live bench-tracking bench-train bench-memory clean

demo: $(INSTALLED)
	$(RUN) -m weights fetch blazepose-detector blazepose-landmark-full lifter
	$(RUN) infer_video.py "$$($(RUN) -m weights fetch demo-clip)" --overwrite
	@echo "Watch output/demo/demo_3d.mp4; the motion as data is output/demo/poses.npz"

test: $(INSTALLED)
	$(RUN) -m pytest

check: $(INSTALLED)
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m mypy

bench: $(INSTALLED)
	$(RUN) -m benchmarks.end_to_end

bench-live: $(INSTALLED)
	$(RUN) -m benchmarks.live

bench-memory: $(INSTALLED)
	$(RUN) -m benchmarks.memory

bench-tracking: $(INSTALLED)
	$(RUN) -m benchmarks.tracking

bench-train: $(INSTALLED)
	$(RUN) -m benchmarks.train

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) output
