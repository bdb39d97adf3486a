# `make` alone lists the targets. Works with GNU make from 3.81, the version of macOS.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:

export SAM_CLI_TELEMETRY := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1

VENV := .venv
SAM_VENV := .venv-sam
CHECKOV_VENV := .venv-checkov
REHEARSE_VENV := .venv-rehearse
RECORDING_VENV := .venv-recording
CLIENTS_VENV := .venv-clients
KOTLIN_VENV := .venv-kotlin
BIN := $(VENV)/bin
# `sam build` looks for python3.13 on the PATH, and a venv that python3.13 made has one.
SAM := PATH="$(CURDIR)/$(SAM_VENV)/bin:$$PATH" $(SAM_VENV)/bin/sam
INSTALL := -m pip install --quiet --require-hashes
UPGRADE ?=

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

# make exports PORT, AWS_PORT, CONFIG_CACHE_SECONDS, RECONCILE_AFTER_SECONDS and DYNAMODB to the program, also from `make run PORT=3100`.
.PHONY: run
run: $(VENV)/run.stamp ## run the whole stack locally with demo data (PORT, AWS_PORT, CONFIG_CACHE_SECONDS, RECONCILE_AFTER_SECONDS, DYNAMODB=local)
	@exec $(BIN)/python -m local

# With two or more cores all tests run in three processes (tests/parallel.py), because they wait for a third of the time.
# Those that TESTS names run in one process.
# A process that crashes is not replaced: it would start its folder again, with the test that crashed it.
CORES = $(shell getconf _NPROCESSORS_ONLN 2>/dev/null)
PROCESSES = $(if $(filter-out 0 1,$(CORES)),-n 3 --max-worker-restart 0)
.PHONY: test
test: $(VENV)/dev.stamp ## run the checks and all tests that can run here, and report skipped ones (TESTS=tests/domain: only these tests)
	@$(MAKE) --no-print-directory -j $(or $(CORES),1) rehearse-if-possible check
	$(BIN)/python -m pytest $(or $(TESTS),$(PROCESSES))

.PHONY: rehearse
rehearse: $(VENV)/dev.stamp $(SAM_VENV)/stamp $(REHEARSE_VENV)/stamp ## deploy, use, update and delete the stack on an AWS emulator (five minutes)
	$(BIN)/python -m pytest -q -s tests/rehearsal

# `make test` does several of these at once.
CHECKS := check-types check-template check-checkov check-dependencies check-style check-imports check-secrets
.PHONY: check $(CHECKS)
check: $(CHECKS) ## check lint, format, types, import rules, the template, secrets and known vulnerabilities

check-style: $(VENV)/dev.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check

check-types: $(VENV)/dev.stamp
	$(BIN)/mypy

check-imports: $(VENV)/dev.stamp
	PYTHONPATH=.:layers/cancel_core $(BIN)/lint-imports --no-cache

check-template: sam-if-possible
	$(BIN)/cfn-lint template.yaml
	@if [ -x $(SAM_VENV)/bin/sam ]; then \
	    echo '$(SAM_VENV)/bin/sam validate --lint'; $(SAM) validate --lint --region us-east-1; \
	else echo 'not done: sam validate --lint (aws-sam-cli is not installed)'; fi

check-checkov: checkov-if-possible
	@if [ -x $(CHECKOV_VENV)/bin/checkov ]; then \
	    echo '$(CHECKOV_VENV)/bin/checkov -f template.yaml'; $(CHECKOV_VENV)/bin/checkov -f template.yaml; \
	else echo 'not done: checkov (it is not installed)'; fi

check-secrets: $(VENV)/dev.stamp
	$(BIN)/python -m tests.security.scan secrets

check-dependencies: $(VENV)/dev.stamp
	$(BIN)/python -m tests.security.scan dependencies $(AUDITED)

# What is deployed, and what `make run` runs.
AUDITED := layers/cancel_core/requirements.txt functions/refund_order/requirements.txt functions/send_mail/requirements.txt requirements/run.txt

.PHONY: format
format: $(VENV)/dev.stamp ## fix lint findings and formatting with ruff
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

