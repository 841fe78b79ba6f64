# make demo    set up, then a real clip becomes a side-by-side 3D video
# make app     set up, then a page in the browser: drop clips, look at results, correct them
# make test    set up, then the whole test suite
# make test-all   the same with what tests can use besides: Ray, torchvision, rtmlib, an ffmpeg on PATH, a display, …
# make test-consumers   set up the programs that read exports (OpenSim, …), then their tests
# make check   lint, format and types
# make bench   how fast all of it is, beside MediaPipe; writes docs/performance.md
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
WITH_APP := $(VENV)/.with-app
# torchvision's tests, which run in its environment where it has one of its own
TORCHVISION := tests/detectors/keypointrcnn/test_detector.py

.PHONY: demo app test test-all test-consumers check bench bench-live bench-tracking bench-train bench-memory bench-decoders clean

demo: $(INSTALLED)
	$(RUN) -m weights fetch blazepose-detector blazepose-landmark-full person-finder lifter
	$(RUN) infer_video.py "$$($(RUN) -m weights fetch demo-clip)" --overwrite
	@echo "Watch output/demo/demo_3d.mp4; the motion as data is output/demo/poses.npz"

app: $(WITH_APP)
	$(RUN) -m weights fetch blazepose-detector blazepose-landmark-full person-finder lifter
	$(RUN) infer_video.py --app

test: $(INSTALLED)
	$(RUN) -m pytest

test-all: $(INSTALLED)
	PYTHON=$(PYTHON) .ci/everything $(VENV)
	if [ -f $(VENV)/torchvision/installed ]; then \
		$(VENV)/torchvision/bin/python -m pytest $(TORCHVISION) && \
		.ci/on-screen $(RUN) -m pytest --ignore=$(TORCHVISION); \
	else \
		.ci/on-screen $(RUN) -m pytest; \
	fi

test-consumers: $(INSTALLED)
	$(RUN) -m pip install --quiet --constraint constraints.txt --editable '.[export,app]'
	PYTHON=$(PYTHON) .ci/consumers $(VENV)
	$(RUN) -m pytest tests/consumers

check: $(INSTALLED)
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m mypy

bench: $(INSTALLED)
	$(RUN) -m benchmarks.speed --write $(if $(PORTRAIT),--portrait $(PORTRAIT)) $(if $(MEDIAPIPE),--mediapipe-python $(MEDIAPIPE))

bench-live: $(INSTALLED)
	$(RUN) -m benchmarks.live

bench-memory: $(INSTALLED)
	$(RUN) -m benchmarks.memory

bench-decoders: $(INSTALLED)
	$(RUN) -m benchmarks.decoders

bench-tracking: $(INSTALLED)
	$(RUN) -m benchmarks.tracking

bench-train: $(INSTALLED)
	$(RUN) -m benchmarks.train

$(WITH_APP): $(INSTALLED)
	$(RUN) -m pip install --quiet --constraint constraints.txt --editable '.[app]'
	touch $@

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) output
