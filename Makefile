# make demo: set everything up and run the embedded study. make test: set everything up and run all tests.
# CPU=1 or GPU=1 says which torch; else NVIDIA's driver, if this machine has it, does. Remembered until the other is said.
PYTHON ?= python3
# Where snakemake and pytest find python, pip and the checkers.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: .venv/installed demo test bench lock schema commands clean

demo: .venv/installed
	snakemake

# Three workers on two cores: a third of the time the tests of the cluster wait for it.
test: .venv/installed
	pytest -m "slow or not slow" --numprocesses=3

# Our experiments against the same by hand: seconds and accuracies; see docs/performance.md and docs/results.md.
bench: .venv/installed
	python -m benchmarks.compare
	python -m benchmarks.searching
	python -m benchmarks.accuracy
	python -m benchmarks.neighbour
	python -m benchmarks.reading
	python -m benchmarks.near_copies
	python -m benchmarks.reading_images

# Asked each time: whether all is there depends on the locks, and on which torch this machine has use for.
.venv/installed:
	@$(PYTHON) tools/set_up.py $(if $(filter-out 0,$(CPU)),cpu)$(if $(filter-out 0,$(GPU)),gpu)

# Resolve the newest versions within pyproject.toml's ranges, for every platform (needs uv).
lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --no-header --quiet --upgrade -o requirements.lock
	python3 tools/set_up.py lock

# The JSON schema of config files, for editors; a test holds it to the typed study.
schema: .venv/installed
	freeze-or-tune schema > workflow/schemas/study.schema.json

# The page of all commands; a test holds it to what they say of themselves.
commands: .venv/installed
	typer freeze_or_tune.__main__ utils docs --name freeze-or-tune --title Commands --output docs/commands.md

clean:
	rm -rf results .snakemake