ARCHITECTURE ?= arm64
.PHONY: build
build: $(VENV)/run.stamp $(SAM_VENV)/stamp ## build the deployment packages and their SBOM into .aws-sam (ARCHITECTURE=arm64 or x86_64)
	@$(SAM_VENV)/bin/python3.13 -c '' 2>/dev/null || { echo 'The functions are built with python3.13 itself: install it, run make clean, and try again.' >&2; exit 1; }
	$(SAM) build --parameter-overrides Architecture=$(ARCHITECTURE)
	@$(MAKE) --silent --no-print-directory compile
	@$(SAM_VENV)/bin/python3.13 requirements/sbom.py $(ARTIFACTS)

# Lambda's disk can't be written to: without bytecode in the packages each cold start would compile all it imports.
# `unchecked-hash`, since a package's files do not keep their times. What no function imports is left out, for it would be half of the
# layer: its sources, too, where a folder has nothing else.
ARTIFACTS := .aws-sam/build
COMPILER := $(SAM_VENV)/bin/python3.13
# The service data is of the botocore that is locked for this environment.
TRIMMER := $(BIN)/python
SERVICE_DATA := $(ARTIFACTS)/CancelCoreLayer/python/cancel_core/adapters/service_data
NOT_IMPORTED := pydantic/(v1|deprecated|mypy)
.PHONY: compile
compile:
	@rm -rf $(ARTIFACTS)/*/python/pydantic/v1 $(ARTIFACTS)/*/python/aws_lambda_powertools/event_handler
	@find $(ARTIFACTS)/*/python/aws_lambda_powertools/utilities -mindepth 1 -maxdepth 1 -type d ! -name 'jmespath*' -exec rm -rf {} +
	@$(call trim,$(SERVICE_DATA))
	@$(TRIMMER) requirements/core_schema.py $(ARTIFACTS)/CancelCoreLayer/python/pydantic_core/core_schema.py
	@$(COMPILER) -m compileall -q -f --invalidation-mode unchecked-hash -x '$(NOT_IMPORTED)' $(ARTIFACTS)

# sam gives a container only the variables that a template names, so the address of make run's services is named in a copy.
EVENT ?= cancel_order
INVOKED := .aws-sam/invoke
THIS_ARCHITECTURE = Architecture=$$(uname -m | sed 's/amd64/x86_64/; s/aarch64/arm64/')
.PHONY: invoke
invoke: $(SAM_VENV)/stamp ## run one function in Docker against the tables of make run (EVENT=cancel_order: a file of events/)
	@$(SAM) build --parameter-overrides $(THIS_ARCHITECTURE) --build-dir $(INVOKED)
	@awk '{print} /POWERTOOLS_SERVICE_NAME:/ {sub(/POWERTOOLS.*/, "AWS_ENDPOINT_URL: set by events/env.json"); print}' \
	    $(INVOKED)/template.yaml > $(INVOKED)/invoke.yaml
	@function=$$(echo $(EVENT) | awk -F _ '{for (i = 1; i <= NF; i++) printf "%s", toupper(substr($$i, 1, 1)) substr($$i, 2)}')Function; \
	$(SAM) local invoke "$$function" --parameter-overrides $(THIS_ARCHITECTURE) --template $(INVOKED)/invoke.yaml \
	    --event events/$(EVENT).json --env-vars events/env.json --region eu-north-1

# What the live stack has is proposed, and the build is for the processor that is deployed to: docs/rollout.md.
STACK ?= cancel-core
ASK ?= yes
export SET ?=
.PHONY: deploy
deploy: $(VENV)/run.stamp $(SAM_VENV)/stamp ## deploy to your AWS account: asks, builds, shows the changes (STACK, SET='Name=value ...', ASK=no)
	@$(BIN)/python -m ops deploy --stack $(STACK) $(if $(filter no,$(ASK)),--keep)

# Each deployment is a release, with a version of every function: docs/rollout.md.
BUILT := .aws-sam/build/template.yaml
.PHONY: stamp
stamp:
	@sed "s/: unreleased/: $$(date -u +%Y%m%dT%H%M%SZ)/" $(BUILT) > $(BUILT).stamped
	@mv $(BUILT).stamped $(BUILT)

