# The two commands of the README and what they stand on. Needs Python >= 3.11 with pip, and make.
# Every target installs what it needs into its own virtual environment with the tested pins.

PYTHON ?= python3
SEED ?= 1
RUN_VENV := .venv
TEST_VENV := .venv-test
TEXTWORLD_VENV := .venv-interop
OPENENV_VENV := .venv-openenv
PINS := constraints/cpu.txt
SKYRL_VENV := .venv-skyrl
TRL_VENV := .venv-trl
VERIFIERS_VENV := .venv-verifiers
OPENENV_PINS := constraints/openenv.txt
# On Linux the default torch brings gigabytes of CUDA; name a CPU wheel index here to avoid them.
TORCH_INDEX ?=
export OMP_NUM_THREADS ?= 1

.PHONY: help quickstart test lint interop test-textworld test-openenv test-interop bench clean check-python

help:
	@echo "make quickstart   train an agent on this machine's CPU, about five minutes"
	@echo "make test         run the tests"
	@echo "make lint         check format, style and types"
	@echo "make interop      both of the next two: what continuous integration plays beside peers"
	@echo "make test-textworld  compile TextWorld and play it beside our ALFWorld, about ten minutes"
	@echo "make test-openenv    OpenEnv's validator, client and server against ours, about two minutes"
	@echo "make test-interop    skyrl-gym, TRL and verifiers on our environments, about ten minutes"
	@echo "make bench        measure speed"
	@echo "make clean        remove the virtual environments and build folders"
	@echo "variables: PYTHON=$(PYTHON)  SEED=$(SEED)  TORCH_INDEX=$(TORCH_INDEX)"

quickstart: $(RUN_VENV)/ready
	@echo "the command is $(RUN_VENV)/bin/gigym; after '. $(RUN_VENV)/bin/activate' it is plain gigym"
	$(RUN_VENV)/bin/gigym train quickstart seed=$(SEED)

test: $(TEST_VENV)/ready
	$(TEST_VENV)/bin/python -m pytest -q

lint: $(TEST_VENV)/ready
	$(TEST_VENV)/bin/ruff format --check .
	$(TEST_VENV)/bin/ruff check .
	$(TEST_VENV)/bin/pyright --pythonpath $(TEST_VENV)/bin/python

interop: test-textworld test-openenv

test-textworld: $(TEXTWORLD_VENV)/ready
	$(TEXTWORLD_VENV)/bin/python -m pytest -q -m alfworld tests/envs/alfworld/test_reference.py tests/envs/test_adapters_textworld.py
	$(TEXTWORLD_VENV)/bin/python -m pytest -q tests/envs/games/test_arena.py

test-openenv: $(TEST_VENV)/ready $(OPENENV_VENV)/ready
	GIGYM_OPENENV_PYTHON=$(CURDIR)/$(OPENENV_VENV)/bin/python $(TEST_VENV)/bin/python -m pytest -q tests/interop/test_openenv_*.py

test-interop: $(TEST_VENV)/ready $(SKYRL_VENV)/ready $(TRL_VENV)/ready $(VERIFIERS_VENV)/ready
	GIGYM_SKYRL_PYTHON=$(CURDIR)/$(SKYRL_VENV)/bin/python \
	GIGYM_TRL_PYTHON=$(CURDIR)/$(TRL_VENV)/bin/python \
	GIGYM_VERIFIERS_PYTHON=$(CURDIR)/$(VERIFIERS_VENV)/bin/python \
	$(TEST_VENV)/bin/python -m pytest -q tests/interop/test_trainers.py tests/interop/test_verifiers.py

bench: $(RUN_VENV)/ready
	$(RUN_VENV)/bin/gigym bench all --quick

clean:
	rm -rf $(RUN_VENV) $(TEST_VENV) $(TEXTWORLD_VENV) $(OPENENV_VENV) \
	  $(SKYRL_VENV) $(TRL_VENV) $(VERIFIERS_VENV) build dist *.egg-info .pytest_cache .ruff_cache

check-python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "no $(PYTHON) here; install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3" >&2; exit 3; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "gigym needs Python 3.11 or newer; $(PYTHON) is `$(PYTHON) -V 2>&1`. Try: make PYTHON=python3.12" >&2; exit 3; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) lacks the venv module; on Debian or Ubuntu: apt install python3-venv" >&2; exit 3; }

$(RUN_VENV)/ready: pyproject.toml $(PINS) | check-python
	$(call install,$(RUN_VENV),train$(comma)serve$(comma)report)

$(TEST_VENV)/ready: pyproject.toml $(PINS) | check-python
	$(call install,$(TEST_VENV),dev)

# TextWorld brings two packages that are compiled here: they need g++, make and cmake.
$(TEXTWORLD_VENV)/ready: pyproject.toml $(PINS) | check-python
	@for tool in g++ cmake; do command -v $$tool >/dev/null || { \
	  echo "TextWorld is compiled with $$tool, which is not here; on Debian or Ubuntu: apt install g++ make cmake" >&2; exit 3; }; done
	$(PYTHON) -m venv $(TEXTWORLD_VENV)
	$(TEXTWORLD_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c $(PINS) -e '.[alfworld,textarena]' pytest pytest-asyncio
	@touch $(TEXTWORLD_VENV)/ready

# OpenEnv's own packages and nothing of ours, so that its server and client are as published.
$(OPENENV_VENV)/ready: $(OPENENV_PINS) | check-python
	$(call install_peer,$(OPENENV_VENV),-c $(OPENENV_PINS) openenv textarena)

$(SKYRL_VENV)/ready: pyproject.toml $(PINS) | check-python
	$(call install_peer,$(SKYRL_VENV),-c $(PINS) -e . skyrl-gym==0.4.0)

$(TRL_VENV)/ready: pyproject.toml $(PINS) | check-python
	$(call install_peer,$(TRL_VENV),$(addprefix --extra-index-url=,$(TORCH_INDEX)) -c $(PINS) -e . trl==1.16.0)

# No later OpenEnv can be installed beside this verifiers; it starts its harness with uv.
$(VERIFIERS_VENV)/ready: | check-python
	$(call install_peer,$(VERIFIERS_VENV),'verifiers[openenv]==0.4.0' openenv==0.4.1 uv)

comma := ,
define install_peer
	@echo "installing into $(1); this is done once"
	$(PYTHON) -m venv $(1)
	$(1)/bin/python -m pip install --quiet --disable-pip-version-check $(2)
	@touch $(1)/ready
endef

define install
	@echo "installing into $(1); this is done once$(if $(TORCH_INDEX),,; for a small torch: make TORCH_INDEX=https://download.pytorch.org/whl/cpu)"
	$(PYTHON) -m venv $(1)
	$(1)/bin/python -m pip install --quiet --disable-pip-version-check $(addprefix --extra-index-url=,$(TORCH_INDEX)) -c $(PINS) torch
	$(1)/bin/python -m pip install --quiet --disable-pip-version-check -c $(PINS) -e '.[$(2)]'
	@touch $(1)/ready
endef
