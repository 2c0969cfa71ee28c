# `make` alone lists the targets. Each target runs a script in scripts/.
.DEFAULT_GOAL := help
.PHONY: help demo test soak fuzz build release lint bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## create a real bottle, try to get out of it, change a route, repair a sidecar
	@scripts/demo

test: ## run every suite on a real Docker engine; installs or starts what is missing
	@scripts/test

soak: ## run the long random tests that `test` skips
	@scripts/soak

fuzz: ## fuzz the egress-proxy's policy a million times; set FUZZ_EXECUTIONS, FUZZ_SECONDS, FUZZ_SEED to change that
	@scripts/fuzz

build: ## build the executable for development: .build/debug/bottle
	@scripts/prerequisites build
	@swift build --product bottle

release: ## build the executable for use: .build-release/bottle
	@scripts/release

lint: ## check the style of the Swift, Python and shell files, and the systemd unit
	@scripts/lint

bench: ## measure the release build: start-up, applies, approvals, the loop, and the path through the sidecars
	@scripts/bench

clean: ## stop this checkout's engine, remove the demo, all builds and all caches
	@scripts/clean