.PHONY: lock
lock: ## lock requirements/*.in with uv (UPGRADE=--upgrade: newest versions of everything)
	cd requirements && uv pip compile $(LOCK) --python-version 3.13 layer.in -o ../layers/cancel_core/requirements.txt
	cd requirements && uv pip compile $(LOCK) --python-version 3.13 refund.in -o ../functions/refund_order/requirements.txt
	cd requirements && uv pip compile $(LOCK) --python-version 3.13 mail.in -o ../functions/send_mail/requirements.txt
	cd requirements && for set in pip run dev sam checkov recording clients; do uv pip compile $(LOCK) --python-version 3.11 $$set.in -o $$set.txt || exit 1; done
	cd requirements && uv pip compile $(LOCK) --python-version 3.13 rehearse.in -o rehearse.txt
	cd requirements && uv pip compile $(LOCK) --python-version 3.11 --no-deps kotlin.in -o kotlin.txt
LOCK = --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links $(UPGRADE)

.PHONY: holidays
holidays: $(VENV)/dev.stamp ## regenerate the list of public holidays from the locked package
	@$(BIN)/python requirements/public_holidays.py

# Short forms of `python -m ops`, which says more with --help. DO has the words of the command, and options as --local.
# What is typed into these variables reaches the program as it stands: neither make nor a shell reads its $ signs.
TYPED := DO ID NOTE BY WHY FROM TO STORE CSV PLOT EXPORT
$(foreach name,$(TYPED),$(eval override $(name) := $$(value $(name))))
export $(TYPED)
OPS = $(BIN)/python -m ops
# $(call option,--note,NOTE): the option, if its variable has something in it.
option = $(if $($(2)),$(1) "$$$(2)")

# For example: make refunds DO='settle ref_1234' BY=me@shop.example WHY='paid by bank transfer'
.PHONY: refunds
refunds: $(VENV)/run.stamp ## refunds that wait for a person (DO='list', 'settle REFUND_ID' with BY and WHY, '--local list')
	@$(OPS) refunds --stack '$(STACK)' --typed "$${DO:---help}" $(call option,--by,BY) $(call option,--why,WHY)

# For example: make config DO='set-enabled no --store se'
.PHONY: config
config: $(VENV)/run.stamp ## the settings of the config table (DO='show', 'set-enabled yes', 'add-reason CODE "WORDS"', 'validate')
	@$(OPS) config --stack '$(STACK)' --typed "$${DO:---help}"

# For example: make mails DO='resend mail_1234'
.PHONY: mails
mails: $(VENV)/run.stamp ## the mails that were not sent, or came back (DO='list', 'show ORDER_ID', 'resend MAIL_ID', '--local list')
	@$(OPS) mails --stack '$(STACK)' --typed "$${DO:---help}"

# For example: make withdrawals DO='show wdr_1234'
.PHONY: withdrawals
withdrawals: $(VENV)/run.stamp ## the statements of withdrawal (DO='list', 'show ID', 'export --as csv', 'find ADDRESS', 'erase ID', '--local list')
	@$(OPS) withdrawals --stack '$(STACK)' --typed "$${DO:---help}"

# For example: make requests DO=decline ID=req_1234 NOTE='It has been packed already.'
.PHONY: requests
requests: $(VENV)/run.stamp ## the cancellation requests that the shop decides (DO=list, DO=approve or DO=decline with ID=... and NOTE='...')
	@$(OPS) requests --stack '$(STACK)' --typed "$${DO:---help}" $(if $(ID),"$$ID") $(call option,--note,NOTE)

# For example: make report FROM=2026-11-01 TO=2026-11-30 CSV=report.csv PLOT=report.svg
.PHONY: report
report: $(VENV)/run.stamp ## cancels and requests by reason, store and day (FROM, TO; STORE, CSV, PLOT; EXPORT=folder, else it reads the tables, YES=1)
	@$(OPS) report --stack '$(STACK)' $(if $(FROM)$(DO),--typed "$$DO",--help) $(call option,--from,FROM) $(call option,--to,TO) \
	    $(call option,--store,STORE) $(call option,--csv,CSV) $(call option,--plot,PLOT) $(call option,--export,EXPORT) $(if $(filter 1 yes,$(YES)),--yes)

# For example: make storefront DO='site --api https://api.example.com --issuer https://login.example.com --client-id 4711'
.PHONY: storefront
storefront: $(VENV)/run.stamp ## the pages as a folder for any static host (DO='FOLDER --api ... --issuer ... --client-id ...')
	@$(BIN)/python -m web.publish $(or $(DO),--help)

