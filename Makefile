# make study   the tour: environment, study, report (STUDY= DATA= PROFILE= WORKERS= are passed on)
# make lab     Jupyter in that environment, in notebooks/
# make test    environment, style checks, then the whole test suite on two cores (JOBS= others)
# make lint    style checks alone
# make clean   the environment and every cache away; results and data stay

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$p && break; done)
STUDY ?= tour
JOBS ?= 2
READY = .venv/requirements.installed
OPTIONS = $(if $(DATA),--data "$(DATA)") $(if $(PROFILE),--profile "$(PROFILE)") \
	$(if $(WORKERS),--workers $(WORKERS))

.PHONY: study lab test lint clean

study: $(READY)
	.venv/bin/fkp run $(STUDY) $(OPTIONS)

lab: $(READY)
	.venv/bin/jupyter lab notebooks

test: $(READY) lint
	.venv/bin/python -m pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder

lint: $(READY)
	.venv/bin/ruff check
	.venv/bin/ruff format --check

clean:
	rm -rf .venv *.egg-info build .pytest_cache .ruff_cache .hypothesis
	find fkp tests benchmarks notebooks -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf

$(READY): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "fkp needs Python 3.11, 3.12 or 3.13 as python3 (or make PYTHON=path)"; exit 1; }
	test -x .venv/bin/pip || $(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	touch $(READY)
