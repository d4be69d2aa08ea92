# Everything runs on Node 24 from node_modules; the machine needs Node ≥ 20 and npm.
SHELL := /bin/bash
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup check test infra demo bench chaos docs format clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

node_modules/.installed: package.json package-lock.json schemas/package.json $(wildcard services/*/package.json)
	@node test/tools/check-platform.mjs
	@echo "Installing dependencies: about 250 MB to download and 1 GB on disk, most of it the ClickHouse engine (once)"
	npm ci --no-audit --no-fund --loglevel=error --engine-strict=false
	@touch node_modules/.installed

setup: node_modules/.installed ## Install the dependencies (the other targets do it too)

check: setup ## Types, lint, boundaries, dead code, generated documents
	tsc -p tsconfig.json
	biome check .
	node test/tools/check-boundaries.ts
	knip
	node test/tools/generate-docs.ts --check

test: setup ## All tests (ARGS=… goes to the test runner)
	vitest run $(ARGS)

infra: setup ## Images, Compose, alerts, Helm chart: fetches the tools that judge them (Go, pip, apt) and asks them
	node test/infra/tools.ts
	vitest run test/infra

demo: setup ## See the main job working: simulated cluster, alerts, score, response (Ctrl-C ends it)
	node services/cli/src/main.ts demo

bench: setup ## Benchmarks: one JSON line each
	node bench/run.ts

chaos: setup ## Full rounds of kills, outages, folding histories, malformed bodies, secrets (some hours), into docs/benchmarks.md
	node test/tools/run-chaos.ts

docs: setup ## Write the generated documents anew
	node test/tools/generate-docs.ts

format: setup ## Format and fix what can be fixed
	biome check --write .

clean: ## Remove what the targets made
	rm -rf node_modules coverage
