# The tasks of every day. CI runs .ci/run, which is the judge; these are its parts.
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
MODULES  := . cmd/recourse cmd/recourse/browsertest durable/river durable/temporal journal/postgres journal/sqlite otel otel/prometheus examples examples/sdk bench
TOOLS    := $(CURDIR)/.tools

.PHONY: help test test-short test-slow lint golden bench release release-check

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 24

test: ## all tests but the slow ones, in every module
	go test work

test-short: ## the daily loop: minutes at first, then what has changed
	go test -short work

test-slow: ## every test at its largest size (tag slow): more than CI runs, .ci/run slow is that
	go test -tags slow -timeout 60m work

lint: $(TOOLS)/golangci-lint ## formatting and linters, in every module
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	@for m in $(MODULES); do echo "$$m"; (cd $$m && $(TOOLS)/golangci-lint run ./...) || exit 1; done

$(TOOLS)/golangci-lint:
	GOBIN=$(TOOLS) GOWORK=off go install $(GOLANGCI)

golden: ## rewrite the expected outputs; read the difference before you commit it
	@for p in $$(git grep -lE 'flag\.Bool\("update"|testkit\.(Update|Golden)' -- '*_test.go' | xargs -n1 dirname | sort -u); do \
		echo "$$p"; (cd $$p && go test . -update) || exit 1; done
	git diff --stat

bench: ## decisions, the executor beside its peers, the journal
	go test ./internal/ruleset ./executor -run - -bench .
	cd bench && go test -run - -bench .

release-check: ## a user of the next tag can build: no replace, no missing version
	.ci/release-check

release: ## what the next release needs, and the tags to make
	.ci/run
	@echo "all of it holds. The tags of this release (CHANGELOG.md names its changes):"
	@go run ./internal/release -tags | sed 's/^/  git tag /'
