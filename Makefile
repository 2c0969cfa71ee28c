# `make` alone lists what there is to make; each target's work is a script in scripts/.
.DEFAULT_GOAL := help
.PHONY: help demo test soak fuzz build release lint bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## bring a real bottle up, try to get out of it, change a route, repair a sidecar
	@scripts/demo

test: ## run every suite on a real Docker engine; installs or starts what is missing
	@scripts/test

soak: ## run the long random tests that `test` leaves out
	@scripts/soak

fuzz: ## fuzz the policy of the egress-proxy a million times; FUZZ_EXECUTIONS, FUZZ_SECONDS, FUZZ_SEED
	@scripts/fuzz

build: ## build the executable for development: .build/debug/bottle
	@scripts/prerequisites build
	@swift build --product bottle

release: ## build the executable for use: .build-release/bottle
	@scripts/release

lint: ## check the form of the Swift, Python and shell files, and the unit
	@scripts/lint

bench: ## time start-up, applies, a route change of the release build, and the way through the sidecars
	@scripts/bench

clean: ## stop our engine, remove the demo, everything built and everything cached
	@scripts/clean
