# Every target works on a fresh machine that has Go; interop installs the rest.
GO       ?= go
FUZZTIME ?= 10s
COUNT    ?= 1
# Modules of their own, for what the library itself does not need.
MODULES  := auth bench prometheus

.PHONY: help run test race fuzz bench benchbase benchcmp compare lint cover emulate interop autobahn autobahn-original

help: ## show what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start a server with an echo, a chat and a page to try them
	$(GO) run ./cmd/ws serve

test: ## run all tests
	$(GO) test ./...
	$(GO) test ./server -loop
	@for m in $(MODULES); do echo "cd $$m && $(GO) test ./..." && (cd $$m && $(GO) test ./...) || exit 1; done

race: ## run all tests with the race detector
	$(GO) test -race $$($(GO) list ./... | grep -v '/autobahn\|/examples')
	$(GO) test -race ./server -loop
	@for m in $(MODULES); do echo "cd $$m && $(GO) test -race ./..." && (cd $$m && $(GO) test -race ./...) || exit 1; done
	$(GO) test -race -short ./autobahn/...

fuzz: ## run every fuzz target for FUZZTIME (10s)
	@./scripts/fuzz.sh $(FUZZTIME)

bench: ## run the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem -count $(COUNT) ./...

benchbase: ## store a baseline of the benchmarks, of this machine and before a change
	@./scripts/benchcmp.sh -store

benchcmp: ## run the benchmarks and compare them with the baseline (benchstat)
	@./scripts/benchcmp.sh

compare: ## measure this library and others, and write docs/benchmarks.md (some minutes)
	cd bench && $(GO) run ./cmd/compare

lint: ## gofmt, vet, staticcheck, and the house rules for tests
	@./scripts/lint.sh

cover: ## statement coverage, with the floors that must hold
	@./scripts/cover.sh

emulate: ## install an emulator (Debian, as root) and test frame on arm64 and s390x
	@./scripts/emulate.sh

interop: ## install real peers (Debian, as root) and test with them
	./interop/setup.sh
	$(GO) test -count 1 -tags interop ./interop/...
	cd prometheus && $(GO) test -count 1 -tags interop ./...

autobahn: ## run our conformance suite in full against our own server and client
	$(GO) test -count 1 -run 'TestSelf/plain' ./autobahn -full
	$(GO) test -count 1 -run TestOdd ./autobahn -full

autobahn-original: ## run the original Autobahn suite (wstest or Docker) against them
	./scripts/autobahn.sh
