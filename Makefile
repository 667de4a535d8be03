# Fatura: `make help` lists what there is.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

export GATEWAY_PORT ?= 4566
export SANDBOX_PORT ?= 4580
export SANDBOX_2_PORT ?= $(shell expr $(SANDBOX_PORT) + 1)
export RATES_PORT ?= 4590

PYTHON := .venv/bin/python
FUNCTIONS := api auth charge-consumer webhook-intake webhook-consumer retry-sweep event-relay notifier
STACK_ENV := set -a; [ -f .local/stack.env ] || { echo "There is no stack: run \`make up\`." >&2; exit 1; }; . .local/stack.env; set +a
# How many worlds `make simulate` lives through.
SEEDS ?= $(if $(CRASHES),20,2000)
# What a release runs on: arm64 or x86_64.
ARCHITECTURE ?= arm64
# Which sample `make invoke` sends.
EVENT ?= api-health

.PHONY: help
help: ## Lists the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ The local stack

.PHONY: demo up down reset watch invoke
demo: up ## Shows an invoice's life on the local stack
	@$(PYTHON) localstack/demo.py

up: tools ## Builds and deploys everything on this machine; again: deploys what has changed
	@$(PYTHON) localstack/build.py
	@$(PYTHON) localstack/start.py
	@$(PYTHON) localstack/deploy.py

down: tools ## Stops the local stack and forgets its data
	@$(PYTHON) localstack/stop.py

reset: tools ## Empties the local stack's table, queues and journal, and puts its exchange rates back
	@$(PYTHON) localstack/reset.py

watch: up build-tools ## Serves the functions on port 9000 and rebuilds them on change, with the stack behind them
	.venv-build/bin/cargo-lambda lambda watch --invoke-address 127.0.0.1 --invoke-port 9000 --env-file .local/functions.env

invoke: build-tools ## Sends a sample of events/ to a function of `make watch`: make invoke EVENT=api-health
	.venv-build/bin/cargo-lambda lambda invoke --invoke-address 127.0.0.1 --invoke-port 9000 \
	  $(firstword $(foreach name,$(FUNCTIONS),$(if $(filter $(name)-%,$(EVENT)),$(name)))) --data-file events/$(EVENT).json

##@ Checks

.PHONY: test format lint unit simulate simulate-bugs fuzz mutants gateways-outside template e2e schemathesis e2e-cycle faults
test: lint template unit simulate gateways-outside e2e-cycle faults ## All checks and tests, from formatting to the deployed stack
	@echo "make test: all passed"

format: ## Formats the code
	cargo fmt --all

lint: ## Formatting and clippy
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets --quiet -- -D warnings

unit: ## Unit and integration tests: no stack needed
	cargo test --locked --workspace --exclude fatura-e2e

simulate: ## Hostile worlds: SEEDS=2000, FROM=0; LONG=1 wants to see everything, CRASHES=1 a death at every call; SEED=7 replays one, TRACE=1 aloud
	cargo run --locked --quiet --profile local --package fatura-simulation -- \
	  $(if $(SEED),--seed $(SEED) $(PLAN) $(if $(TRACE),--trace),--seeds $(SEEDS)) $(if $(FROM),--from $(FROM)) $(if $(LONG),--long) $(if $(CRASHES),--crashes)

simulate-bugs: ## Plants deliberate bugs, each of which the simulation has to catch
	cargo run --locked --quiet --profile local --package fatura-simulation --features deliberate-bugs -- --bugs --seeds 500

# Counts branches with what is in the stable compiler. Its builds of our crates lie beside the others.
fuzz: export RUSTC_WORKSPACE_WRAPPER := $(CURDIR)/tests/fuzz/instrument.sh
fuzz: ## A minute of inputs that nobody thought of for each reader: SECONDS=..., TARGET=..., SEED=..., INPUT=<file>
	cargo run --locked --package fatura-fuzz --bin fuzz -- --seconds $(or $(SECONDS),60) \
	  $(if $(TARGET),--target $(TARGET)) $(if $(SEED),--seed $(SEED)) $(if $(INPUT),--input $(INPUT))

# With FILE or SHARD cargo-mutants builds each mutant by itself, which takes seconds for each instead of all together.
mutants: ## Mutants of the domain, each of which a test has to catch: WITHIN=invoice/; FILE=..., SHARD=0/8 build them one by one
	@python3 localstack/install.py mutants
	$(if $(FILE)$(SHARD),.tools/bin/cargo-mutants mutants --package fatura-domain $(if $(FILE),--file $(FILE)) $(if $(SHARD),--shard $(SHARD)),python3 tests/mutants/run.py $(WITHIN))

gateways-outside: ## The gateways against what others wrote: localstripe, and the SDKs of Stripe, Adyen, Mercado Pago and Standard Webhooks
	python3 tests/gateways-outside/run.py

template: tools ## The template: SAM's and CloudFormation's linters, and our own assertions
	.venv-sam/bin/cfn-lint template.yaml
	SAM_CLI_TELEMETRY=0 .venv-sam/bin/sam validate --lint --region us-east-1
	$(PYTHON) -m unittest discover --start-directory tests/template --verbose

e2e: tools ## End-to-end tests on the running stack
	$(STACK_ENV); cargo test --locked --package fatura-e2e
	@$(PYTHON) localstack/check_logs.py

schemathesis: tools ## Requests that nobody thought of, by our OpenAPI document, on the running stack: SEED=..., EXAMPLES=...
	@python3 localstack/install.py schemathesis
	$(STACK_ENV); $(PYTHON) tests/schemathesis/run.py
	@$(PYTHON) localstack/check_logs.py

# The stack goes down whatever happens. Between the two it forgets who was locked out.
e2e-cycle:
	trap '$(MAKE) --no-print-directory down' EXIT; $(MAKE) --no-print-directory up && \
	  $(MAKE) --no-print-directory e2e && $(MAKE) --no-print-directory reset && $(MAKE) --no-print-directory schemathesis

# A stack of its own: its functions reach AWS through what troubles them.
faults: export FAULTS_PORT ?= 4595
faults: ## 200 charges, with refunds and line items, while calls to AWS are throttled, lost, slow and cut off
	@python3 localstack/install.py faults
	trap '$(MAKE) --no-print-directory down' EXIT; $(MAKE) --no-print-directory up && $(PYTHON) tests/faults/run.py

##@ Measures and releases

.PHONY: bench load package
bench: ## Round trips, capacity units, sizes and start-up beside their goals
	for name in api charge-consumer webhook-intake; do \
	  AWS_LC_SYS_NO_JITTER_ENTROPY=1 cargo build --locked --release --package "$$name"; \
	done
	cargo run --locked --profile local --package fatura-bench

load: up build-tools ## k6 against the local stack: finds what breaks, measures nothing
	$(STACK_ENV); .venv-build/bin/k6 run tests/load/invoices.js

package: build-tools ## Release builds for `sam deploy`; ARCHITECTURE=x86_64 for the other kind
	for name in $(FUNCTIONS); do \
	  PATH="$$PWD/.venv-build/bin:$$PATH" AWS_LC_SYS_NO_JITTER_ENTROPY=1 \
	    cargo lambda build --locked --release --package "$$name" \
	      $(if $(filter arm64,$(ARCHITECTURE)),--arm64,--compiler cargo --skip-target-check); \
	done

.PHONY: tools build-tools
tools:
	@python3 localstack/install.py stack sam

build-tools:
	@python3 localstack/install.py build
