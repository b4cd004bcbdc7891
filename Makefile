# `make demo` and `make test` do all their own set-up, in .venv.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
DEMO := build/demo
SEED ?= 1
SCALE ?= 0.02

.PHONY: help demo test test-faults test-soak test-fuzz check bench-detection bench-detection-seeds bench-detection-full \
	bench-ablation bench-false-alarms bench-throughput lock clean

help:
	@echo "make demo   find the simulated campaigns, without a broker"
	@echo "make test   ruff, mypy and all tests, with a real Kafka"
	@echo "make test-faults  every fault experiment, 100 kills among them: half an hour or more"
	@echo "make test-soak    half an hour at half the speed: do memory, open files or the lag grow?"
	@echo "make test-fuzz    ten million hostile lines, led by coverage if atheris can be installed"
	@echo "make check  ruff and mypy alone"
	@echo "make bench-detection       measure it on every scenario, 3 seeds: some half an hour"
	@echo "make bench-detection-seeds  the same, 10 seeds: an hour or more; can be stopped and continued"
	@echo "make bench-ablation        what each part of the detector is good for: half an hour a world and core; likewise"
	@echo "make bench-false-alarms    the bound on false alarms in 10 honest worlds: likewise"
	@echo "make bench-detection-full  10 seeds and every dial: hours; can be stopped and continued"
	@echo "make bench-throughput      requests a second beside Faust, Quix Streams and Bytewax; latency; what accounts cost"
	@echo "make lock   resolve the dependencies anew (needs uv)"
	@echo "make clean  remove what these made"

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Hydrawatch needs Python 3.11 or newer; name one with make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "$(PYTHON) cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@echo "compiling the inner loops, once"
	$(BIN)/python -c "import detectors.stages.group; from detectors.scan.requests import decode; decode([b'{}'], 0)"
	@touch $@

demo: $(READY)
	@rm -rf $(DEMO) && mkdir -p $(DEMO)
	$(BIN)/hydrawatch simulate seeds --seed $(SEED) --scale $(SCALE) \
		--out $(DEMO)/events.jsonl.zst --labels $(DEMO)/labels.jsonl
	$(BIN)/hydrawatch replay $(DEMO)/events.jsonl.zst \
		--alerts $(DEMO)/alerts.jsonl --decisions $(DEMO)/decisions.jsonl --report $(DEMO)/campaigns.html
	$(BIN)/hydrawatch evaluate --events $(DEMO)/events.jsonl.zst --labels $(DEMO)/labels.jsonl \
		--alerts $(DEMO)/alerts.jsonl --decisions $(DEMO)/decisions.jsonl

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/mypy

test: check
	$(BIN)/python -m pytest

test-faults: $(READY)
	@mkdir -p build
	$(BIN)/python -m tests.faults --seed $(SEED) --json build/faults.jsonl --markdown build/faults.md

test-soak: $(READY)
	$(BIN)/python -m tests.faults.soak --minutes 30 --seed $(SEED)

test-fuzz: $(READY)
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --editable ".[fuzz]"
	$(BIN)/python -m tests.faults.fuzz --lines 10000000 --seed $(SEED)

bench-detection: $(READY)
	$(BIN)/python -m tests.benchmarks.detection --quick

bench-detection-seeds: $(READY)
	$(BIN)/python -m tests.benchmarks.detection --quick --seeds 10

bench-ablation: $(READY)
	$(BIN)/python -m tests.benchmarks.detection.ablation

bench-false-alarms: $(READY)
	$(BIN)/python -m tests.benchmarks.detection.false_alarms

bench-detection-full: $(READY)
	$(BIN)/python -m tests.benchmarks.detection --full

bench-throughput: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	$(BIN)/python -m tests.benchmarks.throughput
	$(BIN)/python -m tests.benchmarks.latency
	$(BIN)/python -m tests.benchmarks.costs

lock:
	uv lock
	uv export --frozen --all-groups --no-emit-project --format requirements-txt --output-file requirements.lock >/dev/null
	uv export --frozen --extra bench --all-groups --no-emit-project --format requirements-txt \
		--output-file requirements-bench.lock >/dev/null

clean:
	rm -rf .venv build .pytest_cache .mypy_cache .ruff_cache .hypothesis
