# `make` alone explains what there is.
.PHONY: help demo test check bench sim kill fuzz leaks soak crashes schedules bugs lock clean

PYTHON_HERE := .venv/bin/python

help:
	@echo 'Paydesk needs Python 3.11 or newer and make. Packages go into .venv/ by themselves.'
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s  %s\n", $$1, $$2 }' Makefile
	@echo
	@echo 'ARGS="…" is handed on to the command behind a target: make test ARGS="tests/house -x"'

demo:  ## run a shop, a PSP and Paydesk on this machine, and pay
	@tools/set-up
	@.venv/bin/paydesk demo $(ARGS)

test:  ## run every test; needs a Chromium, and fetches one where there is none
	@tools/set-up dev
	@browser=$$(tools/chromium) && PAYDESK_CHROMIUM="$$browser" $(PYTHON_HERE) -m pytest -n 2 --dist loadgroup $(ARGS)

check:  ## lint, format, import contracts, types
	@tools/set-up dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports
	.venv/bin/basedpyright

bench:  ## measure: payments per second, CPU per payment
	@tools/set-up
	@$(PYTHON_HERE) -m bench $(ARGS)

sim:  ## simulate payments with faults and crashes; SEED=7 replays a seed
	@tools/set-up
	@PYTHONHASHSEED=0 $(PYTHON_HERE) -m paydesk_simulator $(if $(SEED),--seed $(SEED)) $(ARGS)

kill:  ## kill a real server at random under load, and compare the books
	@tools/set-up dev
	@$(PYTHON_HERE) -m tests.kills $(ARGS)

fuzz:  ## every bad input, and made-up requests, on every route of a real server
	@tools/set-up dev
	@$(PYTHON_HERE) -m tests.bad_input $(ARGS)

leaks:  ## pay with marked cards in every way, then search all that was written
	@tools/set-up dev
	@$(PYTHON_HERE) -m tests.leaks $(ARGS)

soak:  ## simulate 100 000 payments with some 11 000 crashes
	@tools/set-up
	@PYTHONHASHSEED=0 $(PYTHON_HERE) -m paydesk_simulator --seeds 2000 --payments 50 $(ARGS)

crashes:  ## crash each flow at every commit and await
	@tools/set-up
	@PYTHONHASHSEED=0 $(PYTHON_HERE) -m paydesk_simulator.crash_points $(ARGS)

schedules:  ## two to four operations at once on one payment, in seeded orders
	@tools/set-up
	@PYTHONHASHSEED=0 $(PYTHON_HERE) -m paydesk_simulator.schedules $(ARGS)

bugs:  ## patch deliberate bugs in: the simulation has to catch each
	@tools/set-up dev
	@PYTHONHASHSEED=0 $(PYTHON_HERE) -m tests.simulation.bites $(ARGS)

lock:  ## write both lock files anew from pyproject.toml; ARGS=--upgrade takes newer versions
	@tools/set-up
	@tools/lock $(ARGS)

clean:  ## remove .venv, what was built and caches; data in var/ stays
	rm -rf .venv dist .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
