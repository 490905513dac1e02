# make study   the tour: environment, study, report (STUDY= DATA= PROFILE= WORKERS= are passed on)
# make test    environment, then the whole test suite and the style checks
# make lint    style checks alone

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$p && break; done)
STUDY ?= tour
READY = .venv/requirements.installed
OPTIONS = $(if $(DATA),--data "$(DATA)") $(if $(PROFILE),--profile "$(PROFILE)") \
	$(if $(WORKERS),--workers $(WORKERS))

.PHONY: study test lint

study: $(READY)
	.venv/bin/python -m fkp run $(STUDY) $(OPTIONS)

test: $(READY) lint
	.venv/bin/python -m pytest

lint: $(READY)
	.venv/bin/ruff check
	.venv/bin/ruff format --check

$(READY): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "fkp needs Python 3.11, 3.12 or 3.13 as python3 (or make PYTHON=path)"; exit 1; }
	test -x .venv/bin/pip || $(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	touch $(READY)