# The same SEED on the same engine (moto or dynamodb-local) makes the same steps.
STEPS ?= 10000
SEED ?= 1
ENGINE ?= moto
.PHONY: chaos
chaos: $(VENV)/dev.stamp ## inject random sequences of faults (STEPS, SEED, ENGINE=dynamodb-local)
	STEPS=$(STEPS) SEED=$(SEED) ENGINE=$(ENGINE) $(BIN)/python -m pytest -q -s tests/invariants

# For example: make soak CUSTOMERS=32 SECONDS=180 DYNAMODB=local, or make soak WITHDRAWALS=50 GUESTS=50 SECONDS=60
# DYNAMODB=local. SEED and STACK_URL (of a stack that runs) reach the program, too.
.PHONY: soak
soak: $(VENV)/dev.stamp ## load-test a local stack, then check the invariants (CUSTOMERS, SECONDS; per second WITHDRAWALS, GUESTS; use DYNAMODB=local, because moto is slow and its memory grows)
	@exec $(BIN)/python -m tests.load

# For example: make bench ORDERS=10000 SECONDS=10, make bench ONLY=pages, or make bench BEFORE=HEAD~1. ROUNDS and PAIRS reach the program, too.
.PHONY: bench
bench: $(VENV)/dev.stamp $(SAM_VENV)/stamp ## measure performance into docs/performance.md (BEFORE=COMMIT compares; up to an hour)
	@PYTHONPATH=layers/cancel_core exec $(BIN)/python -m tests.bench

.PHONY: diagrams
diagrams: $(VENV)/dev.stamp ## draw the diagrams of docs/architecture.md into docs/pictures (needs npm and Chromium)
	@$(BIN)/python -m docs.diagrams.render

.PHONY: recording
recording: $(VENV)/run.stamp $(RECORDING_VENV)/stamp ## record the README's screen recording from the pages (needs Chromium)
	@$(RECORDING_VENV)/bin/python docs/recording/record.py

.PHONY: reference
reference: $(VENV)/dev.stamp ## write docs/reference/index.html from docs/openapi.yaml (needs npm if package-lock.json has another Redoc)
	@$(BIN)/python -m docs.reference.render

.PHONY: schemas
schemas: $(VENV)/dev.stamp $(CLIENTS_VENV)/stamp ## write docs/schemas/events into the template, and as types into examples/order_events
	@$(BIN)/python -m docs.schemas.registry
	@rm -rf examples/order_events
	@$(CLIENTS_VENV)/bin/datamodel-codegen --input docs/schemas/events --input-file-type jsonschema --output examples/order_events \
	    --output-model-type typing.TypedDict --target-python-version 3.11 --disable-timestamp --use-double-quotes \
	    --use-schema-description --formatters builtin

# For example: make clients ONLY='kotlin swift'
.PHONY: clients
clients: $(VENV)/dev.stamp $(CLIENTS_VENV)/stamp ## lint docs/openapi.yaml and generate clients in four languages (needs npm and Java; ONLY='lint typescript python kotlin swift')
	@$(BIN)/python -m examples.clients.generate $(ONLY)

.PHONY: try-kotlin
try-kotlin: clients $(KOTLIN_VENV)/stamp ## compile the Kotlin client and cancel an order with it (needs OkHttp 4 in Maven's local repository)
	KOTLIN=1 $(BIN)/python -m pytest -q tests/stack/test_generated_clients.py

.PHONY: clean
clean: ## remove everything that make installed, built or cached
	rm -rf $(VENV) $(SAM_VENV) $(CHECKOV_VENV) $(REHEARSE_VENV) $(RECORDING_VENV) $(CLIENTS_VENV) $(KOTLIN_VENV) .aws-sam .aws-sam-test .local .mypy_cache .ruff_cache .pytest_cache .hypothesis $(LOCAL_DATA)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---------------------------------------------------------------- installing

RECENT = import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))

# A venv is made by python3.13, which the functions run on, if it runs here, else by the newest Python from 3.11 on.
# Each candidate is run, because a version manager may put commands on the PATH that fail.
FIND_PYTHON = python=; for name in $(PYTHON) python3.13 python3 python3.14 python3.12 python3.11 /usr/bin/python3; do \
	    if "$$name" -c '$(RECENT)' 2>/dev/null; then python="$$name"; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	    echo 'cancel-core needs Python 3.11 or newer, 3.13 at best, with its venv module (on Debian: apt-get install python3-venv).' >&2; exit 1; \
	fi
