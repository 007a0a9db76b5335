# `make demo` shows it, `make test` tests it; each sets itself up on a fresh machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MODEL := qwen2.5-coder-0.5b
QUICK := not model and not editor and not peer and not process

.PHONY: demo test test-quick test-peers test-editors lint venv wheel clean
.DEFAULT_GOAL := demo
# Each worker and each process that the tests start would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

demo: venv model
	$(BIN)/python -m aigc_lsp.measure.demo tests/samples

# The quick tests, which look harder here; then those with processes of their own; then, one at a time, those that run
# the real model, and those in the editors that are installed already (EDITORS=later leaves these to `make
# test-editors`).
test: venv model
	$(BIN)/python -m pytest --hypothesis-profile=thorough -m "$(QUICK)"
	$(BIN)/python -m pytest -n 3 -m "process and not model and not editor and not peer"
	$(BIN)/python -m pytest -n 0 -m "model and not editor and not peer"
ifneq ($(EDITORS),later)
	$(BIN)/python -m pytest -n 0 -m editor tests/editors
endif

test-quick: venv
	$(BIN)/python -m pytest -m "$(QUICK)"

# Against a real llama-server; PEER_LLAMA_SERVER=/path/to/llama-server takes that one.
test-peers: venv model
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[test,test-peers]'
	$(BIN)/python -m pytest -n 0 -m peer tests/peers

# Installs each editor below the user's cache first (packages of the system only as root); one that cannot be had is
# named, with the reason, and its tests are skipped.
test-editors: venv model
	for script in tests/editors/install/*.sh; do bash $$script $(CURDIR)/$(BIN)/python || true; done
	$(BIN)/python -m pytest -n 0 -m editor tests/editors

lint: venv
	$(BIN)/ruff format --check aigc_lsp tests
	$(BIN)/ruff check aigc_lsp tests
	$(BIN)/mypy

wheel: venv
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

venv: $(VENV)/.installed

.PHONY: model
model: venv
	$(BIN)/aigc-lsp models pull $(MODEL)

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade -c constraints.txt pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[test,lint]'
	touch $@

clean:
	rm -rf $(VENV) dist build .pytest_cache .hypothesis .mypy_cache .ruff_cache
