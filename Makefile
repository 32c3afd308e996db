# `make` alone explains. Everything lives in .venv and var/; nothing of the system is touched but by `make test-deps`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.PHONY: help setup run demo test soak check bench pictures lab dist test-deps
MAKEFLAGS += --no-print-directory

PYTHON := .venv/bin/python
# A stamp names the lock it stands for: while the lock is the same, nothing is asked of a package index.
READY := .venv/ready-$(shell { pwd; cat requirements.lock Makefile; } | sha256sum | cut -c1-16)
DEV := .venv/dev-$(shell { pwd; cat requirements.lock tests/requirements.lock Makefile; } | sha256sum | cut -c1-16)
# Wheels only: building one would fetch tools that no hash holds.
PIP := $(PYTHON) -m pip --disable-pip-version-check --no-input install --require-hashes --only-binary :all:

# Copies what pip says into .venv/pip.log and shows how far it is; at a failure, its last lines.
define install
	total=$$(grep -c '^[a-z0-9].*==' $(1)); done=0
	if PYTHONUNBUFFERED=1 $(PIP) -r $(1) 2>&1 | tee .venv/pip.log | while read -r word name; do
		case $$word in Collecting|Requirement) done=$$((done + 1)) ;; Installing) done=$$total ;; *) continue ;; esac
		[ -t 2 ] || continue
		printf '\r%s [%-32s] %d/%d ' "$(2)" "$$(printf '%*s' $$((done * 32 / total)) '' | tr ' ' '#')" $$done $$total >&2
	done; then
		if [ -t 2 ]; then echo >&2; else echo "$(2): $$total packages" >&2; fi
	else
		echo >&2; tail -n 5 .venv/pip.log >&2
		echo "$(1) could not be installed; the whole story is in .venv/pip.log" >&2; exit 1
	fi
endef

help: ## Show these lines
	@echo "Lambi watches a region's internet. Start with: make run"; echo
	grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12
	echo; echo 'ARGS="..." is handed on: make run ARGS="--help", make test ARGS="tests/monitor -k store"'

setup: $(READY) ## Make .venv with what requirements.lock names, by hash
	@:

run: $(READY) ## Set up, then start the daemon
	@exec .venv/bin/lambi run $(ARGS)

demo: $(READY) ## Show a bad day on the page: the real daemon in a world that a story makes up
	@exec .venv/bin/lambi demo $(ARGS)

test: $(DEV) ## Run the tests; what needs root or a daemon that is missing skips and says so
	@tests/run $(ARGS)

soak: $(DEV) ## Run the tests with the large counts (hours)
	@LAMBI_SOAK=1 $(PYTHON) -m pytest --timeout=0 $(ARGS)

check: $(DEV) ## Lint, format, types, layers
	@$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports

bench: $(DEV) ## Measure Lambi beside its peers
	@for each in $$(grep -l 'sys.exit(main())' bench/*.py); do $(PYTHON) "$$each" $(ARGS); done

pictures: $(DEV) ## Take the pictures of docs/pictures anew: the page on a bad day, the demo's worst minute
	@$(PYTHON) -m tests.monitor.web.pictures $(ARGS)

lab: $(DEV) ## Start the archipelago of real daemons (root)
	@exec $(PYTHON) -m tests.lab $(ARGS)

dist: $(DEV) ## Build the wheel and the source archive into dist/
	@rm -rf dist
	$(PYTHON) -m build --no-isolation --outdir dist . >/dev/null
	ls dist

test-deps: ## Install the Debian packages that tests talk to (root); none of their services is started
	@packages=$$(sed 's/#.*//' tests/debian-packages.txt)
	missing=$$(for each in $$packages; do
		dpkg-query -W -f '$${db:Status-Status}' "$$each" 2>/dev/null | grep -qx installed || echo "$$each"; done)
	[ -n "$$missing" ] || exit 0
	[ "$$(id -u)" = 0 ] || { echo "make test-deps installs Debian packages: run it as root (sudo make test-deps)" >&2; exit 2; }
	policy=/usr/sbin/policy-rc.d
	if [ ! -e $$policy ]; then
		printf '#!/bin/sh\nexit 101\n' > $$policy; chmod 755 $$policy; trap 'rm -f /usr/sbin/policy-rc.d' EXIT
	fi
	export DEBIAN_FRONTEND=noninteractive
	apt-get -q -o DPkg::Lock::Timeout=600 -o APT::Get::List-Cleanup=false update
	apt-get -q -o DPkg::Lock::Timeout=600 install -y --no-install-recommends $$missing

$(READY):
	@python=; old=; bare=
	for each in python3.13 python3.12 python3.11 python3; do
		"$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
		"$$each" -c 'import ensurepip, venv' 2>/dev/null || { bare=$$each; continue; }
		python=$$each; break
	done
	if [ -z "$$python" ] && [ -n "$$bare" ]; then
		echo "$$bare has no venv module: sudo apt install python3-venv" >&2; exit 2
	fi
	if [ -z "$$python" ]; then
		echo "Lambi needs Python 3.11 or newer, and none is found: sudo apt install python3 python3-venv" >&2; exit 2
	fi
	if ! $(PYTHON) -m pip --version >/dev/null 2>&1 || ! grep -qsF "$$PWD/.venv" .venv/pyvenv.cfg; then
		"$$python" -m venv --clear .venv
	fi
	$(call install,requirements.lock,Lambi's libraries)
	echo "$$PWD" > "$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/lambi.pth"
	printf '#!/bin/sh\nexec "%s" -P -m monitor.cli "$$@"\n' "$$PWD/$(PYTHON)" > .venv/bin/lambi
	chmod 755 .venv/bin/lambi
	rm -f .venv/ready-*; touch $@

$(DEV): $(READY)
	@$(call install,tests/requirements.lock,What the tests need)
	rm -f .venv/dev-*; touch $@