# $(call make-venv,folder): creates it with the locked pip, unless it already has a working Python.
make-venv = @$(1)/bin/python -c '$(RECENT)' 2>/dev/null || { $(FIND_PYTHON); rm -rf $(1); echo "$(1): made with $$("$$python" --version)"; \
	    "$$python" -m venv $(1) && $(1)/bin/python $(INSTALL) -r requirements/pip.txt; }

# $(call trim,folder): writes the service data into it.
trim = rm -rf $(1) && $(TRIMMER) requirements/service_data.py $(1)
# With it the functions of make run start faster, too.
LOCAL_DATA := layers/cancel_core/cancel_core/adapters/service_data

$(VENV)/run.stamp: requirements/run.txt requirements/service_data.py
	$(call make-venv,$(VENV))
	@echo 'installing what make run needs ...'
	@$(BIN)/python $(INSTALL) -r requirements/run.txt
	@$(call trim,$(LOCAL_DATA))
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt requirements/service_data.py
	$(call make-venv,$(VENV))
	@echo 'installing what the tests need ...'
	@$(BIN)/python $(INSTALL) -r requirements/dev.txt
	@$(call trim,$(LOCAL_DATA))
	@touch $@ $(VENV)/run.stamp

$(SAM_VENV)/stamp: requirements/sam.txt
	$(call make-venv,$(SAM_VENV))
	@echo 'installing aws-sam-cli ...'
	@$(SAM_VENV)/bin/python $(INSTALL) -r requirements/sam.txt
	@touch $@

$(CHECKOV_VENV)/stamp: requirements/checkov.txt
	$(call make-venv,$(CHECKOV_VENV))
	@echo 'installing checkov ...'
	@$(CHECKOV_VENV)/bin/python $(INSTALL) -r requirements/checkov.txt
	@touch $@

# The functions run in it, so it needs the Python version that they run on.
$(REHEARSE_VENV)/stamp: requirements/rehearse.txt
	$(call make-venv,$(REHEARSE_VENV))
	@echo 'installing the AWS emulator and the AWS CLI ...'
	@$(REHEARSE_VENV)/bin/python $(INSTALL) -r requirements/rehearse.txt
	@touch $@

$(RECORDING_VENV)/stamp: requirements/recording.txt
	$(call make-venv,$(RECORDING_VENV))
	@echo 'installing what the screen recording needs ...'
	@$(RECORDING_VENV)/bin/python $(INSTALL) -r requirements/recording.txt
	@touch $@

$(CLIENTS_VENV)/stamp: requirements/clients.txt
	$(call make-venv,$(CLIENTS_VENV))
	@echo 'installing the client generators ...'
	@$(CLIENTS_VENV)/bin/python $(INSTALL) -r requirements/clients.txt
	@touch $@

# Only the compiler in the package is used, not what a notebook needs.
$(KOTLIN_VENV)/stamp: requirements/kotlin.txt
	$(call make-venv,$(KOTLIN_VENV))
	@echo 'installing the Kotlin compiler ...'
	@$(KOTLIN_VENV)/bin/python $(INSTALL) --no-deps -r requirements/kotlin.txt
	@touch $@

# If aws-sam-cli or checkov cannot be installed, the steps that need it are skipped with a message. In CI it fails.
.PHONY: sam-if-possible
sam-if-possible: $(VENV)/dev.stamp
	@$(MAKE) --silent --no-print-directory $(SAM_VENV)/stamp || echo 'aws-sam-cli could not be installed: what needs it is skipped.' >&2

.PHONY: checkov-if-possible
checkov-if-possible: $(VENV)/dev.stamp
	@$(MAKE) --silent --no-print-directory $(CHECKOV_VENV)/stamp || echo 'checkov could not be installed: what needs it is skipped.' >&2

.PHONY: rehearse-if-possible
rehearse-if-possible: $(VENV)/dev.stamp
	@$(MAKE) --silent --no-print-directory $(REHEARSE_VENV)/stamp || echo 'the AWS emulator could not be installed: what needs it is skipped.' >&2
