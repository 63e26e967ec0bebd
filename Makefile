# The front door. `make demo` runs the main job; `make test` passes the tests.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml

.PHONY: demo test test-vm test-power lint types docs browser bench faults fuzz-api fuzz-keys across audit sbom simulate install install-labels install-station deb test-deb image lock clean help
.DELETE_ON_ERROR:

help:  ## say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1	/'

demo: $(VENV)/ready-to-run  ## a server and a station on this machine: scan, and read where things are
	@$(BIN)/python -m server.client.demo $(DEMO)

test: $(VENV)/ready-to-test  ## everything: lint, types, architecture, and all tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage report --skip-covered --format=total

test-vm: $(VENV)/ready-to-test  ## real input devices and serial ports, in a virtual machine (VM="-k serial" for some)
	$(BIN)/python -m tests.vm $(VM)

test-power: $(VENV)/ready-to-test  ## power cuts at block writes: 5000 possible disks (STATES=…), as root
	$(BIN)/python -m tests.vm --states $(or $(STATES),5000) -k power_cuts

lint: $(VENV)/ready-to-test  ## ruff, as in `make test`, mending what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/ready-to-test  ## mypy, as in `make test`
	$(BIN)/mypy

browser:  ## Chromium from Debian's packages, for the tests of the screens (as root)
	apt-get update --quiet=2
	DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends chromium

docs: $(VENV)/ready-to-run  ## write the tables in docs/ anew from the code
	$(BIN)/python -m server.rulebook docs/resolution.md

bench: $(VENV)/ready-to-bench  ## the speed, as ratios against limits and others in the same run (BENCH=day for some)
	$(BIN)/python -m bench $(BENCH)

faults: $(VENV)/ready-to-test  ## faults against the station, with figures; FAULTS='--part kills --count 2000' for more
	$(BIN)/python -m tests.faults $(FAULTS)

fuzz-api: $(VENV)/ready-to-test  ## schemathesis on a server of its own, from /openapi.json
	$(PYTHON) -m venv .venv-fuzz
	.venv-fuzz/bin/python -m pip install --quiet --disable-pip-version-check 'schemathesis>=4.32,<5'
	$(BIN)/python -m tests.fuzz_api .venv-fuzz/bin/schemathesis $(FUZZ)

fuzz-keys: $(VENV)/ready-to-test  ## a million random labels, and an answer to each (TEXTS=… for more)
	$(BIN)/python -m tests.fuzz_keys $(or $(TEXTS),1000000)

across: $(VENV)/ready-to-test  ## stations and servers of this checkout and of an earlier commit, together (REF=…)
	$(BIN)/python -m tests.contracts.across $(REF)

audit: $(VENV)/ready-to-test  ## ask the public advisories about every locked version
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.9,<3'
	$(BIN)/python -m tests.audit .venv-audit/bin/pip-audit

SBOM := PYTHONWARNINGS=ignore .venv-audit/bin/cyclonedx-py requirements --pyproject pyproject.toml --mc-type application --output-reproducible --of JSON
sbom:  ## what is in a server and in a station, as CycloneDX, into build/sbom
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check 'cyclonedx-bom>=7,<8'
	mkdir -p build/sbom
	$(SBOM) --output-file build/sbom/scantrail-server.cdx.json constraints-labels.txt
	$(SBOM) --output-file build/sbom/scantrail-station.cdx.json constraints-edge.txt

HOURS ?= 0.02
simulate: $(VENV)/ready-to-test  ## stations and a server under every fault, for HOURS of this machine's time
	$(BIN)/python -m tests.simulation --hours $(HOURS)

install: $(VENV)/ready-to-run  ## a server, or a station without USB scanners, into .venv
	@echo 'Installed into $(VENV). What to do next:'
	@echo '  $(BIN)/scantrail-server serve --data DIR                          prints its address; README.md, "Run it", goes on'
	@echo '  $(BIN)/scantrail-server person add NAME --role administrator --data DIR    signs in there'
	@echo '  $(BIN)/scantrail-server check-config --example                    every setting, with its meaning'
	@echo '  make install-labels (labels as PDF), make install-station (USB scanners), make demo (try it)'

install-labels: $(VENV)/ready-to-run  ## the same, and labels as PDF
	$(PIP) --require-hashes --requirement constraints-labels.txt

install-station: $(VENV)/ready-to-run  ## a station with USB scanners, into .venv (needs a C compiler)
	$(PIP) --require-hashes --requirement constraints-edge.txt

deb: $(VENV)/ready-to-run  ## Debian packages of server and station, into build/deb (station: needs gcc, python3-dev)
	PIP='$(BIN)/python -m pip' packaging/build.sh server
	PIP='$(BIN)/python -m pip' packaging/build.sh station

test-deb: $(VENV)/ready-to-run  ## the packages installed, upgraded, removed in a clean Debian (as root, with mmdebstrap)
	PIP='$(BIN)/python -m pip' packaging/try.sh

image:  ## the server's container image, without a daemon (as root, with buildah and mmdebstrap)
	packaging/image.sh $(IMAGE)

lock: $(VENV)/ready-to-test  ## write the constraints anew from pyproject.toml
	$(PIP) 'uv>=0.9,<1'
	$(LOCK) --extra build --extra dev --extra gpio --extra labels --extra mdns --extra oidc --extra parquet --extra postgres --output-file constraints-dev.txt
	$(LOCK) --extra build --constraint constraints-dev.txt --output-file constraints.txt
	$(LOCK) --extra build --extra labels --extra mdns --extra oidc --extra postgres --constraint constraints-dev.txt --output-file constraints-labels.txt
	$(LOCK) --extra build --extra edge --extra gpio --extra mdns --constraint constraints-dev.txt --output-file constraints-edge.txt
	$(LOCK) --group bench --extra postgres --constraint constraints-dev.txt --output-file constraints-bench.txt

clean:  ## remove what was made here, but never data
	rm -rf $(VENV) .venv-audit .venv-fuzz .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage build dist

$(VENV)/pyvenv.cfg:
	$(PYTHON) -m venv $(VENV)

# Everything comes by hash, the build backend too; then the project, without a look-up.
$(VENV)/ready-to-run: pyproject.toml constraints.txt | $(VENV)/pyvenv.cfg
	$(PIP) --require-hashes --requirement constraints.txt
	$(PIP) --no-deps --no-index --no-build-isolation --editable .
	@touch $@

$(VENV)/ready-to-test: constraints-dev.txt $(VENV)/ready-to-run
	$(PIP) --require-hashes --requirement constraints-dev.txt
	@touch $@

$(VENV)/ready-to-bench: constraints-bench.txt $(VENV)/ready-to-test
	$(PIP) --require-hashes --requirement constraints-bench.txt
	@touch $@
