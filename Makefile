# Each target finds what it needs or says in one line what to install.
SHELL := /bin/bash
BIN := $(CURDIR)/.bin
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOFUMPT := mvdan.cc/gofumpt@v0.12.0
PKGS := ./...

.PHONY: help build demo test check lint fuzz race bench microbench nightly clients torture needs-go needs-postgres

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | column -t -s '|'

needs-go:
	@command -v go >/dev/null || { echo "install Go 1.26 or newer: https://go.dev/dl"; exit 1; }

needs-postgres:
	@[ -n "$$FRAISEQL_TEST_DATABASE_URL" ] || command -v postgres >/dev/null || \
		compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || compgen -G '/usr/pgsql-*/bin/postgres' >/dev/null || \
		compgen -G '/opt/homebrew/opt/postgresql@*/bin/postgres' >/dev/null || compgen -G '/usr/local/opt/postgresql@*/bin/postgres' >/dev/null || \
		compgen -G '/Applications/Postgres.app/Contents/Versions/*/bin/postgres' >/dev/null || \
		{ echo "install PostgreSQL: apt-get install postgresql (Debian) or brew install postgresql@17 (macOS)"; exit 1; }

build: needs-go ## the binary, as ./fraiseql
	CGO_ENABLED=0 go build -trimpath -o fraiseql ./cmd/fraiseql

demo: build ## serve the demo shop on a private PostgreSQL
	./fraiseql serve --demo

test: needs-go needs-postgres ## every test, on a private PostgreSQL
	go test -shuffle=on $(PKGS)

race: needs-go needs-postgres
	go test -race -shuffle=on $(PKGS)

$(BIN)/golangci-lint:
	GOBIN=$(BIN) go install $(GOLANGCI)

$(BIN)/gofumpt:
	GOBIN=$(BIN) go install $(GOFUMPT)

lint: $(BIN)/golangci-lint $(BIN)/gofumpt
	@test -z "$$($(BIN)/gofumpt -l .)" || { echo "run gofumpt on:"; $(BIN)/gofumpt -l .; exit 1; }
	go vet $(PKGS)
	$(BIN)/golangci-lint run

# Counted, not timed: go test reports a worker that is at work when the time is over as a failure
# ("context deadline exceeded").
fuzz: needs-go
	go test -run '^$$' -fuzz FuzzLoad -fuzztime 20000x -fuzzminimizetime 200x ./runtime/config
	go test -run '^$$' -fuzz FuzzParse -fuzztime 300000x -fuzzminimizetime 200x ./runtime/graphql/plan
	go test -run '^$$' -fuzz FuzzConditions -fuzztime 20000x -fuzzminimizetime 200x ./runtime/graphql/watch
	go test -run '^$$' -fuzz FuzzCompile -fuzztime 50000x -fuzzminimizetime 200x ./runtime/conditions
	go test -run '^$$' -fuzz FuzzVerify -fuzztime 50000x -fuzzminimizetime 200x ./runtime/outbound
	go test -run '^$$' -fuzz FuzzTemplate -fuzztime 50000x -fuzzminimizetime 200x ./runtime/templates

torture: needs-go needs-postgres ## kills, halts, restarts and partitions while clients write: some minutes, docs/guarantees.md
	go run ./bench/torture

check: lint race fuzz ## format, lint, vet, tests with the race detector, short fuzzing

clients: build ## GraphQL-over-HTTP audits, graphql-js, Apollo Client, urql, Relay and a browser against the demo (needs Node and Chromium)
	test/clients/run.sh

bench: ## fraiseql against a server written by hand and PostGraphile: bench/README.md
	bench/run.sh

microbench: needs-go needs-postgres ## benchmarks of the hot paths
	go test -run '^$$' -bench . -benchmem ./runtime/graphql/... ./runtime/httpapi

nightly: check clients ## what takes long
	go run ./bench/torture -long
	go run ./bench/torture -sabotage
	go test -count=5 -race ./runtime/postgres/embedded
	go test -timeout 60m ./runtime/graphql -args -long
	go test -run '^$$' -fuzz FuzzLoad -fuzztime 600000x -fuzzminimizetime 200x ./runtime/config
	go test -run '^$$' -fuzz FuzzParse -fuzztime 9000000x -fuzzminimizetime 200x ./runtime/graphql/plan
